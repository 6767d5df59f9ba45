/* SPDX-License-Identifier: MIT */
/* doctor.c - measures the noise floor and draws conclusions from it and from the machine. */
#include "run/doctor.h"

#include "measure/idle.h"
#include "run/machine.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES_BEYOND 100 /* that make a quantile publishable */
#define STEAL_SHARE_MAX 0.001

static const struct {
    const char *key, *name;
    double p;
} quantiles[] = {{"p50", "p50", 0.5},
                 {"p99", "p99", 0.99},
                 {"p99_9", "p99.9", 0.999},
                 {"p99_99", "p99.99", 0.9999}};
#define QUANTILES (sizeof quantiles / sizeof *quantiles)

static json_t *histogram_json(const struct histogram *h) {
    json_t *object = json_object();
    for (size_t i = 0; i < QUANTILES; i++)
        json_object_set_new(object, quantiles[i].key,
                            json_integer((json_int_t)histogram_quantile_ns(h, quantiles[i].p)));
    json_object_set_new(object, "max", json_integer((json_int_t)h->max_ns));
    json_object_set_new(object, "count", json_integer((json_int_t)h->count));
    return object;
}

static json_t *empty_request_json(const struct histogram *gaps) {
    json_t *object = json_object();
    for (size_t i = 0; i < QUANTILES; i++)
        json_object_set_new(object, quantiles[i].key,
                            json_integer((json_int_t)idle_request_ns(gaps, quantiles[i].p)));
    json_object_set_new(object, "max", json_integer((json_int_t)gaps->max_ns));
    return object;
}

static json_t *noise_json(const struct idle_noise *noise) {
    return json_pack("{s:f,s:i,s:o,s:o,s:o,s:o}", "length_s", noise->length_s, "cpu", noise->cpu,
                     "steal_s", noise->steal_s < 0 ? json_null() : json_real(noise->steal_s),
                     "spin_gaps_ns", histogram_json(&noise->gaps), "sleep_overshoot_ns",
                     noise->sleeps_taken ? histogram_json(&noise->sleeps) : json_null(),
                     "empty_request_ns", empty_request_json(&noise->gaps));
}

/* No response time is less than what reading the clock costs and resolves. */
static json_t *believable_json(const struct idle_noise *noise, const json_t *clock) {
    json_t *all = json_array();
    double clock_ns = json_number_value(json_object_get(clock, "cost_ns")) +
                      json_number_value(json_object_get(clock, "quantum_ns"));
    for (size_t i = 0; i < QUANTILES; i++) {
        double floor_ns = fmax((double)idle_request_ns(&noise->gaps, quantiles[i].p), clock_ns);
        json_array_append_new(
            all, json_pack("{s:s,s:I,s:I}", "quantile", quantiles[i].name, "above_ns",
                           (json_int_t)ceil(IDLE_TIMES * floor_ns), "requests",
                           (json_int_t)llround(SAMPLES_BEYOND / (1 - quantiles[i].p))));
    }
    return all;
}

static void __attribute__((format(printf, 2, 3))) find(json_t *findings, const char *format, ...) {
    char sentence[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    json_array_append_new(findings, json_string(sentence));
}

static const char *text_of(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_string(value) ? json_string_value(value) : "unknown";
}

static void find_processors(json_t *findings, const json_t *processors,
                            const struct idle_noise *noise) {
    long allowed = (long)json_integer_value(json_object_get(processors, "allowed"));
    long cores = (long)json_integer_value(json_object_get(processors, "cores"));
    long online = (long)json_integer_value(json_object_get(processors, "online"));
    const char *governor = text_of(processors, "governor");
    double share = noise->steal_s / (noise->length_s * (double)online);
    if (allowed < 2)
        find(findings, "There is one processor: worker, sampler and kernel take turns on it, so "
                       "tails are the scheduler's.");
    else
        find(findings,
             "With up to %ld worker%s a processor stays free for the sampler and collectors; with "
             "%ld, tails beyond p99 are theirs as well.",
             allowed - 1, allowed > 2 ? "s" : "", allowed);
    if (cores > 0 && cores < online)
        find(findings,
             "%ld processors are threads of %ld cores: workers on the same core slow each other "
             "down.",
             online, cores);
    if (json_is_real(json_object_get(processors, "quota")))
        find(findings,
             "The cgroup grants %.2f processors: a worker beyond that is stopped for up to 100 ms.",
             json_real_value(json_object_get(processors, "quota")));
    if (json_is_true(json_object_get(processors, "virtual")))
        find(findings, "This is a virtual machine: the host can take a processor away without a "
                       "trace; only gaps show it.");
    if (noise->steal_s > 0 && share > STEAL_SHARE_MAX)
        find(findings, "The host took %.1f %% of the processors' time meanwhile (steal).",
             share * 100);
    if (strcmp(governor, "performance") != 0)
        find(findings, "The frequency governor is %s: the processors' speed may change in a run.",
             governor);
}

static void find_memory(json_t *findings, const json_t *memory, const json_t *cgroup) {
    const json_t *limit = json_object_get(cgroup, "memory_limit_bytes");
    if (strcmp(text_of(memory, "thp"), "always") == 0)
        find(findings, "Huge pages are given unasked (THP always): resident sets grow in steps of "
                       "2 MiB, and khugepaged adds pauses.");
    if (!json_is_true(json_object_get(cgroup, "memory_max")))
        find(findings,
             "There is no memory.max here (cgroup %s): a budget caps what the program "
             "maps (RLIMIT_DATA), not what is resident.",
             text_of(cgroup, "version"));
    if (json_is_integer(limit))
        find(findings, "The cgroup ends programs that take more than %.1f GiB.",
             (double)json_integer_value(limit) / 0x1p30);
}

static void find_compilers(json_t *findings, const json_t *memory, const json_t *compilers) {
    const json_t *bits = json_object_get(memory, "mmap_rnd_bits"), *compiler;
    size_t i;
    if (!json_is_integer(bits))
        find(findings, "vm.mmap_rnd_bits cannot be read: above 28, ThreadSanitizer of clang before "
                       "18 and gcc before 15 does not start.");
    json_array_foreach((json_t *)compilers, i,
                       compiler) if (json_is_false(json_object_get(compiler, "tsan_starts")))
        find(findings,
             "vm.mmap_rnd_bits is %lld, and ThreadSanitizer of %s takes %lld at most: it needs "
             "`setarch -R`, or a newer compiler.",
             (long long)json_integer_value(bits), text_of(compiler, "command"),
             (long long)json_integer_value(json_object_get(compiler, "tsan_bits_max")));
}

static void find_clock(json_t *findings, const json_t *clock) {
    if (!json_is_true(json_object_get(clock, "tsc_safe")))
        find(findings,
             "The TSC is not safe to time with (clocksource %s, constant_tsc %s, "
             "nonstop_tsc %s).",
             text_of(clock, "clocksource"),
             json_is_true(json_object_get(clock, "constant_tsc")) ? "yes" : "no",
             json_is_true(json_object_get(clock, "nonstop_tsc")) ? "yes" : "no");
    if (json_number_value(json_object_get(clock, "cost_ns")) > 200)
        find(findings,
             "Reading the clock costs %.0f ns: it is a system call here, and requests "
             "under 10 us are mostly that.",
             json_number_value(json_object_get(clock, "cost_ns")));
}

static json_t *findings_json(const json_t *machine, const struct idle_noise *noise) {
    const json_t *memory = json_object_get(machine, "memory");
    json_t *findings = json_array();
    find_clock(findings, json_object_get(machine, "clock"));
    find_processors(findings, json_object_get(machine, "processors"), noise);
    find_memory(findings, memory, json_object_get(machine, "cgroup"));
    find_compilers(findings, memory, json_object_get(machine, "compilers"));
    if (noise->cpu < 0)
        find(findings, "Threads cannot be pinned here: workers may be moved about.");
    find(findings,
         "Of a run's maximum, %.3f ms may be this machine's: a thread that did nothing "
         "was away that long.",
         (double)noise->gaps.max_ns * 1e-6);
    return findings;
}

static const char rule[] =
    "A quantile is believable for response times above twice what a request that needs no time "
    "would have there: below, more than half of it is the machine's. It also takes 100 requests "
    "beyond the quantile.";

json_t *doctor_json(double length_s, struct error *error) {
    struct idle_noise *noise = calloc(1, sizeof *noise);
    json_t *doctor = NULL;
    if (noise && idle_measure(length_s, noise)) {
        json_t *machine = machine_json();
        doctor = json_pack("{s:s,s:o,s:o,s:o,s:s,s:o}", "schema", "tailrace/doctor/1", "noise",
                           noise_json(noise), "believable",
                           believable_json(noise, json_object_get(machine, "clock")), "findings",
                           findings_json(machine, noise), "rule", rule, "machine", machine);
    } else {
        error_set(error, EXIT_LACKING, "cannot start a thread to measure the noise floor with");
    }
    free(noise);
    return doctor;
}
