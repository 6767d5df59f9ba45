/* SPDX-License-Identifier: MIT */
/* meter.h - times loops: what every program of callcost has in common but for the loops themselves.
 *
 * Each way of using a subject (a strategy, or a bare library) is timed in a child process of its
 * own, so that none finds a heap that another left behind, and a crash costs one line of results.
 * Timed are stretches of whole batches, METER_STRETCH_NS or longer, after warm-up of half the time.
 */
#ifndef TAILRACE_CALLCOST_METER_H
#define TAILRACE_CALLCOST_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define METER_STRETCH_NS 150000
#define METER_STOPS_WANTED 3 /* a collector is run until it has collected as often ... */
#define METER_PATIENCE 10    /* ... but at most so many times as long as others */
#define METER_CHILD_S 60     /* what takes longer is killed */

struct meter_way {
    bool can; /* if not, it is left out */
    const char *mode;
    uint32_t size, batch;   /* bytes of an object; objects (or pairs) to a pass */
    void (*begin)(void *t); /* before the first run; or NULL */
    void (*run)(void *t, uint64_t passes, uint64_t batch);
    void (*serve)(void *t, uint64_t item, uint64_t batch); /* on the partner thread; or NULL */
};
struct meter_program {
    const char *name;
    const struct meter_way *ways;
    size_t way_count;
    void (*start)(void);     /* in the child, first of all */
    void *(*attach)(void);   /* on each thread, what its other calls are given as t */
    void (*idle)(void *t);   /* again and again by who waits */
    uint64_t (*stops)(void); /* collections so far; NULL where nothing collects */
};

/* The main function of a program: prints a line of JSON about itself and one for each way. */
int meter_main(int argc, char **argv, const struct meter_program *program);

/* Ends the child with this as the result of its way. */
_Noreturn void meter_fail(const char *sentence);

/* The partner: a second thread on another processor that serves items in the order in which they
 * are sent. What was written before send is seen by its serve, what that wrote after wait. */
uint64_t partner_sent(void); /* how many: the number of the next one */
void partner_send(void);
void partner_wait(void *t, uint64_t behind); /* until at most so many are not served yet */

#endif
