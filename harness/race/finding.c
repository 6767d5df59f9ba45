/* SPDX-License-Identifier: MIT */
/* finding.c - keeps the different findings of a run, and names them. */
#include "race/finding.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

bool findings_init(struct findings *all) {
    *all = (struct findings){.list = calloc(FINDINGS_MAX, sizeof *all->list)};
    return all->list != NULL;
}

void findings_free(struct findings *all) {
    free(all->list);
    *all = (struct findings){0};
}

bool stack_is_background(const struct stack *stack) {
    static const char *const words[] = {"allocated", "alloc'd",       "created",   "first observed",
                                        "segment",   "stored",        "synchroni", "located in",
                                        "note: ",    "registered at", "in frame"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(stack->role, words[i]))
            return !strstr(stack->role, "deallocated");
    return false;
}

static uint64_t hash_part(uint64_t hash, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * FNV_PRIME;
    return hash * FNV_PRIME; /* as for a zero byte: keeps "ab" "c" from "a" "bc" */
}

static uint64_t hash_text(uint64_t hash, const char *text) {
    return hash_part(hash, text, strlen(text));
}

static uint64_t hash_number(uint64_t hash, uint64_t number) {
    for (unsigned bit = 0; bit < 64; bit += 8)
        hash = (hash ^ (number >> bit & 255)) * FNV_PRIME;
    return hash;
}

/* Without the numbers, which differ from run to run and from edit to edit. */
static uint64_t hash_words(uint64_t hash, const char *text) {
    while (*text) {
        size_t words = strcspn(text, "0123456789");
        hash = hash_part(hash, text, words);
        text += words;
        text += strspn(text,
                       text[0] == '0' && text[1] == 'x' ? "x0123456789abcdefABCDEF" : "0123456789");
    }
    return hash;
}

/* Without what an optimiser or a version of a symbol adds: "f.constprop.0", "f@@GLIBC_2.34". */
static uint64_t hash_function(uint64_t hash, const char *name) {
    size_t plain = strcspn(name, ".@");
    bool suffixed = name[plain] && plain > 0 && !strpbrk(name, "(<");
    return hash_part(hash, name, suffixed ? plain : strlen(name));
}

static uint64_t hash_frame(const struct frame *frame) {
    const char *slash = strrchr(frame->file, '/');
    return hash_function(hash_text(FNV_BASIS, slash ? slash + 1 : frame->file), frame->function);
}

/* Hashes of the user's functions that count, sorted, each once; whether all had names. */
static uint32_t hash_stacks(const struct finding *finding, bool background,
                            uint64_t hashes[FINDING_STACKS_MAX], bool *named) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < finding->stack_count && i < FINDING_STACKS_MAX; i++) {
        const struct frame *frame = stack_user_frame(&finding->stacks[i]);
        if (!frame || stack_is_background(&finding->stacks[i]) != background)
            continue;
        uint64_t hash = hash_frame(frame);
        uint32_t at = 0;
        *named = *named && frame->function[0];
        while (at < count && hashes[at] < hash)
            at++;
        if (at < count && hashes[at] == hash)
            continue;
        memmove(hashes + at + 1, hashes + at, (count - at) * sizeof *hashes);
        hashes[at] = hash;
        count++;
    }
    return count;
}

/* False where a stack has no function or there is none: two places of one file look the same. */
static bool set_fingerprint(struct finding *finding) {
    uint64_t hashes[FINDING_STACKS_MAX], hash = hash_text(FNV_BASIS, finding->kind);
    bool named = true;
    uint32_t count = hash_stacks(finding, false, hashes, &named);
    if (count == 0)
        count = hash_stacks(finding, true, hashes, &named);
    for (uint32_t i = 0; i < count; i++)
        hash = hash_number(hash, hashes[i]);
    named = named && count > 0;
    if (!named)
        hash = hash_words(hash, finding->message);
    snprintf(finding->fingerprint, sizeof finding->fingerprint, "%016" PRIx64, hash);
    return named;
}

void finding_set_fingerprint(struct finding *finding) {
    set_fingerprint(finding);
}

static const struct finding *find(const struct findings *all, const char *fingerprint) {
    for (uint32_t i = 0; i < all->count; i++)
        if (strcmp(all->list[i].fingerprint, fingerprint) == 0)
            return &all->list[i];
    return NULL;
}

static uint32_t first_line(const struct finding *finding) {
    return finding->stack_count ? finding->stacks[0].frames[0].line : 0;
}

void findings_add(struct findings *all, struct finding *one) {
    const struct finding *same;
    bool named = set_fingerprint(one);
    /* The second, third... of the same words without a function in one file: told apart by their
     * order. At most count times, since no one matches itself twice. */
    for (uint32_t i = 0; i <= all->count && (same = find(all, one->fingerprint)); i++) {
        if (named || first_line(same) == first_line(one))
            return;
        uint64_t hash = hash_text(FNV_BASIS, one->fingerprint);
        snprintf(one->fingerprint, sizeof one->fingerprint, "%016" PRIx64, hash);
    }
    if (all->count == FINDINGS_MAX)
        all->lost++;
    else
        all->list[all->count++] = *one;
}
