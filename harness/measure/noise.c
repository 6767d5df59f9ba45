/* SPDX-License-Identifier: MIT */
/* noise.c - reads what the kernel tells of a run's disturbances. */
#include "measure/noise.h"

#include "base/clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define HICCUP_NS NS_PER_MS
#define HICCUP_STACK_BYTES ((size_t)64 << 10)

/* No stdio: what it allocates would be of the heap under test, and be counted. */
struct area_noise noise_of_thread(void) {
    struct rusage usage;
    char text[128] = "";
    int fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    const char *second = length > 0 ? strchr(text, ' ') : NULL;
    if (fd >= 0)
        close(fd);
    getrusage(RUSAGE_THREAD, &usage);
    return (struct area_noise){.run_delay_ns = second ? strtoull(second, NULL, 10) : 0,
                               .voluntary_switches = (uint64_t)usage.ru_nvcsw,
                               .involuntary_switches = (uint64_t)usage.ru_nivcsw,
                               .faults_minor = (uint64_t)usage.ru_minflt,
                               .faults_major = (uint64_t)usage.ru_majflt};
}

double noise_steal_s(void) {
    unsigned long long ticks;
    FILE *file = fopen("/proc/stat", "re");
    bool read = file && fscanf(file, "cpu %*u %*u %*u %*u %*u %*u %*u %llu", &ticks) == 1;
    if (file)
        fclose(file);
    return read ? (double)ticks / (double)sysconf(_SC_CLK_TCK) : -1;
}

double noise_pressure_s(void) {
    char line[256];
    FILE *file = fopen("/proc/pressure/cpu", "re");
    bool read = file && fgets(line, sizeof line, file);
    const char *total = read ? strstr(line, "total=") : NULL;
    if (file)
        fclose(file);
    return total ? (double)strtoull(total + 6, NULL, 10) * 1e-6 : -1;
}

static void *hiccups_main(void *argument) {
    struct hiccups *hiccups = argument;
    uint64_t due_ns = clock_now_ns();
    /* relaxed: one wake-up more or less does not matter, and join orders the record */
    while (!atomic_load_explicit(&hiccups->stop, memory_order_relaxed)) {
        due_ns += HICCUP_NS;
        clock_sleep_until_ns(due_ns);
        uint64_t now_ns = clock_now_ns();
        histogram_record(hiccups->record, now_ns - due_ns);
        due_ns += (now_ns - due_ns) / HICCUP_NS * HICCUP_NS; /* one record for one hiccup */
    }
    return NULL;
}

bool hiccups_start(struct hiccups *hiccups, struct histogram *record) {
    hiccups->record = record;
    atomic_init(&hiccups->stop, false);
    /* a small stack: it counts against the budget of the program under test */
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, HICCUP_STACK_BYTES);
    bool started = pthread_create(&hiccups->thread, &attributes, hiccups_main, hiccups) == 0;
    pthread_attr_destroy(&attributes);
    return started;
}

void hiccups_stop(struct hiccups *hiccups) {
    atomic_store_explicit(&hiccups->stop, true, memory_order_relaxed);
    pthread_join(hiccups->thread, NULL);
}
