/* SPDX-License-Identifier: MIT */
/* race_baseline.c - which findings are known from an earlier run, and which are let through. */
#include "race/race_words.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SUPPRESSIONS_MAX 1024

static json_t *read_json(const char *path, struct error *error) {
    json_error_t why;
    FILE *file = fopen(path, "re");
    if (!file) {
        error_set(error, EXIT_INPUT, "cannot read %s: %s", path, strerror(errno));
        return NULL;
    }
    errno = 0;
    json_t *json = json_loadf(file, JSON_REJECT_DUPLICATES, &why);
    if (!json && ferror(file))
        error_set(error, EXIT_INPUT, "cannot read %s: %s", path, strerror(errno));
    else if (!json)
        error_set(error, EXIT_INPUT, "%s: line %d: %s", path, why.line, why.text);
    fclose(file);
    return json;
}

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* Whether a text as a tool gave it is what stands in a file, where all is UTF-8. */
static bool is_text(const char *text, const char *wanted) {
    json_t *json = text_json(text);
    bool same = json && strcmp(json_string_value(json), wanted) == 0;
    json_decref(json);
    return same;
}

/* Of the suppressions themselves, which nothing is to excuse. */
static bool is_of_suppressions(const struct race_row *row) {
    return strcmp(row->finding.detector, SUPPRESSIONS_DETECTOR) == 0;
}

/* Baseline */

static void mark_known(struct race_result *result, const char *fingerprint) {
    for (uint32_t i = 0; i < result->row_count; i++) {
        struct race_row *row = &result->rows[i];
        if (row->state == ROW_NEW && !is_of_suppressions(row) &&
            strcmp(row->finding.fingerprint, fingerprint) == 0)
            row->state = ROW_KNOWN;
    }
}

static bool check_baseline(const json_t *json, const char *path, struct error *error) {
    const json_t *findings = json_object_get(json, "findings");
    if (strcmp(text_of(json, "schema"), "tailrace/race/1") != 0)
        return error_set(error, EXIT_INPUT,
                         "%s is no baseline: its \"schema\" is not \"tailrace/race/1\"", path);
    if (!json_is_array(findings))
        return error_set(error, EXIT_INPUT, "%s is no baseline: it has no array \"findings\"",
                         path);
    for (size_t i = 0; i < json_array_size(findings); i++)
        if (!*text_of(json_array_get(findings, i), "fingerprint"))
            return error_set(error, EXIT_INPUT, "%s: finding %zu has no \"fingerprint\"", path,
                             i + 1);
    return true;
}

bool race_apply_baseline(struct race_result *result, const char *path, struct error *error) {
    json_t *json = read_json(path, error);
    if (!json)
        return false;
    bool good = check_baseline(json, path, error);
    const json_t *findings = json_object_get(json, "findings");
    for (size_t i = 0; good && i < json_array_size(findings); i++)
        mark_known(result, text_of(json_array_get(findings, i), "fingerprint"));
    json_decref(json);
    return good;
}

/* Suppressions */

struct suppression {
    const char *path;
    size_t number; /* from 1 */
    const char *fingerprint, *kind, *function, *why, *expires;
    char name[256]; /* for people: "suppression 2 (data-race in push)" */
};

static void name_suppression(struct suppression *one) {
    if (*one->fingerprint)
        snprintf(one->name, sizeof one->name, "suppression %zu (%s)", one->number,
                 one->fingerprint);
    else if (*one->kind || *one->function)
        snprintf(one->name, sizeof one->name, "suppression %zu (%s in %s)", one->number,
                 *one->kind ? one->kind : "?", *one->function ? one->function : "?");
    else
        snprintf(one->name, sizeof one->name, "suppression %zu", one->number);
}

/* YYYY-MM-DD, and a day that there is. */
static bool is_date(const char *text) {
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (strlen(text) != 10)
        return false;
    for (int i = 0; i < 10; i++)
        if (i == 4 || i == 7 ? text[i] != '-' : !isdigit((unsigned char)text[i]))
            return false;
    int year = atoi(text), month = atoi(text + 5), day = atoi(text + 8);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] &&
           (month != 2 || day < 29 || leap);
}

/* Misspelt keys would be selectors that are not there. */
static bool check_keys(const json_t *json, const struct suppression *one, struct error *error) {
    static const char *const known[] = {"fingerprint", "kind", "function", "why", "expires"};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)json, key, value) {
        size_t i = 0;
        while (i < sizeof known / sizeof *known && strcmp(known[i], key) != 0)
            i++;
        if (i == sizeof known / sizeof *known)
            return error_set(error, EXIT_INPUT, "%s: %s: unknown key \"%s\"", one->path, one->name,
                             key);
        if (!json_is_string(value))
            return error_set(error, EXIT_INPUT, "%s: %s: \"%s\" is no text", one->path, one->name,
                             key);
    }
    return true;
}

static bool read_suppression(const json_t *json, struct suppression *one, struct error *error) {
    one->fingerprint = text_of(json, "fingerprint");
    one->kind = text_of(json, "kind");
    one->function = text_of(json, "function");
    one->why = text_of(json, "why");
    one->expires = text_of(json, "expires");
    name_suppression(one);
    if (!json_is_object(json))
        return error_set(error, EXIT_INPUT, "%s: %s is no object", one->path, one->name);
    if (!check_keys(json, one, error))
        return false;
    if (!*one->fingerprint && (!*one->kind || !*one->function))
        return error_set(error, EXIT_INPUT,
                         "%s: %s needs a \"fingerprint\", or a \"kind\" and a \"function\"",
                         one->path, one->name);
    if (strspn(one->why, " \t\r\n") == strlen(one->why))
        return error_set(error, EXIT_INPUT, "%s: %s needs a \"why\"", one->path, one->name);
    if (!*one->expires)
        return error_set(error, EXIT_INPUT, "%s: %s needs a day on which it \"expires\"", one->path,
                         one->name);
    if (!is_date(one->expires))
        return error_set(error, EXIT_INPUT, "%s: %s: \"%s\" is no day in the form YYYY-MM-DD",
                         one->path, one->name, one->expires);
    return true;
}

static bool is_at(const struct finding *finding, const char *function) {
    const struct stack *places[FINDING_STACKS_MAX], *others[FINDING_STACKS_MAX];
    uint32_t other_count, count = finding_places(finding, places, others, &other_count);
    for (uint32_t i = 0; i < count; i++) {
        const struct frame *frame = stack_user_frame(places[i]);
        if (frame && is_text(frame->function, function))
            return true;
    }
    return false;
}

/* All that it names has to fit. */
static bool matches(const struct suppression *one, const struct race_row *row) {
    const struct finding *finding = &row->finding;
    return !is_of_suppressions(row) &&
           (!*one->fingerprint || strcmp(finding->fingerprint, one->fingerprint) == 0) &&
           (!*one->kind || is_text(finding->kind, one->kind)) &&
           (!*one->function || is_at(finding, one->function));
}

/* The first one that matches tells why. */
static uint32_t mark_suppressed(struct race_result *result, const struct suppression *one) {
    uint32_t matched = 0;
    for (uint32_t i = 0; i < result->row_count; i++) {
        struct race_row *row = &result->rows[i];
        if (!matches(one, row))
            continue;
        matched++;
        if (row->state == ROW_SUPPRESSED)
            continue;
        row->state = ROW_SUPPRESSED;
        snprintf(row->why, sizeof row->why, "%s", one->why);
        snprintf(row->expires, sizeof row->expires, "%s", one->expires);
    }
    return matched;
}

/* FNV-1a 64 of what the suppression is, not of where it stands in its file. */
static void set_own_fingerprint(struct finding *finding, const struct suppression *one) {
    const char *const parts[] = {finding->kind, one->fingerprint, one->kind, one->function};
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (const char *at = parts[i];; at++) {
            hash = (hash ^ (unsigned char)*at) * 0x100000001b3;
            if (!*at)
                break;
        }
    snprintf(finding->fingerprint, sizeof finding->fingerprint, "%016" PRIx64, hash);
}

/* Makes a suppression a finding of its own. */
static bool report(struct race_result *result, const struct suppression *one, const char *kind,
                   const char *what, struct error *error) {
    if (result->row_count >= RACE_ROWS_MAX)
        return error_set(error, EXIT_INPUT, "%s: %s %s (and there is no room for more findings)",
                         one->path, one->name, what);
    struct race_row *row = &result->rows[result->row_count++];
    struct finding *finding = &row->finding;
    *row = (struct race_row){.state = ROW_NEW};
    snprintf(finding->detector, sizeof finding->detector, "%s", SUPPRESSIONS_DETECTOR);
    snprintf(finding->kind, sizeof finding->kind, "%s", kind);
    snprintf(finding->message, sizeof finding->message, "%.120s %.40s: \"%.80s\"", one->name, what,
             one->why);
    finding->stack_count = 1;
    finding->stacks[0].count = 1;
    struct frame *frame = &finding->stacks[0].frames[0];
    snprintf(frame->file, sizeof frame->file, "%s", one->path);
    set_own_fingerprint(finding, one);
    return true;
}

static bool apply(struct race_result *result, const struct suppression *one, const char *today,
                  struct error *error) {
    char what[64];
    if (strcmp(one->expires, today) < 0) {
        snprintf(what, sizeof what, "expired on %s", one->expires);
        return report(result, one, "suppression-expired", what, error);
    }
    return mark_suppressed(result, one) > 0 ||
           report(result, one, "suppression-stale", "matches no finding", error);
}

static bool check_suppressions(const json_t *json, const char *path, struct error *error) {
    if (!json_is_array(json))
        return error_set(error, EXIT_INPUT, "%s is no array of suppressions", path);
    if (json_array_size(json) > SUPPRESSIONS_MAX)
        return error_set(error, EXIT_INPUT, "%s has %zu suppressions, at most %d", path,
                         json_array_size(json), SUPPRESSIONS_MAX);
    for (size_t i = 0; i < json_array_size(json); i++) {
        struct suppression one = {.path = path, .number = i + 1};
        if (!read_suppression(json_array_get(json, i), &one, error))
            return false;
    }
    return true;
}

bool race_apply_suppressions(struct race_result *result, const char *path, const char *today,
                             struct error *error) {
    if (!is_date(today))
        return error_set(error, EXIT_INPUT, "\"%s\" is no day in the form YYYY-MM-DD", today);
    json_t *json = read_json(path, error);
    if (!json)
        return false;
    bool good = check_suppressions(json, path, error);
    for (size_t i = 0; good && i < json_array_size(json); i++) {
        struct suppression one = {.path = path, .number = i + 1};
        good = read_suppression(json_array_get(json, i), &one, error) &&
               apply(result, &one, today, error);
    }
    json_decref(json);
    return good;
}
