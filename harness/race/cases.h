/* SPDX-License-Identifier: MIT */
/* cases.h - the seeded bugs of scenarios/races: what they are, and which of their lines a right
 * report names.
 *
 * The table is constant; case_marks reads the source, any thread may call it.
 */
#ifndef TAILRACE_RACE_CASES_H
#define TAILRACE_RACE_CASES_H

#include "base/error.h"
#include "race/finding.h"

#define CASE_PLAIN 1u
#define CASE_POISON 2u
#define CASE_PASSTHROUGH 4u
#define CASE_MODES (CASE_PLAIN | CASE_POISON | CASE_PASSTHROUGH)
#define CASE_MODE_COUNT 3
#define CASE_MARKS_MAX 64
#define CASE_ORACLE_STATUS 41 /* races/case.h */

/* Columns as in scenarios/races/list.def. */
struct race_case {
    const char *name, *class, *sees, *rust;
    unsigned modes;
    const char *what;
};
extern const struct race_case race_cases[];
extern const size_t race_case_count;
extern const char *const case_mode_names[CASE_MODE_COUNT];

const struct race_case *case_find(const char *name); /* NULL: unknown */

/* Path of its source, or of its twin in Rust; valid for the caller's buffer. */
void case_path(const struct race_case *one, const char *suffix, char *path, size_t bytes);

struct case_marks {
    uint32_t count, lines[CASE_MARKS_MAX];
    bool race[CASE_MARKS_MAX]; /* RACE, else FAULT */
};

/* Lines of a source that end in a mark. */
bool case_marks(const char *path, struct case_marks *marks, struct error *error);
bool case_marked(const struct case_marks *marks, uint32_t line);

/* The frame of a stack that lies in the case's own file, innermost first; NULL if none does. */
const struct frame *case_frame(const struct stack *stack, const char *path);

/* Whether a finding is right: of a data race both accesses, of anything else one stack at least is
 * at a marked line. An access without a stack (the tool forgot it) is no objection. */
bool case_right(const struct finding *finding, const char *path, const struct case_marks *marks);

#endif
