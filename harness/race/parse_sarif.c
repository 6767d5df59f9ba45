/* SPDX-License-Identifier: MIT */
/* parse_sarif.c - reads SARIF 2.1.0 of clang's analyzer, and of clang's and gcc's warnings that
 * tell of memory or threads. */
#include "race/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULE_AND_TEXT_BYTES 1024

static int hex_digit(char digit) {
    const char *all = "0123456789abcdef0123456789ABCDEF", *at = strchr(all, digit);
    return digit && at ? (int)((at - all) % 16) : -1;
}

/* "file:///src/a%20b.c" is "/src/a b.c". */
static void set_path(char *to, size_t size, const char *uri) {
    size_t length = 0;
    if (text_begins(uri, "file://"))
        uri += strlen("file://");
    for (; *uri && length + 1 < size; uri++) {
        bool coded = *uri == '%' && hex_digit(uri[1]) >= 0 && hex_digit(uri[2]) >= 0;
        to[length++] = (char)(coded ? hex_digit(uri[1]) * 16 + hex_digit(uri[2]) : *uri);
        uri += coded ? 2 : 0;
    }
    to[length] = '\0';
}

/* "%ff" may have made of it what is no text. */
static void push_place(struct finding *one, const char *role, const char *function, const char *uri,
                       uint32_t line) {
    char path[1024];
    set_path(path, sizeof path, uri);
    char *clean = text_clean(path, strlen(path));
    if (clean)
        stack_push(finding_push(one, role), function, clean, line);
    free(clean);
}

/* clang tells a range and the caret in it as two locations. */
static bool is_told(const struct finding *one, const char *role, uint32_t line) {
    for (uint32_t i = 0; i < one->stack_count; i++)
        if (one->stacks[i].frames[0].line == line && strcmp(one->stacks[i].role, role) == 0)
            return true;
    return false;
}

static void take_location(struct finding *one, const char *role, const json_t *location) {
    const json_t *physical = json_object_get(location, "physicalLocation");
    const json_t *logical = json_array_get(json_object_get(location, "logicalLocations"), 0);
    const char *function = json_text(logical, "fullyQualifiedName");
    const char *uri = json_text(json_object_get(physical, "artifactLocation"), "uri");
    uint32_t line = json_line(json_object_get(physical, "region"), "startLine");
    if (!*function)
        function = json_text(logical, "name");
    if (physical && !is_told(one, role, line))
        push_place(one, role, function, uri, line);
}

static void take_locations(struct finding *one, const char *role, const json_t *locations) {
    const json_t *location;
    size_t i;
    json_array_foreach(locations, i, location) {
        take_location(one, role, location);
    }
}

static void set_note(char *role, size_t size, const json_t *message) {
    static const char lead[] = "note: ";
    text_set(role, size, lead);
    text_set(role + strlen(lead), size - strlen(lead), json_text(message, "text"));
}

static void end_result(struct json_reading *reader) {
    if (reader->open)
        findings_add(reader->all, &reader->one);
    reader->open = false;
}

/* False: the result is of another kind than what is looked for here. */
static bool begin_result(struct json_reading *reader, const json_t *result) {
    char words[RULE_AND_TEXT_BYTES];
    const char *rule = json_text(result, "ruleId");
    const char *text = json_text(json_object_get(result, "message"), "text");
    snprintf(words, sizeof words, "%.200s %.800s", rule, text);
    const char *kind = kind_of(kinds_static, words);
    const char *own = rule + (text_begins(rule, "-Wanalyzer-") ? strlen("-Wanalyzer-") : 0);
    if (!kind)
        return false;
    finding_begin(&reader->one, reader->detector, text);
    text_set_slug(reader->one.kind, sizeof reader->one.kind, *kind ? kind : own);
    return true;
}

static void take_related(struct finding *one, const json_t *locations) {
    const json_t *location;
    size_t i;
    json_array_foreach(locations, i, location) {
        char role[sizeof one->stacks[0].role];
        set_note(role, sizeof role, json_object_get(location, "message"));
        take_location(one, role, location);
    }
}

/* Notes belong to the result before them. */
static void take_result(struct json_reading *reader, const json_t *result) {
    const json_t *locations = json_object_get(result, "locations");
    char role[sizeof reader->one.stacks[0].role];
    if (strcmp(json_text(result, "level"), "note") == 0) {
        set_note(role, sizeof role, json_object_get(result, "message"));
        if (reader->open)
            take_locations(&reader->one, role, locations);
        return;
    }
    end_result(reader);
    reader->open = begin_result(reader, result);
    if (!reader->open)
        return;
    take_locations(&reader->one, "here", locations);
    take_related(&reader->one, json_object_get(result, "relatedLocations"));
}

static void take(const json_t *value, void *context) {
    struct json_reading *reader = context;
    const json_t *runs = json_object_get(value, "runs"), *run, *result;
    size_t i, j;
    reader->any = reader->any || json_is_array(runs);
    json_array_foreach(runs, i, run) {
        json_array_foreach(json_object_get(run, "results"), j, result) {
            take_result(reader, result);
        }
        end_result(reader);
    }
}

bool parse_sarif(const char *json, const char *detector, struct findings *all) {
    return json_read(json, '{', take, detector, all);
}
