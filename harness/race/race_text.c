/* SPDX-License-Identifier: MIT */
/* race_text.c - a gate's result for people at a terminal, and as annotations of GitHub's.
 *
 * Source: GitHub, "Workflow commands for GitHub Actions".
 */
#include "race/race_words.h"

#include <string.h>

static void print_line(FILE *out, const char *begin, const char *text) {
    fputs(begin, out);
    text_put(out, TEXT_PLAIN, text);
    fputc('\n', out);
}

static void print_stacks(FILE *out, const char *begin, const struct stack *const *stacks,
                         uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        char place[PLACE_BYTES], text[PLACE_BYTES + sizeof stacks[i]->role + 8];
        place_text(stack_user_frame(stacks[i]), place, sizeof place);
        snprintf(text, sizeof text, "%s%s%s", stacks[i]->role, *stacks[i]->role ? ": " : "", place);
        print_line(out, begin, text);
    }
}

static void print_row(const struct race_result *result, const struct race_row *row, FILE *out) {
    const struct finding *finding = &row->finding;
    const struct stack *places[FINDING_STACKS_MAX], *others[FINDING_STACKS_MAX];
    uint32_t other_count, count = finding_places(finding, places, others, &other_count);
    char text[2048], often[128];
    row_often(row, often, sizeof often);
    snprintf(text, sizeof text, "%s (%s) %s", finding->kind, row_state_word(row->state), often);
    print_line(out, "", text);
    if (*finding->message)
        print_line(out, "  ", finding->message);
    print_stacks(out, "  ", places, count);
    print_stacks(out, "  also ", others, other_count);
    if (finding->artefact)
        fputs("  may follow from a use after free earlier in the run\n", out);
    if (row->state == ROW_SUPPRESSED) {
        snprintf(text, sizeof text, "%s (to %s)", row->why, row->expires);
        print_line(out, "  suppressed: ", text);
    }
    row_again(result, row, text, sizeof text);
    if (*text && row->state == ROW_NEW) {
        strncat(text, row_again_note(row), sizeof text - strlen(text) - 1);
        print_line(out, "  again: ", text);
    }
    print_line(out, "  fingerprint ", finding->fingerprint);
    fputc('\n', out);
}

void race_print(const struct race_result *result, FILE *out) {
    char text[1200];
    for (uint32_t i = 0; i < result->row_count; i++)
        print_row(result, &result->rows[i], out);
    for (uint32_t i = 0; i < result->note_count; i++)
        print_line(out, "note: ", result->notes[i]);
    snprintf(text, sizeof text, "%s%s%u new, %u known, %u suppressed", result->program,
             *result->program ? ": " : "", result_count(result, ROW_NEW),
             result_count(result, ROW_KNOWN), result_count(result, ROW_SUPPRESSED));
    print_line(out, "", text);
    race_sure(result, text, sizeof text);
    print_line(out, "", text);
}

/* "at a.c:2 in f, b.c:3 in g" */
static void list_places(const struct finding *finding, char *text, size_t bytes) {
    const struct stack *places[FINDING_STACKS_MAX], *others[FINDING_STACKS_MAX];
    uint32_t other_count, count = finding_places(finding, places, others, &other_count);
    size_t length = 0;
    *text = 0;
    for (uint32_t i = 0; i < count && length < bytes; i++) {
        char place[PLACE_BYTES];
        place_text(stack_user_frame(places[i]), place, sizeof place);
        length += (size_t)snprintf(text + length, bytes - length, "%s%s", i ? ", " : " at ", place);
    }
}

static void annotate(const struct race_result *result, const struct race_row *row, FILE *out) {
    const struct finding *finding = &row->finding;
    const struct frame *first = finding_first_frame(finding);
    char path[SOURCE_PATH_BYTES] = "", text[4096], places[2048], often[128], again[1200];
    fputs(row->state == ROW_NEW ? "::error " : "::notice ", out);
    if (first)
        source_path(first->file, path, sizeof path);
    if (*path) {
        fputs("file=", out);
        text_put(out, TEXT_PROPERTY, path);
        fputc(',', out);
        if (first->line)
            fprintf(out, "line=%u,", first->line);
    }
    fputs("title=", out);
    text_put(out, TEXT_PROPERTY, finding->kind);
    fputs("::", out);
    list_places(finding, places, sizeof places);
    row_often(row, often, sizeof often);
    row_again(result, row, again, sizeof again);
    snprintf(text, sizeof text, "%s%s; found %s%s%s",
             *finding->message ? finding->message : finding->kind, places, often,
             *again ? "\nagain: " : "", again);
    text_put(out, TEXT_DATA, text);
    fputc('\n', out);
}

void race_print_annotations(const struct race_result *result, FILE *out) {
    for (uint32_t i = 0; i < result->row_count; i++)
        if (result->rows[i].state != ROW_SUPPRESSED)
            annotate(result, &result->rows[i], out);
}
