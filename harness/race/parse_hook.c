/* SPDX-License-Identifier: MIT */
/* parse_hook.c - reads what the run-time in a program wrote (race/runtime): a finding a line. */
#include "race/parse.h"

#include <stdlib.h>
#include <string.h>

static void take_stack(struct finding *one, const json_t *from) {
    struct stack *stack = finding_push(one, json_text(from, "role"));
    const json_t *frames = json_object_get(from, "frames"), *frame;
    size_t i;
    json_array_foreach(frames, i, frame) {
        stack_push(stack, json_text(frame, "function"), json_text(frame, "file"),
                   json_line(frame, "line"));
    }
}

static void take(const json_t *value, void *context) {
    struct json_reading *reader = context;
    const char *word = json_text(value, "kind"), *kind = kind_of(kinds_sanitizer, word);
    const json_t *stacks = json_object_get(value, "stacks"), *stack;
    size_t i;
    reader->any = reader->any || *word || *json_text(value, "event");
    if (!*word)
        return;
    finding_begin(&reader->one, reader->detector, json_text(value, "message"));
    text_set_slug(reader->one.kind, sizeof reader->one.kind, kind ? kind : word);
    json_array_foreach(stacks, i, stack) {
        take_stack(&reader->one, stack);
    }
    findings_add_run(reader->all, &reader->one);
}

bool parse_hook(const char *json_lines, const char *detector, struct findings *all) {
    return json_read(json_lines, '{', take, detector, all);
}
