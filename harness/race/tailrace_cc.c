/* SPDX-License-Identifier: MIT */
/* tailrace_cc.c - the compiler driver: clang with ThreadSanitizer, the report hook and schedule
 * points, in the place of cc. `CC=tailrace-cc make`. Called as tailrace-c++ it drives clang++.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CLANG_NEWEST = 40, CLANG_OLDEST = 11, CLANG_BEST = 19, ADDED_MAX = 64 };
enum { EXIT_LACKING = 3 };
#define ARCHIVE "libtailrace-race.a"

/* One option with every function: -Wl,--wrap=a,--wrap=b… */
#define WRAPPED(name) ",--wrap=" #name
static char wrap_option[] = "-Wl"
#include "race/runtime/wrapped.def"
    ;

struct command {
    char **arguments;
    int count;
};

static void add(struct command *command, const char *argument) {
    command->arguments[command->count++] = (char *)(size_t)argument;
}

static int lacking(const char *what, const char *which) {
    fprintf(stderr, "tailrace-cc: %s%s\n", what, which);
    return EXIT_LACKING;
}

/* Whether PATH has such a program. */
static bool on_path(const char *name) {
    const char *path = getenv("PATH");
    char candidate[PATH_MAX];
    for (const char *at = path ? path : "/usr/bin"; *at;) {
        size_t length = strcspn(at, ":");
        snprintf(candidate, sizeof(candidate), "%.*s/%s", (int)length, at, name);
        if (access(candidate, X_OK) == 0)
            return true;
        at += length + (at[length] == ':');
    }
    return false;
}

/* 19 where it is, else the newest: older ones fail to start under vm.mmap_rnd_bits=32. */
static bool find_clang(bool plus, char *name, size_t bytes) {
    const char *given = getenv("TAILRACE_CLANG"), *base = plus ? "clang++" : "clang";
    if (given && *given) {
        snprintf(name, bytes, "%s", given);
        return strchr(given, '/') ? access(given, X_OK) == 0 : on_path(given);
    }
    snprintf(name, bytes, "%s-%d", base, CLANG_BEST);
    if (on_path(name))
        return true;
    for (int version = CLANG_NEWEST; version >= CLANG_OLDEST; version--) {
        snprintf(name, bytes, "%s-%d", base, version);
        if (on_path(name))
            return true;
    }
    snprintf(name, bytes, "%s", base);
    return on_path(name);
}

static bool find_archive(char *path) {
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - sizeof(ARCHIVE) - 1);
    if (length <= 0)
        return false;
    path[length] = 0;
    char *slash = strrchr(path, '/');
    memcpy(slash ? slash + 1 : path, ARCHIVE, sizeof(ARCHIVE));
    return access(path, R_OK) == 0;
}

static bool is_one_of(const char *argument, const char *const *list) {
    for (; *list; list++)
        if (strcmp(argument, *list) == 0)
            return true;
    return false;
}

/* Options whose value is an argument of its own, and so no file to compile or link. */
static bool takes_next(const char *argument) {
    static const char *const list[] = {"-o",
                                       "-x",
                                       "-I",
                                       "-D",
                                       "-U",
                                       "-L",
                                       "-l",
                                       "-T",
                                       "-u",
                                       "-z",
                                       "-e",
                                       "-F",
                                       "-MF",
                                       "-MT",
                                       "-MQ",
                                       "-include",
                                       "-imacros",
                                       "-isystem",
                                       "-idirafter",
                                       "-iquote",
                                       "-isysroot",
                                       "-iprefix",
                                       "-iwithprefix",
                                       "-iwithprefixbefore",
                                       "-Xclang",
                                       "-Xlinker",
                                       "-Xassembler",
                                       "-Xpreprocessor",
                                       "-Xanalyzer",
                                       "-mllvm",
                                       "-arch",
                                       "-target",
                                       "-dumpbase",
                                       "-aux-info",
                                       "--param",
                                       "--sysroot",
                                       "-rpath",
                                       "-soname",
                                       NULL};
    return is_one_of(argument, list);
}

/* What stops before the linker, or links what is no program. */
static bool stops_linking(const char *argument) {
    static const char *const list[] = {
        "-c",      "-S",       "-E",        "-M",           "-MM",          "-fsyntax-only",
        "-shared", "--shared", "-r",        "--version",    "-dumpversion", "-dumpmachine",
        "-###",    "--help",   "--analyze", "--precompile", "-emit-ast",    NULL};
    return is_one_of(argument, list) || strncmp(argument, "-print-", 7) == 0 ||
           strncmp(argument, "--print-", 8) == 0;
}

struct request {
    bool links, has_input, sanitizes;
};

static struct request understand(int count, char **arguments) {
    struct request request = {.links = true};
    for (int i = 1; i < count; i++) {
        const char *argument = arguments[i];
        if (takes_next(argument)) {
            i++;
        } else if (argument[0] != '-' || argument[1] == 0) {
            request.has_input = true; /* a file, - or @file */
        } else if (stops_linking(argument)) {
            request.links = false;
        } else if (strncmp(argument, "-fsanitize=", 11) == 0) {
            request.sanitizes = true;
        }
    }
    request.links = request.links && request.has_input;
    return request;
}

static void add_link_options(struct command *command, const char *archive) {
    add(command, "-pthread");
    add(command, wrap_option);
    /* By -Xlinker, so that no -x before it makes a source of it. */
    add(command, "-Xlinker");
    add(command, "--whole-archive");
    add(command, "-Xlinker");
    add(command, archive);
    add(command, "-Xlinker");
    add(command, "--no-whole-archive");
}

int main(int count, char **arguments) {
    static char clang[PATH_MAX], archive[PATH_MAX];
    const char *own_name = arguments[0] ? arguments[0] : "";
    size_t length = strlen(own_name);
    bool plus = length >= 2 && strcmp(own_name + length - 2, "++") == 0;
    if (!find_clang(plus, clang, sizeof(clang)))
        return lacking("no clang was found (Debian: clang-19 libclang-rt-19-dev llvm-19; "
                       "TAILRACE_CLANG names another): ",
                       clang);
    struct request request = understand(count, arguments);
    if (request.links && !find_archive(archive))
        return lacking("its run-time is not beside it: ", archive);
    struct command command = {malloc(((size_t)count + ADDED_MAX) * sizeof(char *)), 0};
    if (!command.arguments)
        return lacking("no memory", "");
    add(&command, clang);
    if (request.has_input) { /* before the caller's own, which may say otherwise */
        if (!request.sanitizes)
            add(&command, "-fsanitize=thread");
        add(&command, "-g");
        add(&command, "-fno-omit-frame-pointer");
        add(&command, "-pthread");
    }
    for (int i = 1; i < count; i++)
        add(&command, arguments[i]);
    if (request.links)
        add_link_options(&command, archive);
    add(&command, NULL);
    execvp(clang, command.arguments);
    return lacking("cannot run ", clang);
}
