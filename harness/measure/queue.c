/* SPDX-License-Identifier: MIT */
/* queue.c - Lindley's recursion and closed forms. */
#include "measure/queue.h"

#include <math.h>
#include <stdlib.h>

#define BISECTIONS 200
#define ERLANG_TERM_MAX 20.0

struct queue_request *queue_requests(const struct load_plan *plan, const struct load_record *record,
                                     uint32_t worker, size_t *count) {
    *count = record->done < LOAD_TRACE_MAX ? record->done : LOAD_TRACE_MAX;
    struct queue_request *requests = plan->open ? calloc(*count + 1, sizeof *requests) : NULL;
    if (!requests)
        return NULL;
    struct schedule schedule = schedule_make(plan->arrivals, plan->start_ns, plan->rate, plan->seed,
                                             worker, plan->workers);
    for (size_t k = 0; k < *count; k++)
        requests[k] = (struct queue_request){.due_ns = schedule_next_ns(&schedule, k),
                                             .start_ns = record->trace[k].start_ns,
                                             .end_ns = record->trace[k].end_ns};
    return requests;
}

void queue_lindley(const uint64_t *due_ns, const uint64_t *service_ns, const uint64_t *gap_ns,
                   size_t count, uint64_t *response_ns) {
    uint64_t free_ns = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t begin_ns = free_ns > due_ns[i] ? free_ns : due_ns[i];
        free_ns = begin_ns + (gap_ns ? gap_ns[i] : 0) + service_ns[i];
        response_ns[i] = free_ns - due_ns[i];
    }
}

double queue_mm1_quantile(double service, double utilisation, double p) {
    return -log(1 - p) * service / (1 - utilisation);
}
double queue_mm1_mean(double service, double utilisation) {
    return service / (1 - utilisation);
}
double queue_md1_mean(double service, double utilisation) {
    return service + service * utilisation / (2 * (1 - utilisation));
}

/* P(W <= t): Erlang 1909; terms alternate in sign and grow with utilisation * t / service. */
static double md1_waiting(double service, double utilisation, double t) {
    double sum = 0, rate = utilisation / service;
    for (double k = 0; k <= floor(t / service); k++) {
        double x = rate * (t - k * service), term = exp(x);
        for (double j = 1; j <= k; j++)
            term *= -x / j;
        sum += term;
    }
    return (1 - utilisation) * sum;
}

double queue_md1_quantile(double service, double utilisation, double p) {
    double low = 0, high = ERLANG_TERM_MAX * service / utilisation;
    if (md1_waiting(service, utilisation, 0) >= p)
        return service;
    if (md1_waiting(service, utilisation, high) < p)
        return NAN;
    for (int i = 0; i < BISECTIONS; i++) {
        double middle = (low + high) / 2;
        if (md1_waiting(service, utilisation, middle) < p)
            low = middle;
        else
            high = middle;
    }
    return service + high;
}

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void queue_sort(uint64_t *values_ns, size_t count) {
    qsort(values_ns, count, sizeof *values_ns, by_value);
}

uint64_t queue_quantile_ns(const uint64_t *sorted_ns, size_t count, double p) {
    double rank = ceil(p * (double)count * (1 - 1e-12));
    size_t index = rank < 1 ? 0 : (size_t)rank - 1;
    return sorted_ns[index < count ? index : count - 1];
}
