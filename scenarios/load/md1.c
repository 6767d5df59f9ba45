/* SPDX-License-Identifier: MIT */
/* md1.c - constant service time: with Poisson arrivals and one worker the queue M/D/1, an oracle.
 *
 * Stresses no memory at all but the harness: arrivals and queueing. Read the response time's
 * quantiles against those of Lindley's recursion (`doctor --calibrate` does), with one worker and
 * at a load below 0.9.
 */
#include "load/busy.h"

static void md1_prepare(const void *prepared, uint64_t seed, uint64_t i, void *into) {
    const struct busy_state *state = prepared;
    *(struct busy_request *)into = (struct busy_request){state->mean_ns, hash_pair(seed, i)};
}

const struct scenario scenario_md1 = {.name = "md1",
                                      .request_bytes = sizeof(struct busy_request),
                                      .setup = busy_setup,
                                      .prepare = md1_prepare,
                                      .execute = busy_execute,
                                      .reset = busy_reset,
                                      .finish = busy_finish,
                                      SCENARIO_MEMORY};
