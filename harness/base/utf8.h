/* SPDX-License-Identifier: MIT */
/* utf8.h - makes text of other programs fit for formats that demand UTF-8 (RFC 3629). */
#ifndef TAILRACE_BASE_UTF8_H
#define TAILRACE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the well-formed character at text, 0 if there is none. Never reads past the ending 0. */
static inline size_t utf8_length(const unsigned char *text) {
    size_t more = text[0] < 0x80 ? 0 : text[0] >= 0xF0 ? 3 : text[0] >= 0xE0 ? 2 : 1;
    uint32_t value = more == 0 ? text[0] : text[0] & (0x3Fu >> more);
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    if (text[0] > 0xF4 || (text[0] >= 0x80 && text[0] < 0xC2))
        return 0;
    for (size_t i = 1; i <= more; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        value = value << 6 | (text[i] & 0x3F);
    }
    bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    return value < least[more] || value > 0x10FFFF || surrogate ? 0 : more + 1;
}

/* Copies what fits, whole characters only, with '?' for each byte that is no part of one. */
static inline void utf8_clean(const char *text, char *clean, size_t bytes) {
    size_t used = 0;
    while (*text) {
        size_t length = utf8_length((const unsigned char *)text), step = length ? length : 1;
        if (used + step >= bytes)
            break;
        for (size_t i = 0; i < step; i++)
            clean[used++] = length ? text[i] : '?';
        text += step;
    }
    clean[used] = '\0';
}

#endif
