/* SPDX-License-Identifier: MIT */
/* idle.c - spins and sleeps, and turns gaps into what a request would have felt. */
#include "measure/idle.h"

#include "base/clock.h"
#include "measure/noise.h"

#include <sched.h>
#include <string.h>

struct spin {
    struct idle_noise *into;
    cpu_set_t allowed;
};

/* The last processor of a set, as workers take it; -1 of an empty one. */
static int last_cpu(const cpu_set_t *set) {
    int last = -1;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET((size_t)cpu, set))
            last = cpu;
    return last;
}

static int pin_last(const cpu_set_t *allowed) {
    cpu_set_t one;
    int cpu = last_cpu(allowed);
    if (cpu < 0)
        return -1;
    CPU_ZERO(&one);
    CPU_SET((size_t)cpu, &one);
    return pthread_setaffinity_np(pthread_self(), sizeof one, &one) == 0 ? cpu : -1;
}

static void *spin_main(void *argument) {
    struct spin *spin = argument;
    struct idle_noise *into = spin->into;
    into->cpu = pin_last(&spin->allowed);
    uint64_t last_ns = clock_now_ns(), end_ns = last_ns + (uint64_t)(into->length_s * 1e9);
    while (last_ns < end_ns) {
        uint64_t now_ns = clock_now_ns();
        histogram_record(&into->gaps, now_ns - last_ns);
        last_ns = now_ns;
    }
    return NULL;
}

/* The sleeper inherits where the thread that starts it may run: everywhere but beside the spin. */
static bool start_sleeper(const cpu_set_t *allowed, struct hiccups *hiccups,
                          struct histogram *record) {
    cpu_set_t others = *allowed;
    if (CPU_COUNT(allowed) < 2)
        return false;
    CPU_CLR((size_t)last_cpu(allowed), &others);
    sched_setaffinity(0, sizeof others, &others);
    bool started = hiccups_start(hiccups, record);
    sched_setaffinity(0, sizeof *allowed, allowed);
    return started;
}

bool idle_measure(double length_s, struct idle_noise *into) {
    struct spin spin = {.into = into};
    struct hiccups hiccups;
    pthread_t thread;
    memset(into, 0, sizeof *into); /* touches the histograms as well */
    into->length_s = length_s;
    if (sched_getaffinity(0, sizeof spin.allowed, &spin.allowed) != 0)
        CPU_ZERO(&spin.allowed);
    into->steal_s = noise_steal_s();
    into->sleeps_taken = start_sleeper(&spin.allowed, &hiccups, &into->sleeps);
    bool started = pthread_create(&thread, NULL, spin_main, &spin) == 0;
    if (started)
        pthread_join(thread, NULL);
    if (into->sleeps_taken)
        hiccups_stop(&hiccups);
    if (into->steal_s >= 0)
        into->steal_s = noise_steal_s() - into->steal_s;
    return started;
}

/* A request due at a random time waits for the rest of the gap that it falls into. The time that
 * lies farther than x before its gap's end is the sum over gaps g > x of g - x. */
uint64_t idle_request_ns(const struct histogram *gaps, double p) {
    double sum_ns = 0, beyond_ns, count = 0, length = 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        sum_ns += (double)gaps->buckets[i] * (double)histogram_highest_ns(i);
    beyond_ns = (1 - p) * sum_ns;
    for (uint32_t i = HISTOGRAM_BUCKETS; i-- > 0;) {
        double gap_ns = (double)histogram_highest_ns(i);
        if (count > 0 && length - count * gap_ns >= beyond_ns)
            break;
        count += (double)gaps->buckets[i];
        length += (double)gaps->buckets[i] * gap_ns;
    }
    return count > 0 && length > beyond_ns ? (uint64_t)((length - beyond_ns) / count) : 0;
}
