/* SPDX-License-Identifier: MIT */
/* files.h - writing so that a file is either whole or not there. */
#ifndef TAILRACE_RUN_FILES_H
#define TAILRACE_RUN_FILES_H

#include "base/error.h"

#include <jansson.h>
#include <stdio.h>

/* Writes a file's content; false, with errno, if that failed. */
typedef bool (*file_put)(FILE *file, const void *content);

/* Has `put` write path by way of a temporary file beside it, synced to disk. What is there and is
 * no regular file (a device, a pipe, a link) is written to as it is. */
bool file_write(const char *path, file_put put, const void *content, struct error *error);

/* Writes JSON and a newline in that way. */
bool file_write_json(const char *path, const json_t *json, size_t flags, struct error *error);

/* Appends to a file and syncs it to disk; what did not go in whole is taken back. */
bool file_append(FILE *file, file_put put, const void *content, const char *path,
                 struct error *error);

/* Appends one object as a line in that way. */
bool file_append_line(FILE *file, const json_t *json, const char *path, struct error *error);

/* Makes a new folder under TMPDIR, or /tmp; false, with a sentence and "". */
bool files_temporary(char *folder, size_t bytes, struct error *error);

/* Removes a folder and the files in it (no folders); nothing is said where that fails. */
void files_remove(const char *folder);

#define FILE_JSON_FLAGS (JSON_REAL_PRECISION(9) | JSON_ENSURE_ASCII)

#endif
