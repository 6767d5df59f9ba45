/* SPDX-License-Identifier: MIT */
/* files.c - writing so that a file is either whole or not there. */
#include "run/files.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static bool put(FILE *file, const json_t *json, size_t flags) {
    return json_dumpf(json, file, flags) == 0 && fputc('\n', file) != EOF && fflush(file) == 0 &&
           fsync(fileno(file)) == 0;
}

bool file_write_json(const char *path, const json_t *json, size_t flags, struct error *error) {
    char temporary[4096];
    snprintf(temporary, sizeof temporary, "%s.part", path);
    FILE *file = fopen(temporary, "we");
    if (!file)
        return error_set(error, EXIT_INPUT, "cannot write %s: %s", path, strerror(errno));
    bool written = put(file, json, FILE_JSON_FLAGS | flags);
    int why = errno;
    written = fclose(file) == 0 && written;
    if (written && rename(temporary, path) == 0)
        return true;
    why = written ? errno : why; /* of rename */
    unlink(temporary);
    return error_set(error, EXIT_INPUT, "cannot write %s: %s", path, strerror(why));
}

bool file_append_line(FILE *file, const json_t *json, const char *path, struct error *error) {
    off_t whole = ftello(file);
    if (put(file, json, FILE_JSON_FLAGS | JSON_COMPACT))
        return true;
    error_set(error, EXIT_INPUT, "cannot write %s: %s", path, strerror(errno));
    if (ftruncate(fileno(file), whole) != 0)
        error->status = EXIT_INPUT; /* a torn last line: readers pass over it */
    return false;
}
