/* SPDX-License-Identifier: MIT */
/* race_files.c - where a gate's result goes. */
#include "cli/race_files.h"

#include "run/files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define PATH_BYTES 4096

static void append(char *text, size_t bytes, const char *format, const char *word) {
    size_t used = strlen(text);
    if (used < bytes)
        snprintf(text + used, bytes - used, format, word);
}

/* The program as it was given, and how to run one seed again. */
static void name(const struct gate_options *options, struct race_result *result) {
    size_t room = sizeof result->program;
    for (const char *const *file = options->sources; file && *file; file++)
        append(result->program, room, *result->program ? " %s" : "%s", *file);
    bool arguments = options->sources && options->argv[0];
    if (arguments)
        append(result->program, room, "%s", " --");
    for (char *const *word = options->argv; *word; word++)
        append(result->program, room, *result->program ? " %s" : "%s", *word);
    snprintf(result->replay, sizeof result->replay, "%s %.900s",
             options->sources ? "--source" : "--", result->program);
}

static bool write_all(const struct race_result *result, const char *folder, struct error *error) {
    char path[PATH_BYTES + 16];
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return error_set(error, EXIT_INPUT, "cannot make the folder %s: %s", folder,
                         strerror(errno));
    json_t *forms[] = {race_json(result), race_sarif(result)};
    static const char *const names[] = {"race.json", "race.sarif"};
    bool written = true;
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%.*s/%s", PATH_BYTES, folder, names[i]);
        written =
            written && file_write_json(path, forms[i], FILE_JSON_FLAGS | JSON_INDENT(1), error);
        json_decref(forms[i]);
    }
    snprintf(path, sizeof path, "%.*s/race.xml", PATH_BYTES, folder);
    written = written && race_write_junit(result, path, error);
    snprintf(path, sizeof path, "%.*s/race.md", PATH_BYTES, folder);
    return written && race_write_markdown(result, path, error);
}

static bool write_json(const struct race_result *result, const char *path, struct error *error) {
    json_t *json = race_json(result);
    bool standard = strcmp(path, "-") == 0;
    bool written = standard ? json_dumpf(json, stdout, FILE_JSON_FLAGS | JSON_INDENT(1)) == 0 &&
                                  fputc('\n', stdout) != EOF
                            : file_write_json(path, json, FILE_JSON_FLAGS | JSON_INDENT(1), error);
    json_decref(json);
    return written ||
           (standard ? error_set(error, EXIT_INPUT, "cannot write to standard output") : false);
}

static void today(char text[16]) {
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(text, 16, "%Y-%m-%d", &utc);
}

bool race_files_write(const struct race_files *files, const struct gate_options *options,
                      struct race_result *result, struct error *error) {
    char date[16];
    const char *summary = getenv("GITHUB_STEP_SUMMARY");
    today(date);
    name(options, result);
    if ((files->baseline && !race_apply_baseline(result, files->baseline, error)) ||
        (files->suppressions && !race_apply_suppressions(result, files->suppressions, date, error)))
        return false;
    bool quiet = files->json && strcmp(files->json, "-") == 0;
    race_print(result, quiet ? stderr : stdout);
    if (getenv("GITHUB_ACTIONS"))
        race_print_annotations(result, quiet ? stderr : stdout);
    return (!files->json || write_json(result, files->json, error)) &&
           (!files->out || write_all(result, files->out, error)) &&
           (!summary || !*summary || race_write_markdown(result, summary, error));
}
