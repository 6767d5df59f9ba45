/* SPDX-License-Identifier: MIT */
/* parse_gcc.c - reads gcc -fdiagnostics-format=json: the analyser's warnings and what
 * else tells of memory, an array for each compilation. */
#include "race/parse.h"

#include <stdlib.h>
#include <string.h>

static void take_place(struct finding *one, const char *role, const char *function,
                       const json_t *place) {
    if (place)
        stack_push(finding_push(one, role), function, json_text(place, "file"),
                   json_line(place, "line"));
}

/* The analyser's way to the defect ends there, and tells the function that it is in. */
static void take_locations(struct finding *one, const json_t *diagnostic) {
    const json_t *path = json_object_get(diagnostic, "path"), *event, *location;
    size_t events = json_array_size(path), i;
    const char *function = events ? json_text(json_array_get(path, events - 1), "function") : "";
    json_array_foreach(json_object_get(diagnostic, "locations"), i, location) {
        take_place(one, "here", function, json_object_get(location, "caret"));
    }
    json_array_foreach(path, i, event) {
        char role[sizeof one->stacks[0].role] = "note: ";
        size_t lead = strlen(role);
        const char *text = json_text(event, "description");
        bool way = strstr(text, "branch") || text_begins(text, "...") || i + 1 == events;
        text_set(role + lead, sizeof role - lead, text);
        if (!way)
            take_place(one, role, json_text(event, "function"), json_object_get(event, "location"));
    }
}

static void take(const json_t *diagnostics, void *context) {
    struct json_reading *reader = context;
    const json_t *diagnostic;
    size_t i;
    json_array_foreach(diagnostics, i, diagnostic) {
        const char *option = json_text(diagnostic, "option");
        const char *kind = kind_of(kinds_static, option);
        reader->any = reader->any || *json_text(diagnostic, "kind");
        if (!kind)
            continue;
        finding_begin(&reader->one, reader->detector, json_text(diagnostic, "message"));
        text_set_slug(reader->one.kind, sizeof reader->one.kind,
                      *kind ? kind : option + strlen("-Wanalyzer-"));
        take_locations(&reader->one, diagnostic);
        findings_add(reader->all, &reader->one);
    }
    reader->any = reader->any || json_is_array(diagnostics);
}

bool parse_gcc_json(const char *json, const char *detector, struct findings *all) {
    return json_read(json, '[', take, detector, all);
}
