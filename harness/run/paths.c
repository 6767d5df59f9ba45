/* SPDX-License-Identifier: MIT */
/* paths.c - where the parts of tailrace lie. */
#include "run/paths.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *path_build(void) {
    static char folder[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
    folder[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = '\0';
    return folder;
}

void path_worker(const char *strategy, char *path, size_t path_bytes) {
    snprintf(path, path_bytes, "%s/tailrace-%s", path_build(), strategy);
}
void path_count(char *path, size_t path_bytes) {
    snprintf(path, path_bytes, "%s/libtailrace-count.so", path_build());
}
const char *path_data(void) {
    return TAILRACE_SOURCE_DIR "/scenarios/data";
}
const char *path_suites(void) {
    return TAILRACE_SOURCE_DIR "/benches";
}
const char *path_reports(void) {
    return TAILRACE_SOURCE_DIR "/reports";
}
const char *path_cases(void) {
    return TAILRACE_SOURCE_DIR "/scenarios/races";
}
