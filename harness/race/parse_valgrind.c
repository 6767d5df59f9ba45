/* SPDX-License-Identifier: MIT */
/* parse_valgrind.c - reads the XML of helgrind, DRD and memcheck.
 *
 * An error counts when its element has ended, so that a file that was cut off keeps what came
 * before.
 */
#include "race/parse_valgrind.h"
#include "race/parse.h"

#include <expat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES_MAX 1024
#define PIECE_BYTES_MAX ((size_t)1 << 20)

/* Of the frame that is being read. */
struct place {
    char function[96], folder[512], file[256], object[256], address[32];
    uint32_t line;
};

struct reader {
    struct findings *all;
    const char *detector;
    XML_Parser parser;
    bool valgrind, inside; /* inside: an error */
    bool observed;         /* in an element that tells of an object's history */
    bool told;             /* an error's first stack was */
    struct finding one;
    struct stack *stack;
    struct valgrind_error error;
    struct place place;
    char role[sizeof((struct stack *)NULL)->role];
    char text[TEXT_BYTES_MAX]; /* of the innermost element */
    size_t length;
};

static bool is(const char *name, const char *other) {
    return strcmp(name, other) == 0;
}

static bool is_error(const char *name) {
    return is(name, "error") || is(name, "fatal_signal");
}

static bool is_history(const char *name) {
    return is(name, "first_observed_at") || is(name, "allocation_context") ||
           is(name, "other_segment_start") || is(name, "other_segment_end");
}

static void begin_history(struct reader *reader, const char *name) {
    const char *role = is(name, "allocation_context")    ? "allocated"
                       : is(name, "other_segment_start") ? "begin of the other thread's segment"
                       : is(name, "other_segment_end")   ? "end of the other thread's segment"
                                                         : "first observed";
    text_set(reader->role, sizeof reader->role, role);
    reader->observed = true;
}

/* An error's own stack has no sentence above it but the error's. */
static void begin_stack(struct reader *reader) {
    static const struct kind_rule accesses[] = {
        {"data race during", ""}, {"Conflicting ", ""}, {"Invalid ", ""}, {NULL, NULL}};
    const char *what = reader->error.what;
    if (!reader->told && kind_of(accesses, what) && !strchr(what, '('))
        role_set(reader->role, sizeof reader->role, what);
    else if (!reader->told)
        text_set(reader->role, sizeof reader->role,
                 text_begins(reader->error.kind, "Leak_") ? "allocated here" : "here");
    reader->stack = finding_push(&reader->one, reader->role);
    reader->told = true;
}

static void XMLCALL begin(void *context, const char *name, const char **attributes) {
    struct reader *reader = context;
    (void)attributes;
    reader->length = 0;
    reader->valgrind = reader->valgrind || is(name, "valgrindoutput");
    if (!reader->valgrind)
        XML_StopParser(reader->parser, XML_FALSE);
    if (is_error(name)) {
        finding_begin(&reader->one, reader->detector, "");
        memset(&reader->error, 0, sizeof reader->error);
        reader->inside = true;
        reader->told = false;
        *reader->role = '\0';
    } else if (is_history(name)) {
        begin_history(reader, name);
    } else if (is(name, "stack") && reader->inside) {
        begin_stack(reader);
    } else if (is(name, "frame")) {
        memset(&reader->place, 0, sizeof reader->place);
    }
}

static void end_frame(struct reader *reader) {
    struct place *place = &reader->place;
    char path[sizeof place->folder + sizeof place->file + 1];
    char object[sizeof place->object + sizeof place->address + 1];
    const char *slash = strrchr(place->object, '/');
    bool folder = *place->folder && *place->file && *place->file != '/';
    snprintf(path, sizeof path, "%s%s%s", folder ? place->folder : "", folder ? "/" : "",
             place->file);
    /* as the sanitizers: names a place without symbols */
    snprintf(object, sizeof object, "%s+%s", slash ? slash + 1 : place->object, place->address);
    if (reader->inside && (*place->function || *place->object))
        stack_push(reader->stack, *place->function ? place->function : object, path, place->line);
}

/* A sentence more: says what the next stack tells, the first one where an address is. */
static void take_about(struct reader *reader) {
    if (!*reader->error.about)
        text_set(reader->error.about, sizeof reader->error.about, reader->text);
    bool block = strstr(reader->text, "block of size") || strstr(reader->text, "Block was");
    if (block && strstr(reader->text, "free'd"))
        text_set(reader->role, sizeof reader->role, "freed");
    else if (block && strstr(reader->text, "alloc'd"))
        text_set(reader->role, sizeof reader->role, "allocated");
    else
        role_set(reader->role, sizeof reader->role, reader->text);
}

/* An error's sentence, which may come in two. */
static void take_what(struct reader *reader) {
    char *what = reader->error.what, both[sizeof reader->error.what + sizeof reader->text];
    snprintf(both, sizeof both, "%s%s%s", what, *what ? " " : "", reader->text);
    if (!reader->observed && !reader->told)
        text_set(what, sizeof reader->error.what, both);
}

static void end_error(struct reader *reader) {
    static const char *const defects[] = {"SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT"};
    const char *kind = reader->error.kind;
    bool defect = !text_begins(kind, "SIG");
    for (size_t i = 0; i < sizeof defects / sizeof *defects; i++)
        defect = defect || is(kind, defects[i]);
    reader->inside = false;
    valgrind_kind(&reader->error, reader->one.kind, sizeof reader->one.kind);
    text_set(reader->one.message, sizeof reader->one.message, reader->error.what);
    if (defect && *kind)
        findings_add_run(reader->all, &reader->one);
}

static void take_text(struct reader *reader, const char *name) {
    static const struct {
        const char *name;
        size_t offset, size;
    } fields[] = {
#define FIELD(name, field)                                                                         \
    {name, offsetof(struct reader, field), sizeof((struct reader *)NULL)->field}
        FIELD("kind", error.kind),      FIELD("signame", error.kind), FIELD("event", error.what),
        FIELD("siaddr", error.address), FIELD("fn", place.function),  FIELD("dir", place.folder),
        FIELD("file", place.file),      FIELD("obj", place.object),   FIELD("ip", place.address),
#undef FIELD
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (is(name, fields[i].name))
            text_set((char *)reader + fields[i].offset, fields[i].size, reader->text);
    if (is(name, "line"))
        reader->place.line = (uint32_t)strtoul(reader->text, NULL, 10);
}

static void XMLCALL end(void *context, const char *name) {
    struct reader *reader = context;
    reader->text[reader->length] = '\0';
    if (is_error(name) && reader->inside)
        end_error(reader);
    else if (is_history(name))
        reader->observed = false;
    else if (is(name, "frame"))
        end_frame(reader);
    else if (reader->inside && is(name, "auxwhat"))
        take_about(reader);
    else if (reader->inside && is(name, "text"))
        reader->told ? take_about(reader) : take_what(reader);
    else if (reader->inside && is(name, "what"))
        take_what(reader);
    else
        take_text(reader, name);
    reader->length = 0;
}

static void XMLCALL characters(void *context, const char *text, int count) {
    struct reader *reader = context;
    size_t room = sizeof reader->text - 1 - reader->length;
    size_t length = (size_t)count < room ? (size_t)count : room;
    if (length < (size_t)count) /* whole characters */
        while (length > 0 && (text[length] & 0xc0) == 0x80)
            length--;
    memcpy(reader->text + reader->length, text, length);
    reader->length += length;
}

/* In pieces, since expat counts in int. */
static void feed(struct reader *reader, const char *xml, size_t bytes) {
    for (size_t at = 0; at < bytes; at += PIECE_BYTES_MAX) {
        size_t length = bytes - at < PIECE_BYTES_MAX ? bytes - at : PIECE_BYTES_MAX;
        if (XML_Parse(reader->parser, xml + at, (int)length, 0) != XML_STATUS_OK)
            return;
    }
}

bool parse_valgrind_xml(const char *xml, size_t bytes, const char *detector, struct findings *all) {
    struct reader *reader = calloc(1, sizeof *reader);
    char *clean = text_clean(xml, bytes);
    bool valgrind = false;
    if (reader && clean && (reader->parser = XML_ParserCreate("UTF-8"))) {
        reader->all = all;
        reader->detector = detector;
        XML_SetUserData(reader->parser, reader);
        XML_SetElementHandler(reader->parser, begin, end);
        XML_SetCharacterDataHandler(reader->parser, characters);
        feed(reader, clean, bytes);
        valgrind = reader->valgrind;
        XML_ParserFree(reader->parser);
    }
    free(clean);
    free(reader);
    return valgrind;
}
