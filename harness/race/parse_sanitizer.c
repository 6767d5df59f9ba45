/* SPDX-License-Identifier: MIT */
/* parse_sanitizer.c - reads the reports that sanitizers write as text, to a file or among what a
 * program prints.
 *
 * A report begins with a line that names its sanitizer; lines that begin with #0 begin a stack,
 * whose role is told by the line above. A last line without an end is not read: it may be half.
 * Nor is a last report without an end, if the program would have run on: with half of its stacks
 * it would pass for another one.
 */
#include "race/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZERO_PAGE_BYTES 4096

struct reader {
    struct findings *all;
    const char *detector;
    bool any, open;
    bool leaks;   /* in a list of them, each a finding */
    bool partly;  /* of no use before its end */
    bool placed;  /* the stack is but a place, which may be told again with its callers */
    bool callers; /* it was so before */
    struct finding one;
    struct stack *stack; /* of `one`; NULL: none yet, or no room */
    char role[sizeof((struct stack *)NULL)->role];
};

static void end_report(struct reader *reader) {
    if (reader->open)
        findings_add_run(reader->all, &reader->one);
    reader->open = false;
}

static void begin_report(struct reader *reader, const char *kind, const char *message) {
    end_report(reader);
    finding_begin(&reader->one, reader->detector, message);
    text_set(reader->one.kind, sizeof reader->one.kind, kind);
    reader->any = reader->open = true;
    reader->placed = reader->partly = false;
    reader->stack = NULL;
    *reader->role = '\0';
}

/* Cuts addresses and process numbers off a tool's sentence. */
static void shorten(char *sentence) {
    static const char *const ends[] = {" (pid=", " on address 0x", " (pc 0x",  " at pc 0x",
                                       ": 0x",   " on 0x",         " (thread "};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char *end = strstr(sentence, ends[i]);
        if (end)
            *end = '\0';
    }
}

static bool in_zero_page(const char *sentence) {
    const char *address = strstr(sentence, "unknown address 0x");
    return address && strtoull(address + strlen("unknown address "), NULL, 16) < ZERO_PAGE_BYTES;
}

static void begin_sanitizer(struct reader *reader, char *sentence) {
    char own[sizeof reader->one.kind];
    const char *kind = kind_of(kinds_sanitizer, sentence);
    if (!kind) { /* "global-buffer-overflow on address 0x…" */
        char *on = strstr(sentence, " on ");
        char word[sizeof own];
        text_set_part(word, sizeof word, sentence, on ? (size_t)(on - sentence) : strlen(sentence));
        text_set_slug(own, sizeof own, word);
        kind = own;
    } else if (strcmp(kind, "segv") == 0 && in_zero_page(sentence)) {
        kind = "null-dereference";
    }
    shorten(sentence);
    begin_report(reader, kind, sentence);
}

/* "==12==ERROR: AddressSanitizer: heap-use-after-free on address…": warnings are reports of
 * ThreadSanitizer, which then names the process, and of MemorySanitizer. */
static bool take_head(struct reader *reader, char *line) {
    char *sentence = strstr(line, "Sanitizer: "), *error = strstr(line, "ERROR: ");
    char *warning = strstr(line, "WARNING: ");
    if (!sentence)
        return false;
    bool fatal = error && error < sentence, warns = warning && warning < sentence;
    bool thread = warns && strstr(sentence, " (pid=");
    bool memory = warns && text_begins(sentence - strlen("Memory"), "Memory");
    if (!fatal && !thread && !memory)
        return false;
    sentence += strlen("Sanitizer: ");
    end_report(reader);
    reader->any = true;
    reader->leaks = strstr(sentence, "detected memory leaks") != NULL;
    if (!reader->leaks)
        begin_sanitizer(reader, sentence);
    reader->partly = thread && !fatal;
    return true;
}

/* "src/a.c:34:56: runtime error: shift exponent 128 is…"; the stack, where there is one, has the
 * place again. */
static bool take_undefined(struct reader *reader, char *line) {
    static const char mark[] = ": runtime error: ";
    char *at = strstr(line, mark);
    if (!at)
        return false;
    const char *message = at + strlen(mark), *kind = kind_of(kinds_undefined, message);
    *at = '\0';
    begin_report(reader, kind ? kind : "undefined-behaviour", message);
    reader->stack = finding_push(&reader->one, "here");
    stack_push_place(reader->stack, line);
    reader->placed = true;
    reader->partly = reader->callers;
    return true;
}

static bool take_leak(struct reader *reader, char *line) {
    bool direct = text_begins(line, "Direct leak of ");
    char *end = strstr(line, " allocated from:");
    if (!reader->leaks || !end || (!direct && !text_begins(line, "Indirect leak of ")))
        return false;
    *end = '\0';
    begin_report(reader, direct ? "leak" : "leak-indirect", line);
    text_set(reader->role, sizeof reader->role, "allocated here");
    reader->partly = true;
    return true;
}

/* "data race, global 'counter' of 4 bytes" */
static void append_location(struct finding *one, const char *line) {
    char role[sizeof one->stacks[0].role], both[sizeof one->message + sizeof role + 2];
    role_set(role, sizeof role, line);
    snprintf(both, sizeof both, "%s, %s", one->message, role);
    text_set(one->message, sizeof one->message, both);
}

/* A stack's first line begins a new one; that of an undefined behaviour takes its place. */
static bool take_frame(struct reader *reader, const char *line) {
    int number = stack_line_number(line);
    if (number < 0)
        return false;
    if (number == 0 && reader->placed) {
        reader->stack->count = 0;
        reader->callers = true;
        reader->partly = false;
    } else if (number == 0)
        reader->stack = finding_push(&reader->one, *reader->role ? reader->role : "here");
    *reader->role = '\0';
    reader->placed = false;
    stack_push_line(reader->stack, line);
    return true;
}

/* "WRITE of size 4 at 0x5020 thread T1", "freed by thread T0 here:", "… in frame" */
static bool leads_to_stack(const char *line) {
    return text_ends(line, ":") || text_begins(line, "READ of ") ||
           text_begins(line, "WRITE of ") || text_ends(line, " in frame") ||
           strstr(line, "Uninitialized value was ");
}

static void take_other(struct reader *reader, const char *line) {
    if (strstr(line, "[failed to restore the stack]")) {
        reader->stack = finding_push(&reader->one, reader->role);
        return;
    }
    if (strstr(line, "points to the zero page") && strcmp(reader->one.kind, "segv") == 0)
        text_set(reader->one.kind, sizeof reader->one.kind, "null-dereference");
    if (strstr(line, "Location is global '") && !strpbrk(line, "?<"))
        append_location(&reader->one, line);
    if (leads_to_stack(line))
        role_set(reader->role, sizeof reader->role, line);
}

static void take_line(struct reader *reader, char *line) {
    if (take_head(reader, line) || take_undefined(reader, line) || take_leak(reader, line))
        return;
    if ((strstr(line, "SUMMARY: ") && strstr(line, "Sanitizer: ")) || text_begins(line, "======"))
        end_report(reader);
    else if (reader->open && !take_frame(reader, line))
        take_other(reader, line);
}

/* What a terminal shows of a line: a progress bar goes back to its beginning. */
static char *shown(char *line) {
    size_t length = strlen(line);
    while (length > 0 && line[length - 1] == '\r')
        line[--length] = '\0';
    char *back = strrchr(line, '\r');
    return back ? back + 1 : line;
}

/* Colours that a terminal asked for. */
static void strip_escapes(char *line) {
    char *to = line;
    for (const char *at = line; *at; at++) {
        /* text_clean made a question mark of the escape */
        size_t digits = at[0] == '?' && at[1] == '[' ? strspn(at + 2, "0123456789;") : 0;
        if (at[0] == '?' && at[1] == '[' && at[2 + digits] == 'm')
            at += 2 + digits;
        else
            *to++ = *at;
    }
    *to = '\0';
}

bool parse_sanitizer(const char *text, const char *detector, struct findings *all) {
    struct reader *reader = calloc(1, sizeof *reader);
    char *copy = text_clean(text, strlen(text)), *line = copy, *end;
    bool any = false;
    if (reader && copy) {
        reader->all = all;
        reader->detector = detector;
        for (; (end = strchr(line, '\n')); line = end + 1) {
            *end = '\0';
            line = shown(line);
            strip_escapes(line);
            take_line(reader, line);
        }
        reader->open = reader->open && !reader->partly;
        end_report(reader);
        any = reader->any;
    }
    free(copy);
    free(reader);
    return any;
}
