/* SPDX-License-Identifier: MIT */
/* microvm.c - a host of short-lived sessions at high density, each booted by a thread of its own.
 *
 * After microVM hosts (Agache et al.: Firecracker: Lightweight Virtualization for Serverless
 * Applications, 2020): a host has so many slots, each with one session. Most
 * requests are a few disk and network transfers of one session: the guest's pages are looked up in
 * its map (whose tables are made when first touched), its device's ring is filled, and the bytes
 * pass through buffers of the request. Frames have the sizes of the Internet mix (64, 594 and 1518
 * bytes as 7 : 4 : 1), disk transfers a page. The others end a session, give back all that it held,
 * and boot another in its slot: a new thread attaches, allocates page map, rings and buffers in a
 * scope of its own, hands that over and exits. So a session's memory outlives the thread that
 * allocated it, serves whichever worker comes, and is freed by one that did not allocate it. In
 * `resident` of the slots the thread stays as long as its session and sleeps, as an idle guest's
 * processor does: collectors have to know of them. At most `boots` boot at once.
 *
 * Stresses threads that come and go, what a heap does with memory whose thread has exited, and
 * allocation in bursts of some 60 KiB beside a live set of thousands of sessions. Read the high
 * percentiles, which are boots, against those with `--param replaced=0`, and the memory at the end
 * against the live bytes: what is abandoned and not taken up again shows there.
 */
#include "load/microvm_guest.h"
#include "load/own_thread.h"

#include <stdio.h>

#define TRANSFERS_MAX 8
#define SESSIONS_MAX (1u << 20)

/* State memory. Its lock guards all of it, and makes its holder the user of the session's scope. */
struct slot {
    pthread_mutex_t lock;
    uint64_t number, serial;
    uint64_t replaced, served; /* before this session; since reset */
    mem_scope *scope;
    struct session *session; /* owned */
    struct state *state;
    mem_parcel booted; /* by the thread that boots, until the slot has it */
    pthread_t thread;
    bool resident;
    sem_t ready, end; /* of a resident thread: its session has booted; it is to exit */
};
struct state {
    struct slot *slots; /* state memory too */
    uint64_t count, replaced_per_mille;
    sem_t boots;                 /* that may begin */
    _Atomic uint64_t live_bytes; /* relaxed: read when no worker runs */
};
struct transfer {
    uint32_t page, device, length;
};
struct request {
    uint32_t slot, count; /* of transfers; 0: replace the session */
    struct transfer transfers[TRANSFERS_MAX];
};

/* The thread of a session. */
static void *boot_thread(void *argument) {
    struct slot *slot = argument;
    bool resident = slot->resident;
    mem_thread *t = mem_attach();
    mem_scope *s = mem_scope_begin(t);
    struct session *session = session_new(t, s, slot->number, slot->serial);
    slot->booted = mem_send(t, s, &session_type, session, 1);
    if (resident) {
        mem_block(t);
        sem_post(&slot->ready);
        wait_for(&slot->end);
        mem_unblock(t);
    }
    mem_detach(t);
    return NULL;
}

/* Waits for a boot, in block: until the thread has exited, or until it sleeps. */
static void await_boot(struct slot *slot) {
    wait_for(&slot->state->boots);
    slot->thread = own_thread(boot_thread, slot);
    if (slot->resident)
        wait_for(&slot->ready);
    else
        pthread_join(slot->thread, NULL);
    sem_post(&slot->state->boots);
}

static void count_bytes(struct state *state, uint64_t more, uint64_t less) {
    if (more != less)
        atomic_fetch_add_explicit(&state->live_bytes, more - less, memory_order_relaxed);
}

/* Under the slot's lock, as are all that follow. */
static void boot(mem_thread *t, struct slot *slot) {
    slot->serial++;
    mem_block(t);
    await_boot(slot);
    mem_unblock(t);
    slot->session = mem_receive(t, &slot->booted, &slot->scope);
    slot->booted = (mem_parcel){0};
    count_bytes(slot->state, slot->session->bytes, 0);
    mem_scope_leave(t, slot->scope);
}

static void end_session(mem_thread *t, struct slot *slot) {
    if (slot->resident) {
        mem_block(t);
        sem_post(&slot->end);
        pthread_join(slot->thread, NULL);
        mem_unblock(t);
    }
    mem_scope_enter(t, slot->scope);
    session_check(slot->session, slot->number, slot->serial);
    slot->served += slot->session->served;
    count_bytes(slot->state, 0, slot->session->bytes);
    mem_drop(t, slot->scope, &session_type, slot->session);
    slot->session = NULL;
    mem_scope_end(t, slot->scope);
    slot->scope = NULL;
}

static uint64_t replace(mem_thread *t, struct slot *slot) {
    end_session(t, slot);
    boot(t, slot);
    slot->replaced++;
    mem_scope_enter(t, slot->scope);
    uint64_t hash = slot->session->slot + slot->session->device_count;
    mem_scope_leave(t, slot->scope);
    return hash;
}

/* Passes the bytes of one transfer through a buffer of the request; returns their hash. */
static uint64_t serve(mem_thread *t, mem_scope *s, struct slot *slot,
                      const struct transfer *transfer) {
    struct session *session = slot->session;
    uint64_t address = session_page(t, slot->scope, session, transfer->page);
    const struct device *device = session_device(session, transfer->device);
    const struct buffer *from = mem_get(&device->buffer);
    struct buffer *to = buffer_new(t, s, transfer->length);
    for (uint64_t at = 0, part; at < to->length; at += part) {
        part = to->length - at < from->length ? to->length - at : from->length;
        memcpy(to->bytes + at, from->bytes, part);
    }
    queue_push(mem_get(&device->queue), address, transfer->length);
    session->served++;
    uint64_t hash = hash_bytes(address, to->bytes, to->length);
    mem_drop(t, s, &buffer_type, to);
    return hash;
}

static uint64_t serve_all(mem_thread *t, struct slot *slot, const struct request *request) {
    uint64_t hash = 0;
    mem_scope *s = mem_scope_begin(t);
    mem_scope_enter(t, slot->scope);
    uint64_t before = slot->session->bytes;
    for (uint32_t i = 0; i < request->count; i++)
        hash = hash_pair(hash, serve(t, s, slot, &request->transfers[i]));
    count_bytes(slot->state, slot->session->bytes, before);
    mem_scope_leave(t, slot->scope);
    mem_scope_end(t, s);
    return hash;
}

static uint64_t microvm_execute(mem_thread *t, void *prepared, uint64_t i, const void *in) {
    struct state *state = prepared;
    const struct request *request = in;
    struct slot *slot = &state->slots[request->slot];
    mem_unblock(t);
    scenario_lock(t, &slot->lock);
    uint64_t hash = request->count == 0 ? replace(t, slot) : serve_all(t, slot, request);
    pthread_mutex_unlock(&slot->lock);
    mem_block(t);
    return hash_pair(i, hash);
}

static uint32_t draw_length(rng *random) {
    uint64_t dice = rng_below(random, 24);
    return dice < 12 ? 4096 : dice < 19 ? 64 : dice < 23 ? 594 : 1518;
}

static void microvm_prepare(const void *prepared, uint64_t seed, uint64_t i, void *into) {
    const struct state *state = prepared;
    struct request *request = into;
    rng random = rng_at(seed, i);
    request->slot = (uint32_t)rng_below(&random, state->count);
    request->count = rng_below(&random, 1000) < state->replaced_per_mille
                         ? 0
                         : 1 + (uint32_t)rng_below(&random, TRANSFERS_MAX);
    for (uint32_t k = 0; k < request->count; k++) {
        /* low tables more often: a guest works in a part of its memory */
        uint64_t table = rng_below(&random, 1 + rng_below(&random, 1 + rng_below(&random, TABLES)));
        request->transfers[k].page =
            (uint32_t)(table * TABLE_ENTRIES + rng_below(&random, TABLE_ENTRIES));
        request->transfers[k].device = (uint32_t)rng_u64(&random);
        request->transfers[k].length = draw_length(&random);
    }
}

static void *microvm_setup(mem_thread *t, const struct scenario_setup *in) {
    const SCENARIO_PARAMS *params = in->params;
    if (in->live > SESSIONS_MAX) {
        snprintf(in->error, in->error_bytes, "microvm: live must be at most %u sessions",
                 SESSIONS_MAX);
        return NULL;
    }
    struct state *state = mem_state_new(sizeof *state);
    state->count = in->live;
    state->replaced_per_mille = params->replaced;
    state->slots = mem_state_new(state->count * sizeof *state->slots);
    sem_init(&state->boots, 0, (unsigned)params->boots);
    for (uint64_t i = 0; i < state->count; i++) {
        struct slot *slot = &state->slots[i];
        pthread_mutex_init(&slot->lock, NULL);
        sem_init(&slot->ready, 0, 0);
        sem_init(&slot->end, 0, 0);
        slot->number = i;
        slot->state = state;
        slot->resident = i < params->resident;
        boot(t, slot);
    }
    return state;
}

static void microvm_reset(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    for (uint64_t i = 0; i < state->count; i++) {
        struct slot *slot = &state->slots[i];
        slot->replaced = 0;
        mem_scope_enter(t, slot->scope);
        session_check(slot->session, slot->number, slot->serial);
        /* what this session has served so far is taken off when it ends */
        slot->served = 0 - slot->session->served;
        mem_scope_leave(t, slot->scope);
    }
}

static uint64_t microvm_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    return atomic_load_explicit(&state->live_bytes, memory_order_relaxed);
}

static uint64_t microvm_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < state->count; i++) {
        struct slot *slot = &state->slots[i];
        end_session(t, slot);
        sum += hash_pair(i, hash_pair(slot->replaced, slot->served));
        sem_destroy(&slot->ready);
        sem_destroy(&slot->end);
        pthread_mutex_destroy(&slot->lock);
    }
    sem_destroy(&state->boots);
    mem_state_free(state->slots);
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_microvm = {.name = "microvm",
                                          .request_bytes = sizeof(struct request),
                                          .setup = microvm_setup,
                                          .prepare = microvm_prepare,
                                          .execute = microvm_execute,
                                          .reset = microvm_reset,
                                          .live_bytes = microvm_live_bytes,
                                          .finish = microvm_finish,
                                          SCENARIO_MEMORY};
