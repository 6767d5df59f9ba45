/* SPDX-License-Identifier: MIT */
/* noise.h - what the machine does to a run: switches, faults, run delay, steal, pressure, hiccups.
 */
#ifndef TAILRACE_MEASURE_NOISE_H
#define TAILRACE_MEASURE_NOISE_H

#include "measure/area.h"

#include <pthread.h>

/* Counters of the calling thread since it began (getrusage, schedstat). Takes about 20 us. */
struct area_noise noise_of_thread(void);

/* Steal time of all processors and time that some task waited for a processor (PSI), since boot, in
 * seconds; negative where the kernel does not tell. */
double noise_steal_s(void);
double noise_pressure_s(void);

/* A thread that sleeps 1 ms at a time, by the absolute clock, and records how much too late it
 * wakes: a control that does no work. Records between start and stop. */
struct hiccups {
    pthread_t thread;
    _Atomic bool stop;
    struct histogram *record;
};
bool hiccups_start(struct hiccups *hiccups, struct histogram *record);
void hiccups_stop(struct hiccups *hiccups);

#endif
