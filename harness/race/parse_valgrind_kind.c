/* SPDX-License-Identifier: MIT */
/* parse_valgrind_kind.c - the word for what helgrind, DRD or memcheck report. */
#include "race/parse_valgrind.h"

#include "race/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZERO_PAGE_BYTES 4096

/* Against "Kind: sentence". */
static const struct kind_rule rules[] = {
    {"Leak_DefinitelyLost", "leak"},
    {"Leak_PossiblyLost", "leak-possible"},
    {"Leak_IndirectlyLost", "leak-indirect"},
    {"Leak_StillReachable", "leak-reachable"},
    {"MismatchedFree", "alloc-dealloc-mismatch"},
    {"Uninit", "uninitialised-value"},
    {"Overlap", "overlapping-copy"},
    {"FishyValue", "allocation-size-too-big"},
    {"ConflictingAccess", "data-race"},
    {"Race: ", "data-race"},
    {"LockOrder", "lock-order-inversion"},
    {"UnlockUnlocked", "mutex-bad-unlock"},
    {"UnlockForeign", "mutex-bad-unlock"},
    {"UnlockBogus", "mutex-bad-unlock"},
    {"destroy of a locked mutex", "mutex-destroy-locked"},
    {"Destroying locked mutex", "mutex-destroy-locked"},
    {"Destruction of locked", "mutex-destroy-locked"},
    {"destroy of locked", "mutex-destroy-locked"},
    {"re-lock a non-recursive lock", "mutex-double-lock"},
    {"Recursive locking not allowed", "mutex-double-lock"},
    {"Exiting thread still holds", "thread-exit-holding-lock"},
    {"Mutex not locked", "mutex-bad-unlock"},
    {"not locked by calling thread", "mutex-bad-unlock"},
    {"is not a mutex", "mutex-invalid-access"},
    {"invalid mutex", "mutex-invalid-access"},
    {"associated lock is not held", "cond-signal-without-lock"},
    {"associated mutex has not been locked", "cond-signal-without-lock"},
    {"cond_{timed}wait called with", "cond-wait-without-lock"},
    {"mutex_lock failed with error code 35", "mutex-double-lock"},       /* EDEADLK */
    {"mutex_destroy failed with error code 16", "mutex-destroy-locked"}, /* EBUSY */
    {"mutex_unlock failed with error code 1 ", "mutex-bad-unlock"},      /* EPERM */
    {"PthAPIerror", "pthread-api-error"},
    {"SIGFPE", "division-by-zero"},
    {"SIGILL", "illegal-instruction"},
    {"SIGBUS", "bus-error"},
    {"SIGABRT", "abort"},
    {NULL, NULL}};

static unsigned long long number_after(const char *text, const char *words) {
    const char *at = strstr(text, words);
    return at ? strtoull(at + strlen(words), NULL, 0) : 0;
}

/* An access inside a block that is allocated: over its end, or to what was declared not
 * accessible. */
static const char *kind_inside(const struct valgrind_error *error) {
    unsigned long long offset = number_after(error->about, " is ");
    unsigned long long block = number_after(error->about, "inside a block of size ");
    unsigned long long size = number_after(error->what, " of size ");
    return offset + size > block ? "heap-buffer-overflow" : "use-after-poison";
}

static const char *kind_of_access(const struct valgrind_error *error, const char *otherwise) {
    const char *about = error->about;
    bool address = text_begins(about, "Address 0x");
    if (strstr(about, "block of size") && strstr(about, "free'd"))
        return "heap-use-after-free";
    if (strstr(about, "after a block of size") || strstr(about, "before a block of size"))
        return "heap-buffer-overflow";
    if (strstr(about, "inside a block of size ") && strstr(about, "alloc'd"))
        return kind_inside(error);
    if (address && strtoull(about + strlen("Address "), NULL, 16) < ZERO_PAGE_BYTES)
        return "null-dereference";
    return otherwise;
}

static const char *kind_by_name(const struct valgrind_error *error) {
    if (strcmp(error->kind, "InvalidFree") == 0)
        return strstr(error->about, "block of size") && strstr(error->about, "free'd")
                   ? "double-free"
                   : "bad-free";
    if (strcmp(error->kind, "InvalidRead") == 0)
        return kind_of_access(error, "invalid-read");
    if (strcmp(error->kind, "InvalidWrite") == 0)
        return kind_of_access(error, "invalid-write");
    if (strcmp(error->kind, "SyscallParam") == 0)
        return strstr(error->what, "uninitialised")
                   ? "uninitialised-value"
                   : kind_of_access(error, "invalid-syscall-parameter");
    if (strcmp(error->kind, "SIGSEGV") == 0)
        return strtoull(error->address, NULL, 16) < ZERO_PAGE_BYTES ? "null-dereference" : "segv";
    return NULL;
}

void valgrind_kind(const struct valgrind_error *error, char *kind, size_t size) {
    char words[sizeof error->kind + sizeof error->what + 2];
    const char *word = kind_by_name(error);
    snprintf(words, sizeof words, "%s: %s", error->kind, error->what);
    if (!word)
        word = kind_of(rules, words);
    text_set_slug(kind, size, word ? word : error->kind);
}
