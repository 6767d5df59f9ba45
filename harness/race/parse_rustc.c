/* SPDX-License-Identifier: MIT */
/* parse_rustc.c - reads rustc --error-format=json: errors that have a code, a stack a place. */
#include "race/parse.h"

#include <stdlib.h>
#include <string.h>

/* The primary places first: they are where the error is. */
static void take_spans(struct finding *one, const json_t *spans, bool primary) {
    const json_t *span;
    size_t i;
    json_array_foreach(spans, i, span) {
        if (json_is_true(json_object_get(span, "is_primary")) != primary)
            continue;
        char role[sizeof one->stacks[0].role] = "note: ";
        size_t lead = primary ? 0 : strlen(role);
        text_set(role + lead, sizeof role - lead, json_text(span, "label"));
        stack_push(finding_push(one, role), "", json_text(span, "file_name"),
                   json_line(span, "line_start"));
    }
}

static void take(const json_t *value, void *context) {
    struct json_reading *reader = context;
    const char *code = json_text(json_object_get(value, "code"), "code");
    const json_t *spans = json_object_get(value, "spans");
    const char *level = json_text(value, "level");
    reader->any = reader->any || *level;
    if (!*code || strcmp(level, "error") != 0)
        return;
    finding_begin(&reader->one, reader->detector, json_text(value, "message"));
    text_set(reader->one.kind, sizeof reader->one.kind, code);
    take_spans(&reader->one, spans, true);
    take_spans(&reader->one, spans, false);
    findings_add(reader->all, &reader->one);
}

bool parse_rustc_json(const char *json_lines, const char *detector, struct findings *all) {
    return json_read(json_lines, '{', take, detector, all);
}
