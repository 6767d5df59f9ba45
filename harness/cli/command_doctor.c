/* SPDX-License-Identifier: MIT */
/* command_doctor.c - `tailrace doctor`: what this machine can tell, and whether the harness tells
 * it.
 */
#include "cli/commands.h"
#include "race/ready.h"
#include "run/doctor.h"
#include "run/spawn.h"
#include "run/theory.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOCTOR_S 10.0
#define CALIBRATE_S 6.0
#define SECONDS_MIN 0.1
#define SECONDS_MAX 3600.0

static const char help[] =
    "usage: tailrace doctor [--seconds S] [--json]\n"
    "       tailrace doctor --calibrate [--seconds S] [--seed N] [--json]\n"
    "\n"
    "Says what this machine can and cannot tell: clock, processors, memory, cgroup, compilers, "
    "race\n"
    "detectors, its noise over S seconds (10), and above which response times each quantile can be "
    "believed.\n"
    "\n"
    "  --calibrate       runs queues that theory knows (constant and exponential service time, 1 "
    "ms, S\n"
    "                    seconds each (6), utilisation 0.5, 0.7 and 0.9) and a stall of 400 ms, "
    "and\n"
    "                    prints measured against predicted; about 50 s\n"
    "  --seed N          of arrivals and service times (1)\n"
    "  --json            prints the findings as JSON\n"
    "\n"
    "Exit status: 0 done, 1 the harness misses the replay of what it measured by more than 1 %, 2 "
    "bad\n"
    "arguments, 3 something this machine lacks.\n";

struct arguments {
    bool calibrate, json, help;
    double seconds; /* 0: the default */
    uint64_t seed;
};

static bool parse_number(const char *name, const char *text, double low, double high, double *to,
                         struct error *error) {
    char *end;
    *to = strtod(text, &end);
    if (end == text || *end || !(*to >= low && *to <= high))
        return error_set(error, EXIT_INPUT, "--%s takes a number from %g to %.17g, not \"%s\"",
                         name, low, high, text);
    return true;
}

static bool parse(struct arguments *to, int argc, char **argv, struct error *error) {
    static const struct option options[] = {
        {"help", no_argument, NULL, 'h'},       {"calibrate", no_argument, NULL, 'c'},
        {"json", no_argument, NULL, 'j'},       {"seconds", required_argument, NULL, 's'},
        {"seed", required_argument, NULL, 'n'}, {NULL, 0, NULL, 0}};
    int option;
    double seed = 1;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (option == ':' || option == '?')
            return refuse_option(option, "doctor", argv, error);
        if (option == 's' &&
            !parse_number("seconds", optarg, SECONDS_MIN, SECONDS_MAX, &to->seconds, error))
            return false;
        if (option == 'n' && !parse_number("seed", optarg, 0, 0x1p53, &seed, error))
            return false;
        to->help = to->help || option == 'h';
        to->calibrate = to->calibrate || option == 'c';
        to->json = to->json || option == 'j';
    }
    if (seed != floor(seed))
        return error_set(error, EXIT_INPUT, "--seed takes a whole number");
    to->seed = (uint64_t)seed;
    if (optind < argc)
        return error_set(error, EXIT_INPUT, "doctor takes no \"%s\" (`tailrace doctor --help`)",
                         argv[optind]);
    return true;
}

static const char *text_of(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_string(value) ? json_string_value(value) : "unknown";
}
static double number_of(const json_t *object, const char *key) {
    return json_number_value(json_object_get(object, key));
}
static const char *yes_of(const json_t *object, const char *key) {
    return json_is_true(json_object_get(object, key)) ? "yes" : "no";
}

/* Some text and a whole number, or that it is unknown. */
static void print_count(const char *text, const json_t *object, const char *key) {
    if (json_is_integer(json_object_get(object, key)))
        printf("%s%.0f", text, number_of(object, key));
    else
        printf("%sunknown", text);
}

static void print_compilers(const json_t *compilers) {
    const json_t *compiler;
    size_t i;
    printf("TSan        ");
    json_array_foreach((json_t *)compilers, i, compiler) {
        const json_t *starts = json_object_get(compiler, "tsan_starts");
        printf("%s%s (version %.0f) %s", i ? ", " : "", text_of(compiler, "command"),
               number_of(compiler, "version"),
               json_is_true(starts)    ? "starts"
               : json_is_false(starts) ? "does not start"
                                       : "unknown");
    }
    printf("%s\n", i ? "" : "no compiler found");
}

static void print_machine(const json_t *machine) {
    const json_t *clock = json_object_get(machine, "clock");
    const json_t *processors = json_object_get(machine, "processors");
    const json_t *memory = json_object_get(machine, "memory");
    const json_t *cgroup = json_object_get(machine, "cgroup");
    printf("clock       %s: quantum %.0f ns, %.1f ns a reading; clocksource %s, constant_tsc %s, "
           "nonstop_tsc %s\n",
           text_of(clock, "source"), number_of(clock, "quantum_ns"), number_of(clock, "cost_ns"),
           text_of(clock, "clocksource"), yes_of(clock, "constant_tsc"),
           yes_of(clock, "nonstop_tsc"));
    print_count("processors  online ", processors, "online");
    print_count(", allowed ", processors, "allowed");
    print_count(", cores ", processors, "cores");
    printf("; governor %s; virtual machine: %s\n", text_of(processors, "governor"),
           yes_of(processors, "virtual"));
    printf("memory      %.1f GiB; THP %s", number_of(memory, "total_bytes") / 0x1p30,
           text_of(memory, "thp"));
    print_count("; ASLR ", memory, "aslr");
    print_count("; vm.mmap_rnd_bits ", memory, "mmap_rnd_bits");
    printf("\ncgroup      %s; memory.max %s\n", text_of(cgroup, "version"),
           json_is_true(json_object_get(cgroup, "memory_max")) ? "there" : "not there");
    print_compilers(json_object_get(machine, "compilers"));
}

static void print_quantiles(const char *name, const json_t *values) {
    static const char *const keys[] = {"p50", "p99", "p99_9", "p99_99", "max"};
    printf("  %-16s", name);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (json_is_object(values))
            printf(" %11.2f", number_of(values, keys[i]) * 1e-3);
        else
            printf(" %11s", "-");
    putchar('\n');
}

static void print_noise(const json_t *noise) {
    printf(
        "\nNoise over %g s, spinning on processor %.0f, sleeping 1 ms at a time on another; steal ",
        number_of(noise, "length_s"), number_of(noise, "cpu"));
    if (json_is_real(json_object_get(noise, "steal_s")))
        printf("%.2f s\n", number_of(noise, "steal_s"));
    else
        printf("unknown\n");
    printf("  %-16s %11s %11s %11s %11s %11s\n", "us", "p50", "p99", "p99.9", "p99.99", "max");
    print_quantiles("spin gap", json_object_get(noise, "spin_gaps_ns"));
    print_quantiles("sleep overshoot", json_object_get(noise, "sleep_overshoot_ns"));
    print_quantiles("empty request", json_object_get(noise, "empty_request_ns"));
}

static void print_races(const json_t *races) {
    const json_t *canary = json_object_get(races, "canary"), *one;
    size_t i, there = 0;
    printf("races       detectors:");
    json_array_foreach(json_object_get(races, "detectors"), i,
                       one) if (json_is_true(json_object_get(one, "available"))) {
        printf(" %s", text_of(one, "name"));
        there++;
    }
    printf("%s; a seeded race was caught in %.0f of %.0f runs, with its lines in %.0f\n",
           there ? "" : " none", number_of(canary, "caught"), number_of(canary, "runs"),
           number_of(canary, "located"));
    json_array_foreach(json_object_get(races, "detectors"), i,
                       one) if (!json_is_true(json_object_get(one, "available")))
        printf("            %s: %s\n", text_of(one, "name"), text_of(one, "reason"));
}

static void print_doctor(const json_t *doctor) {
    const json_t *one;
    size_t i;
    print_machine(json_object_get(doctor, "machine"));
    print_races(json_object_get(doctor, "races"));
    print_noise(json_object_get(doctor, "noise"));
    printf("\nWhat can be believed here\n");
    json_array_foreach(json_object_get(doctor, "believable"), i, one)
        printf("  %-7s above %10.2f us, from %.0f requests on\n", text_of(one, "quantile"),
               number_of(one, "above_ns") * 1e-3, number_of(one, "requests"));
    printf("%s\n\nWhat to know\n", text_of(doctor, "rule"));
    json_array_foreach(json_object_get(doctor, "findings"), i, one)
        printf("- %s\n", json_string_value(one));
    json_array_foreach(json_object_get(json_object_get(doctor, "races"), "findings"), i, one)
        printf("- %s\n", json_string_value(one));
}

static void print_ms(const json_t *row, const char *key) {
    const json_t *value = json_object_get(row, key);
    if (json_is_number(value))
        printf(" %11.3f", json_number_value(value) * 1e-6);
    else
        printf(" %11s", "-");
}
static void print_error(const json_t *row, const char *key) {
    const json_t *value = json_object_get(row, key);
    if (json_is_number(value))
        printf(" %+8.2f %%", json_number_value(value) * 100);
    else
        printf(" %10s", "-");
}

static void print_queue(const json_t *queue) {
    const json_t *row;
    size_t i;
    printf("%s at utilisation %.1f, service time 1 ms, %.0f requests\n", text_of(queue, "scenario"),
           number_of(queue, "utilisation"), number_of(queue, "requests"));
    printf("  %-7s %11s %11s %10s %11s %10s %11s\n", "ms", "measured", "planned", "off", "replayed",
           "off", "closed form");
    json_array_foreach(json_object_get(queue, "rows"), i, row) {
        printf("  %-7s", text_of(row, "name"));
        print_ms(row, "measured_ns");
        print_ms(row, "planned_ns");
        print_error(row, "planned_error");
        print_ms(row, "replayed_ns");
        print_error(row, "replayed_error");
        print_ms(row, "closed_form_ns");
        putchar('\n');
    }
    printf("  %s\n\n", text_of(queue, "verdict"));
}

static void print_theory(const json_t *theory) {
    const json_t *stall = json_object_get(theory, "stall"), *one;
    size_t i;
    printf(
        "planned: Lindley's recursion on the arrivals and service times of the seed; replayed: on "
        "the\nmeasured service times and idle gaps; closed form: of a run without end\n\n");
    json_array_foreach(json_object_get(theory, "queues"), i, one) print_queue(one);
    printf("stall of %.3f ms in %.1f s, 2 workers, %.0f requests\n",
           number_of(stall, "stall_ns") * 1e-6, number_of(stall, "length_s"),
           number_of(stall, "requests"));
    printf("  %-7s %11s %11s %10s\n", "ms", "measured", "predicted", "off");
    json_array_foreach(json_object_get(stall, "rows"), i, one) {
        printf("  %-7s", text_of(one, "name"));
        print_ms(one, "measured_ns");
        print_ms(one, "predicted_ns");
        print_error(one, "error");
        putchar('\n');
    }
    printf("  %s\n", text_of(stall, "verdict"));
}

static void tell(const char *what) {
    fprintf(stderr, "measuring %s\n", what);
}

/* What this machine can tell, and whether races can be found on it. */
static json_t *doctor_all(double seconds, struct error *error) {
    json_t *doctor = doctor_json(seconds, error);
    if (doctor) {
        spawn_begin();
        json_object_set_new(doctor, "races", race_ready_json());
    }
    return doctor;
}

int command_doctor(int argc, char **argv) {
    struct arguments arguments = {0};
    struct error error = {0};
    if (!parse(&arguments, argc, argv, &error))
        return tell_error(&error);
    if (arguments.help)
        return fputs(help, stdout) < 0;
    if (arguments.calibrate)
        catch_interrupts();
    double seconds = arguments.seconds;
    json_t *found = arguments.calibrate ? theory_all(seconds > 0 ? seconds : CALIBRATE_S,
                                                     arguments.seed, tell, &error)
                                        : doctor_all(seconds > 0 ? seconds : DOCTOR_S, &error);
    if (!found)
        return tell_error(&error);
    if (arguments.json)
        json_dumpf(found, stdout, JSON_INDENT(1)), putchar('\n');
    else if (arguments.calibrate)
        print_theory(found);
    else
        print_doctor(found);
    bool wrong = arguments.calibrate && !json_is_true(json_object_get(found, "agrees"));
    json_decref(found);
    return wrong ? EXIT_FINDING : 0;
}
