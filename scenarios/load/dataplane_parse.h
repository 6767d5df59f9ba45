/* SPDX-License-Identifier: MIT */
/* dataplane_parse.h - takes a frame apart: Ethernet, IPv4 or IPv6, TCP or UDP, DNS answers.
 *
 * No byte beyond the frame is read, and each loop ends whatever the frame says. Checksums are sums
 * of 16-bit words as they lie in memory: ones' complement sums are the same in either byte order
 * (RFC 1071).
 */
#ifndef TAILRACE_SCENARIOS_DATAPLANE_PARSE_H
#define TAILRACE_SCENARIOS_DATAPLANE_PARSE_H

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ETHERNET_BYTES 14
#define IPV4_BYTES 20
#define IPV6_BYTES 40
#define UDP_BYTES 8
#define TCP_BYTES 20
#define DNS_BYTES 12
#define DNS_RECORD_BYTES 10 /* behind its name */
#define DNS_ANSWERS_MAX 16
#define DNS_NAME_MAX 255 /* RFC 1035, 2.3.4 */
#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define PORT_DNS 53

/* What is to become of a frame: forwarded, or dropped for the first thing that is wrong. */
enum verdict {
    FORWARD,
    BAD_ETHERTYPE, /* neither IPv4 nor IPv6 */
    BAD_TRUNCATED, /* ends within a header */
    BAD_HEADER,    /* version, or an IPv4 header of less than 5 words */
    BAD_LENGTH,    /* a length beyond what there is, or below the header's */
    BAD_CHECKSUM,  /* of the IPv4 header */
    BAD_EXPIRED,   /* time to live or hop limit below 2 */
    BAD_TRANSPORT, /* neither TCP nor UDP, a fragment, or a TCP header of a wrong length */
    BAD_NAME,      /* a DNS label of a reserved type, a name or record beyond what there is */
    BAD_POINTER,   /* a DNS compression pointer that does not lead backwards */
    VERDICTS
};

/* Without padding, so that it can be compared and hashed as bytes. IPv4 addresses: 4 bytes, then
 * zeros. */
struct flow_key {
    uint8_t source[16], target[16];
    uint16_t source_port, target_port;
    uint8_t protocol, version, unused[2];
};
_Static_assert(sizeof(struct flow_key) == 40, "no padding");

/* Offsets into the frame. The name is valid for DNS answers: lower case, its labels apart by dots.
 */
struct parsed {
    struct flow_key key;
    uint32_t network, transport, end;
    bool is_dns;
    uint32_t answers, name_length;
    char name[DNS_NAME_MAX];
};

static inline uint32_t be16(const uint8_t *at) {
    return (uint32_t)at[0] << 8 | at[1];
}
static inline void put_be16(uint8_t *at, uint32_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline uint64_t sum_words(uint64_t sum, const uint8_t *at, size_t bytes) {
    uint32_t word;
    for (; bytes >= sizeof word; at += sizeof word, bytes -= sizeof word) {
        memcpy(&word, at, sizeof word);
        sum += word;
    }
    for (size_t done = 0; done < bytes; done += 2) {
        uint16_t half = 0; /* an odd byte is the first of its word */
        memcpy(&half, at + done, bytes - done > 1 ? 2 : 1);
        sum += half;
    }
    return sum;
}
static inline uint16_t sum_fold(uint64_t sum) {
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* The sum over pseudo header and segment: 0xffff where its checksum is right. */
static inline uint16_t transport_sum(const uint8_t *frame, const struct parsed *p) {
    const uint8_t *network = frame + p->network;
    uint8_t rest[4] = {0, p->key.protocol};
    uint32_t bytes = p->end - p->transport;
    if (p->key.protocol == PROTOCOL_UDP)
        bytes = be16(frame + p->transport + 4);
    put_be16(rest + 2, bytes);
    uint64_t sum = sum_words(0, rest, sizeof rest);
    sum = p->key.version == 4 ? sum_words(sum, network + 12, 8) : sum_words(sum, network + 8, 32);
    return sum_fold(sum_words(sum, frame + p->transport, bytes));
}
static inline uint8_t *transport_checksum(uint8_t *frame, const struct parsed *p) {
    return frame + p->transport + (p->key.protocol == PROTOCOL_UDP ? 6 : 16);
}

struct dns_cursor {
    const uint8_t *message;
    uint32_t length, at;
};

static inline enum verdict dns_label(const struct dns_cursor *c, uint32_t at, char *name,
                                     uint32_t *used) {
    uint32_t bytes = c->message[at];
    if (bytes > 63 || at + 1 + bytes >= c->length || *used + bytes + 1 > DNS_NAME_MAX)
        return BAD_NAME;
    for (uint32_t i = 0; i < bytes; i++)
        name[(*used)++] = (char)tolower(c->message[at + 1 + i]);
    name[(*used)++] = '.';
    return FORWARD;
}

/* Reads the name at the cursor and moves behind it. A pointer must lead to before the labels that
 * it ends, so that each one leads further back and the last one ends. */
static inline enum verdict dns_name(struct dns_cursor *c, char *name, uint32_t *used) {
    uint32_t at = c->at, labels = c->at, behind = 0;
    *used = 0;
    for (; at < c->length && c->message[at] != 0;) {
        if (c->message[at] >= 0xc0) {
            if (at + 1 >= c->length)
                return BAD_NAME;
            uint32_t to = be16(c->message + at) & 0x3fff;
            if (to >= labels)
                return BAD_POINTER;
            behind = behind ? behind : at + 2;
            at = labels = to;
        } else {
            enum verdict verdict = dns_label(c, at, name, used);
            if (verdict != FORWARD)
                return verdict;
            at += 1u + c->message[at];
        }
    }
    c->at = behind ? behind : at + 1;
    return at < c->length ? FORWARD : BAD_NAME;
}

/* One question and its answers; what may follow is not looked at. */
static inline enum verdict parse_dns(struct dns_cursor c, struct parsed *p) {
    char name[DNS_NAME_MAX];
    uint32_t used;
    if (c.length < DNS_BYTES)
        return BAD_TRUNCATED;
    p->answers = be16(c.message + 6);
    if (be16(c.message + 4) != 1 || p->answers > DNS_ANSWERS_MAX)
        return BAD_NAME;
    c.at = DNS_BYTES;
    enum verdict verdict = dns_name(&c, p->name, &p->name_length);
    c.at += 4; /* type and class */
    for (uint32_t i = 0; i < p->answers && verdict == FORWARD; i++) {
        verdict = dns_name(&c, name, &used);
        if (verdict != FORWARD)
            return verdict;
        if (c.at + DNS_RECORD_BYTES > c.length)
            return BAD_NAME;
        c.at += DNS_RECORD_BYTES + be16(c.message + c.at + 8);
        if (c.at > c.length)
            return BAD_NAME;
    }
    p->is_dns = true;
    return verdict == FORWARD && c.at > c.length ? BAD_NAME : verdict;
}

static inline enum verdict parse_udp(const uint8_t *frame, struct parsed *p) {
    uint32_t bytes = p->end - p->transport;
    if (bytes < UDP_BYTES)
        return BAD_TRUNCATED;
    const uint8_t *udp = frame + p->transport;
    uint32_t length = be16(udp + 4);
    if (length < UDP_BYTES || length > bytes)
        return BAD_LENGTH;
    if (be16(udp) != PORT_DNS)
        return FORWARD;
    return parse_dns((struct dns_cursor){udp + UDP_BYTES, length - UDP_BYTES, 0}, p);
}

static inline enum verdict parse_tcp(const uint8_t *frame, const struct parsed *p) {
    uint32_t bytes = p->end - p->transport;
    if (bytes < TCP_BYTES)
        return BAD_TRUNCATED;
    uint32_t header = (frame[p->transport + 12] >> 4) * 4u;
    return header < TCP_BYTES || header > bytes ? BAD_TRANSPORT : FORWARD;
}

static inline enum verdict parse_transport(const uint8_t *frame, struct parsed *p) {
    enum verdict verdict = p->key.protocol == PROTOCOL_TCP   ? parse_tcp(frame, p)
                           : p->key.protocol == PROTOCOL_UDP ? parse_udp(frame, p)
                                                             : BAD_TRANSPORT;
    if (verdict == FORWARD) {
        p->key.source_port = (uint16_t)be16(frame + p->transport);
        p->key.target_port = (uint16_t)be16(frame + p->transport + 2);
    }
    return verdict;
}

static inline enum verdict parse_ipv4(const uint8_t *frame, uint32_t length, struct parsed *p) {
    const uint8_t *ip = frame + ETHERNET_BYTES;
    uint32_t bytes = length - ETHERNET_BYTES;
    if (bytes < IPV4_BYTES)
        return BAD_TRUNCATED;
    uint32_t header = (ip[0] & 15) * 4u, total = be16(ip + 2);
    if (ip[0] >> 4 != 4 || header < IPV4_BYTES)
        return BAD_HEADER;
    if (total < header || total > bytes)
        return BAD_LENGTH;
    if (sum_fold(sum_words(0, ip, header)) != 0xffff)
        return BAD_CHECKSUM;
    if (ip[8] < 2)
        return BAD_EXPIRED;
    if (be16(ip + 6) & 0x3fff) /* more fragments, or an offset */
        return BAD_TRANSPORT;
    p->key.version = 4;
    p->key.protocol = ip[9];
    memcpy(p->key.source, ip + 12, 4);
    memcpy(p->key.target, ip + 16, 4);
    p->transport = p->network + header;
    p->end = p->network + total;
    return parse_transport(frame, p);
}

static inline enum verdict parse_ipv6(const uint8_t *frame, uint32_t length, struct parsed *p) {
    const uint8_t *ip = frame + ETHERNET_BYTES;
    uint32_t bytes = length - ETHERNET_BYTES;
    if (bytes < IPV6_BYTES)
        return BAD_TRUNCATED;
    if (ip[0] >> 4 != 6)
        return BAD_HEADER;
    if (be16(ip + 4) > bytes - IPV6_BYTES)
        return BAD_LENGTH;
    if (ip[7] < 2)
        return BAD_EXPIRED;
    p->key.version = 6;
    p->key.protocol = ip[6];
    memcpy(p->key.source, ip + 8, 16);
    memcpy(p->key.target, ip + 24, 16);
    p->transport = p->network + IPV6_BYTES;
    p->end = p->transport + be16(ip + 4);
    return parse_transport(frame, p);
}

/* Where it is not FORWARD, the parsed are undefined but for the name, which is not looked at. */
static inline enum verdict parse_frame(const uint8_t *frame, uint32_t length, struct parsed *p) {
    memset(p, 0, offsetof(struct parsed, name));
    p->network = ETHERNET_BYTES;
    if (length < ETHERNET_BYTES)
        return BAD_TRUNCATED;
    switch (be16(frame + 12)) {
    case ETHERTYPE_IPV4:
        return parse_ipv4(frame, length, p);
    case ETHERTYPE_IPV6:
        return parse_ipv6(frame, length, p);
    default:
        return BAD_ETHERTYPE;
    }
}

/* Replaces a word that a checksum covers (RFC 1624, equation 3). */
static inline void replace_word(uint8_t *checksum, uint8_t *at, const uint8_t *with) {
    uint16_t sum, old, new;
    memcpy(&sum, checksum, 2);
    memcpy(&old, at, 2);
    memcpy(&new, with, 2);
    sum = (uint16_t)~sum_fold((uint64_t)(uint16_t)~sum + (uint16_t)~old + new);
    memcpy(checksum, &sum, 2);
}

struct translation {
    uint8_t address[4], port[2]; /* in network order */
};

/* Makes the frame what leaves the router: one hop less, for IPv4 from another address and port (RFC
 * 3022), between other stations. */
static inline void rewrite_frame(uint8_t *frame, const struct parsed *p,
                                 const struct translation *to) {
    static const uint8_t stations[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
    uint8_t *ip = frame + p->network;
    memcpy(frame, stations, sizeof stations);
    if (p->key.version == 6) {
        ip[7]--;
        return;
    }
    uint8_t *checksum = transport_checksum(frame, p);
    bool is_udp = p->key.protocol == PROTOCOL_UDP, is_summed = !is_udp || be16(checksum) != 0;
    const uint8_t hop[2] = {(uint8_t)(ip[8] - 1), ip[9]};
    replace_word(ip + 10, ip + 8, hop);
    memcpy(ip + 8, hop, 2);
    for (int i = 0; i < 4; i += 2) {
        replace_word(ip + 10, ip + 12 + i, to->address + i);
        if (is_summed)
            replace_word(checksum, ip + 12 + i, to->address + i);
    }
    if (is_summed)
        replace_word(checksum, frame + p->transport, to->port);
    memcpy(ip + 12, to->address, 4);
    memcpy(frame + p->transport, to->port, 2);
    if (is_udp && is_summed && be16(checksum) == 0)
        put_be16(checksum, 0xffff); /* RFC 768: zero says that there is none */
}

/* True where header and transport checksums are what summing up all of it gives. */
static inline bool checksums_hold(const uint8_t *frame, const struct parsed *p) {
    const uint8_t *checksum = frame + p->transport + (p->key.protocol == PROTOCOL_UDP ? 6 : 16);
    bool is_header_right =
        p->key.version == 6 ||
        sum_fold(sum_words(0, frame + p->network, p->transport - p->network)) == 0xffff;
    bool is_summed = p->key.version == 6 || p->key.protocol != PROTOCOL_UDP || be16(checksum) != 0;
    return is_header_right && (!is_summed || transport_sum(frame, p) == 0xffff);
}

#endif
