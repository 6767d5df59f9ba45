/* SPDX-License-Identifier: MIT */
/* race_words.c - what all reports of a gate say of a finding: its places, how often, how again. */
#include "race/race_words.h"

#include "race/detector.h"
#include "race/seed.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *row_state_word(enum row_state state) {
    static const char *const words[] = {"new", "known", "suppressed"};
    return words[state];
}

uint32_t result_count(const struct race_result *result, enum row_state state) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < result->row_count; i++)
        count += result->rows[i].state == state;
    return count;
}

bool detector_is_static(const char *name) {
    const struct detector *one = detector_find(name);
    return strcmp(name, SUPPRESSIONS_DETECTOR) == 0 ||
           (one && (one->kind == DETECTOR_STATIC || one->kind == DETECTOR_RUST));
}

uint32_t finding_places(const struct finding *finding,
                        const struct stack *places[FINDING_STACKS_MAX],
                        const struct stack *others[FINDING_STACKS_MAX], uint32_t *other_count) {
    uint32_t count = 0;
    *other_count = 0;
    for (uint32_t i = 0; i < finding->stack_count; i++) {
        const struct stack *stack = &finding->stacks[i];
        if (stack_is_background(stack))
            others[(*other_count)++] = stack;
        else
            places[count++] = stack;
    }
    if (count > 0)
        return count;
    count = *other_count;
    memcpy(places, others, count * sizeof *places);
    *other_count = 0;
    return count;
}

const struct frame *finding_first_frame(const struct finding *finding) {
    const struct stack *places[FINDING_STACKS_MAX], *others[FINDING_STACKS_MAX];
    uint32_t other_count, count = finding_places(finding, places, others, &other_count);
    const struct frame *first = NULL;
    for (uint32_t i = 0; i < count; i++) {
        const struct frame *frame = stack_user_frame(places[i]);
        if (frame && *frame->file)
            return frame;
        first = first ? first : frame;
    }
    return first;
}

/* Takes "", "." and ".." out of an absolute path, in place. */
static void normalise(char *path) {
    char *to = path, *from = path;
    while (*from) {
        char *end = strchrnul(from + 1, '/');
        size_t length = (size_t)(end - from);
        bool up = length == 3 && memcmp(from, "/..", 3) == 0;
        bool nothing = length == 1 || (length == 2 && from[1] == '.');
        if (up)
            while (to > path && *--to != '/')
                continue;
        else if (!nothing) {
            memmove(to, from, length);
            to += length;
        }
        from = end;
    }
    if (to == path)
        *to++ = '/';
    *to = 0;
}

/* What comes behind a folder's name in a path; NULL where the path does not lie in it. */
static const char *below(const char *path, const char *folder) {
    size_t length = strcmp(folder, "/") == 0 ? 0 : strlen(folder);
    if (strncmp(path, folder, length) != 0 || path[length] != '/' || !path[length + 1])
        return NULL;
    return path + length + 1;
}

bool source_path(const char *file, char *path, size_t bytes) {
    char folder[PATH_MAX], real[PATH_MAX], whole[PATH_MAX + SOURCE_PATH_BYTES];
    if (!*file || !getcwd(folder, sizeof folder)) {
        snprintf(path, bytes, "%s", file);
        return false;
    }
    snprintf(whole, sizeof whole, "%s/%s", *file == '/' ? "" : folder, file);
    normalise(whole);
    const char *rest = below(whole, folder);
    if (!rest && realpath(whole, real))
        rest = below(real, folder); /* by way of a link */
    snprintf(path, bytes, "%s", rest ? rest : whole);
    return rest;
}

void place_text(const struct frame *frame, char *text, size_t bytes) {
    char path[SOURCE_PATH_BYTES], line[16] = "";
    if (!frame || (!*frame->file && !*frame->function)) {
        snprintf(text, bytes, "an unknown place");
        return;
    }
    source_path(frame->file, path, sizeof path);
    if (*path && frame->line)
        snprintf(line, sizeof line, ":%u", frame->line);
    snprintf(text, bytes, "%s%s%s%s", path, line, *path && *frame->function ? " in " : "",
             frame->function);
}

void row_often(const struct race_row *row, char *text, size_t bytes) {
    const char *detector = row->finding.detector;
    if (strcmp(detector, SUPPRESSIONS_DETECTOR) == 0)
        snprintf(text, bytes, "in the suppressions");
    else if (detector_is_static(detector))
        snprintf(text, bytes, "by %s, without a run", detector);
    else
        snprintf(text, bytes, "by %s in %u of %u %s", detector, row->hits, row->runs,
                 row->runs == 1 ? "run" : "runs");
}

void row_again(const struct race_result *result, const struct race_row *row, char *text,
               size_t bytes) {
    *text = 0;
    if (*result->replay && !detector_is_static(row->finding.detector))
        snprintf(text, bytes, "tailrace race --replay %llu %s", (unsigned long long)row->first_seed,
                 result->replay);
}

const char *row_again_note(const struct race_row *row) {
    return seed_schedule(row->first_seed) <= SCHEDULE_DELAY
               ? " (not exactly: may take several runs)"
               : "";
}

void put_stacks(FILE *out, enum text_form form, const struct finding *finding) {
    for (uint32_t i = 0; i < finding->stack_count; i++) {
        const struct stack *stack = &finding->stacks[i];
        text_put(out, form, *stack->role ? stack->role : "stack");
        fputs(":\n", out);
        for (uint32_t k = 0; k < stack->count; k++) {
            char text[PLACE_BYTES];
            place_text(&stack->frames[k], text, sizeof text);
            fprintf(out, "  #%u ", k);
            text_put(out, form, text);
            fputc('\n', out);
        }
    }
}

json_t *list_with(json_t *list, json_t *item) {
    if (json_array_append_new(list, item) == 0)
        return list;
    json_decref(list);
    return NULL;
}

json_t *object_with(json_t *object, const char *key, json_t *value) {
    if (json_object_set_new(object, key, value) == 0)
        return object;
    json_decref(object);
    return NULL;
}
