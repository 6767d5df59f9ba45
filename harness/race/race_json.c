/* SPDX-License-Identifier: MIT */
/* race_json.c - a gate's result as JSON, how sure it is, and whether it fails. */
#include "race/race_words.h"
#include "race/rates.h"

#include <math.h>
#include <string.h>

bool race_failed(const struct race_result *result) {
    return result_count(result, ROW_NEW) > 0;
}

static json_t *frame_json(const struct frame *frame) {
    return json_pack("{s:o,s:o,s:I}", "function", text_json(frame->function), "file",
                     text_json(frame->file), "line", (json_int_t)frame->line);
}

static json_t *stacks_json(const struct finding *finding) {
    json_t *stacks = json_array();
    for (uint32_t i = 0; i < finding->stack_count; i++) {
        const struct stack *stack = &finding->stacks[i];
        json_t *frames = json_array();
        for (uint32_t k = 0; k < stack->count; k++)
            frames = list_with(frames, frame_json(&stack->frames[k]));
        stacks = list_with(
            stacks, json_pack("{s:o,s:o}", "role", text_json(stack->role), "frames", frames));
    }
    return stacks;
}

static json_t *locations_json(const struct finding *finding) {
    const struct stack *places[FINDING_STACKS_MAX], *others[FINDING_STACKS_MAX];
    uint32_t other_count, count = finding_places(finding, places, others, &other_count);
    json_t *locations = json_array();
    for (uint32_t i = 0; i < count; i++) {
        const struct frame *frame = stack_user_frame(places[i]);
        if (frame)
            locations = list_with(locations, frame_json(frame));
    }
    return locations;
}

static json_t *row_json(const struct race_row *row) {
    const struct finding *finding = &row->finding;
    json_t *json = json_pack("{s:o,s:o,s:o,s:I,s:I,s:I,s:s,s:o,s:b,s:o,s:o}", "kind",
                             text_json(finding->kind), "detector", text_json(finding->detector),
                             "fingerprint", text_json(finding->fingerprint), "hits",
                             (json_int_t)row->hits, "runs", (json_int_t)row->runs, "first_seed",
                             (json_int_t)row->first_seed, "state", row_state_word(row->state),
                             "message", text_json(finding->message), "artefact", finding->artefact,
                             "locations", locations_json(finding), "stacks", stacks_json(finding));
    if (row->state != ROW_SUPPRESSED)
        return json;
    json = object_with(json, "why", text_json(row->why));
    return object_with(json, "expires", text_json(row->expires));
}

static json_t *tallies_json(const struct race_result *result) {
    json_t *tallies = json_array();
    for (uint32_t i = 0; i < result->tally_count; i++) {
        const struct race_tally *one = &result->tallies[i];
        tallies =
            list_with(tallies, json_pack("{s:o,s:o,s:I,s:I}", "detector", text_json(one->detector),
                                         "schedule", text_json(one->schedule), "runs",
                                         (json_int_t)one->runs, "hits", (json_int_t)one->hits));
    }
    return tallies;
}

json_t *race_json(const struct race_result *result) {
    char sure[256];
    json_t *findings = json_array(), *notes = json_array();
    for (uint32_t i = 0; i < result->row_count; i++)
        findings = list_with(findings, row_json(&result->rows[i]));
    for (uint32_t i = 0; i < result->note_count; i++)
        notes = list_with(notes, text_json(result->notes[i]));
    race_sure(result, sure, sizeof sure);
    return json_pack("{s:s,s:o,s:o,s:I,s:I,s:I,s:f,s:o,s:o,s:o,s:o}", "schema", "tailrace/race/1",
                     "program", text_json(result->program), "replay", text_json(result->replay),
                     "runs", (json_int_t)result->runs, "hung", (json_int_t)result->hung, "crashed",
                     (json_int_t)result->crashed, "seconds", result->seconds, "findings", findings,
                     "tallies", tallies_json(result), "notes", notes, "sure", text_json(sure));
}

/* Runs of what watches a running program, and those with a finding. */
struct watched {
    uint64_t runs, hits;
    bool unwatched; /* some ran without any detector */
};

static struct watched count_watched(const struct race_result *result) {
    struct watched all = {0};
    for (uint32_t i = 0; i < result->tally_count; i++) {
        const struct race_tally *one = &result->tallies[i];
        if (detector_is_static(one->detector))
            continue;
        if (strcmp(one->detector, "native") == 0) {
            all.unwatched = all.unwatched || one->runs > 0;
            continue;
        }
        all.runs += one->runs;
        all.hits += one->hits;
    }
    for (uint32_t i = 0; i < result->row_count; i++) {
        const struct race_row *row = &result->rows[i];
        uint64_t least = row->hits ? row->hits : 1;
        if (!detector_is_static(row->finding.detector) && all.hits < least)
            all.hits = least;
    }
    /* never more than were made */
    if (result->tally_count == 0 || all.runs > result->runs)
        all.runs = result->runs;
    all.hits = all.hits < all.runs ? all.hits : all.runs;
    return all;
}

/* In per cent, rounded up to two digits, so that it does not say too much. */
static double round_up(double share) {
    double scale = pow(10, 1 - floor(log10(share * 100)));
    return ceil(share * 100 * scale - 1e-6) / scale;
}

static void tell_found(const struct watched *all, char *text, size_t bytes) {
    struct rate_interval rate = rate_wilson((uint32_t)all->hits, (uint32_t)all->runs);
    snprintf(text, bytes,
             "something was found in %u of %u runs: %.3g %% of them (95 %% sure: %.3g to %.3g %%)",
             (uint32_t)all->hits, (uint32_t)all->runs,
             100.0 * (double)all->hits / (double)all->runs, 100 * rate.low, 100 * rate.high);
}

void race_sure(const struct race_result *result, char *text, size_t bytes) {
    struct watched all = count_watched(result);
    if (all.runs == 0 && !all.unwatched)
        snprintf(text, bytes, "no run was made: nothing is known of what shows in running");
    else if (all.runs == 0)
        snprintf(text, bytes,
                 "%u runs without a detector: they show crashes, hangs and failed checks only",
                 result->runs);
    else if (all.hits > 0)
        tell_found(&all, text, bytes);
    else if (result->hung + result->crashed > 0)
        snprintf(text, bytes, "nothing was reported in %u runs, of which %u hung and %u crashed",
                 (uint32_t)all.runs, result->hung, result->crashed);
    else
        snprintf(text, bytes,
                 "0 of %u runs: any race left shows in under %.2g %% of runs (95 %% sure)",
                 (uint32_t)all.runs, round_up(rate_unseen((uint32_t)all.runs)));
}
