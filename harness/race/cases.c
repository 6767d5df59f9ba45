/* SPDX-License-Identifier: MIT */
/* cases.c - the seeded bugs, from scenarios/races/list.def. */
#include "race/cases.h"

#include "run/paths.h"

#include <stdio.h>
#include <string.h>

#define LINE_BYTES 1024

const struct race_case race_cases[] = {
#define CASE(name, class, sees, rust, modes, what) {#name, #class, sees, rust, modes, what},
#include "races/list.def"
#undef CASE
};
const size_t race_case_count = sizeof race_cases / sizeof *race_cases;
const char *const case_mode_names[CASE_MODE_COUNT] = {"plain", "poison", "passthrough"};

const struct race_case *case_find(const char *name) {
    for (size_t i = 0; i < race_case_count; i++)
        if (strcmp(race_cases[i].name, name) == 0)
            return &race_cases[i];
    return NULL;
}

void case_path(const struct race_case *one, const char *suffix, char *path, size_t bytes) {
    snprintf(path, bytes, "%s/%s.%s", path_cases(), one->name, suffix);
}

bool case_marks(const char *path, struct case_marks *marks, struct error *error) {
    char line[LINE_BYTES];
    FILE *file = fopen(path, "r");
    marks->count = 0;
    if (!file)
        return error_set(error, EXIT_LACKING, "cannot read the case %s", path);
    for (uint32_t number = 1; fgets(line, sizeof line, file); number++) {
        bool race = strstr(line, "/* RACE ") != NULL;
        if (!race && !strstr(line, "/* FAULT ") && !strstr(line, "// FAULT "))
            continue;
        if (marks->count == CASE_MARKS_MAX)
            break;
        marks->race[marks->count] = race;
        marks->lines[marks->count++] = number;
    }
    fclose(file);
    return marks->count > 0 || error_set(error, EXIT_LACKING, "no line of %s is marked", path);
}

bool case_marked(const struct case_marks *marks, uint32_t line) {
    for (uint32_t i = 0; i < marks->count; i++)
        if (marks->lines[i] == line)
            return true;
    return false;
}

const struct frame *case_frame(const struct stack *stack, const char *path) {
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    for (uint32_t i = 0; i < stack->count; i++) {
        const char *file = stack->frames[i].file, *last = strrchr(file, '/');
        if (strcmp(last ? last + 1 : file, name) == 0)
            return &stack->frames[i];
    }
    return NULL;
}

bool case_right(const struct finding *finding, const char *path, const struct case_marks *marks) {
    uint32_t right = 0, wrong = 0;
    bool race = strcmp(finding->kind, "data-race") == 0;
    for (uint32_t i = 0; i < finding->stack_count; i++) {
        const struct stack *stack = &finding->stacks[i];
        const struct frame *frame = case_frame(stack, path);
        if (!frame || (race && stack_is_background(stack)))
            continue;
        if (case_marked(marks, frame->line))
            right++;
        else
            wrong++;
    }
    return right > 0 && (!race || wrong == 0);
}
