/* SPDX-License-Identifier: MIT */
/* machine.c - reads /proc, /sys and the installed compilers. */
#include "run/machine.h"

#include "base/clock.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_BYTES 4096
#define CORES_MAX 4096
/* TSan before LLVM 18 and GCC 15 maps its shadow where addresses randomised by more bits than this
 * may lie; from then on it starts itself again without randomisation (llvm-project 78351). */
#define TSAN_BITS_MAX 28
#define TSAN_CLANG_ANY 18
#define TSAN_GCC_ANY 15

/* The first line of a file without its newline; false where it cannot be read. */
static bool read_line(const char *path, char *text) {
    FILE *file = fopen(path, "re");
    bool read = file && fgets(text, TEXT_BYTES, file);
    if (file)
        fclose(file);
    text[read ? strcspn(text, "\n") : 0] = '\0';
    return read;
}

static json_t *line_json(const char *path) {
    char text[TEXT_BYTES];
    json_t *value = read_line(path, text) ? json_string(text) : NULL;
    return value ? value : json_null();
}

static json_t *number_json(const char *path) {
    char text[TEXT_BYTES], *end;
    long long number = read_line(path, text) ? strtoll(text, &end, 10) : 0;
    return *text && end != text ? json_integer(number) : json_null();
}

/* The word in brackets of a line such as "always [madvise] never". */
static json_t *chosen_json(const char *path) {
    char text[TEXT_BYTES];
    char *open = read_line(path, text) ? strchr(text, '[') : NULL;
    char *close = open ? strchr(open, ']') : NULL;
    return close ? json_stringn(open + 1, (size_t)(close - open - 1)) : json_null();
}

/* Whether the first processor's flags name this one. */
static bool has_flag(const char *flag) {
    static char text[8 * TEXT_BYTES];
    bool found = false;
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file && !found && fgets(text, sizeof text, file)) {
        if (strncmp(text, "flags", 5) != 0)
            continue;
        char *rest;
        for (char *word = strtok_r(text, " \t\n", &rest); word && !found;
             word = strtok_r(NULL, " \t\n", &rest))
            found = strcmp(word, flag) == 0;
        break;
    }
    if (file)
        fclose(file);
    return found;
}

static json_t *clock_json(void) {
    struct clock_quality clock = clock_measure();
    json_t *source = line_json("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    bool constant = has_flag("constant_tsc"), nonstop = has_flag("nonstop_tsc");
    bool safe = constant && nonstop && json_is_string(source) &&
                strcmp(json_string_value(source), "tsc") == 0;
    return json_pack("{s:s,s:I,s:f,s:o,s:b,s:b,s:b}", "source", "CLOCK_MONOTONIC", "quantum_ns",
                     (json_int_t)clock.quantum_ns, "cost_ns", clock.cost_ns, "clocksource", source,
                     "constant_tsc", constant, "nonstop_tsc", nonstop, "tsc_safe", safe);
}

/* Processors that share a core name the same siblings. */
static json_t *cores_json(void) {
    static char seen[CORES_MAX][64];
    char path[128], text[TEXT_BYTES];
    long configured = sysconf(_SC_NPROCESSORS_CONF), count = 0;
    for (long cpu = 0; cpu < configured && count < CORES_MAX; cpu++) {
        long known = 0;
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%ld/topology/thread_siblings_list",
                 cpu);
        if (!read_line(path, text)) /* offline */
            continue;
        while (known < count && strncmp(seen[known], text, sizeof seen[known] - 1) != 0)
            known++;
        if (known == count)
            snprintf(seen[count++], sizeof seen[0], "%.63s", text);
    }
    return count > 0 ? json_integer(count) : json_null();
}

/* This process's folder below a controller's mount: the path after "…:controller:" in
 * /proc/self/cgroup (controller "" for v2). */
static bool cgroup_path(const char *controller, char *path) {
    char line[TEXT_BYTES];
    bool found = false;
    FILE *file = fopen("/proc/self/cgroup", "re");
    while (file && !found && fgets(line, sizeof line, file)) {
        char *names = strchr(line, ':'), *at = names ? strchr(names + 1, ':') : NULL;
        if (!at || (size_t)(at - names - 1) != strlen(controller) ||
            strncmp(names + 1, controller, strlen(controller)) != 0)
            continue;
        at[strcspn(at, "\n")] = '\0';
        snprintf(path, TEXT_BYTES, "%s", at + 1);
        found = true;
    }
    if (file)
        fclose(file);
    return found;
}

/* The first line of a controller's file for this process, in v2 or v1. */
static bool cgroup_line(const char *v2_file, const char *v1_controller, const char *v1_file,
                        char *text) {
    char path[TEXT_BYTES], file[2 * TEXT_BYTES];
    if (cgroup_path("", path)) {
        snprintf(file, sizeof file, "/sys/fs/cgroup%s/%s", path, v2_file);
        if (read_line(file, text))
            return true;
    }
    if (!cgroup_path(v1_controller, path))
        return false;
    snprintf(file, sizeof file, "/sys/fs/cgroup/%s%s/%s", v1_controller, path, v1_file);
    if (read_line(file, text))
        return true;
    snprintf(file, sizeof file, "/sys/fs/cgroup/%s/%s", v1_controller, v1_file);
    return read_line(file, text); /* in a container the folder is the mount */
}

static json_t *quota_json(void) {
    char text[TEXT_BYTES], period[TEXT_BYTES], *rest;
    if (!cgroup_line("cpu.max", "cpu", "cpu.cfs_quota_us", text))
        return json_null();
    double quota_us = strtod(text, &rest), period_us = strtod(rest, NULL);
    if (period_us <= 0 && cgroup_line("cpu.max", "cpu", "cpu.cfs_period_us", period))
        period_us = strtod(period, NULL);
    return quota_us > 0 && period_us > 0 ? json_real(quota_us / period_us) : json_null();
}

static json_t *processors_json(void) {
    cpu_set_t allowed;
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    bool known = sched_getaffinity(0, sizeof allowed, &allowed) == 0;
    return json_pack("{s:I,s:I,s:o,s:o,s:o,s:b}", "online", (json_int_t)online, "allowed",
                     known ? (json_int_t)CPU_COUNT(&allowed) : (json_int_t)online, "cores",
                     cores_json(), "quota", quota_json(), "governor",
                     line_json("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"), "virtual",
                     has_flag("hypervisor"));
}

static json_t *memory_json(void) {
    return json_pack("{s:I,s:o,s:o,s:o}", "total_bytes",
                     (json_int_t)sysconf(_SC_PHYS_PAGES) * (json_int_t)sysconf(_SC_PAGESIZE), "thp",
                     chosen_json("/sys/kernel/mm/transparent_hugepage/enabled"), "aslr",
                     number_json("/proc/sys/kernel/randomize_va_space"), "mmap_rnd_bits",
                     number_json("/proc/sys/vm/mmap_rnd_bits"));
}

static json_t *cgroup_json(void) {
    char path[TEXT_BYTES], file[2 * TEXT_BYTES], text[TEXT_BYTES];
    bool v2 = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
    bool v1 = access("/sys/fs/cgroup/memory", F_OK) == 0;
    bool unified = access("/sys/fs/cgroup/unified", F_OK) == 0;
    snprintf(file, sizeof file, "/sys/fs/cgroup%s/memory.max", cgroup_path("", path) ? path : "");
    bool limited = cgroup_line("memory.max", "memory", "memory.limit_in_bytes", text);
    double limit_bytes = limited ? strtod(text, NULL) : 0;
    bool real = limit_bytes > 0 && limit_bytes < 0x1p62; /* v1 says 2^63 for none */
    return json_pack("{s:s,s:b,s:o}", "version",
                     v2        ? "v2"
                     : !v1     ? "none"
                     : unified ? "hybrid"
                               : "v1",
                     "memory_max", access(file, F_OK) == 0, "memory_limit_bytes",
                     real ? json_integer((json_int_t)limit_bytes) : json_null());
}

/* The major version of a compiler by its -dumpversion; 0 where it is not there. */
static long compiler_version(const char *command) {
    char line[TEXT_BYTES], text[64] = "";
    snprintf(line, sizeof line, "command -v %s >/dev/null 2>&1 && %s -dumpversion 2>/dev/null",
             command, command);
    FILE *pipe = popen(line, "re");
    if (pipe && !fgets(text, sizeof text, pipe))
        *text = '\0';
    if (pipe)
        pclose(pipe);
    return strtol(text, NULL, 10);
}

static json_t *compilers_json(const json_t *bits) {
    static const char *const commands[] = {"gcc",      "clang-14", "clang-15", "clang-16",
                                           "clang-17", "clang-18", "clang-19", "clang-20",
                                           "clang-21", "clang-22", "clang"};
    json_t *compilers = json_array();
    long last = 0; /* a clang without number is mostly one of the others */
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        long version = compiler_version(commands[i]);
        bool again = strcmp(commands[i], "clang") == 0 && version <= last;
        last = version > last && i > 0 ? version : last;
        bool any = version >= (i == 0 ? TSAN_GCC_ANY : TSAN_CLANG_ANY);
        json_t *starts = json_is_integer(bits) || any
                             ? json_boolean(any || json_integer_value(bits) <= TSAN_BITS_MAX)
                             : json_null();
        json_t *compiler =
            json_pack("{s:s,s:I,s:o,s:o}", "command", commands[i], "version", (json_int_t)version,
                      "tsan_bits_max", any ? json_null() : json_integer(TSAN_BITS_MAX),
                      "tsan_starts", starts);
        if (version > 0 && !again)
            json_array_append(compilers, compiler);
        json_decref(compiler);
    }
    return compilers;
}

json_t *machine_json(void) {
    json_t *memory = memory_json();
    json_t *compilers = compilers_json(json_object_get(memory, "mmap_rnd_bits"));
    return json_pack("{s:o,s:o,s:o,s:o,s:o}", "clock", clock_json(), "processors",
                     processors_json(), "memory", memory, "cgroup", cgroup_json(), "compilers",
                     compilers);
}
