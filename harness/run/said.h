/* SPDX-License-Identifier: MIT */
/* said.h - the last part of what a process says on standard error, for the reason of its end. */
#ifndef TAILRACE_RUN_SAID_H
#define TAILRACE_RUN_SAID_H

#include <stddef.h>

#define SAID_BYTES 512

/* Reads what the pipe holds (fd must not block) and keeps the last bytes of it in said[SAID_BYTES],
 * which begins as "". */
void said_listen(int fd, char *said);

/* The last line of it, shortened where it does not fit. */
void said_last_line(const char *said, char *line, size_t line_bytes);

/* Turns into '?' what JSON and terminals cannot show: control characters, and where the text is
 * not UTF-8 all that is not ASCII. */
void said_printable(char *text);

#endif
