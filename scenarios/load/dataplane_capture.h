/* SPDX-License-Identifier: MIT */
/* dataplane_capture.h - makes the frames that dataplane forwards: a capture without an end, each
 * frame drawn from a seed.
 *
 * Packets per flow follow Zipf's law; what a flow is (version, protocol, addresses, ports) follows
 * from its number, which its source address ends with. Of ten flows six are TCP, three UDP and one
 * the answers of a DNS server; two of five are IPv6. Packets have the sizes of Simple IMIX, but for
 * DNS, which has its own. A malformed frame has one fault, so it is known what is to be found.
 */
#ifndef TAILRACE_SCENARIOS_DATAPLANE_CAPTURE_H
#define TAILRACE_SCENARIOS_DATAPLANE_CAPTURE_H

#include "load/dataplane_parse.h"
#include "load/zipf.h"

#define FRAME_BYTES_MAX 1514 /* of Ethernet, without the frame check sequence */
#define FRAME_BYTES_MIN 60
#define FLOWS_MAX (1u << 24) /* numbers that fit into 10.0.0.0/8 */
#define CONTENT_BYTES 65536
#define ZIPF_EXPONENT 0.99
#define LABELS_MAX 4
#define ANSWERS_MAX 4
#define DNS_POINTER 0xc000

enum payload { PAYLOAD_IMIX, PAYLOAD_SMALL, PAYLOAD_LARGE };
struct capture {
    uint64_t seed, flow_count;
    uint32_t malformed_per_mille;
    enum payload payload;
    struct zipf flows;
    const uint8_t *content; /* CONTENT_BYTES + FRAME_BYTES_MAX */
};
/* What is known of a frame beforehand. */
struct truth {
    uint32_t flow, length;
    enum verdict verdict;
};

enum traffic { TRAFFIC_TCP, TRAFFIC_UDP, TRAFFIC_DNS };
struct shape {
    struct flow_key key;
    enum traffic traffic;
    bool is_summed; /* IPv4's UDP may do without */
};

static inline struct shape flow_shape(const struct capture *c, uint64_t flow, bool is_ipv4,
                                      bool is_dns) {
    struct shape shape = {0};
    struct flow_key *key = &shape.key;
    rng random = rng_at(c->seed ^ 0xf10e, flow);
    uint64_t target = rng_u64(&random), dice = rng_below(&random, 10);
    bool is_ipv6 = rng_below(&random, 5) < 2 && !is_ipv4;
    shape.traffic = is_dns || dice == 9 ? TRAFFIC_DNS : dice < 6 ? TRAFFIC_TCP : TRAFFIC_UDP;
    key->version = is_ipv6 ? 6 : 4;
    key->protocol = shape.traffic == TRAFFIC_TCP ? PROTOCOL_TCP : PROTOCOL_UDP;
    key->source_port = (uint16_t)(1024 + rng_below(&random, 64512));
    key->target_port = (uint16_t)(rng_below(&random, 4) ? 443 : 1024 + rng_below(&random, 64512));
    if (shape.traffic == TRAFFIC_DNS) {
        key->target_port = key->source_port;
        key->source_port = PORT_DNS;
    }
    memcpy(key->target, &target, is_ipv6 ? 8 : 4);
    uint8_t *number = key->source + (is_ipv6 ? 12 : 0);
    key->source[0] = is_ipv6 ? 0xfd : 10; /* private: RFC 1918, RFC 4193 */
    for (int i = 1; i < 4; i++)
        number[i] = (uint8_t)(flow >> (24 - 8 * i));
    shape.is_summed = is_ipv6 || shape.traffic == TRAFFIC_TCP || rng_below(&random, 8) > 0;
    return shape;
}

/* The flow that a parsed key belongs to: the inverse of flow_shape. */
static inline uint64_t flow_number(const struct flow_key *key) {
    const uint8_t *number = key->source + (key->version == 6 ? 12 : 0);
    return (uint64_t)number[1] << 16 | (uint64_t)number[2] << 8 | number[3];
}

/* A DNS answer: one question, then addresses for that name, which is told by a pointer. Returns its
 * bytes. */
static inline uint32_t make_dns(rng *random, uint8_t *message) {
    uint32_t labels = 2 + (uint32_t)rng_below(random, LABELS_MAX - 1), at = DNS_BYTES;
    uint32_t answers = 1 + (uint32_t)rng_below(random, ANSWERS_MAX);
    memset(message, 0, DNS_BYTES);
    put_be16(message, (uint32_t)rng_below(random, 65536));
    put_be16(message + 2, 0x8180); /* a response, recursion desired and available */
    put_be16(message + 4, 1);
    put_be16(message + 6, answers);
    for (uint32_t i = 0; i < labels; i++) {
        uint32_t letters = 3 + (uint32_t)rng_below(random, 10);
        uint64_t text = rng_u64(random);
        message[at++] = (uint8_t)letters;
        for (uint32_t k = 0; k < letters; k++, text /= 26)
            message[at++] = (uint8_t)((k % 3 ? 'a' : 'A') + text % 26);
    }
    static const uint8_t question[] = {0, 0, 1, 0, 1};
    static const uint8_t answer[] = {0xc0, DNS_BYTES, 0, 1, 0, 1, 0, 0, 1, 0x2c, 0, 4};
    memcpy(message + at, question, sizeof question);
    at += sizeof question;
    for (uint32_t i = 0; i < answers; i++, at += 4) {
        uint64_t address = rng_u64(random);
        memcpy(message + at, answer, sizeof answer);
        at += sizeof answer;
        memcpy(message + at, &address, 4);
    }
    return at;
}

/* Bytes of the IP packet. */
static inline uint32_t draw_size(const struct capture *c, rng *random) {
    uint64_t dice = rng_below(random, 12);
    if (c->payload == PAYLOAD_IMIX)
        return dice < 7 ? 40 : dice < 11 ? 576 : 1500;
    return c->payload == PAYLOAD_SMALL ? 40 : 1500;
}

static inline void put_transport(uint8_t *at, const struct shape *shape, uint32_t bytes,
                                 rng *random) {
    uint64_t numbers = rng_u64(random);
    put_be16(at, shape->key.source_port);
    put_be16(at + 2, shape->key.target_port);
    if (shape->traffic != TRAFFIC_TCP) {
        put_be16(at + 4, bytes);
        put_be16(at + 6, 0);
        return;
    }
    memcpy(at + 4, &numbers, 8);
    put_be16(at + 12, 0x5010); /* five words; ACK */
    put_be16(at + 14, 65535);
    put_be16(at + 16, 0);
    put_be16(at + 18, 0);
}

static inline void put_ipv4_checksum(uint8_t *ip) {
    memset(ip + 10, 0, 2);
    uint16_t sum = (uint16_t)~sum_fold(sum_words(0, ip, IPV4_BYTES));
    memcpy(ip + 10, &sum, 2);
}
static inline void put_network(uint8_t *ip, const struct flow_key *key, uint32_t bytes,
                               rng *random) {
    uint8_t hops = (uint8_t)(2 + rng_below(random, 254));
    memset(ip, 0, key->version == 6 ? IPV6_BYTES : IPV4_BYTES);
    if (key->version == 6) {
        ip[0] = 0x60;
        put_be16(ip + 4, bytes - IPV6_BYTES);
        ip[6] = key->protocol;
        ip[7] = hops;
        memcpy(ip + 8, key->source, 16);
        memcpy(ip + 24, key->target, 16);
        return;
    }
    ip[0] = 0x45;
    put_be16(ip + 2, bytes);
    put_be16(ip + 4, (uint32_t)rng_below(random, 65536));
    put_be16(ip + 6, 0x4000); /* not to be fragmented */
    ip[8] = hops;
    ip[9] = key->protocol;
    memcpy(ip + 12, key->source, 4);
    memcpy(ip + 16, key->target, 4);
    put_ipv4_checksum(ip);
}

/* A frame without faults; returns its bytes. p: where its headers are. */
static inline uint32_t make_frame(const struct capture *c, const struct shape *shape, rng *random,
                                  uint8_t *frame, struct parsed *p) {
    uint32_t network = shape->key.version == 6 ? IPV6_BYTES : IPV4_BYTES;
    uint32_t headers = network + (shape->traffic == TRAFFIC_TCP ? TCP_BYTES : UDP_BYTES);
    uint32_t bytes = draw_size(c, random);
    uint8_t *ip = frame + ETHERNET_BYTES;
    memset(frame, 2, 12);
    put_be16(frame + 12, shape->key.version == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4);
    if (shape->traffic == TRAFFIC_DNS)
        bytes = headers + make_dns(random, ip + headers);
    else if (bytes > headers)
        memcpy(ip + headers, c->content + rng_below(random, CONTENT_BYTES), bytes - headers);
    else
        bytes = headers;
    put_network(ip, &shape->key, bytes, random);
    put_transport(ip + network, shape, bytes - network, random);
    p->key = shape->key;
    p->network = ETHERNET_BYTES;
    p->transport = p->network + network;
    p->end = p->network + bytes;
    if (shape->is_summed) {
        uint16_t sum = (uint16_t)~transport_sum(frame, p);
        sum = sum == 0 && shape->traffic != TRAFFIC_TCP ? 0xffff : sum;
        memcpy(transport_checksum(frame, p), &sum, 2);
    }
    if (p->end >= FRAME_BYTES_MIN)
        return p->end;
    memset(frame + p->end, 0, FRAME_BYTES_MIN - p->end);
    return FRAME_BYTES_MIN;
}

/* Puts a fault into a DNS answer: in a label's type or a record's length, or a pointer that leads
 * to itself or to what is further on. */
static inline void spoil_dns(uint8_t *message, uint32_t bytes, enum verdict fault, rng *random) {
    uint32_t question = DNS_BYTES;
    bool coin = rng_below(random, 2);
    while (message[question] != 0)
        question += 1u + message[question];
    uint32_t answer = question + 5;
    if (fault == BAD_NAME && coin)
        message[DNS_BYTES] |= rng_below(random, 2) ? 0x40 : 0x80;
    else if (fault == BAD_NAME)
        put_be16(message + answer + 10, bytes);
    else
        put_be16(message + answer, DNS_POINTER | (coin ? answer : answer + 12));
}

/* Puts the fault into a frame that has none; returns how many bytes are left of it. */
static inline uint32_t spoil(uint8_t *frame, uint32_t length, const struct parsed *p,
                             enum verdict fault, rng *random) {
    static const uint16_t ethertypes[] = {0x0806, 0x88cc, 0x8847,
                                          0x0600}; /* ARP, LLDP, MPLS, XNS */
    uint8_t *ip = frame + p->network, *payload = frame + p->transport + UDP_BYTES;
    bool is_ipv6 = p->key.version == 6;
    switch (fault) {
    case BAD_ETHERTYPE:
        put_be16(frame + 12, ethertypes[rng_below(random, 4)]);
        break;
    case BAD_TRUNCATED:
        return 1 + (uint32_t)rng_below(random, p->transport - 1);
    case BAD_HEADER:
        ip[0] = (uint8_t)(is_ipv6 ? 0x50 : 0x40 + rng_below(random, 5));
        break;
    case BAD_LENGTH:
        put_be16(ip + (is_ipv6 ? 4 : 2), length + (uint32_t)rng_below(random, 1000));
        break;
    case BAD_CHECKSUM:
        ip[10] ^= (uint8_t)(1 << rng_below(random, 8));
        break;
    case BAD_EXPIRED:
        ip[is_ipv6 ? 7 : 8] = (uint8_t)rng_below(random, 2);
        break;
    case BAD_TRANSPORT:
        ip[is_ipv6 ? 6 : 9] = 132; /* SCTP */
        break;
    default:
        spoil_dns(payload, p->end - p->transport - UDP_BYTES, fault, random);
    }
    if (!is_ipv6 && (fault == BAD_EXPIRED || fault == BAD_TRANSPORT))
        put_ipv4_checksum(ip);
    return length;
}

/* The next frame, of at most FRAME_BYTES_MAX. */
static inline struct truth capture_frame(const struct capture *c, rng *random, uint8_t *frame) {
    struct truth truth = {.flow = (uint32_t)zipf_rank(&c->flows, random)};
    struct parsed p;
    if (rng_below(random, 1000) < c->malformed_per_mille)
        truth.verdict = (enum verdict)(1 + rng_below(random, VERDICTS - 1));
    bool is_dns = truth.verdict == BAD_NAME || truth.verdict == BAD_POINTER;
    struct shape shape = flow_shape(c, truth.flow, truth.verdict == BAD_CHECKSUM, is_dns);
    truth.length = make_frame(c, &shape, random, frame, &p);
    if (truth.verdict != FORWARD)
        truth.length = spoil(frame, truth.length, &p, truth.verdict, random);
    return truth;
}

#endif
