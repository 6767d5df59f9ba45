/* SPDX-License-Identifier: MIT */
/* meter.c - runs each way in a child process, times it, prints a line of JSON for it. */
#include "meter.h"
#include "base/clock.h"
#include "base/error.h"
#include "run/heap_served.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SPINS_MAX 200 /* polls before a waiting thread gives its processor away */

static const char help[] =
    "usage: %s [--mode MODE] [--size BYTES] [--batch OBJECTS] [--time-us N]\n"
    "\n"
    "Times what one object costs: a line of JSON for each mode, size and batch, or for those that\n"
    "are given. --time-us: how long each is timed (8000); warm-up is half as long, a collector is\n"
    "timed until it has collected. Run by benches/callcost/run, which compares and repeats.\n";

static struct options {
    const char *mode;
    uint64_t size, batch, time_us;
} options = {.time_us = 8000};
static const struct meter_program *meter;
static const struct meter_way *way;

static struct {
    alignas(64) _Atomic uint64_t sent;
    alignas(64) _Atomic uint64_t served;
} partner;

static void begin_line(void) {
    printf("{\"mode\": \"%s\", \"size\": %u, \"batch\": %u, ", way->mode, way->size, way->batch);
}

_Noreturn void meter_fail(const char *sentence) {
    begin_line();
    printf("\"status\": \"%s\"}\n", sentence);
    fflush(stdout);
    _exit(EXIT_SUCCESS);
}

static void wait_for(void *t, _Atomic uint64_t *counter, uint64_t least) {
    /* acquire: pairs with the releases in partner_send and partner_main */
    for (uint32_t spins = 0; atomic_load_explicit(counter, memory_order_acquire) < least; spins++) {
        meter->idle(t);
        if (spins > SPINS_MAX)
            sched_yield();
    }
}

uint64_t partner_sent(void) {
    /* relaxed: the caller is the only one to write it */
    return atomic_load_explicit(&partner.sent, memory_order_relaxed);
}
void partner_send(void) {
    /* release: pairs with the acquire in wait_for, by the partner */
    atomic_store_explicit(&partner.sent, partner_sent() + 1, memory_order_release);
}
void partner_wait(void *t, uint64_t behind) {
    uint64_t sent = partner_sent();
    if (sent > behind)
        wait_for(t, &partner.served, sent - behind);
}

/* False where there is no such processor for us. */
static bool pin(int number) {
    cpu_set_t allowed, one;
    CPU_ZERO(&one);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return false;
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed) && number-- == 0) {
            CPU_SET(cpu, &one);
            return sched_setaffinity(0, sizeof one, &one) == 0;
        }
    return false;
}

static void *partner_main(void *unused) {
    (void)unused;
    if (!pin(1))
        meter_fail("needs two processors");
    void *t = meter->attach();
    /* release: pairs with the acquire in wait_for, by the main thread */
    atomic_store_explicit(&partner.served, 1, memory_order_release);
    for (uint64_t item = 1;; item++) {
        wait_for(t, &partner.sent, item + 1);
        way->serve(t, item, way->batch);
        /* release: as above */
        atomic_store_explicit(&partner.served, item + 1, memory_order_release);
    }
    return NULL;
}

/* The first item stands for the partner's start. */
static void start_partner(void *t) {
    pthread_t id;
    partner_send();
    if (pthread_create(&id, NULL, partner_main, NULL) != 0)
        meter_fail("no thread could be started");
    partner_wait(t, 0);
    if (!pin(0))
        meter_fail("needs two processors");
}

static uint64_t time_stretch(void *t, uint64_t passes) {
    uint64_t begin_ns = clock_now_ns();
    way->run(t, passes, way->batch);
    return clock_now_ns() - begin_ns;
}

/* Passes to a stretch. */
static uint64_t warm_up(void *t, uint64_t time_ns) {
    uint64_t passes = 1, sum_ns = 0, ns;
    do {
        ns = time_stretch(t, passes);
        sum_ns += ns;
        if (ns < METER_STRETCH_NS)
            passes *= 2;
    } while (ns < METER_STRETCH_NS || sum_ns < time_ns / 2);
    return passes;
}

static _Noreturn void run_way(void) {
    uint64_t time_ns = options.time_us * 1000, sum_ns = 0, count = 0, stretches = 0;
    alarm(METER_CHILD_S);
    meter->start();
    void *t = meter->attach();
    if (way->begin)
        way->begin(t);
    if (way->serve)
        start_partner(t);
    uint64_t passes = warm_up(t, time_ns);
    uint64_t stops = 0, stops_before = meter->stops ? meter->stops() : 0;
    do {
        sum_ns += time_stretch(t, passes);
        count += passes * way->batch;
        stretches++;
        stops = meter->stops ? meter->stops() - stops_before : 0;
    } while (sum_ns < time_ns ||
             (meter->stops && stops < METER_STOPS_WANTED && sum_ns < METER_PATIENCE * time_ns));
    begin_line();
    printf("\"status\": \"ok\", \"ns\": %.4f, \"count\": %" PRIu64 ", \"elapsed_ns\": %" PRIu64
           ", \"stretches\": %" PRIu64 ", \"collections\": ",
           (double)sum_ns / (double)count, count, sum_ns, stretches);
    if (meter->stops)
        printf("%" PRIu64 "}\n", stops);
    else
        printf("null}\n");
    fflush(stdout);
    _exit(EXIT_SUCCESS);
}

static bool run_child(void) {
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        run_way();
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (pid < 0 || (WIFEXITED(status) && WEXITSTATUS(status) != 0)) {
        fprintf(stderr, "%s: a child process failed\n", meter->name);
        return false;
    }
    if (WIFSIGNALED(status)) {
        begin_line();
        printf("\"status\": \"ended by signal %d%s\"}\n", WTERMSIG(status),
               WTERMSIG(status) == SIGALRM ? ": it took too long" : "");
    }
    return true;
}

static bool parse_number(const char *text, uint64_t *number) {
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return *text >= '1' && *text <= '9' && *end == '\0' && errno == 0 && *number < UINT32_MAX;
}

/* An exit status, or -1 to go on. */
static int parse(int argc, char **argv) {
    static const struct option known[] = {
        {"mode", required_argument, NULL, 'm'},  {"size", required_argument, NULL, 's'},
        {"batch", required_argument, NULL, 'b'}, {"time-us", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},        {0}};
    bool right = true;
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (option == 'h')
            return printf(help, meter->name) < 0;
        else if (option == 'm')
            options.mode = optarg;
        else if (option == 's')
            right &= parse_number(optarg, &options.size);
        else if (option == 'b')
            right &= parse_number(optarg, &options.batch);
        else if (option == 't')
            right &= parse_number(optarg, &options.time_us);
        else
            return EXIT_INPUT;
    }
    if (right && optind == argc)
        return -1;
    fprintf(stderr, "%s: takes numbers from 1 on, and no other arguments (--help)\n", meter->name);
    return EXIT_INPUT;
}

static bool is_wanted(void) {
    return way->can && (!options.mode || strcmp(options.mode, way->mode) == 0) &&
           (!options.size || options.size == way->size) &&
           (!options.batch || options.batch == way->batch);
}

int meter_main(int argc, char **argv, const struct meter_program *program) {
    char path[4096], version[128];
    meter = program;
    int status = parse(argc, argv);
    if (status >= 0)
        return status;
    heap_served(path, sizeof path, version, sizeof version);
    printf("{\"program\": \"%s\", \"heap_library\": \"%s\", \"heap_version\": \"%s\", "
           "\"clock_ns\": %.2f}\n",
           meter->name, path, version, clock_measure().cost_ns);
    size_t run = 0;
    for (size_t i = 0; i < meter->way_count; i++) {
        way = &meter->ways[i];
        if (!is_wanted())
            continue;
        run++;
        if (!run_child())
            return EXIT_LACKING;
    }
    if (run == 0) {
        fprintf(stderr, "%s: it has no such mode, size and batch\n", meter->name);
        return EXIT_INPUT;
    }
    return EXIT_SUCCESS;
}
