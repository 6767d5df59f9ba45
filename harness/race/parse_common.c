/* SPDX-License-Identifier: MIT */
/* parse_common.c - findings in the making, and JSON that stands among other lines. */
#include "race/parse.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of broken JSON read in all: text with many lines that only look like it ends soon. */
#define JSON_BROKEN_BYTES_MAX ((size_t)16 << 20)

const char *kind_of(const struct kind_rule *rules, const char *text) {
    for (; rules->part; rules++)
        if (strstr(text, rules->part))
            return rules->kind;
    return NULL;
}

void finding_begin(struct finding *finding, const char *detector, const char *message) {
    memset(finding, 0, sizeof *finding);
    text_set(finding->detector, sizeof finding->detector, detector);
    text_set(finding->message, sizeof finding->message, message);
}

struct stack *finding_push(struct finding *finding, const char *role) {
    if (finding->stack_count == FINDING_STACKS_MAX)
        return NULL;
    struct stack *stack = &finding->stacks[finding->stack_count++];
    text_set(stack->role, sizeof stack->role, role);
    return stack;
}

static const char *known(const char *name) {
    return strcmp(name, "<null>") == 0 || strcmp(name, "??") == 0 ? "" : name;
}

void stack_push(struct stack *stack, const char *function, const char *file, uint32_t line) {
    function = known(function);
    file = known(file);
    if (!stack || stack->count == FINDING_FRAMES_MAX || (!*function && !*file))
        return;
    struct frame *frame = &stack->frames[stack->count++];
    const char *slash;
    while (strlen(file) >= sizeof frame->file && (slash = strchr(file + 1, '/')))
        file = slash; /* the end of a long path tells more than its beginning */
    text_set(frame->function, sizeof frame->function, function);
    text_set(frame->file, sizeof frame->file, file);
    frame->line = *file ? line : 0;
}

/* Not the static analysers': what they say of one function does not follow from another. */
static bool used_after_free(const struct findings *all) {
    for (uint32_t i = 0; i < all->count; i++)
        if (strstr(all->list[i].kind, "use-after-"))
            return true;
    return false;
}

void findings_add_run(struct findings *all, struct finding *one) {
    one->artefact = used_after_free(all);
    findings_add(all, one);
}

struct json_reader {
    json_taker *take;
    void *context;
    const char *end; /* of the text */
    size_t broken;   /* bytes read in vain */
    bool any;
};

/* One value; the place behind it, or the next line where there is none. */
static const char *take_json(struct json_reader *reader, const char *at) {
    json_error_t error;
    json_t *value =
        json_loadb(at, (size_t)(reader->end - at), JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, &error);
    size_t read = error.position > 0 ? (size_t)error.position : 0;
    if (value) {
        reader->any = true;
        reader->take(value, reader->context);
        json_decref(value);
        return at + read;
    }
    reader->broken += read;
    return strchr(at, '\n');
}

static void json_each(const char *text, char first, json_taker *take, void *context) {
    size_t bytes = strlen(text);
    char *copy = text_clean(text, bytes);
    const char *at = copy;
    struct json_reader reader = {take, context, copy + bytes, 0, false};
    while (at && *at && reader.broken < JSON_BROKEN_BYTES_MAX) {
        at += strspn(at, " \t\r\n");
        at = *at == first ? take_json(&reader, at) : strchr(at, '\n');
    }
    free(copy);
}

bool json_read(const char *text, char first, json_taker *take, const char *detector,
               struct findings *all) {
    struct json_reading *reading = calloc(1, sizeof *reading);
    if (!reading)
        return false;
    reading->all = all;
    reading->detector = detector;
    json_each(text, first, take, reading);
    bool any = reading->any;
    free(reading);
    return any;
}

const char *json_text(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

uint32_t json_line(const json_t *object, const char *key) {
    json_int_t line = json_integer_value(json_object_get(object, key));
    return line > 0 && line < UINT32_MAX ? (uint32_t)line : 0;
}
