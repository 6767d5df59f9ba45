/* SPDX-License-Identifier: MIT */
/* coap.h - messages of the Constrained Application Protocol (RFC 7252) with the options that
 * embedded.c knows: Uri-Path and Block1 (RFC 7959). */
#ifndef TAILRACE_LOAD_COAP_H
#define TAILRACE_LOAD_COAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define COAP_FRAME_BYTES_MAX 304
#define COAP_HEADER_BYTES 4
#define COAP_TOKEN_BYTES 4 /* of those that we build; up to 8 are understood */
#define COAP_BLOCK_BYTES_MAX 256
#define COAP_URI_PATH 11
#define COAP_BLOCK1 27
#define COAP_CODE(class, detail) ((class) << 5 | (detail))

enum coap_type { COAP_CONFIRMABLE, COAP_NON_CONFIRMABLE, COAP_ACKNOWLEDGEMENT, COAP_RESET };
enum coap_code {
    COAP_EMPTY = 0,
    COAP_GET = COAP_CODE(0, 1),
    COAP_PUT = COAP_CODE(0, 3),
    COAP_CHANGED = COAP_CODE(2, 4),
    COAP_CONTENT = COAP_CODE(2, 5),
    COAP_CONTINUE = COAP_CODE(2, 31),
    COAP_BAD_OPTION = COAP_CODE(4, 2),
    COAP_NOT_FOUND = COAP_CODE(4, 4),
    COAP_INCOMPLETE = COAP_CODE(4, 8),
    COAP_UNAVAILABLE = COAP_CODE(5, 3)
};
struct coap_frame {
    uint32_t length;
    uint8_t bytes[COAP_FRAME_BYTES_MAX];
};
/* A message as parsed; payload lies in the frame's bytes. */
struct coap_message {
    uint8_t type, code;
    uint16_t id;
    uint64_t token;
    uint32_t path; /* the decimal number that Uri-Path is; UINT32_MAX where it is none */
    bool has_block, more, bad_option;
    uint32_t block_number, payload_length;
    const uint8_t *payload;
};

/* Begins a frame; the token follows from the number. */
static inline void coap_begin(struct coap_frame *frame, enum coap_type type, enum coap_code code,
                              uint16_t id, uint32_t token) {
    frame->bytes[0] = (uint8_t)(1 << 6 | type << 4 | COAP_TOKEN_BYTES);
    frame->bytes[1] = (uint8_t)code;
    frame->bytes[2] = (uint8_t)(id >> 8);
    frame->bytes[3] = (uint8_t)id;
    memcpy(frame->bytes + COAP_HEADER_BYTES, &token, COAP_TOKEN_BYTES);
    frame->length = COAP_HEADER_BYTES + COAP_TOKEN_BYTES;
}

/* Appends an option of up to 12 bytes; delta, from the last option's number, is at most 268. */
static inline void coap_option(struct coap_frame *frame, uint32_t delta, const void *value,
                               uint32_t length) {
    uint8_t *at = frame->bytes + frame->length;
    *at++ = (uint8_t)((delta < 13 ? delta : 13) << 4 | length);
    if (delta >= 13)
        *at++ = (uint8_t)(delta - 13);
    memcpy(at, value, length);
    frame->length = (uint32_t)(at - frame->bytes) + length;
}

static inline void coap_payload(struct coap_frame *frame, const void *bytes, uint32_t length) {
    frame->bytes[frame->length] = 0xff;
    memcpy(frame->bytes + frame->length + 1, bytes, length);
    frame->length += 1 + length;
}

/* Reads an option's delta or length with its extension (RFC 7252, 3.1); false where it is wrong. */
static inline bool coap_extended(uint32_t nibble, const uint8_t **at, const uint8_t *end,
                                 uint32_t *value) {
    uint32_t more = nibble < 13 ? 0 : nibble - 12;
    *value = nibble;
    if (nibble == 15 || end - *at < (ptrdiff_t)more)
        return false;
    if (nibble == 13)
        *value = 13u + (*at)[0];
    if (nibble == 14)
        *value = 269u + ((uint32_t)(*at)[0] << 8 | (*at)[1]);
    *at += more;
    return true;
}

static inline uint32_t coap_decimal(const uint8_t *at, uint32_t length) {
    uint32_t value = 0;
    for (uint32_t i = 0; i < length; i++) {
        if (at[i] < '0' || at[i] > '9' || length > 4)
            return UINT32_MAX;
        value = value * 10 + at[i] - '0';
    }
    return length ? value : UINT32_MAX;
}

/* Odd numbers are critical: what is not understood there is refused (RFC 7252, 5.4.1). */
static inline void coap_take_option(struct coap_message *message, uint32_t number,
                                    const uint8_t *value, uint32_t length) {
    if (number == COAP_URI_PATH) {
        message->path = coap_decimal(value, length);
    } else if (number == COAP_BLOCK1 && length <= 3) {
        uint32_t block = 0;
        for (uint32_t i = 0; i < length; i++)
            block = block << 8 | value[i];
        message->has_block = true;
        message->more = block >> 3 & 1;
        message->block_number = block >> 4;
    } else if (number % 2) {
        message->bad_option = true;
    }
}

/* False: a message format error (RFC 7252, 3), which is rejected. */
static inline bool coap_parse(const uint8_t *bytes, uint32_t length, struct coap_message *message) {
    *message = (struct coap_message){.path = UINT32_MAX};
    if (length < COAP_HEADER_BYTES || bytes[0] >> 6 != 1)
        return false;
    const uint8_t *at = bytes + COAP_HEADER_BYTES, *end = bytes + length;
    uint32_t token_length = bytes[0] & 15, number = 0;
    message->type = bytes[0] >> 4 & 3;
    message->code = bytes[1];
    message->id = (uint16_t)(bytes[2] << 8 | bytes[3]);
    if (token_length > 8 || end - at < (ptrdiff_t)token_length)
        return false;
    memcpy(&message->token, at, token_length);
    for (at += token_length; at < end && *at != 0xff;) {
        uint32_t delta, size, first = *at++;
        if (!coap_extended(first >> 4, &at, end, &delta) ||
            !coap_extended(first & 15, &at, end, &size) || end - at < (ptrdiff_t)size)
            return false;
        coap_take_option(message, number += delta, at, size);
        at += size;
    }
    if (at < end) { /* the payload's marker, which must not be the last byte */
        message->payload = at + 1;
        message->payload_length = (uint32_t)(end - at) - 1;
        return message->payload_length > 0;
    }
    return true;
}

#endif
