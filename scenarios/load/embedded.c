/* SPDX-License-Identifier: MIT */
/* embedded.c - devices with 32 KiB of memory for their objects, which answer when it is used up.
 *
 * After a CoAP server (RFC 7252) on a constrained node (RFC 7228, between its classes 1 and 2), as
 * Contiki-NG and RIOT have it: bounded queues, a hard bound for all, and 5.03 Service Unavailable
 * where a message finds no room, from a reserve that needs none. A device sleeps most of the time;
 * a request is a wake-up, which finds a burst of messages (its length exponential, mean `burst`)
 * and handles them in order, a few datagrams in the receive queue at a time: 35 % GET a reading, 20
 * % PUT one, which replaces it by a new object and notifies an observer, 35 % are blocks of
 * transfers (RFC 7959) that are kept until the last one is there, the rest acknowledgements,
 * duplicates and garbage. A confirmable message is remembered with its answer, for its duplicates;
 * the oldest of these make room. Readings, mixed from 64 to 896 bytes, stay for good and take four
 * fifths of the standard budget; all else is given back before the device sleeps again, so that
 * what is refused follows from the burst alone. Device and budget are the program's own count of
 * what it asked for; where the system itself runs out, that too is answered, and the run ends as
 * out of memory.
 *
 * Stresses mixed small sizes, allocated and given back in no order, among objects that stay but
 * move at every update: fragmentation under a bound that is kept by program, not by allocator. Read
 * peak memory against live bytes, which are the same under every strategy: what is beyond them is
 * what headers, fragments and garbage would add to each device's 32 KiB.
 */
#include "load/embedded_network.h"

#define LIVE_MAX ((uint64_t)1 << 16)
#define BURST_MAX 128
#define RECEIVE_MAX 12
#define OBSERVED_EVERY 4 /* readings */

struct state {
    struct device *devices; /* state memory too */
    uint64_t seed, live;
    double burst;
};
struct request {
    uint64_t device, seed;
    uint32_t messages;
};
static uint64_t packet_hash(const struct packet *packet) {
    return hash_bytes(packet->length, packet->bytes, packet->length);
}

/* 5.03, which takes no memory; returns its hash. */
static uint64_t refuse(const struct awake *a, uint64_t id) {
    a->device->refused++;
    return hash_pair(COAP_UNAVAILABLE, id);
}

static void get_reading(const struct awake *a, uint32_t number, struct coap_frame *answer) {
    const struct reading *reading = mem_get(&a->root->readings[number]);
    uint64_t bytes = reading->count * sizeof *reading->samples;
    if (!content_good(reading->samples, reading->count))
        host_violation("embedded: a reading has other samples than it was made with");
    answer->bytes[1] = COAP_CONTENT;
    coap_payload(answer, reading->samples,
                 (uint32_t)(bytes < COAP_BLOCK_BYTES_MAX ? bytes : COAP_BLOCK_BYTES_MAX));
}

/* Tells an observer, who has to acknowledge it; where there is no room it is left untold. */
static void notify(const struct awake *a, uint16_t id, const struct coap_message *message) {
    struct root *root = a->root;
    struct coap_frame frame;
    coap_begin(&frame, COAP_CONFIRMABLE, COAP_CONTENT, id, message->path);
    coap_payload(&frame, message->payload, message->payload_length);
    struct exchange *notice = root->outbox_count < OUTBOX_MAX && !exchange_find(&root->outbox, id)
                                  ? exchange_push(a, &root->outbox, &root->outbox_count, id)
                                  : NULL;
    struct packet *packet = notice ? packet_new(a, &frame) : NULL;
    if (packet)
        mem_set(a->t, a->s, notice, &notice->packet, &packet_type, packet);
    else if (notice)
        exchange_remove(a, &root->outbox, &root->outbox_count, notice);
    a->device->unsent += packet == NULL;
}

/* A new reading in the place of the old one: for that time the device has room for both, or it
 * refuses. */
static enum coap_code put_reading(const struct awake *a, const struct coap_message *message) {
    uint64_t value = 0;
    mem_ref *edge = &a->root->readings[message->path];
    struct reading *old = mem_get(edge);
    size_t samples_bytes = old->count * sizeof *old->samples;
    struct reading *reading = device_new(a, &reading_type, samples_bytes);
    if (!reading)
        return COAP_UNAVAILABLE;
    memcpy(&value, message->payload,
           message->payload_length < sizeof value ? message->payload_length : sizeof value);
    reading->sum = old->sum + value;
    reading->updates = old->updates + 1;
    reading->count = old->count;
    memcpy(reading->samples, old->samples, samples_bytes);
    a->device->used_bytes -= reading_bytes(old);
    mem_set(a->t, a->s, a->root, edge, &reading_type, reading);
    if (message->path % OBSERVED_EVERY == 0)
        notify(a, (uint16_t)(NOTICE_ID + message->id % ID_SPREAD), message);
    return COAP_CHANGED;
}

static void check_upload(const struct upload *upload) {
    const struct block *at = mem_get(&upload->blocks);
    for (; at; at = mem_get(&at->next))
        if (!content_good(at->bytes, at->length / sizeof(uint64_t)))
            host_violation("embedded: a block is not what was received");
}

/* Blocks come in order; where one was refused, the rest of that transfer is in vain. */
static enum coap_code put_block(const struct awake *a, const struct coap_message *message) {
    struct upload *upload = upload_find(a, message->token);
    uint32_t expected = upload ? upload->count : 0;
    if (message->block_number != expected && message->block_number != 0) {
        if (upload)
            upload_remove(a, upload);
        return COAP_INCOMPLETE;
    }
    if (upload && message->block_number == 0) { /* it begins anew */
        upload_remove(a, upload);
        upload = NULL;
    }
    if (!upload && !(upload = upload_push(a, message->token)))
        return COAP_UNAVAILABLE;
    if (!upload_add(a, upload, message->payload, message->payload_length)) {
        upload_remove(a, upload);
        return COAP_UNAVAILABLE;
    }
    if (message->more)
        return COAP_CONTINUE;
    check_upload(upload);
    upload_remove(a, upload);
    return COAP_CHANGED;
}

static enum coap_code put(const struct awake *a, const struct coap_message *message) {
    if (message->has_block && message->path == UPLOAD_PATH &&
        message->payload_length <= COAP_BLOCK_BYTES_MAX)
        return put_block(a, message);
    return message->path < READINGS && message->payload ? put_reading(a, message) : COAP_NOT_FOUND;
}

/* The answer to a request; NULL where there is no room: then no reading has changed. */
static struct packet *answer(const struct awake *a, const struct coap_message *message) {
    struct coap_frame frame;
    coap_begin(&frame,
               message->type == COAP_CONFIRMABLE ? COAP_ACKNOWLEDGEMENT : COAP_NON_CONFIRMABLE,
               message->bad_option ? COAP_BAD_OPTION : COAP_NOT_FOUND, message->id,
               (uint32_t)message->token);
    if (!message->bad_option && message->code == COAP_GET && message->path < READINGS)
        get_reading(a, message->path, &frame);
    struct packet *packet = packet_new(a, &frame);
    if (!packet || message->bad_option || message->code != COAP_PUT)
        return packet;
    enum coap_code code = put(a, message);
    packet->bytes[1] = (uint8_t)code;
    if (code != COAP_UNAVAILABLE)
        return packet;
    device_drop(a, &packet_type, packet, packet_bytes(packet));
    return NULL;
}

/* Remembers it before it is acted upon, so that no duplicate of it is. */
static uint64_t serve_confirmable(const struct awake *a, const struct coap_message *message) {
    struct root *root = a->root;
    struct exchange *exchange = exchange_find(&root->exchanges, message->id);
    if (exchange)
        return packet_hash(mem_get(&exchange->packet));
    if (root->exchange_count == EXCHANGES_MAX)
        exchange_remove_oldest(a, &root->exchanges, &root->exchange_count);
    exchange = exchange_push(a, &root->exchanges, &root->exchange_count, message->id);
    if (!exchange)
        return refuse(a, message->id);
    struct packet *packet = answer(a, message);
    if (!packet) {
        exchange_remove(a, &root->exchanges, &root->exchange_count, exchange);
        return refuse(a, message->id);
    }
    mem_set(a->t, a->s, exchange, &exchange->packet, &packet_type, packet);
    return packet_hash(packet);
}

static uint64_t acknowledged(const struct awake *a, uint16_t id) {
    struct exchange *notice = exchange_find(&a->root->outbox, id);
    if (!notice)
        return id;
    uint64_t hash = packet_hash(mem_get(&notice->packet));
    exchange_remove(a, &a->root->outbox, &a->root->outbox_count, notice);
    return hash;
}

/* Returns the hash of what the device answers. */
static uint64_t handle(const struct awake *a, const struct packet *received) {
    struct coap_message message;
    if (!coap_parse(received->bytes, received->length, &message))
        return hash_pair(COAP_RESET, received->length);
    if (message.type >= COAP_ACKNOWLEDGEMENT)
        return acknowledged(a, message.id);
    if (message.type == COAP_CONFIRMABLE)
        return serve_confirmable(a, &message);
    struct packet *packet = answer(a, &message);
    if (!packet)
        return refuse(a, message.id);
    uint64_t hash = packet_hash(packet);
    device_drop(a, &packet_type, packet, packet_bytes(packet));
    return hash;
}

/* What was not acknowledged or completed by now is given up. */
static void fall_asleep(const struct awake *a) {
    struct root *root = a->root;
    while (root->exchange_count > 0)
        exchange_remove_oldest(a, &root->exchanges, &root->exchange_count);
    while (root->outbox_count > 0)
        exchange_remove_oldest(a, &root->outbox, &root->outbox_count);
    while (root->upload_count > 0)
        upload_remove(a, mem_get(&root->uploads));
    if (a->device->used_bytes != a->device->asleep_bytes)
        host_violation("embedded: a device falls asleep with other bytes than it woke up with");
}

static uint64_t handle_burst(const struct awake *a, const struct request *request) {
    struct network network = {.seed = request->seed};
    struct packet *queue[RECEIVE_MAX]; /* owned */
    struct coap_frame frame;
    uint64_t hash = 0;
    for (uint32_t k = 0, count; k < request->messages; k += count) {
        count = 1 + (uint32_t)(hash_pair(request->seed, ~(uint64_t)k) % RECEIVE_MAX);
        count = count < request->messages - k ? count : request->messages - k;
        for (uint32_t i = 0; i < count; i++) {
            network_frame(&network, k + i, &frame);
            queue[i] = packet_new(a, &frame);
        }
        for (uint32_t i = 0; i < count; i++) {
            hash = hash_pair(hash, queue[i] ? handle(a, queue[i]) : refuse(a, k + i));
            if (queue[i])
                device_drop(a, &packet_type, queue[i], packet_bytes(queue[i]));
        }
    }
    return hash;
}

static uint64_t embedded_execute(mem_thread *t, void *prepared, uint64_t i, const void *in) {
    struct state *state = prepared;
    const struct request *request = in;
    struct device *device = &state->devices[request->device];
    mem_unblock(t);
    scenario_lock(t, &device->lock);
    mem_scope_enter(t, device->scope);
    struct awake a = {t, device->scope, device, device->root};
    uint64_t hash = handle_burst(&a, request);
    fall_asleep(&a);
    mem_scope_leave(t, device->scope);
    pthread_mutex_unlock(&device->lock);
    mem_safepoint(t);
    mem_block(t);
    return hash_pair(i, hash);
}

static void embedded_prepare(const void *prepared, uint64_t seed, uint64_t i, void *into) {
    const struct state *state = prepared;
    struct request *request = into;
    rng random = rng_at(seed, i);
    double more = rng_exponential(&random, state->burst - 1);
    request->device = rng_below(&random, state->live);
    request->messages = more < BURST_MAX - 1 ? 1 + (uint32_t)more : BURST_MAX;
    request->seed = rng_u64(&random);
}

static uint64_t reading_first(const struct state *state, const struct device *device,
                              uint64_t number) {
    return hash_pair(state->seed, device->number * READINGS + number);
}

static void make_device(mem_thread *t, const struct state *state, struct device *device) {
    pthread_mutex_init(&device->lock, NULL);
    device->scope = mem_scope_begin(t);
    struct awake a = {t, device->scope, device, NULL};
    a.root = device->root = device_new(&a, &root_type, READINGS * sizeof(mem_ref));
    if (!a.root)
        host_out_of_memory(sizeof *a.root);
    a.root->exchange_count = a.root->outbox_count = a.root->upload_count = 0;
    for (uint64_t number = 0; number < READINGS; number++) {
        uint64_t count = reading_samples(number);
        struct reading *reading = device_new(&a, &reading_type, count * sizeof(uint64_t));
        if (!reading)
            host_out_of_memory(count * sizeof(uint64_t));
        reading->sum = reading->updates = 0;
        reading->count = count;
        content_fill(reading->samples, count, reading_first(state, device, number));
        mem_set(t, a.s, a.root, &a.root->readings[number], &reading_type, reading);
    }
    device->asleep_bytes = device->used_bytes;
    mem_scope_leave(t, device->scope);
}

static void *embedded_setup(mem_thread *t, const struct scenario_setup *in) {
    const SCENARIO_PARAMS *params = in->params;
    if (in->live > LIVE_MAX) {
        snprintf(in->error, in->error_bytes, "embedded: live must be at most %llu devices",
                 (unsigned long long)LIVE_MAX);
        return NULL;
    }
    struct state *state = mem_state_new(sizeof *state);
    state->seed = in->seed;
    state->live = in->live;
    state->burst = (double)params->burst;
    state->devices = mem_state_new(in->live * sizeof *state->devices);
    for (uint64_t d = 0; d < in->live; d++) {
        state->devices[d].number = d;
        state->devices[d].budget_bytes = params->budget;
        make_device(t, state, &state->devices[d]);
        mem_safepoint(t);
    }
    return state;
}

static void embedded_reset(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    for (uint64_t d = 0; d < state->live; d++) {
        struct device *device = &state->devices[d];
        device->refused = device->unsent = 0;
        mem_scope_enter(t, device->scope);
        for (uint32_t i = 0; i < READINGS; i++) {
            struct reading *reading = mem_get(&device->root->readings[i]);
            reading->sum = reading->updates = 0;
        }
        mem_scope_leave(t, device->scope);
    }
}

static uint64_t embedded_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    uint64_t bytes = 0;
    for (uint64_t d = 0; d < state->live; d++)
        bytes += state->devices[d].used_bytes;
    return bytes;
}

static uint64_t end_device(mem_thread *t, const struct state *state, struct device *device) {
    uint64_t sum = hash_pair(device->refused, device->unsent);
    mem_scope_enter(t, device->scope);
    for (uint32_t i = 0; i < READINGS; i++) {
        const struct reading *reading = mem_get(&device->root->readings[i]);
        if (reading->samples[0] != reading_first(state, device, i) ||
            !content_good(reading->samples, reading->count))
            host_violation("embedded: at the end a reading has other samples than at first");
        sum += hash_pair(i, hash_pair(reading->sum, reading->updates));
    }
    mem_drop(t, device->scope, &root_type, device->root);
    device->root = NULL;
    mem_scope_end(t, device->scope);
    pthread_mutex_destroy(&device->lock);
    return hash_pair(device->number, sum);
}

/* A run in which the system had no memory answered otherwise than others: it is none of a kind with
 * them, and ends as out of memory. */
static uint64_t embedded_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    uint64_t sum = 0, lacking_bytes = 0;
    for (uint64_t d = 0; d < state->live; d++) {
        if (state->devices[d].lacking_bytes)
            lacking_bytes = state->devices[d].lacking_bytes;
        sum += end_device(t, state, &state->devices[d]);
    }
    if (lacking_bytes)
        host_out_of_memory(lacking_bytes);
    mem_state_free(state->devices);
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_embedded = {.name = "embedded",
                                           .request_bytes = sizeof(struct request),
                                           .setup = embedded_setup,
                                           .prepare = embedded_prepare,
                                           .execute = embedded_execute,
                                           .reset = embedded_reset,
                                           .live_bytes = embedded_live_bytes,
                                           .finish = embedded_finish,
                                           SCENARIO_MEMORY};
