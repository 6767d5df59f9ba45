/* SPDX-License-Identifier: MIT */
/* files.h - writing so that a file is either whole or not there. */
#ifndef TAILRACE_RUN_FILES_H
#define TAILRACE_RUN_FILES_H

#include "base/error.h"

#include <jansson.h>
#include <stdio.h>

/* Writes JSON and a newline to path by way of a temporary file beside it. */
bool file_write_json(const char *path, const json_t *json, size_t flags, struct error *error);

/* Appends one object as a line and syncs it to disk; a line that did not go in whole is taken back.
 */
bool file_append_line(FILE *file, const json_t *json, const char *path, struct error *error);

#define FILE_JSON_FLAGS (JSON_REAL_PRECISION(9) | JSON_ENSURE_ASCII)

#endif
