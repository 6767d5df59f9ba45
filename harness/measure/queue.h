/* SPDX-License-Identifier: MIT */
/* queue.h - what queueing theory says of arrivals and service times that are known.
 *
 * Lindley's recursion (1952) over the requests of one worker, in the order of their arrival, and
 * the closed forms of M/D/1 and M/M/1. Times in nanoseconds; nothing here reads a clock.
 */
#ifndef TAILRACE_MEASURE_QUEUE_H
#define TAILRACE_MEASURE_QUEUE_H

#include "measure/load.h"

/* One request as it was: due, and when service began and ended. */
struct queue_request {
    uint64_t due_ns, start_ns, end_ns;
};

/* The traced requests of a worker with their due times, which the plan gives again. The caller
 * frees the array; *count gets its length. NULL where memory ran out or the plan is closed. */
struct queue_request *queue_requests(const struct load_plan *plan, const struct load_record *record,
                                     uint32_t worker, size_t *count);

/* Response times if request i took service_ns[i] and began gap_ns[i] after it could have (gap_ns
 * NULL: at once). The first finds the worker idle. response_ns gets `count` values. */
void queue_lindley(const uint64_t *due_ns, const uint64_t *service_ns, const uint64_t *gap_ns,
                   size_t count, uint64_t *response_ns);

/* M/M/1: the response time's quantile p, and its mean. rate and service in the same unit of time.
 */
double queue_mm1_quantile(double service, double utilisation, double p);
double queue_mm1_mean(double service, double utilisation);
/* M/D/1: mean response (Pollaczek-Khinchine), and the quantile by Erlang's distribution of the
 * waiting time, inverted by bisection. The series loses its digits where (utilisation * waiting
 * time / service) is above about 20, so the quantile is NaN where it would need that. */
double queue_md1_mean(double service, double utilisation);
double queue_md1_quantile(double service, double utilisation, double p);

/* The smallest of `count` sorted values that at least a share p of them does not exceed. */
uint64_t queue_quantile_ns(const uint64_t *sorted_ns, size_t count, double p);
void queue_sort(uint64_t *values_ns, size_t count);

#endif
