/* SPDX-License-Identifier: MIT */
/* race_escape.c - names and messages of other people's programs, made safe for each form of report.
 *
 * Sources: RFC 3629 (UTF-8), XML 1.0 section 2.2, RFC 3986 section 2.3, GitHub's actions/toolkit
 * (command.ts: what a workflow command escapes).
 */
#include "race/race_escape.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT 0xfffd
#define REPLACEMENT_BYTES 3

/* Bytes that follow a first byte of UTF-8, or -1. Takes the marks off it. */
static int following(uint32_t *code) {
    if (*code < 0x80)
        return 0;
    int count = *code >= 0xc2 && *code < 0xe0   ? 1
                : *code >= 0xe0 && *code < 0xf0 ? 2
                : *code >= 0xf0 && *code < 0xf5 ? 3
                                                : -1;
    if (count > 0)
        *code &= 0x3fu >> count;
    return count;
}

uint32_t text_next(const char **at) {
    static const uint32_t lowest[] = {0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)*at;
    uint32_t code = bytes[0];
    if (code == 0)
        return 0;
    int count = following(&code);
    for (int i = 1; i <= count; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            count = -1;
            break;
        }
        code = code << 6 | (bytes[i] & 0x3fu);
    }
    bool surrogate = code >= 0xd800 && code < 0xe000;
    if (count < 0 || code < lowest[count] || code > 0x10ffff || surrogate) {
        *at += 1;
        return REPLACEMENT;
    }
    *at += count + 1;
    return code;
}

static size_t encode(uint32_t code, char *to) {
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    size_t count = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char marks[] = {0, 0xc0, 0xe0, 0xf0};
    to[0] = (char)(marks[count] | code >> 6 * count);
    for (size_t i = 1; i <= count; i++)
        to[i] = (char)(0x80 | (code >> 6 * (count - i) & 0x3f));
    return count + 1;
}

/* Controls of terminals, marks of direction, what is no character. */
static bool is_unprintable(uint32_t code) {
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x200e || code == 0x200f ||
           (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
           code == 0xfffe || code == 0xffff;
}

static const char *escape_xml(uint32_t code) {
    switch (code) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* Entities where a backslash would not do, in tables and in <code> too. */
static const char *escape_markdown(uint32_t code, char *buffer, size_t bytes) {
    if (code == 0 || code >= 0x80 || !strchr("\\`*_[]~|#$&<>", (int)code))
        return NULL;
    snprintf(buffer, bytes, "&#%u;", code);
    return buffer;
}

static const char *escape_command(enum text_form form, uint32_t code) {
    switch (code) {
    case '%':
        return "%25";
    case '\r':
        return "%0D";
    case '\n':
        return "%0A";
    case ':':
        return form == TEXT_PROPERTY ? "%3A" : NULL;
    case ',':
        return form == TEXT_PROPERTY ? "%2C" : NULL;
    default:
        return NULL;
    }
}

void text_put(FILE *out, enum text_form form, const char *text) {
    for (uint32_t code; (code = text_next(&text));) {
        char buffer[16];
        const char *escape = form == TEXT_XML        ? escape_xml(code)
                             : form == TEXT_MARKDOWN ? escape_markdown(code, buffer, sizeof buffer)
                             : form == TEXT_PLAIN    ? NULL
                                                     : escape_command(form, code);
        if (escape) {
            fputs(escape, out);
            continue;
        }
        if (code == '\n' || code == '\r' || code == '\t')
            code = ' ';
        else if (is_unprintable(code))
            code = REPLACEMENT;
        fwrite(buffer, 1, encode(code, buffer), out);
    }
}

json_t *text_json(const char *text) {
    char *clean = malloc(REPLACEMENT_BYTES * strlen(text) + 1);
    size_t length = 0;
    if (!clean)
        return NULL;
    for (uint32_t code; (code = text_next(&text));)
        length += encode(code, clean + length);
    json_t *json = json_stringn(clean, length);
    free(clean);
    return json;
}

void text_uri(char *uri, size_t bytes, const char *path) {
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "-._~/";
    size_t length = 0;
    for (; *path && length + 4 <= bytes; path++)
        length += (size_t)snprintf(uri + length, bytes - length,
                                   strchr(plain, *path) ? "%c" : "%%%02X", (unsigned char)*path);
    if (bytes)
        uri[length] = 0;
}
