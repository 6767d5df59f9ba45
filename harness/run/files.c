/* SPDX-License-Identifier: MIT */
/* files.c - writing so that a file is either whole or not there. */
#include "run/files.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool synced(FILE *file) {
    return fflush(file) == 0 && fsync(fileno(file)) == 0;
}

static bool cannot_write(const char *path, int why, struct error *error) {
    return error_set(error, EXIT_INPUT, "cannot write %s: %s", path, strerror(why));
}

/* A device or pipe can be neither replaced nor synced, a link is to stay one. */
static bool write_in_place(const char *path, file_put put, const void *content,
                           struct error *error) {
    FILE *file = fopen(path, "we");
    if (!file)
        return cannot_write(path, errno, error);
    bool written = put(file, content);
    int why = errno;
    if (fclose(file) != 0 && written)
        return cannot_write(path, errno, error);
    return written || cannot_write(path, why, error);
}

bool file_write(const char *path, file_put put, const void *content, struct error *error) {
    char temporary[4096];
    struct stat there;
    if (lstat(path, &there) == 0 && !S_ISREG(there.st_mode))
        return write_in_place(path, put, content, error);
    snprintf(temporary, sizeof temporary, "%s.part", path);
    FILE *file = fopen(temporary, "we");
    if (!file)
        return cannot_write(path, errno, error);
    bool written = put(file, content) && synced(file);
    int why = errno;
    written = fclose(file) == 0 && written;
    if (written && rename(temporary, path) == 0)
        return true;
    why = written ? errno : why; /* of rename */
    unlink(temporary);
    return cannot_write(path, why, error);
}

bool file_append(FILE *file, file_put put, const void *content, const char *path,
                 struct error *error) {
    off_t whole = ftello(file);
    if (put(file, content) && synced(file))
        return true;
    cannot_write(path, errno, error);
    __fpurge(file); /* or closing would try the rest again */
    if (ftruncate(fileno(file), whole) != 0)
        error->status = EXIT_INPUT; /* a torn last line: readers pass over it */
    return false;
}

struct json_content {
    const json_t *json;
    size_t flags;
};

static bool put_json(FILE *file, const void *content) {
    const struct json_content *what = content;
    return json_dumpf(what->json, file, what->flags) == 0 && fputc('\n', file) != EOF;
}

bool file_write_json(const char *path, const json_t *json, size_t flags, struct error *error) {
    const struct json_content what = {json, FILE_JSON_FLAGS | flags};
    return file_write(path, put_json, &what, error);
}

bool file_append_line(FILE *file, const json_t *json, const char *path, struct error *error) {
    const struct json_content what = {json, FILE_JSON_FLAGS | JSON_COMPACT};
    return file_append(file, put_json, &what, path, error);
}

void files_remove(const char *folder) {
    char path[PATH_MAX];
    DIR *files = opendir(folder);
    for (struct dirent *entry; files && (entry = readdir(files));) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    if (files)
        closedir(files);
    rmdir(folder);
}

bool files_temporary(char *folder, size_t bytes, struct error *error) {
    const char *under = getenv("TMPDIR");
    int length = snprintf(folder, bytes, "%s/tailrace-XXXXXX", under && *under ? under : "/tmp");
    if (length > 0 && (size_t)length < bytes && mkdtemp(folder))
        return true;
    int why = errno;
    *folder = '\0';
    return error_set(error, EXIT_LACKING, "cannot make a folder for a while: %s", strerror(why));
}
