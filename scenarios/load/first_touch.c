/* SPDX-License-Identifier: MIT */
/* first_touch.c - the first allocations of a thread: what a heap costs to start.
 *
 * After the second benchmark of Lever, Boreham: malloc() Performance in a Multithreaded Linux
 * Environment (2000), in which threads that have never allocated take over from others, and whose
 * measure is the page faults that their arenas take; thread caches, empty at first, are its heirs
 * (glibc's arenas and tcache, jemalloc, tcmalloc). A request is a fresh thread's whole life with
 * memory: it attaches, makes `live` objects of 16 bytes to `largest`, as many in each octave, fills
 * them, looks at them, drops them, detaches and ends, when heaps give a thread's caches back.
 *
 * Its start is not part of it: a thread of the scenario's own, the porter, creates threads beyond
 * the requests and lets them wait, up to WAITING_PER_WORKER for each worker. Only where requests
 * come faster than threads can be created do they wait for the porter. A request wakes one up and
 * joins it: that cost remains, and is all that the null control (none) has but for its own pages.
 *
 * Stresses what is done once per thread: choosing an arena, caches that are still empty, first
 * touches of pages, and the way back at the thread's end. Read each result against that of none,
 * which allocates next to nothing; what lies above it is the price of starting a thread on that
 * memory, which a pool of threads pays once.
 */
#include "load/own_thread.h"

#include <stdio.h>
#include <stdlib.h>

#define OBJECTS_MAX 4096
#define OBJECT_BYTES_MIN 16
#define OBJECT_BYTES_MAX ((uint32_t)1 << 20)
#define WAITING_PER_WORKER 4

struct object {
    uint64_t mark, length;
    unsigned char bytes[];
};
static const mem_type object_type = {
    .name = "object", .id = 0, .size = sizeof(struct object), .trailing_max = OBJECT_BYTES_MAX};

/* A thread that was created and waits for its request. Who holds it: the porter, then the stack of
 * those that wait, then a worker until it has joined it. */
struct visitor {
    struct visitor *next;
    const struct state *state;
    pthread_t thread;
    sem_t go;
    uint64_t seed, hash;
    bool idle; /* nothing to do but to end */
};
/* Plain memory: the scenario holds no objects between requests. */
struct state {
    pthread_mutex_t lock;
    struct visitor *waiting, *absent; /* under lock: created; joined, or never created */
    sem_t waiting_count, absent_count;
    pthread_t porter;
    bool closing; /* under lock */
    struct visitor *visitors;
    uint32_t visitor_count;
    uint64_t objects;
    double octaves; /* from the smallest object to the largest */
};
struct request {
    uint64_t seed;
};

static void push(struct state *state, struct visitor **stack, sem_t *count,
                 struct visitor *visitor) {
    pthread_mutex_lock(&state->lock);
    visitor->next = *stack;
    *stack = visitor;
    pthread_mutex_unlock(&state->lock);
    sem_post(count);
}
static struct visitor *pop(struct state *state, struct visitor **stack, sem_t *count) {
    wait_for(count);
    pthread_mutex_lock(&state->lock);
    struct visitor *visitor = *stack;
    if (visitor)
        *stack = visitor->next;
    pthread_mutex_unlock(&state->lock);
    return visitor;
}

static struct object *make(mem_thread *t, mem_scope *s, const struct state *state, rng *random) {
    double bytes = OBJECT_BYTES_MIN * exp2(rng_unit(random) * state->octaves);
    uint64_t length = (uint64_t)bytes - sizeof(struct object);
    struct object *object = mem_new(t, s, &object_type, length);
    object->mark = rng_u64(random);
    object->length = length;
    memset(object->bytes, (int)(object->mark & 0xff), length);
    return object;
}

/* The hash of an object, whose bytes must be as they were filled: its last one is looked at. */
static uint64_t look_at(const struct object *object) {
    uint64_t last = object->mark & 0xff;
    if (object->length > 0)
        last = object->bytes[object->length - 1];
    if (last != (object->mark & 0xff))
        host_violation("first-touch: an object is not as it was made");
    return hash_pair(object->mark, object->length + last);
}

/* A thread's life with memory. */
static uint64_t live(const struct state *state, uint64_t seed) {
    struct object *objects[OBJECTS_MAX];
    uint64_t hash = seed;
    rng random = rng_at(seed, 0);
    mem_thread *t = mem_attach();
    mem_scope *s = mem_scope_begin(t);
    for (uint64_t n = 0; n < state->objects; n++) {
        objects[n] = make(t, s, state, &random);
        mem_safepoint(t);
    }
    for (uint64_t n = 0; n < state->objects; n++) {
        hash = hash_pair(hash, look_at(objects[n]));
        mem_drop(t, s, &object_type, objects[n]);
    }
    mem_scope_end(t, s);
    mem_detach(t);
    return hash;
}

static void *visit(void *argument) {
    struct visitor *visitor = argument;
    wait_for(&visitor->go);
    if (!visitor->idle)
        visitor->hash = live(visitor->state, visitor->seed);
    return NULL;
}

/* Touches no objects, so it is not attached. */
static void *porter(void *argument) {
    struct state *state = argument;
    for (;;) {
        struct visitor *visitor = pop(state, &state->absent, &state->absent_count);
        pthread_mutex_lock(&state->lock);
        bool closing = state->closing;
        pthread_mutex_unlock(&state->lock);
        if (closing)
            break;
        visitor->thread = own_thread(visit, visitor);
        push(state, &state->waiting, &state->waiting_count, visitor);
    }
    return NULL;
}

/* The worker touches no objects, so it stays in block throughout. */
static uint64_t first_touch_execute(mem_thread *t, void *prepared, uint64_t i, const void *in) {
    struct state *state = prepared;
    const struct request *request = in;
    (void)t;
    struct visitor *visitor = pop(state, &state->waiting, &state->waiting_count);
    visitor->seed = request->seed;
    sem_post(&visitor->go);
    pthread_join(visitor->thread, NULL);
    uint64_t hash = visitor->hash;
    push(state, &state->absent, &state->absent_count, visitor);
    return hash_pair(i, hash);
}

static void first_touch_prepare(const void *state, uint64_t seed, uint64_t i, void *into) {
    struct request *request = into;
    rng random = rng_at(seed, i);
    (void)state;
    request->seed = rng_u64(&random);
}

static struct state *state_new(const struct scenario_setup *in) {
    struct state *state = calloc(1, sizeof *state);
    uint32_t count = in->threads * WAITING_PER_WORKER;
    struct visitor *visitors = calloc(count, sizeof *visitors);
    if (!state || !visitors)
        host_out_of_memory(count * sizeof *visitors);
    pthread_mutex_init(&state->lock, NULL);
    sem_init(&state->waiting_count, 0, 0);
    sem_init(&state->absent_count, 0, 0);
    state->visitors = visitors;
    state->visitor_count = count;
    for (uint32_t n = 0; n < count; n++) {
        visitors[n].state = state;
        sem_init(&visitors[n].go, 0, 0);
        push(state, &state->absent, &state->absent_count, &visitors[n]);
    }
    return state;
}

static void *first_touch_setup(mem_thread *t, const struct scenario_setup *in) {
    const SCENARIO_PARAMS *p = in->params;
    (void)t;
    if (in->live > OBJECTS_MAX) {
        snprintf(in->error, in->error_bytes, "first-touch: live must be at most %d objects",
                 OBJECTS_MAX);
        return NULL;
    }
    struct state *state = state_new(in);
    state->objects = in->live;
    state->octaves = log2((double)(p->largest << 10) / OBJECT_BYTES_MIN);
    state->porter = own_thread(porter, state);
    return state;
}

/* No value that requests change outlives them. */
static void first_touch_reset(mem_thread *t, void *state) {
    (void)t, (void)state;
}

/* The porter ends before those that wait are sent home. */
static uint64_t first_touch_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    pthread_mutex_lock(&state->lock);
    state->closing = true;
    pthread_mutex_unlock(&state->lock);
    sem_post(&state->absent_count);
    mem_block(t);
    pthread_join(state->porter, NULL);
    for (struct visitor *at = state->waiting; at; at = at->next) {
        at->idle = true;
        sem_post(&at->go);
        pthread_join(at->thread, NULL);
    }
    mem_unblock(t);
    for (uint32_t n = 0; n < state->visitor_count; n++)
        sem_destroy(&state->visitors[n].go);
    sem_destroy(&state->waiting_count);
    sem_destroy(&state->absent_count);
    pthread_mutex_destroy(&state->lock);
    free(state->visitors);
    free(state);
    return 0;
}

const struct scenario scenario_first_touch = {.name = "first-touch",
                                              .request_bytes = sizeof(struct request),
                                              .setup = first_touch_setup,
                                              .prepare = first_touch_prepare,
                                              .execute = first_touch_execute,
                                              .reset = first_touch_reset,
                                              .finish = first_touch_finish,
                                              SCENARIO_MEMORY};
