/* SPDX-License-Identifier: MIT */
/* pool_slot_uaf.c - a connection goes back to its pool, and its timer goes off afterwards.
 *
 * Mechanism: the timer was not cancelled and still points to the slot, which is on the pool's free
 * list, so that the list's link stands where the connection's number was.
 */
#define MEM_STRATEGY_ID arena_pool
#define MEM_STRATEGY_HEADER "memory/strategy_arena_pool.h"
#include "races/case.h"
#include "races/case_memory.h"

struct connection {
    uint64_t number, idle_ms;
};
static const mem_type connection_type = {.name = "connection", .size = sizeof(struct connection)};

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static struct connection *timed[2]; /* under guard, as the connections */
static bool right = true;

static void *run_timers(void *unused) {
    pthread_mutex_lock(&guard);
    for (uint64_t i = 0; i < 2; i++)
        if (timed[i])
            right &= timed[i]->number == i + 1; /* FAULT a */
    pthread_mutex_unlock(&guard);
    return unused;
}

static struct connection *connection_open(mem_thread *t, mem_scope *s, uint64_t number) {
    struct connection *connection = mem_new(t, s, &connection_type, 0);
    *connection = (struct connection){.number = number};
    timed[number - 1] = connection;
    return connection;
}

static void connection_close(mem_thread *t, mem_scope *s, struct connection *connection) {
    pthread_mutex_lock(&guard);
#if !BUG
    timed[connection->number - 1] = NULL;
#endif
    mem_drop(t, s, &connection_type, connection); /* FAULT b */
    pthread_mutex_unlock(&guard);
}

int main(void) {
    pthread_t timers;
    mem_init();
    mem_thread *t = mem_attach();
    mem_scope *s = mem_scope_begin(t);
    struct connection *first = connection_open(t, s, 1), *second = connection_open(t, s, 2);
    connection_close(t, s, first);
    pthread_create(&timers, NULL, run_timers, NULL);
    pthread_join(timers, NULL);
    connection_close(t, s, second);
    mem_scope_end(t, s);
    mem_detach(t);
    mem_fini();
    oracle(right, "a timer has another connection");
    return 0;
}
