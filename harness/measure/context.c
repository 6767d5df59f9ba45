/* SPDX-License-Identifier: MIT */
/* context.c - reads the machine's description from /proc, /sys and the build. */
#include "measure/context.h"

#include "base/clock.h"
#include "version.h"

#include <gnu/libc-version.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define TEXT_BYTES 256

/* The first line of a file without its newline, or "unknown". */
static const char *first_line(const char *path, char *text) {
    FILE *file = fopen(path, "re");
    bool read = file && fgets(text, TEXT_BYTES, file);
    if (file)
        fclose(file);
    if (!read)
        return "unknown";
    text[strcspn(text, "\n")] = '\0';
    return text;
}

static const char *cpu_model(char *text) {
    FILE *file = fopen("/proc/cpuinfo", "re");
    const char *found = "unknown";
    while (file && strcmp(found, "unknown") == 0 && fgets(text, TEXT_BYTES, file)) {
        const char *colon = strchr(text, ':');
        if (strncmp(text, "model name", 10) == 0 && colon && colon[1]) {
            text[strcspn(text, "\n")] = '\0';
            found = colon + 2;
        }
    }
    if (file)
        fclose(file);
    return found;
}

/* The word in brackets of a line such as "always [madvise] never". */
static const char *chosen(const char *line, char *text) {
    const char *open = strchr(line, '['), *close = strchr(line, ']');
    if (!open || !close || close < open)
        return line;
    snprintf(text, TEXT_BYTES, "%.*s", (int)(close - open - 1), open + 1);
    return text;
}

static void set_text(json_t *object, const char *key, const char *text) {
    json_t *value = json_string(text); /* NULL where the text is not UTF-8 */
    json_object_set_new(object, key, value ? value : json_string("unknown"));
}

json_t *context_json(const char *command) {
    char text[TEXT_BYTES], word[TEXT_BYTES];
    struct utsname kernel;
    struct clock_quality clock = clock_measure();
    json_t *context = json_object();
    uname(&kernel);
    set_text(context, "command", command);
    set_text(context, "commit", TAILRACE_COMMIT);
    set_text(context, "cpu_model", cpu_model(text));
    json_object_set_new(context, "cores", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
    snprintf(word, sizeof word, "%.64s %.64s", kernel.sysname, kernel.release);
    set_text(context, "kernel", word);
    set_text(context, "governor",
             first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", text));
    set_text(context, "thp",
             chosen(first_line("/sys/kernel/mm/transparent_hugepage/enabled", text), word));
    set_text(context, "aslr", first_line("/proc/sys/kernel/randomize_va_space", text));
    snprintf(word, sizeof word, "glibc %s", gnu_get_libc_version());
    set_text(context, "libc", word);
    set_text(context, "compiler", TAILRACE_COMPILER);
    set_text(context, "flags", TAILRACE_FLAGS);
    set_text(context, "clock", "CLOCK_MONOTONIC");
    json_object_set_new(context, "clock_quantum_ns", json_integer((json_int_t)clock.quantum_ns));
    json_object_set_new(context, "clock_cost_ns", json_real(clock.cost_ns));
    return context;
}

json_t *context_time(double at_s) {
    char text[64];
    time_t whole = (time_t)at_s;
    struct tm utc;
    gmtime_r(&whole, &utc);
    size_t used = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + used, sizeof text - used, ".%03dZ", (int)((at_s - (double)whole) * 1000));
    return json_string(text);
}
