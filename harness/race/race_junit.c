/* SPDX-License-Identifier: MIT */
/* race_junit.c - a gate's result as JUnit XML, a test suite for each detector.
 *
 * Source: there is no standard; elements and attributes are those that Jenkins' junit plug-in,
 * GitLab and junitparser read in common.
 */
#include "race/race_words.h"
#include "run/files.h"

#include <string.h>

#define SUITES_MAX (RACE_TALLIES_MAX + RACE_ROWS_MAX)

/* A detector: its runs, and its findings by state. */
struct suite {
    const char *name;
    uint64_t runs;
    uint32_t rows[3];
};

static void attribute(FILE *out, const char *name, const char *text) {
    fprintf(out, " %s=\"", name);
    text_put(out, TEXT_XML, text);
    fputc('"', out);
}

static struct suite *suite_of(struct suite *suites, uint32_t *count, const char *detector) {
    const char *name = *detector ? detector : "tailrace";
    for (uint32_t i = 0; i < *count; i++)
        if (strcmp(suites[i].name, name) == 0)
            return &suites[i];
    suites[*count] = (struct suite){.name = name};
    return &suites[(*count)++];
}

static uint32_t collect(const struct race_result *result, struct suite *suites) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < result->tally_count; i++) {
        const struct race_tally *tally = &result->tallies[i];
        suite_of(suites, &count, tally->detector)->runs += tally->runs;
    }
    for (uint32_t i = 0; i < result->row_count; i++) {
        const struct race_row *row = &result->rows[i];
        suite_of(suites, &count, row->finding.detector)->rows[row->state]++;
    }
    if (count == 0)
        suite_of(suites, &count, "")->runs = result->runs;
    return count;
}

static void put_text(FILE *out, const struct race_result *result, const struct race_row *row) {
    char text[2048];
    put_stacks(out, TEXT_XML, &row->finding);
    row_often(row, text, sizeof text);
    fputs("found ", out);
    text_put(out, TEXT_XML, text);
    row_again(result, row, text, sizeof text);
    if (*text) {
        fprintf(out, "\nagain%s: ", row_again_note(row));
        text_put(out, TEXT_XML, text);
    }
    fputs("\n", out);
}

static void put_outcome(FILE *out, const struct race_result *result, const struct race_row *row) {
    static const char *const elements[] = {"failure", "system-out", "skipped"};
    const struct finding *finding = &row->finding;
    const char *element = elements[row->state];
    char why[512];
    snprintf(why, sizeof why, "%s (to %s)", row->why, row->expires);
    fprintf(out, "      <%s", element);
    if (row->state != ROW_KNOWN) {
        const char *message = *finding->message ? finding->message : finding->kind;
        attribute(out, "type", finding->kind);
        attribute(out, "message", row->state == ROW_SUPPRESSED ? why : message);
    }
    fputc('>', out);
    put_text(out, result, row);
    fprintf(out, "</%s>\n", element);
}

/* Its name is the same in each run: CI follows a test by class and name. */
static void put_case(FILE *out, const struct race_result *result, const struct race_row *row) {
    const struct finding *finding = &row->finding;
    const struct frame *first = finding_first_frame(finding);
    char name[256], path[SOURCE_PATH_BYTES] = "";
    snprintf(name, sizeof name, "%s%s%s%s%s%s", finding->kind,
             first && *first->function ? " in " : "", first ? first->function : "",
             *finding->fingerprint ? " [" : "", finding->fingerprint,
             *finding->fingerprint ? "]" : "");
    fputs("    <testcase", out);
    attribute(out, "classname", result->program);
    attribute(out, "name", name);
    if (first)
        source_path(first->file, path, sizeof path);
    if (*path)
        attribute(out, "file", path);
    if (*path && first->line)
        fprintf(out, " line=\"%u\"", first->line);
    fputs(" time=\"0\">\n", out);
    put_outcome(out, result, row);
    fputs("    </testcase>\n", out);
}

/* In place of findings; a detector that did not run has not passed either. */
static void put_silence(FILE *out, const struct race_result *result, const struct suite *suite) {
    fputs("    <testcase", out);
    attribute(out, "classname", result->program);
    attribute(out, "name", "nothing found");
    fputs(" time=\"0\">\n", out);
    if (suite->runs)
        fprintf(out, "      <system-out>runs: %llu</system-out>\n",
                (unsigned long long)suite->runs);
    else
        fputs("      <skipped message=\"no run was made\"/>\n", out);
    fputs("    </testcase>\n", out);
}

static void put_property(FILE *out, const char *name, const char *value) {
    fputs("      <property", out);
    attribute(out, "name", name);
    attribute(out, "value", value);
    fputs("/>\n", out);
}

/* What the reader must know of all of it. */
static void put_properties(FILE *out, const struct race_result *result) {
    char sure[256];
    race_sure(result, sure, sizeof sure);
    fputs("    <properties>\n", out);
    put_property(out, "sure", sure);
    for (uint32_t i = 0; i < result->note_count; i++)
        put_property(out, "note", result->notes[i]);
    fputs("    </properties>\n", out);
}

static void put_suite(FILE *out, const struct race_result *result, const struct suite *suite) {
    uint32_t rows = suite->rows[ROW_NEW] + suite->rows[ROW_KNOWN] + suite->rows[ROW_SUPPRESSED];
    uint32_t skipped = suite->rows[ROW_SUPPRESSED] + (rows == 0 && suite->runs == 0);
    fputs("  <testsuite", out);
    attribute(out, "name", suite->name);
    fprintf(out, " tests=\"%u\" failures=\"%u\" errors=\"0\" skipped=\"%u\" time=\"0\">\n",
            rows ? rows : 1, suite->rows[ROW_NEW], skipped);
    put_properties(out, result);
    for (uint32_t i = 0; i < result->row_count; i++) {
        const char *detector = result->rows[i].finding.detector;
        if (strcmp(*detector ? detector : "tailrace", suite->name) == 0)
            put_case(out, result, &result->rows[i]);
    }
    if (rows == 0)
        put_silence(out, result, suite);
    fputs("  </testsuite>\n", out);
}

static bool put_junit(FILE *out, const void *content) {
    const struct race_result *result = content;
    struct suite suites[SUITES_MAX + 1];
    uint32_t count = collect(result, suites), rows = 0, skipped = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t own = suites[i].rows[0] + suites[i].rows[1] + suites[i].rows[2];
        rows += own ? own : 1;
        skipped += suites[i].rows[ROW_SUPPRESSED] + (own == 0 && suites[i].runs == 0);
    }
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"tailrace race\"", out);
    fprintf(out, " tests=\"%u\" failures=\"%u\" errors=\"0\" skipped=\"%u\" time=\"%.3f\">\n", rows,
            result_count(result, ROW_NEW), skipped, result->seconds);
    for (uint32_t i = 0; i < count; i++)
        put_suite(out, result, &suites[i]);
    fputs("</testsuites>\n", out);
    return !ferror(out);
}

bool race_write_junit(const struct race_result *result, const char *path, struct error *error) {
    return file_write(path, put_junit, result, error);
}
