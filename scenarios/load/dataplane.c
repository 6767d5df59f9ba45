/* SPDX-License-Identifier: MIT */
/* dataplane.c - a router that translates addresses: frames in bursts, handed from thread to thread.
 *
 * After DPDK's sample routers (l3fwd: bursts of 32; a pipeline of cores joined by rings), with a
 * packet's descriptor and its bytes apart, each of its own size, as the Linux kernel has them. A
 * worker receives burst i as a driver does (a scope with a descriptor and a buffer for each frame,
 * filled from the capture), puts it into the receive ring, and takes the oldest one out of it,
 * whoever put it there. It parses each frame (Ethernet, IPv4 or IPv6, TCP or UDP, DNS), frees the
 * malformed ones at once, looks the others' flows up in a sharded table with LRU eviction, rewrites
 * them (hop count; for IPv4 source address and port, checksums by RFC 1624) and puts the burst into
 * the transmit ring. A thread of the scenario's own takes bursts from there and frees them; it is
 * woken for every COALESCED of them, as by a network card that coalesces its interrupts. A worker
 * that finds the transmit ring full (the transmitter had no processor) frees its burst itself.
 *
 * So a request is one burst received and one burst, `ring` bursts older, handled: as much work as
 * its own takes, whether one worker takes turns with itself or many pass bursts to each other. The
 * ring is filled in set-up and never runs empty, so nobody waits for frames; nobody waits for the
 * transmitter either. What a latency has not in it is the passage through the ring, which the
 * load, not the memory, decides. A burst is allocated by one worker, added to by whichever takes it
 * out of the ring, and freed by the transmitter.
 *
 * Frame sizes are Simple IMIX (64, 594 and 1518 bytes on the wire, 7:4:1); packets per flow follow
 * Zipf's law (Sarrar et al.: Leveraging Zipf's Law for Traffic Offloading, 2012). A malformed frame
 * has one fault of nine kinds, and the worker must find just that; checksums that were updated must
 * be what summing up gives; what was transmitted must be what was counted.
 *
 * Stresses memory that is allocated by one thread and freed by another, at two to three objects a
 * packet of 60 to 1514 bytes, beside long-lived flows that come and go one by one. Read its high
 * quantiles beside the peak of memory: what the transmitter frees has to come back to the workers,
 * and a strategy pays for that in time (locks, queues, frees from afar) or in memory that it holds
 * and cannot use.
 */
#include "load/dataplane_burst.h"
#include "load/dataplane_flows.h"
#include "load/dataplane_ring.h"
#include "load/own_thread.h"

#include <stdio.h>
#include <stdlib.h>

#define TRANSMIT_MAX 63 /* bursts that wait for the transmitter */
#define COALESCED 8
#define FLOWS_PER_LIVE 4

enum order { ORDER_NONE, ORDER_FLUSH, ORDER_STOP };
/* The counters are relaxed: sums that are read once all has been flushed. */
struct state {
    struct flows flows;
    struct ring received, transmitted;
    struct capture capture;
    struct wires *wires;
    uint32_t burst, ring; /* packets in a burst; bursts in the receive ring between requests */
    _Atomic uint64_t verdicts[VERDICTS], sent, handed_over, resident_bytes;
    pthread_t transmitter;
    sem_t work, idle;
    _Atomic uint32_t order;
};

struct request {
    struct wire *wire;
};

static void add(_Atomic uint64_t *counter, uint64_t number) {
    atomic_fetch_add_explicit(counter, number, memory_order_relaxed);
}
static uint64_t get(const _Atomic uint64_t *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* Receives a burst into the ring, which has room for one of each worker. */
static void receive(mem_thread *t, struct state *state, uint64_t number,
                    const struct request *request) {
    mem_scope *s = mem_scope_begin(t);
    struct burst *burst = burst_new(t, s, number, state->burst, request->wire);
    add(&state->resident_bytes, burst->bytes);
    if (!ring_put(t, &state->received, mem_send(t, s, &burst_type, burst, 1)))
        host_violation("dataplane: the receive ring is full");
}

/* What the network card has to do with a burst, and its end. */
static void transmit(mem_thread *t, struct state *state, const mem_parcel *parcel) {
    mem_scope *s;
    struct burst *burst = mem_receive(t, parcel, &s);
    add(&state->sent, burst_packets(burst));
    add(&state->resident_bytes, -burst->bytes);
    mem_drop(t, s, &burst_type, burst);
    mem_scope_end(t, s);
}

static void hand_over(mem_thread *t, struct state *state, mem_scope *s, struct burst *burst) {
    mem_parcel parcel = mem_send(t, s, &burst_type, burst, 1);
    if (!ring_put(t, &state->transmitted, parcel))
        transmit(t, state, &parcel);
    else if (atomic_fetch_add_explicit(&state->handed_over, 1, memory_order_relaxed) % COALESCED ==
             COALESCED - 1)
        sem_post(&state->work);
}

/* Returns the hash of the packet as it leaves the router. */
static uint64_t forward(mem_thread *t, struct state *state, mem_scope *s, struct burst *burst,
                        struct packet *packet, const struct parsed *parsed) {
    struct buffer *buffer = mem_get(&packet->buffer);
    uint64_t hash = 0;
    struct translation to = flows_count(t, &state->flows, &parsed->key, buffer->length);
    if (flow_number(&parsed->key) != packet->truth.flow)
        host_violation("dataplane: a packet was taken for one of another flow");
    if (parsed->is_dns)
        hash = note_name(t, s, burst, packet, parsed);
    rewrite_frame(buffer->bytes, parsed, &to);
    if (!checksums_hold(buffer->bytes, parsed))
        host_violation("dataplane: a checksum that was updated is wrong");
    return hash_bytes(hash, buffer->bytes, buffer->length);
}

/* Returns the hash of the packet, and drops it unless it is forwarded. */
static uint64_t handle_packet(mem_thread *t, struct state *state, mem_scope *s, struct burst *burst,
                              uint32_t k) {
    struct packet *packet = mem_get(&burst->packets[k]);
    const struct buffer *buffer = mem_get(&packet->buffer);
    struct parsed parsed;
    packet->verdict = parse_frame(buffer->bytes, buffer->length, &parsed);
    if (packet->verdict != packet->truth.verdict)
        host_violation("dataplane: a frame was not taken for what the generator made it");
    if (packet->verdict == FORWARD)
        return forward(t, state, s, burst, packet, &parsed);
    uint64_t hash = hash_bytes(packet->verdict, buffer->bytes, buffer->length);
    burst->bytes -= packet_bytes(packet);
    mem_set(t, s, burst, &burst->packets[k], &packet_type, NULL);
    return hash;
}

/* Handles the oldest burst in the receive ring and hands it over; returns its part of the checksum.
 */
static uint64_t handle_burst(mem_thread *t, struct state *state) {
    mem_parcel parcel;
    mem_scope *s;
    uint32_t dropped = 0;
    if (!ring_get(&state->received, &parcel))
        host_violation("dataplane: the receive ring is empty");
    struct burst *burst = mem_receive(t, &parcel, &s);
    uint64_t hash = 0, bytes = burst->bytes, number = burst->number;
    for (uint32_t k = 0; k < burst->count; k++) {
        enum verdict verdict = ((struct packet *)mem_get(&burst->packets[k]))->truth.verdict;
        hash = hash_pair(hash, handle_packet(t, state, s, burst, k));
        if (verdict != FORWARD) {
            add(&state->verdicts[verdict], 1);
            dropped++;
        }
    }
    add(&state->verdicts[FORWARD], burst->count - dropped);
    add(&state->resident_bytes, burst->bytes - bytes);
    hand_over(t, state, s, burst);
    return hash_pair(number, hash);
}

static uint64_t dataplane_execute(mem_thread *t, void *prepared, uint64_t i, const void *request) {
    struct state *state = prepared;
    mem_unblock(t);
    receive(t, state, i, request);
    uint64_t hash = handle_burst(t, state);
    mem_safepoint(t);
    mem_block(t);
    return hash;
}

static void dataplane_prepare(const void *prepared, uint64_t seed, uint64_t i, void *into) {
    const struct state *state = prepared;
    struct request *request = into;
    rng random = rng_at(seed, i);
    request->wire = wire_of_thread(state->wires);
    for (uint32_t k = 0; k < state->burst; k++)
        request->wire->truths[k] =
            capture_frame(&state->capture, &random, request->wire->frames[k]);
}

static void block_for(mem_thread *t, sem_t *event) {
    mem_block(t);
    wait_for(event);
    mem_unblock(t);
}

/* At each turn it looks at the order first: what was handed over before that came is in the ring,
 * which cannot hold more than one turn takes. */
static void *run_transmitter(void *argument) {
    struct state *state = argument;
    mem_thread *t = mem_attach();
    mem_parcel parcel;
    uint32_t order;
    do {
        block_for(t, &state->work);
        /* acquire: pairs with the release in give_order */
        order = atomic_load_explicit(&state->order, memory_order_acquire);
        for (int i = 0; i <= TRANSMIT_MAX && ring_get(&state->transmitted, &parcel); i++)
            transmit(t, state, &parcel);
        if (order != ORDER_NONE) {
            /* relaxed: the semaphore orders it */
            atomic_store_explicit(&state->order, ORDER_NONE, memory_order_relaxed);
            sem_post(&state->idle);
        }
    } while (order != ORDER_STOP);
    mem_detach(t);
    return NULL;
}

/* Returns when the transmit ring is empty and the transmitter idle, or about to end. */
static void give_order(mem_thread *t, struct state *state, enum order order) {
    /* release: pairs with the acquire in run_transmitter */
    atomic_store_explicit(&state->order, order, memory_order_release);
    sem_post(&state->work);
    block_for(t, &state->idle);
}

static void start_transmitter(struct state *state) {
    sem_init(&state->work, 0, 0);
    sem_init(&state->idle, 0, 0);
    state->transmitter = own_thread(run_transmitter, state);
}
static void stop_transmitter(mem_thread *t, struct state *state) {
    give_order(t, state, ORDER_STOP);
    own_thread_join(t, state->transmitter);
    sem_destroy(&state->work);
    sem_destroy(&state->idle);
}

/* Fills the receive ring: with the same bursts each time, numbered from the end of all numbers. */
static void prime(mem_thread *t, struct state *state) {
    struct request request;
    for (uint64_t i = UINT64_MAX; i > UINT64_MAX - state->ring; i--) {
        dataplane_prepare(state, state->capture.seed, i, &request);
        receive(t, state, i, &request);
        mem_safepoint(t);
    }
}

/* Handles what prime left in the ring. */
static uint64_t finish_ring(mem_thread *t, struct state *state) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < state->ring; i++) {
        sum += handle_burst(t, state);
        mem_safepoint(t);
    }
    return sum;
}

static const uint8_t *make_content(uint64_t seed) {
    rng random = rng_at(seed, 0xc0de);
    uint8_t *content = malloc(CONTENT_BYTES + FRAME_BYTES_MAX);
    if (!content)
        host_out_of_memory(CONTENT_BYTES + FRAME_BYTES_MAX);
    for (size_t i = 0; i < CONTENT_BYTES + FRAME_BYTES_MAX; i++)
        content[i] = (uint8_t)rng_u64(&random);
    return content;
}

static void *dataplane_setup(mem_thread *t, const struct scenario_setup *in) {
    const SCENARIO_PARAMS *p = in->params;
    if (in->live == 0 || in->live > FLOWS_MAX / FLOWS_PER_LIVE) {
        snprintf(in->error, in->error_bytes, "dataplane: live must be from 1 to %u flows",
                 FLOWS_MAX / FLOWS_PER_LIVE);
        return NULL;
    }
    struct state *state = mem_state_new(sizeof *state);
    uint64_t flow_count = in->live * FLOWS_PER_LIVE;
    state->burst = (uint32_t)p->burst;
    state->ring = (uint32_t)p->ring;
    state->capture = (struct capture){.seed = in->seed,
                                      .flow_count = flow_count,
                                      .malformed_per_mille = (uint32_t)p->malformed,
                                      .payload = (enum payload)p->payload,
                                      .flows = zipf_make(flow_count, ZIPF_EXPONENT),
                                      .content = make_content(in->seed)};
    flows_make(t, &state->flows, &state->capture, in->live);
    ring_make(&state->received, state->ring + in->threads);
    ring_make(&state->transmitted, TRANSMIT_MAX);
    state->wires = wires_make(in->threads + 1); /* the main thread's, which primes */
    start_transmitter(state);
    prime(t, state);
    return state;
}

static void dataplane_reset(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    finish_ring(t, state);
    give_order(t, state, ORDER_FLUSH);
    for (int i = 0; i < VERDICTS; i++)
        atomic_store_explicit(&state->verdicts[i], 0, memory_order_relaxed);
    atomic_store_explicit(&state->sent, 0, memory_order_relaxed);
    flows_reset(t, &state->flows);
    prime(t, state);
}

static uint64_t dataplane_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    return flows_live_bytes(&state->flows) + get(&state->resident_bytes);
}

static uint64_t dataplane_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    uint64_t packets, sum = finish_ring(t, state);
    stop_transmitter(t, state);
    sum += flows_close(t, &state->flows, &packets);
    if (get(&state->sent) != get(&state->verdicts[FORWARD]) || get(&state->sent) != packets)
        host_violation("dataplane: other packets were transmitted than were counted");
    if (get(&state->resident_bytes) != 0)
        host_violation("dataplane: bursts were left behind");
    for (uint64_t i = 0; i < VERDICTS; i++)
        sum += hash_pair(i, get(&state->verdicts[i]));
    ring_free(&state->received);
    ring_free(&state->transmitted);
    free(state->wires);
    free((void *)(uintptr_t)state->capture.content);
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_dataplane = {.name = "dataplane",
                                            .request_bytes = sizeof(struct request),
                                            .setup = dataplane_setup,
                                            .prepare = dataplane_prepare,
                                            .execute = dataplane_execute,
                                            .reset = dataplane_reset,
                                            .live_bytes = dataplane_live_bytes,
                                            .finish = dataplane_finish,
                                            SCENARIO_MEMORY};
