/* SPDX-License-Identifier: MIT */
/* race_words.h - what all reports of a gate say of a finding: its places, how often, how again.
 *
 * Texts are as the tools gave them, and still to be escaped (race_escape.h). Safe from any thread.
 */
#ifndef TAILRACE_RACE_RACE_WORDS_H
#define TAILRACE_RACE_RACE_WORDS_H

#include "race/race_escape.h"
#include "race/race_result.h"

#define PLACE_BYTES 512
#define SOURCE_PATH_BYTES 4608
#define SUPPRESSIONS_DETECTOR "suppressions"

const char *row_state_word(enum row_state state);

/* Rows in a state. */
uint32_t result_count(const struct race_result *result, enum row_state state);

/* A compiler or analyzer, which runs nothing. */
bool detector_is_static(const char *name);

/* The stacks at which the defect is: the accesses, locks, waits…, not those that tell only where
 * memory or a thread came from, unless there are no others. others: those. Returns how many. */
uint32_t finding_places(const struct finding *finding,
                        const struct stack *places[FINDING_STACKS_MAX],
                        const struct stack *others[FINDING_STACKS_MAX], uint32_t *other_count);

/* The frame to show first: the first place's user frame, rather one with a file. NULL: none. */
const struct frame *finding_first_frame(const struct finding *finding);

/* The path of a source file under the current directory, relative to it, and true; an absolute one
 * and false for what lies elsewhere. "" and false for "". */
bool source_path(const char *file, char *path, size_t bytes);

/* "src/queue.c:12 in push"; frame may be NULL. */
void place_text(const struct frame *frame, char *text, size_t bytes);

/* "by tsan in 12 of 200 runs" */
void row_often(const struct race_row *row, char *text, size_t bytes);

/* The command that shows the finding again; "" where nothing has to run for it. */
void row_again(const struct race_result *result, const struct race_row *row, char *text,
               size_t bytes);

/* What the reader of row_again must know of it. */
const char *row_again_note(const struct race_row *row);

/* All stacks with all frames, a frame a line. */
void put_stacks(FILE *out, enum text_form form, const struct finding *finding);

/* A kind's meaning, and what to do, a sentence each. */
struct kind_help {
    const char *kind; /* or what its name begins with, where it ends in '-' */
    const char *what, *help;
};
const struct kind_help *kind_help(const char *kind);

/* Put an item into a list or an object; NULL, with both freed, where memory ran out. */
json_t *list_with(json_t *list, json_t *item);
json_t *object_with(json_t *object, const char *key, json_t *value);

#endif
