/* SPDX-License-Identifier: MIT */
/* parse.h - what the readers of reports share: texts made safe, kinds by words, findings in the
 * making.
 *
 * For parse_*.c and finding.c only. Texts in a finding are valid UTF-8 without control characters,
 * so that any writer may pass them on.
 */
#ifndef TAILRACE_RACE_PARSE_H
#define TAILRACE_RACE_PARSE_H

#include "race/finding.h"

#include <jansson.h>

/* A list of these ends in {NULL, NULL}; the first whose part is in the text holds. */
struct kind_rule {
    const char *part, *kind;
};
const char *kind_of(const struct kind_rule *rules, const char *text); /* NULL: none holds */
extern const struct kind_rule kinds_sanitizer[], kinds_undefined[], kinds_static[];

/* A copy for a reader to work on, to be freed: invalid UTF-8 and control characters other than the
 * ends of lines and tabs are question marks. NULL: no memory. */
char *text_clean(const char *text, size_t bytes);

/* Copies what fits, whole characters; control characters become question marks. */
void text_set(char *to, size_t size, const char *from);
void text_set_part(char *to, size_t size, const char *from, size_t length);

/* Lower case, words joined by hyphens: up to what is no word; "unknown" where nothing is. */
void text_set_slug(char *to, size_t size, const char *from);

bool text_begins(const char *text, const char *with);
bool text_ends(const char *text, const char *with);

/* What a stack tells, from a tool's line above it: "Previous write of size 4 at 0x7b04 by thread
 * T1 (mutexes: write M0):" is "previous write of 4 bytes by thread T1". */
void role_set(char *to, size_t size, const char *line);

void finding_begin(struct finding *finding, const char *detector, const char *message);
struct stack *finding_push(struct finding *finding, const char *role); /* NULL: no room */
/* "<null>" and "??" are taken as "". Without a stack, without room or with nothing to tell, adds
 * nothing. */
void stack_push(struct stack *stack, const char *function, const char *file, uint32_t line);

/* A line of a sanitizer's stack: "#0 0x55 in touch /src/uaf.c:6:42". False: it is none. */
bool stack_push_line(struct stack *stack, const char *line);

/* "src/a.c:34:56", which it takes apart. */
void stack_push_place(struct stack *stack, char *place);

/* The number in "    #12 …"; -1: no such line. */
int stack_line_number(const char *line);

/* findings_add for what a program did when it ran: what comes after a use after free in the same
 * run is an artefact. */
void findings_add_run(struct findings *all, struct finding *one);

/* What reads JSON works with. */
struct json_reading {
    struct findings *all;
    const char *detector;
    bool any;  /* something was the tool's */
    bool open; /* `one` is under way (SARIF) */
    struct finding one;
};

/* Calls take, with a struct json_reading, for each JSON value that begins a line with `first`; its
 * `any`. */
typedef void json_taker(const json_t *value, void *reading);
bool json_read(const char *text, char first, json_taker *take, const char *detector,
               struct findings *all);

/* Never NULL; "" where it is no string. */
const char *json_text(const json_t *object, const char *key);
uint32_t json_line(const json_t *object, const char *key); /* 0 where it is no such number */

#endif
