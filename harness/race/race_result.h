/* SPDX-License-Identifier: MIT */
/* race_result.h - what a gate found in a program, and the forms in which CI reads it.
 *
 * Owned by one thread. Writers leave a whole file or none, and say in one sentence why not.
 */
#ifndef TAILRACE_RACE_RACE_RESULT_H
#define TAILRACE_RACE_RACE_RESULT_H

#include "base/error.h"
#include "race/finding.h"

#include <jansson.h>
#include <stdio.h>

#define RACE_ROWS_MAX 256
#define RACE_TALLIES_MAX 64
#define RACE_NOTES_MAX 16

enum row_state { ROW_NEW, ROW_KNOWN, ROW_SUPPRESSED };

struct race_row {
    struct finding finding;
    uint32_t hits;       /* runs that had it */
    uint32_t runs;       /* runs of its detector */
    uint64_t first_seed; /* seed.h; 0: found without a schedule */
    enum row_state state;
    char why[256], expires[11]; /* of the suppression; "" where there is none */
};

/* Runs of one detector under one schedule. */
struct race_tally {
    char detector[16], schedule[8];
    uint32_t runs, hits; /* hits: runs with any finding */
};

struct race_result {
    char program[1024]; /* as it was given */
    char replay[1024];  /* what follows `tailrace race --replay SEED` to see a finding again */
    uint32_t runs, hung, crashed;
    double seconds;
    uint32_t row_count, tally_count, note_count;
    struct race_row *rows; /* RACE_ROWS_MAX of them */
    struct race_tally tallies[RACE_TALLIES_MAX];
    char notes[RACE_NOTES_MAX][256]; /* what the reader must know: "built without tailrace-cc: …" */
};

/* {"schema": "tailrace/race/1", "program", "replay", "runs", "hung", "crashed", "seconds",
 * "findings": [{"kind", "detector", "fingerprint", "hits", "runs", "first_seed", "state", "why",
 * "expires", "message", "artefact", "locations": [{"file", "line", "function"}], "stacks":
 * [{"role", "frames": [{"function", "file", "line"}]}]}], "tallies": [{"detector", "schedule",
 * "runs", "hits"}], "notes", "sure"}. What is no UTF-8 becomes U+FFFD. NULL without memory. */
json_t *race_json(const struct race_result *result);
json_t *race_sarif(const struct race_result *result); /* SARIF 2.1.0 */
bool race_write_junit(const struct race_result *result, const char *path, struct error *error);
bool race_write_markdown(const struct race_result *result, const char *path, struct error *error);
void race_print(const struct race_result *result, FILE *out);             /* for people */
void race_print_annotations(const struct race_result *result, FILE *out); /* ::error file=…:: */

/* How sure a silent result is: "0 of 200 runs: any race left shows in under 1.5 % of runs" */
void race_sure(const struct race_result *result, char *text, size_t bytes);

/* Marks as known what a baseline file holds (a tailrace/race/1 file of an earlier run). */
bool race_apply_baseline(struct race_result *result, const char *path, struct error *error);

/* Suppressions: a JSON array of {"fingerprint" or "kind" and "function", "why", "expires":
 * "YYYY-MM-DD"}. Marks what they match, to the end of the day of expiry; one that has expired or
 * matched nothing becomes a finding of its own (detector "suppressions", kind
 * "suppression-expired", "suppression-stale"), which no baseline makes known. function: of the
 * program's own frame of an access. today: YYYY-MM-DD. */
bool race_apply_suppressions(struct race_result *result, const char *path, const char *today,
                             struct error *error);

/* Whether anything is new: the gate fails. */
bool race_failed(const struct race_result *result);

#endif
