/* SPDX-License-Identifier: MIT */
/* compilers.c - looks for compilers and tools in PATH. */
#include "race/compilers.h"

#include "run/paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLANG_BEST 19
#define CLANG_NEWEST 40
#define CLANG_OLDEST 14

bool compilers_look_up(const char *name, char path[PATH_MAX]) {
    const char *folder = strchr(name, '/') ? "" : getenv("PATH");
    while (folder) {
        size_t length = strcspn(folder, ":");
        snprintf(path, PATH_MAX, "%.*s%s%s", (int)length, folder, length ? "/" : "", name);
        if (access(path, X_OK) == 0)
            return true;
        folder = folder[length] ? folder + length + 1 : NULL;
    }
    *path = '\0';
    return false;
}

static void find_clang(char path[PATH_MAX]) {
    char name[32] = "clang-19";
    const char *given = getenv("TAILRACE_CLANG");
    if (given && *given) {
        compilers_look_up(given, path);
        return;
    }
    if (compilers_look_up(name, path))
        return;
    for (int version = CLANG_NEWEST; version >= CLANG_OLDEST; version--) {
        snprintf(name, sizeof name, "clang-%d", version);
        if (compilers_look_up(name, path))
            return;
    }
    compilers_look_up("clang", path);
}

/* Debian's is /usr/lib/llvm-19/bin/llvm-symbolizer: beside the program that clang-19 links to. */
static void find_symbolizer(const char *clang, char path[PATH_MAX]) {
    char real[PATH_MAX];
    if (*clang && realpath(clang, real)) {
        char *slash = strrchr(real, '/');
        snprintf(path, PATH_MAX, "%.*s/llvm-symbolizer", (int)(slash - real), real);
        if (access(path, X_OK) == 0)
            return;
    }
    compilers_look_up("llvm-symbolizer", path);
}

const struct compilers *compilers_find(void) {
    static struct compilers all;
    static bool found;
    if (!found) {
        find_clang(all.clang);
        find_symbolizer(all.clang, all.symbolizer);
        compilers_look_up("gcc", all.gcc);
        compilers_look_up("valgrind", all.valgrind);
        compilers_look_up("rustc", all.rustc);
        snprintf(all.tailrace_cc, sizeof all.tailrace_cc, "%.*s/tailrace-cc",
                 (int)(sizeof all.tailrace_cc - sizeof "/tailrace-cc"), path_build());
        found = true;
    }
    return &all;
}
