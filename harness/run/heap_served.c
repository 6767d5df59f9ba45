/* SPDX-License-Identifier: MIT */
/* heap_served.c - asks the dynamic linker where malloc comes from, and that library for its
 * version. */
#include "run/heap_served.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ISO C has no cast from void * to a function pointer; POSIX says that the bits are the same. */
static bool find_function(const char *name, void *function) {
    void *found = dlsym(RTLD_DEFAULT, name);
    memcpy(function, &found, sizeof found);
    return found;
}

static bool ask_version(char *version, size_t bytes) {
    int (*mallctl)(const char *, void *, size_t *, void *, size_t);
    int (*mi_version)(void);
    const char *(*tc_version)(int *, int *, const char **);
    if (find_function("mallctl", &mallctl)) {
        const char *text;
        size_t size = sizeof text;
        if (mallctl("version", &text, &size, NULL, 0) != 0)
            return false;
        return snprintf(version, bytes, "jemalloc %s", text) > 0;
    }
    if (find_function("mi_version", &mi_version)) {
        int v = mi_version();
        return snprintf(version, bytes, "mimalloc %d.%d.%d", v / 100, v / 10 % 10, v % 10) > 0;
    }
    if (find_function("tc_version", &tc_version)) {
        int major, minor;
        const char *patch;
        tc_version(&major, &minor, &patch);
        return snprintf(version, bytes, "gperftools tcmalloc %d.%d%s", major, minor, patch) > 0;
    }
    return false;
}

void heap_served(char *path, size_t path_bytes, char *version, size_t version_bytes) {
    Dl_info info = {0};
    void *(*serving)(size_t), *(*behind)(void);
    void *address = NULL;
    if (find_function("tailrace_count_served", &behind)) /* malloc is the one that counts */
        address = behind();
    else if (find_function("malloc", &serving))
        memcpy(&address, &serving, sizeof address);
    char *real = address && dladdr(address, &info) ? realpath(info.dli_fname, NULL) : NULL;
    snprintf(path, path_bytes, "%s", real ? real : "unknown");
    free(real);
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    const char *suffix = strstr(name, ".so.");
    if (strncmp(name, "libc.so", 7) == 0 || strncmp(name, "libc-", 5) == 0)
        snprintf(version, version_bytes, "glibc %s", gnu_get_libc_version());
    else if (!ask_version(version, version_bytes))
        snprintf(version, version_bytes, "%s", suffix ? suffix + 4 : "unknown");
}

bool heap_served_is(const char *path, const char *wanted) {
    if (*wanted == '\0') {
        const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
        char *self = realpath("/proc/self/exe", NULL);
        bool own = self && strcmp(path, self) == 0;
        free(self);
        return own || strncmp(name, "libc.so", 7) == 0 || strncmp(name, "libc-", 5) == 0;
    }
    char *real = realpath(wanted, NULL);
    bool same = real && strcmp(real, path) == 0;
    free(real);
    return same;
}
