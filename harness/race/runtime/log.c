/* SPDX-License-Identifier: MIT */
/* log.c - lines of JSON that the runner reads: written whole, to a file of the process's own. */
#define _GNU_SOURCE 1
#include "race/runtime/runtime.h"

#include <dlfcn.h>

enum {
    PREFIX_BYTES = 4000,
    SYMBOLS_BYTES = 8192,
    STRING_MAX = 512, /* of a function's or file's name */
    ROOM_FOR_FRAME = 2 * 2 * STRING_MAX + 128,
    ROOM_FOR_END = 64,
};

__attribute__((weak)) void __sanitizer_symbolize_pc(void *pc, const char *format, char *text,
                                                    size_t bytes);
static char prefix[PREFIX_BYTES + 16];
static size_t prefix_length;

bool tailrace_text_begins(const char *text, const char *with) {
    while (*with && *text == *with) {
        text++;
        with++;
    }
    return !*with;
}

static void line_char(struct line *line, char c) {
    if (line->used < sizeof(line->text) - 1)
        line->text[line->used++] = c;
}

void tailrace_line_text(struct line *line, const char *text) {
    while (*text)
        line_char(line, *text++);
}

void tailrace_line_string(struct line *line, const char *text, size_t length_max) {
    line_char(line, '"');
    for (; *text && length_max > 0; text++, length_max--) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            line_char(line, '\\');
        line_char(line, c < ' ' || c > '~' ? '?' : *text);
    }
    line_char(line, '"');
}

void tailrace_line_number(struct line *line, uint64_t number) {
    char digits[24];
    int n = 0;
    do
        digits[n++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (n > 0)
        line_char(line, digits[--n]);
}

void tailrace_line_hexadecimal(struct line *line, uint64_t number) {
    for (int shift = 60; shift >= 0; shift -= 4)
        line_char(line, "0123456789abcdef"[number >> shift & 15]);
}

void tailrace_role(char *role, size_t bytes, const char *before, uint64_t number,
                   const char *between, const char *after) {
    static struct line line; /* one report at a time */
    line.used = 0;
    tailrace_line_text(&line, before);
    if (number != UINT64_MAX)
        tailrace_line_number(&line, number);
    tailrace_line_text(&line, between);
    tailrace_line_text(&line, after);
    size_t i = 0;
    for (; i < line.used && i < bytes - 1; i++)
        role[i] = line.text[i];
    role[i] = 0;
}

static void frame(struct line *line, bool first, const char *function, const char *file,
                  uint64_t number) {
    tailrace_line_text(line, first ? "{\"function\":" : ",{\"function\":");
    tailrace_line_string(line, function, STRING_MAX);
    tailrace_line_text(line, ",\"file\":");
    tailrace_line_string(line, file, STRING_MAX);
    tailrace_line_text(line, ",\"line\":");
    tailrace_line_number(line, number);
    line_char(line, '}');
}

/* Cuts a field off at its separator; returns what follows. */
static char *cut(char *text) {
    while (*text && *text != '\x1f')
        text++;
    if (*text)
        *text++ = 0;
    return text;
}

static bool is_ours(const char *function) {
    return tailrace_text_begins(function, "__wrap_") || tailrace_text_begins(function, "tailrace_");
}

/* What lies under main and threads' functions. */
static bool is_bottom(const char *function) {
    static const char *const names[] = {
        "__libc_start_", "_start", "__tsan_thread_start", "start_thread", "asan_thread_start",
        "clone3",        "<null>"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (tailrace_text_begins(function, names[i]))
            return true;
    return false;
}

/* One instruction, which inlining may have put into several functions. */
static bool frames_of(struct line *line, bool first, uintptr_t pc) {
    static char text[SYMBOLS_BYTES];
    text[0] = text[1] = 0;
    __sanitizer_symbolize_pc((void *)pc, "%f\x1f%s\x1f%l", text, sizeof(text) - 2);
    text[sizeof(text) - 2] = text[sizeof(text) - 1] = 0;
    for (char *function = text; *function;) {
        char *file = cut(function), *number = cut(file), *end = number;
        uint64_t at = 0;
        for (; *end; end++)
            if (*end >= '0' && *end <= '9')
                at = at * 10 + (uint64_t)(*end - '0');
        bool unknown = tailrace_text_begins(file, "<") || tailrace_text_begins(file, "(");
        if (!is_ours(function) && !is_bottom(function) &&
            line->used + ROOM_FOR_FRAME < sizeof(line->text)) {
            frame(line, first, function, unknown ? "" : file, unknown ? 0 : at);
            first = false;
        }
        function = end + 1;
    }
    return first;
}

/* Without a sanitizer: the function's name where it is exported, else the module and offset. */
static bool frame_in_module(struct line *line, bool first, uintptr_t pc) {
    Dl_info info;
    if (!dladdr((void *)(pc - 1), &info) || line->used + ROOM_FOR_FRAME > sizeof(line->text))
        return first;
    if (info.dli_sname && is_ours(info.dli_sname))
        return first;
    static struct line name; /* one report at a time */
    name.used = 0;
    tailrace_line_text(&name, info.dli_sname ? info.dli_sname : "+0x");
    if (!info.dli_sname)
        tailrace_line_hexadecimal(&name, pc - 1 - (uintptr_t)info.dli_fbase);
    name.text[name.used] = 0;
    frame(line, first, name.text, info.dli_fname ? info.dli_fname : "", 0);
    return false;
}

void tailrace_line_stack(struct line *line, bool first, const char *role, const uintptr_t *pcs,
                         uint32_t count) {
    if (line->used + ROOM_FOR_FRAME > sizeof(line->text))
        return;
    tailrace_line_text(line, first ? "{\"role\":" : ",{\"role\":");
    tailrace_line_string(line, role, STRING_MAX);
    tailrace_line_text(line, ",\"frames\":[");
    bool none = true;
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && pcs[i] == pcs[i - 1])
            continue; /* an inlined one's, told with it */
        none = __sanitizer_symbolize_pc ? frames_of(line, none, pcs[i])
                                        : frame_in_module(line, none, pcs[i]);
    }
    tailrace_line_text(line, "]}");
}

void tailrace_log_start(const char *path) {
    for (prefix_length = 0; path[prefix_length] && prefix_length < PREFIX_BYTES; prefix_length++)
        prefix[prefix_length] = path[prefix_length];
}

bool tailrace_logging(void) {
    return prefix_length > 0;
}

void tailrace_line_write(struct line *line) {
    static struct line name;
    if (prefix_length == 0)
        return;
    name.used = 0;
    tailrace_line_text(&name, ".");
    tailrace_line_number(&name, (uint64_t)raw_pid());
    name.text[name.used] = 0;
    for (size_t i = 0; i <= name.used && i < 16; i++)
        prefix[prefix_length + i] = name.text[i];
    line_char(line, '\n');
    line->text[line->used - 1] = '\n';
    int fd = raw_open(prefix, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0)
        return;
    raw_write(fd, line->text, line->used);
    raw_close(fd);
}
