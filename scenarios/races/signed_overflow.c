/* SPDX-License-Identifier: MIT */
/* signed_overflow.c - the time that a worker was busy is added up in microseconds, in an int.
 *
 * Mechanism: 2147 seconds later it does not fit, which C leaves undefined.
 */
#include "races/case.h"

#define REQUESTS 3000
#define REQUEST_US 1000000

#if BUG
typedef int microseconds;
#else
typedef long microseconds;
#endif

static microseconds busy_us;

static void *work(void *unused) {
    for (int i = 0; i < REQUESTS; i++)
        busy_us += REQUEST_US; /* FAULT a */
    return unused;
}

int main(void) {
    pthread_t worker;
    pthread_create(&worker, NULL, work, NULL);
    pthread_join(worker, NULL);
    oracle(busy_us > 0, "it was busy for less than no time");
    return 0;
}
