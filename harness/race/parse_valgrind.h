/* SPDX-License-Identifier: MIT */
/* parse_valgrind.h - what one error of Valgrind's XML says, and the word for it. */
#ifndef TAILRACE_RACE_PARSE_VALGRIND_H
#define TAILRACE_RACE_PARSE_VALGRIND_H

#include <stddef.h>

struct valgrind_error {
    char kind[64];    /* "InvalidWrite"; "SIGSEGV" of a deadly signal */
    char what[256];   /* its sentence */
    char about[256];  /* of the first further sentence: where the address is */
    char address[32]; /* of a deadly signal */
};

/* Writes the word to kind. */
void valgrind_kind(const struct valgrind_error *error, char *kind, size_t size);

#endif
