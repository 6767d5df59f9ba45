/* SPDX-License-Identifier: MIT */
/* embedded_network.h - the peers that send to a device of embedded.c: message k of a burst, from
 * its seed alone. They do not look at what is answered. */
#ifndef TAILRACE_LOAD_EMBEDDED_NETWORK_H
#define TAILRACE_LOAD_EMBEDDED_NETWORK_H

#include "load/embedded_device.h"

#include <stdio.h>

#define UPLOAD_TOKENS 6 /* transfers that peers try to have at once: more than UPLOADS_MAX */
#define UPLOAD_PATH 999
#define NOTICE_ID 0x8000 /* of the device's own messages, from here on */
#define ID_SPREAD 16     /* of those that peers acknowledge */

/* The peers of one burst. */
struct network {
    uint64_t seed;
    uint32_t blocks_sent[UPLOAD_TOKENS];
};

enum kind { KIND_GET, KIND_PUT, KIND_BLOCK, KIND_ACKNOWLEDGE, KIND_DUPLICATE, KIND_GARBAGE };

static inline enum kind kind_of(uint64_t drawn) {
    uint64_t dice = drawn % 100;
    return dice < 35   ? KIND_GET
           : dice < 55 ? KIND_PUT
           : dice < 90 ? KIND_BLOCK
           : dice < 96 ? KIND_ACKNOWLEDGE
           : dice < 99 ? KIND_DUPLICATE
                       : KIND_GARBAGE;
}

static inline void frame_path(struct coap_frame *frame, uint32_t path) {
    char text[12];
    int length = snprintf(text, sizeof text, "%u", path);
    coap_option(frame, COAP_URI_PATH, text, (uint32_t)length);
}

/* The next block of a transfer, of 64, 128 or 256 bytes; after the last one it begins anew. */
static inline void frame_block(struct network *network, struct coap_frame *frame, uint16_t id,
                               uint64_t drawn) {
    uint64_t words[COAP_BLOCK_BYTES_MAX / sizeof(uint64_t)];
    uint32_t transfer = (uint32_t)(drawn >> 16) % UPLOAD_TOKENS, exponent = 2 + transfer % 3;
    uint32_t number = network->blocks_sent[transfer]++ % UPLOAD_BLOCKS_MAX;
    uint32_t more = number < UPLOAD_BLOCKS_MAX - 1;
    uint8_t option = (uint8_t)(number << 4 | more << 3 | exponent);
    coap_begin(frame, COAP_CONFIRMABLE, COAP_PUT, id, transfer);
    frame_path(frame, UPLOAD_PATH);
    coap_option(frame, COAP_BLOCK1 - COAP_URI_PATH, &option, 1);
    content_fill(words, (uint64_t)2 << exponent, drawn);
    coap_payload(frame, words, UINT32_C(16) << exponent);
}

/* Message k of the burst. */
static inline void network_frame(struct network *network, uint32_t k, struct coap_frame *frame) {
    uint64_t drawn = hash_pair(network->seed, k);
    enum kind kind = kind_of(drawn);
    if (kind == KIND_DUPLICATE) { /* of one of the last four, if that can be */
        uint32_t before = 1 + (uint32_t)(drawn >> 32) % 4;
        uint64_t other = hash_pair(network->seed, k - before);
        bool can_be = before <= k && kind_of(other) <= KIND_PUT;
        kind = can_be ? kind_of(other) : KIND_GET;
        drawn = can_be ? other : drawn;
        k -= can_be ? before : 0;
    }
    if (kind == KIND_BLOCK) {
        frame_block(network, frame, (uint16_t)k, drawn);
        return;
    }
    if (kind == KIND_ACKNOWLEDGE) {
        uint16_t id = (uint16_t)(NOTICE_ID + (drawn >> 16) % ID_SPREAD);
        coap_begin(frame, COAP_ACKNOWLEDGEMENT, COAP_EMPTY, id, 0);
        return;
    }
    coap_begin(frame, (drawn >> 8 & 3) ? COAP_CONFIRMABLE : COAP_NON_CONFIRMABLE,
               kind == KIND_PUT ? COAP_PUT : COAP_GET, (uint16_t)k, k);
    frame_path(frame, (uint32_t)(drawn >> 16) % (READINGS + 1)); /* the last one is not there */
    if (kind == KIND_PUT)
        coap_payload(frame, &drawn, sizeof drawn);
    if (kind == KIND_GARBAGE)
        frame->length = (uint32_t)(drawn >> 16) % COAP_HEADER_BYTES;
}

#endif
