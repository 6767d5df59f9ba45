/* SPDX-License-Identifier: MIT */
/* finding.h - what a detector reported: its kind, where, and a fingerprint that names it again.
 *
 * Plain data without pointers; no function here is safe to call from two threads on one object.
 */
#ifndef TAILRACE_RACE_FINDING_H
#define TAILRACE_RACE_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FINDING_FRAMES_MAX 16
#define FINDING_STACKS_MAX 4
#define FINDINGS_MAX 64 /* different ones in one run; more are counted only */

struct frame {
    char function[96];
    char file[256]; /* "" where there is no debug information */
    uint32_t line;  /* 0: not known */
};

/* One access, lock, allocation…: innermost frame first. */
struct stack {
    char role[64]; /* "write of 4 bytes by thread T1", "allocated here" */
    uint32_t count;
    struct frame frames[FINDING_FRAMES_MAX];
};

struct finding {
    char detector[16]; /* a name of detectors.def */
    char kind[48];     /* "data-race", "heap-use-after-free", "lock-order-inversion", "hang"… */
    char message[256]; /* the tool's own sentence */
    bool artefact;     /* came after a use after free in the same run: may follow from it */
    uint32_t stack_count;
    struct stack stacks[FINDING_STACKS_MAX];
    char fingerprint[17]; /* hexadecimal */
};

/* Different findings of one run, by fingerprint, in the order in which they came. */
struct findings {
    uint32_t count, lost; /* lost: for want of room */
    struct finding *list; /* FINDINGS_MAX of them */
};

bool findings_init(struct findings *all); /* false: no memory */
void findings_free(struct findings *all);

/* Sets the fingerprint and keeps a copy, unless one with the same is there. */
void findings_add(struct findings *all, struct finding *one);

/* The innermost frame that is the program's own, not a library's, an interceptor's or a run-time's;
 * the innermost of all where there is none; NULL for an empty stack. */
const struct frame *stack_user_frame(const struct stack *stack);

/* Whether a stack tells how things came to be (where memory was allocated, a thread made, a mutex
 * first seen), not where they went wrong: by words of its role. */
bool stack_is_background(const struct stack *stack);

/* Kind and the sorted pair of the two accesses' user functions (file's last part and function; no
 * line numbers, so that it outlives edits above), FNV-1a 64. Stacks that tell only where memory
 * came from or a thread was made do not count, except where they are all there is (leaks). */
void finding_set_fingerprint(struct finding *finding);

/* Readers of what tools write. Each adds what it understands; text is the tool's, of any size and
 * form, and may be cut off anywhere. False where it is not that tool's at all. */
bool parse_sanitizer(const char *text, const char *detector, struct findings *all);
bool parse_hook(const char *json_lines, const char *detector, struct findings *all);
bool parse_valgrind_xml(const char *xml, size_t bytes, const char *detector, struct findings *all);
bool parse_sarif(const char *json, const char *detector, struct findings *all);
bool parse_gcc_json(const char *json, const char *detector, struct findings *all);
/* rustc --error-format=json, one object a line: kind is the error's code ("E0502"). */
bool parse_rustc_json(const char *json_lines, const char *detector, struct findings *all);

#endif
