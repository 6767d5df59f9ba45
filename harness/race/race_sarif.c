/* SPDX-License-Identifier: MIT */
/* race_sarif.c - a gate's result as SARIF, for GitHub's code scanning and editors.
 *
 * Source: OASIS, Static Analysis Results Interchange Format 2.1.0 (section numbers below are its),
 * and GitHub's "SARIF support for code scanning", which wants a file in every location.
 */
#include "race/race_words.h"
#include "version.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#define SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"
#define URI_BYTES (3 * SOURCE_PATH_BYTES + 8)

static json_t *message(const char *text) {
    return json_pack("{s:o}", "text", text_json(text));
}

static json_t *artifact(const char *file) {
    char path[SOURCE_PATH_BYTES], uri[URI_BYTES] = "file://";
    if (source_path(file, path, sizeof path)) {
        text_uri(uri, sizeof uri, path);
        return json_pack("{s:s,s:s}", "uri", uri, "uriBaseId", "SRCROOT");
    }
    size_t scheme = *path == '/' ? strlen(uri) : 0;
    text_uri(uri + scheme, sizeof uri - scheme, path);
    return json_pack("{s:s}", "uri", uri);
}

static json_t *with_file(json_t *location, const char *file, uint32_t line) {
    json_t *physical = json_pack("{s:o}", "artifactLocation", artifact(file));
    if (line > 0 && line <= INT32_MAX) /* readers have no more bits for it */
        physical =
            object_with(physical, "region", json_pack("{s:I}", "startLine", (json_int_t)line));
    return object_with(location, "physicalLocation", physical);
}

/* 3.28. role: what happens there, "" to leave it out; program: stands in for an unknown file. */
static json_t *location(const struct frame *frame, const char *role, const char *program) {
    json_t *json = json_object();
    if (frame && *frame->file)
        json = with_file(json, frame->file, frame->line);
    else if (*program)
        json = with_file(json, program, 0);
    if (frame && *frame->function)
        json = object_with(
            json, "logicalLocations",
            json_pack("[{s:o,s:s}]", "name", text_json(frame->function), "kind", "function"));
    return *role ? object_with(json, "message", message(role)) : json;
}

static json_t *locations(const struct race_result *result, const struct stack *const *places,
                         uint32_t count) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++)
        list = list_with(list,
                         location(stack_user_frame(places[i]), places[i]->role, result->program));
    if (count == 0 && *result->program)
        list = list_with(list, location(NULL, "", result->program));
    return list;
}

/* Where memory and threads came from. */
static json_t *related(const struct race_result *result, const struct stack *const *others,
                       uint32_t count) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++) {
        json_t *one = location(stack_user_frame(others[i]), others[i]->role, result->program);
        list = list_with(list, object_with(one, "id", json_integer(i + 1)));
    }
    return list;
}

/* 3.37: outermost call first. NULL, with *empty, where no frame has a file. */
static json_t *thread_flow(const struct stack *stack, uint32_t number, bool *empty) {
    char id[16];
    json_t *list = json_array();
    uint32_t depth = 0;
    for (uint32_t i = stack->count; i-- > 0;) {
        const struct frame *frame = &stack->frames[i];
        if (!*frame->file)
            continue;
        json_t *where = location(frame, i == 0 ? stack->role : "", "");
        list = list_with(
            list, json_pack("{s:o,s:I}", "location", where, "nestingLevel", (json_int_t)depth++));
    }
    *empty = depth == 0;
    if (*empty) {
        json_decref(list);
        return NULL;
    }
    snprintf(id, sizeof id, "%u", number);
    return json_pack("{s:s,s:o,s:o}", "id", id, "message",
                     message(*stack->role ? stack->role : "stack"), "locations", list);
}

/* 3.36: what the threads did, a flow for each access; an empty list without stacks. */
static json_t *code_flows(const struct stack *const *places, uint32_t count) {
    json_t *flows = json_array();
    uint32_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool empty;
        json_t *flow = thread_flow(places[i], i + 1, &empty);
        if (empty)
            continue;
        flows = list_with(flows, flow);
        used++;
    }
    return used ? json_pack("[{s:o}]", "threadFlows", flows) : flows;
}

static json_t *result_message(const struct race_result *result, const struct race_row *row) {
    char text[4096], often[128], again[1200];
    const struct finding *finding = &row->finding;
    row_often(row, often, sizeof often);
    row_again(result, row, again, sizeof again);
    snprintf(text, sizeof text, "%s: found %s.%s%s%s%s",
             *finding->message ? finding->message : finding->kind, often,
             finding->artefact ? " It may follow from a use after free earlier in the run." : "",
             *again ? " See it again by: " : "", again, *again ? row_again_note(row) : "");
    return message(text);
}

/* 3.35 */
static json_t *suppressions(const struct race_row *row) {
    return json_pack("[{s:s,s:s,s:o}]", "kind", "external", "status", "accepted", "justification",
                     text_json(row->why));
}

static json_t *properties(const struct race_row *row) {
    const struct finding *finding = &row->finding;
    json_t *json = json_pack("{s:I,s:I,s:I,s:o,s:s,s:b}", "hits", (json_int_t)row->hits, "runs",
                             (json_int_t)row->runs, "first_seed", (json_int_t)row->first_seed,
                             "detector", text_json(finding->detector), "state",
                             row_state_word(row->state), "artefact", finding->artefact);
    return *row->expires ? object_with(json, "expires", text_json(row->expires)) : json;
}

/* The first row of the same kind: one rule for both. */
static uint32_t first_of_kind(const struct race_result *result, uint32_t row) {
    uint32_t i = 0;
    while (strcmp(result->rows[i].finding.kind, result->rows[row].finding.kind) != 0)
        i++;
    return i;
}

static json_int_t rule_index(const struct race_result *result, uint32_t row) {
    json_int_t index = 0;
    uint32_t first = first_of_kind(result, row);
    for (uint32_t i = 0; i < first; i++)
        index += first_of_kind(result, i) == i;
    return index;
}

/* 3.27 */
static json_t *row_sarif(const struct race_result *result, uint32_t index) {
    const struct race_row *row = &result->rows[index];
    const struct finding *finding = &row->finding;
    const struct stack *places[FINDING_STACKS_MAX], *others[FINDING_STACKS_MAX];
    uint32_t other_count, count = finding_places(finding, places, others, &other_count);
    json_t *json = json_pack(
        "{s:o,s:I,s:s,s:o,s:o,s:o,s:o,s:{s:o},s:o}", "ruleId", text_json(finding->kind),
        "ruleIndex", rule_index(result, index), "level", row->state == ROW_NEW ? "error" : "note",
        "message", result_message(result, row), "locations", locations(result, places, count),
        "relatedLocations", related(result, others, other_count), "codeFlows",
        code_flows(places, count), "partialFingerprints", "tailrace/v1",
        text_json(finding->fingerprint), "properties", properties(row));
    if (row->hits > 0)
        json = object_with(json, "occurrenceCount", json_integer(row->hits));
    return row->state == ROW_SUPPRESSED ? object_with(json, "suppressions", suppressions(row))
                                        : json;
}

/* 3.49 */
static json_t *rules(const struct race_result *result) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < result->row_count; i++) {
        const char *kind = result->rows[i].finding.kind;
        const struct kind_help *help = kind_help(kind);
        if (first_of_kind(result, i) == i)
            list =
                list_with(list, json_pack("{s:o,s:{s:s},s:{s:s},s:{s:s},s:{s:s}}", "id",
                                          text_json(kind), "shortDescription", "text", help->what,
                                          "fullDescription", "text", help->what, "help", "text",
                                          help->help, "defaultConfiguration", "level", "error"));
    }
    return list;
}

/* 3.20: without a run and without a finding, the tool did nothing. */
static json_t *invocations(const struct race_result *result) {
    json_t *notes = json_array();
    for (uint32_t i = 0; i < result->note_count; i++)
        notes = list_with(
            notes, json_pack("{s:s,s:o}", "level", "note", "message", message(result->notes[i])));
    bool worked = result->runs > 0 || result->row_count > 0;
    for (uint32_t i = 0; i < result->tally_count; i++)
        worked = worked || result->tallies[i].runs > 0;
    return json_pack("[{s:b,s:o}]", "executionSuccessful", worked, "toolExecutionNotifications",
                     notes);
}

/* 3.14.14: the current directory, which ends in a slash. */
static json_t *bases(void) {
    char folder[PATH_MAX], uri[3 * PATH_MAX + 16] = "file://";
    if (!getcwd(folder, sizeof folder))
        return json_object();
    size_t scheme = strlen(uri);
    text_uri(uri + scheme, sizeof uri - scheme - 1, folder);
    if (uri[strlen(uri) - 1] != '/')
        strcat(uri, "/");
    return json_pack("{s:{s:s}}", "SRCROOT", "uri", uri);
}

/* 3.17: GitHub keeps results apart by what comes before the last slash. */
static json_t *automation(const struct race_result *result) {
    char id[sizeof result->program + 32];
    const char *slash = strrchr(result->program, '/');
    snprintf(id, sizeof id, "tailrace/race/%s/", slash ? slash + 1 : result->program);
    return json_pack("{s:o}", "id", text_json(id));
}

static json_t *driver(const struct race_result *result) {
    return json_pack("{s:s,s:s,s:o}", "name", "tailrace", "version", TAILRACE_COMMIT, "rules",
                     rules(result));
}

json_t *race_sarif(const struct race_result *result) {
    char sure[256];
    json_t *results = json_array();
    for (uint32_t i = 0; i < result->row_count; i++)
        results = list_with(results, row_sarif(result, i));
    race_sure(result, sure, sizeof sure);
    return json_pack("{s:s,s:s,s:[{s:{s:o},s:o,s:o,s:o,s:o,s:{s:o,s:I,s:I,s:I,s:o}}]}", "$schema",
                     SCHEMA, "version", "2.1.0", "runs", "tool", "driver", driver(result),
                     "invocations", invocations(result), "originalUriBaseIds", bases(),
                     "automationDetails", automation(result), "results", results, "properties",
                     "program", text_json(result->program), "runs", (json_int_t)result->runs,
                     "hung", (json_int_t)result->hung, "crashed", (json_int_t)result->crashed,
                     "sure", text_json(sure));
}
