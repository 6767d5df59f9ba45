/* SPDX-License-Identifier: MIT */
/* stalled_reader.c - configuration snapshots (config.h) while one reader stands still.
 *
 * A thread of the scenario's own begins to read before the first request and stays in that read, in
 * block, until all are done: as one that was swapped out, stopped in a debugger, or waits for the
 * network inside its read. What defers reclamation until the readers of its time have left
 * reclaims nothing meanwhile; what protects single objects reclaims all but that one snapshot.
 */
#include "load/config.h"

#include <semaphore.h>

#define UPDATE_PER_MILLE 30
#define READER_STACK_BYTES ((size_t)256 << 10)

struct state {
    struct configs configs; /* first: it is what configs_prepare, execute and reset take */
    pthread_t reader;
    sem_t reading, finish;
    uint64_t hash; /* of what the reader still finds at its end */
};

static void wait_for(sem_t *event) {
    while (sem_wait(event) != 0) /* interrupted by a collector's signal */
        ;
}

static void *stand_still(void *argument) {
    struct state *state = argument;
    mem_thread *t = mem_attach();
    struct snapshot *first = mem_slot_read(t, &state->configs.each[0].board->current);
    mem_block(t);
    sem_post(&state->reading);
    wait_for(&state->finish);
    mem_unblock(t);
    for (uint64_t key = 0; key < state->configs.entries; key++) {
        const struct entry *entry = snapshot_find(first, key);
        state->hash += hash_pair(entry->updates, entry_hash(entry));
    }
    mem_slot_read_end(t, &snapshot_type, first);
    mem_detach(t);
    return NULL;
}

static void start_reader(mem_thread *t, struct state *state) {
    pthread_attr_t attributes;
    sem_init(&state->reading, 0, 0);
    sem_init(&state->finish, 0, 0);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, READER_STACK_BYTES);
    if (pthread_create(&state->reader, &attributes, stand_still, state) != 0)
        host_out_of_memory(READER_STACK_BYTES);
    pthread_attr_destroy(&attributes);
    mem_block(t);
    wait_for(&state->reading);
    mem_unblock(t);
}

static uint64_t end_reader(mem_thread *t, struct state *state) {
    sem_post(&state->finish);
    mem_block(t);
    pthread_join(state->reader, NULL);
    mem_unblock(t);
    sem_destroy(&state->reading);
    sem_destroy(&state->finish);
    return state->hash;
}

static void *stalled_reader_setup(mem_thread *t, const struct scenario_setup *in) {
    struct state *state = mem_state_new(sizeof *state);
    if (!configs_setup(t, &state->configs, UPDATE_PER_MILLE, in))
        return NULL;
    start_reader(t, state);
    return state;
}

static uint64_t stalled_reader_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    uint64_t sum = end_reader(t, state);
    sum += configs_finish(t, &state->configs);
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_stalled_reader = {.name = "stalled-reader",
                                                 .request_bytes = sizeof(struct config_request),
                                                 .setup = stalled_reader_setup,
                                                 .prepare = configs_prepare,
                                                 .execute = configs_execute,
                                                 .reset = configs_reset,
                                                 .live_bytes = configs_live_bytes,
                                                 .finish = stalled_reader_finish,
                                                 SCENARIO_MEMORY};
