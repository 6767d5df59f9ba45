/* SPDX-License-Identifier: MIT */
/* said.c - the last part of what a process says on standard error, for the reason of its end. */
#include "run/said.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void said_listen(int fd, char *said) {
    char text[SAID_BYTES];
    ssize_t length;
    while ((length = read(fd, text, sizeof text)) > 0) {
        size_t old = strlen(said),
               keep = (size_t)length < SAID_BYTES ? SAID_BYTES - 1 - (size_t)length : 0;
        if (old > keep)
            memmove(said, said + old - keep, keep + 1);
        old = strlen(said);
        size_t from =
            (size_t)length > SAID_BYTES - 1 - old ? (size_t)length - (SAID_BYTES - 1 - old) : 0;
        memcpy(said + old, text + from, (size_t)length - from);
        said[old + (size_t)length - from] = '\0';
    }
}

void said_last_line(const char *said, char *line, size_t line_bytes) {
    size_t length = strlen(said);
    while (length > 0 && said[length - 1] == '\n')
        length--;
    const char *newline = memrchr(said, '\n', length);
    const char *begin = newline ? newline + 1 : said;
    snprintf(line, line_bytes, "%.*s", (int)(length - (size_t)(begin - said)), begin);
}

void said_printable(char *text) {
    json_t *valid = json_string(text); /* NULL where it is not UTF-8 */
    for (unsigned char *c = (unsigned char *)text; *c; c++)
        if (*c < 0x20 || *c == 0x7f || (!valid && *c > 0x7f))
            *c = '?';
    json_decref(valid);
}
