/* SPDX-License-Identifier: MIT */
/* parse_frame.c - a line of a sanitizer's stack.
 *
 *   ThreadSanitizer  #0 bump /src/race.c:5:33 (race+0xe4738) (BuildId: 0b03)
 *                    #0 malloc <null> (race+0x60330)
 *   the others       #0 0x5555 in touch /src/uaf.c:6:42
 *                    #0 0x5555 in free (/src/uaf+0xcb336) (BuildId: 406f)
 *                    #6 0x7fff  (/lib/x86_64-linux-gnu/libstdc++.so.6+0xd44a2)
 *
 * Functions of C++ and folders have spaces in them, so that lines are taken apart from their end.
 */
#include "race/parse.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_NUMBER_MAX 9999

int stack_line_number(const char *line) {
    line += strspn(line, " \t");
    if (*line != '#' || !isdigit((unsigned char)line[1]))
        return -1;
    char *end;
    long number = strtol(line + 1, &end, 10);
    return *end == ' ' && number <= FRAME_NUMBER_MAX ? (int)number : -1;
}

struct parts {
    char *function, *file, *object; /* in the line's copy; "" where absent */
    uint32_t line;
};

static void cut_spaces(char *text) {
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        length--;
    text[length] = '\0';
}

/* The last parenthesis, which ends the text: cut off, or NULL. */
static char *cut_parenthesis(char *text, const char *holds) {
    size_t length = strlen(text);
    if (length == 0 || text[length - 1] != ')')
        return NULL;
    for (size_t at = length - 1; at > 0; at--)
        if (text[at] == '(' && text[at - 1] == ' ') {
            if (!strstr(text + at, holds))
                return NULL;
            text[length - 1] = '\0';
            text[at - 1] = '\0';
            cut_spaces(text);
            return text + at + 1;
        }
    return NULL;
}

/* Cuts ":12" off the end. */
static bool cut_number(char *text, uint32_t *number) {
    char *colon = strrchr(text, ':');
    if (!colon || colon == text || !isdigit((unsigned char)colon[1]))
        return false;
    char *end;
    unsigned long value = strtoul(colon + 1, &end, 10);
    if (*end)
        return false;
    *number = value < UINT32_MAX ? (uint32_t)value : 0;
    *colon = '\0';
    return true;
}

static char *split(char *space) {
    *space = '\0';
    return space + 1;
}

static char *first_of(char *text, const char *const list[]) {
    char *first = NULL;
    for (; *list; list++) {
        char *at = strstr(text, *list);
        first = at && (!first || at < first) ? at : first;
    }
    return first;
}

/* Where the file begins: at the first " /", which is in no function's name; a relative path after
 * the only space of a name of C, or the last one of C++. Without a line number only what looks
 * like a file's name is one. */
static char *find_file(char *text, bool numbered) {
    static const char *const starts[] = {" /", " ../", " ./", " <null>", NULL};
    char *space = first_of(text, starts);
    if (space)
        return space;
    space = strpbrk(text, "(<") ? strrchr(text, ' ') : strchr(text, ' ');
    if (!space || numbered)
        return space;
    return strpbrk(space, "()<>&,") || !strpbrk(space, "./") ? NULL : space;
}

/* Cuts ":12" or ":12:34" off the end. */
static bool cut_line(char *text, uint32_t *line) {
    uint32_t other;
    if (!cut_number(text, line))
        return false;
    if (cut_number(text, &other)) /* the last was a column */
        *line = other;
    return true;
}

static void split_place(char *text, struct parts *parts) {
    char *space = find_file(text, cut_line(text, &parts->line));
    parts->file = space ? split(space) : text + strlen(text);
    parts->function = text;
    cut_spaces(text);
}

void stack_push_place(struct stack *stack, char *place) {
    uint32_t line = 0;
    cut_line(place, &line);
    stack_push(stack, "", place, line);
}

/* Behind "#0 0x5555 in ". */
static char *skip_address(char *line) {
    char *at = line + strspn(line, " \t");
    at += 1 + strspn(at + 1, "0123456789"); /* #12 */
    at += strspn(at, " ");
    if (!text_begins(at, "0x"))
        return at;
    at += 2 + strspn(at + 2, "0123456789abcdefABCDEF");
    at += strspn(at, " ");
    return text_begins(at, "in ") ? at + 3 : at;
}

/* "libc.so.6+0x27249": names a place of a program without symbols, the same in each run. */
static const char *object_name(const char *object) {
    const char *slash = strrchr(object, '/');
    return slash ? slash + 1 : object;
}

bool stack_push_line(struct stack *stack, const char *line) {
    if (stack_line_number(line) < 0)
        return false;
    size_t length = strlen(line);
    char *copy = malloc(length + 1);
    if (!copy)
        return true;
    memcpy(copy, line, length + 1);
    cut_spaces(copy);
    char *text = skip_address(copy);
    if (text > copy && *text == '(')
        text--; /* the space before it: no function */
    cut_parenthesis(text, "BuildId: ");
    char *object = cut_parenthesis(text, "+0x");
    struct parts parts = {text, text + strlen(text), object, 0};
    split_place(text, &parts);
    bool named = *parts.function && strcmp(parts.function, "<null>") != 0;
    stack_push(stack, named || !object ? parts.function : object_name(object), parts.file,
               parts.line);
    free(copy);
    return true;
}
