/* SPDX-License-Identifier: MIT */
/* proxy_corpus.h - reads the proxy's input: recorded requests in the text format of
 * scenarios/data/http-requests.txt, which describes itself at its top. */
#ifndef TAILRACE_SCENARIOS_PROXY_CORPUS_H
#define TAILRACE_SCENARIOS_PROXY_CORPUS_H

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define CORPUS_RECORDS_MAX 512
#define CORPUS_REQUEST_BYTES_MAX 65536

struct corpus_record {
    uint32_t offset, length; /* of the request's bytes */
    uint32_t status;         /* what the answer must be: 200 (passed on) or 400 */
};
/* Records with status 200 come first. bytes is one block of plain memory, freed by corpus_free. */
struct corpus {
    struct corpus_record records[CORPUS_RECORDS_MAX];
    uint32_t count, good_count;
    char *bytes;
    size_t used, capacity;
};

static inline bool corpus_put(struct corpus *corpus, int byte) {
    if (corpus->used == corpus->capacity) {
        size_t capacity = corpus->capacity ? corpus->capacity * 2 : 65536;
        char *grown = realloc(corpus->bytes, capacity);
        if (!grown)
            return false;
        corpus->bytes = grown;
        corpus->capacity = capacity;
    }
    corpus->bytes[corpus->used++] = (char)byte;
    return true;
}

/* The byte that an escape (behind its backslash) stands for, and its length; false if it is none.
 */
static inline bool corpus_escape(const char *at, const char *end, unsigned *byte, size_t *length) {
    *length = *at == 'x' ? 3 : 1;
    if (*at == 'x' && end - at >= 3 && isxdigit(at[1]) && isxdigit(at[2]))
        return sscanf(at + 1, "%2x", byte) == 1;
    *byte = '\\';
    return *at == '\\';
}

/* One line without its newline: escapes resolved, CRLF added unless it ends in \c. */
static inline bool corpus_put_line(struct corpus *corpus, const char *at, const char *end) {
    while (at < end) {
        unsigned byte = (unsigned char)*at++;
        size_t length = 0;
        if (byte == '\\' && at + 1 == end && *at == 'c')
            return true;
        if (byte == '\\' && (at == end || !corpus_escape(at, end, &byte, &length)))
            return false;
        at += length;
        if (!corpus_put(corpus, (int)byte))
            return false;
    }
    return corpus_put(corpus, '\r') && corpus_put(corpus, '\n');
}

static inline bool corpus_begin_record(struct corpus *corpus, const char *line) {
    struct corpus_record *record = &corpus->records[corpus->count];
    if (corpus->count == CORPUS_RECORDS_MAX || sscanf(line, "@ %*s %u", &record->status) != 1 ||
        (record->status != 200 && record->status != 400))
        return false;
    record->offset = (uint32_t)corpus->used;
    corpus->count++;
    return true;
}

static inline bool corpus_read(struct corpus *corpus, FILE *file, char **line) {
    size_t line_bytes = 0;
    ssize_t length;
    while ((length = getline(line, &line_bytes, file)) > 0) {
        struct corpus_record *last = corpus->records + corpus->count - 1;
        bool begins = strncmp(*line, "@ ", 2) == 0;
        if (corpus->count == 0 && !begins)
            continue;
        const char *end = *line + length - ((*line)[length - 1] == '\n');
        if (!(begins ? corpus_begin_record(corpus, *line) : corpus_put_line(corpus, *line, end)))
            return false;
        if (!begins)
            last->length = (uint32_t)corpus->used - last->offset;
        if (!begins && last->length > CORPUS_REQUEST_BYTES_MAX)
            return false;
    }
    return corpus->count > 0;
}

/* Stable: the order within each status is the file's. */
static inline void corpus_sort(struct corpus *corpus) {
    static struct corpus_record bad[CORPUS_RECORDS_MAX];
    uint32_t bad_count = 0;
    corpus->good_count = 0;
    for (uint32_t i = 0; i < corpus->count; i++)
        if (corpus->records[i].status == 200)
            corpus->records[corpus->good_count++] = corpus->records[i];
        else
            bad[bad_count++] = corpus->records[i];
    memcpy(corpus->records + corpus->good_count, bad, bad_count * sizeof *bad);
}

/* False with a sentence in error if the file cannot be read or is not in the format. */
static inline bool corpus_load(struct corpus *corpus, const char *path, char *error,
                               size_t error_bytes) {
    FILE *file = fopen(path, "re");
    char *line = NULL;
    bool read = file && corpus_read(corpus, file, &line);
    if (!read)
        snprintf(error, error_bytes, "proxy: cannot read the requests in %s", path);
    free(line);
    if (file)
        fclose(file);
    corpus_sort(corpus);
    if (read && (corpus->good_count == 0 || corpus->good_count == corpus->count)) {
        snprintf(error, error_bytes, "proxy: %s lacks requests to pass on or to refuse", path);
        return false;
    }
    return read;
}

static inline void corpus_free(struct corpus *corpus) {
    free(corpus->bytes);
}

#endif
