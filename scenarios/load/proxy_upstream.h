/* SPDX-License-Identifier: MIT */
/* proxy_upstream.h - the proxy's upstream side: pooled connections, and a generator of answers.
 *
 * Included by proxy.c. A pool's lock guards its list only: whoever has taken a connection out is
 * the one user of its scope until it is handed back. So does the lock of the requests that wait.
 */
#ifndef TAILRACE_SCENARIOS_PROXY_UPSTREAM_H
#define TAILRACE_SCENARIOS_PROXY_UPSTREAM_H

#include "load/proxy_corpus.h"
#include "load/proxy_message.h"

#define ROUTES 8
#define BODY_BYTES_MAX 65536
#define CONNECTION_REQUESTS_MAX 200 /* keep-alive: then the upstream closes */
#define CONNECTION_BUFFER_BYTES 4096
#define OUTCOMES 3           /* counted per route: passed on, upstream failed, refused */
#define SLOW_PIECE_BYTES 512 /* that a slow upstream's answer comes in */

struct connection {
    mem_ref sent, received; /* owned: buffers, kept between requests */
    uint32_t served, route;
    uint64_t counted_bytes; /* in the state's live_bytes */
};
static const mem_edge connection_edges[] = {
    {offsetof(struct connection, sent), MEM_OWNED, &buffer_type},
    {offsetof(struct connection, received), MEM_OWNED, &buffer_type}};
static const mem_type connection_type = {.name = "connection",
                                         .id = 3,
                                         .size = sizeof(struct connection),
                                         .edge_count = 2,
                                         .edges = connection_edges};

/* Idle connections of one route, newest first. */
struct pool {
    pthread_mutex_t lock;
    uint32_t idle_count, idle_max;
    mem_parcel *idle; /* state memory */
    char apart[64];   /* two pools share no cache line */
};
/* A request that waits for its upstream, and the connection that it holds: both handed over. */
struct parked {
    mem_parcel waiting, connection;
};
/* A ring, oldest at `first`. */
struct parking {
    pthread_mutex_t lock;
    uint32_t first, count, most;
    struct parked *ring; /* state memory */
};
struct state {
    struct pool *pools; /* state memory: of each worker, or of all, one for each route */
    uint32_t pool_count;
    _Atomic uint32_t workers; /* that have come; relaxed: numbers them */
    struct parking parking;
    SCENARIO_PARAMS params;
    _Atomic uint64_t outcomes[ROUTES][OUTCOMES];
    /* of open connections and waiting requests; relaxed: read when no worker runs */
    _Atomic uint64_t live_bytes;
    struct corpus corpus;
    char *content; /* what upstream bodies are cut from */
};
struct request {
    uint32_t record;
    bool slow;
    uint64_t upstream_seed;
};
/* What is to be known of a request once its slow upstream answers; in the request's scope. */
struct waiting {
    mem_ref received, message; /* owned */
    struct request in;
    uint64_t i, counted_bytes;
    uint32_t worker, route, target_offset, target_length;
};
static const mem_edge waiting_edges[] = {
    {offsetof(struct waiting, received), MEM_OWNED, &buffer_type},
    {offsetof(struct waiting, message), MEM_OWNED, &message_type}};
static const mem_type waiting_type = {.name = "waiting",
                                      .id = 4,
                                      .size = sizeof(struct waiting),
                                      .edge_count = 2,
                                      .edges = waiting_edges};
/* One request on its way; lives on the C stack, where its references are roots. */
struct exchange {
    mem_thread *t;
    struct state *state;
    mem_scope *s;
    const struct request *in;
    uint64_t i;
    struct buffer *received;
    struct message *message, *answer;
    struct slice target;
    uint32_t worker, route;
    struct connection *connection; /* while there is one */
    mem_scope *connection_scope;
};

/* With pool=shared all workers use the first one's. */
static struct pool *pool_of(const struct exchange *x) {
    return &x->state->pools[(x->worker * ROUTES + x->route) % x->state->pool_count];
}

static struct connection *check_out(struct exchange *x, mem_scope **scope) {
    struct pool *pool = pool_of(x);
    mem_parcel parcel = {0};
    scenario_lock(x->t, &pool->lock);
    if (pool->idle_count > 0) {
        parcel = pool->idle[--pool->idle_count];
        pool->idle[pool->idle_count] = (mem_parcel){0};
    }
    pthread_mutex_unlock(&pool->lock);
    if (parcel.scope)
        return mem_receive(x->t, &parcel, scope);
    *scope = mem_scope_begin(x->t);
    struct connection *connection = mem_new(x->t, *scope, &connection_type, 0);
    connection->served = 0;
    connection->counted_bytes = 0;
    connection->route = x->route;
    mem_set(x->t, *scope, connection, &connection->sent, &buffer_type,
            buffer_new(x->t, *scope, CONNECTION_BUFFER_BYTES));
    mem_set(x->t, *scope, connection, &connection->received, &buffer_type,
            buffer_new(x->t, *scope, CONNECTION_BUFFER_BYTES));
    return connection;
}

static void close_connection(mem_thread *t, mem_scope *scope, struct connection *connection) {
    mem_drop(t, scope, &connection_type, connection);
    mem_scope_end(t, scope);
}

/* Brings the count of live bytes up to what the connection holds now. */
static void count_bytes(struct state *state, struct connection *connection) {
    const struct buffer *sent = mem_get(&connection->sent),
                        *received = mem_get(&connection->received);
    uint64_t bytes = sizeof *connection + 2 * sizeof *sent + sent->capacity + received->capacity;
    if (bytes != connection->counted_bytes)
        atomic_fetch_add_explicit(&state->live_bytes, bytes - connection->counted_bytes,
                                  memory_order_relaxed);
    connection->counted_bytes = bytes;
}

static void check_in(struct exchange *x, mem_scope *scope, struct connection *connection) {
    struct pool *pool = pool_of(x);
    bool kept = false;
    count_bytes(x->state, connection);
    uint64_t counted_bytes = connection->counted_bytes;
    if (++connection->served < CONNECTION_REQUESTS_MAX) {
        scenario_lock(x->t, &pool->lock);
        kept = pool->idle_count < pool->idle_max;
        if (kept)
            pool->idle[pool->idle_count++] = mem_send(x->t, scope, &connection_type, connection, 1);
        pthread_mutex_unlock(&pool->lock);
    }
    if (kept)
        return;
    atomic_fetch_sub_explicit(&x->state->live_bytes, counted_bytes, memory_order_relaxed);
    close_connection(x->t, scope, connection);
}

/* Adds to what one of the connection's buffers holds. */
static void transfer(mem_thread *t, mem_scope *scope, struct connection *connection, mem_ref *edge,
                     struct slice bytes) {
    struct buffer *buffer = buffer_put(t, scope, mem_take(t, connection, edge), bytes);
    mem_set(t, scope, connection, edge, &buffer_type, buffer);
}
static void receive(struct exchange *x, mem_scope *scope, struct connection *connection,
                    struct slice bytes) {
    while (x->in->slow && bytes.length > SLOW_PIECE_BYTES) {
        transfer(x->t, scope, connection, &connection->received,
                 (struct slice){bytes.at, SLOW_PIECE_BYTES});
        bytes.at += SLOW_PIECE_BYTES;
        bytes.length -= SLOW_PIECE_BYTES;
    }
    transfer(x->t, scope, connection, &connection->received, bytes);
}

/* Log-uniform between 64 bytes and the maximum: many small answers, a few large ones. */
static uint32_t body_length(rng *random) {
    return (uint32_t)(64 * exp(rng_unit(random) * log(BODY_BYTES_MAX / 64.0)));
}

/* Writes the upstream's answer into the connection, as reads from its socket would. */
static void upstream_answer(struct exchange *x, mem_scope *scope, struct connection *connection) {
    rng random = rng_at(x->in->upstream_seed, x->in->record);
    bool failed = rng_below(&random, 100) == 0, chunked = rng_below(&random, 3) == 0;
    uint32_t length = body_length(&random);
    const char *body = x->state->content + rng_below(&random, BODY_BYTES_MAX);
    char head[512];
    int used =
        snprintf(head, sizeof head,
                 "HTTP/1.1 %s\r\nServer: upstream/%u\r\nDate: Fri, 20 Nov 2026 12:00:00 GMT\r\n"
                 "Content-Type: application/json; charset=utf-8\r\nETag: \"%016llx\"\r\n"
                 "Cache-Control: private, max-age=%u\r\nSet-Cookie: sid=%08x; Path=/; HttpOnly\r\n"
                 "Connection: keep-alive\r\nKeep-Alive: timeout=60\r\n",
                 failed ? "503 Service Unavailable" : "200 OK", connection->route,
                 (unsigned long long)rng_u64(&random), length % 3600, (unsigned)rng_u64(&random));
    used += chunked ? snprintf(head + used, sizeof head - (size_t)used,
                               "Transfer-Encoding: chunked\r\n\r\n")
                    : snprintf(head + used, sizeof head - (size_t)used,
                               "Content-Length: %u\r\n\r\n", length);
    receive(x, scope, connection, (struct slice){head, (size_t)used});
    if (x->message->method == HTTP_HEAD)
        return;
    used = snprintf(head, sizeof head, "%x\r\n", length);
    if (chunked)
        receive(x, scope, connection, (struct slice){head, (size_t)used});
    receive(x, scope, connection, (struct slice){body, length});
    if (chunked)
        receive(x, scope, connection, SLICE("\r\n0\r\n\r\n"));
}

static uint64_t waiting_bytes(const struct exchange *x) {
    uint64_t bytes =
        sizeof(struct waiting) + sizeof *x->received + x->received->capacity + sizeof *x->message;
    for (const struct header *h = mem_get(&x->message->headers); h; h = mem_get(&h->next))
        bytes += sizeof *h + h->name_length + h->value_length;
    const struct buffer *body = mem_get(&x->message->body);
    return bytes + (body ? sizeof *body + body->capacity : 0);
}

/* Leaves the request and its connection to whoever comes later. */
static struct parked pack(struct exchange *x) {
    struct waiting *waiting = mem_new(x->t, x->s, &waiting_type, 0);
    waiting->in = *x->in;
    waiting->i = x->i;
    waiting->worker = x->worker;
    waiting->route = x->route;
    waiting->target_offset = (uint32_t)(x->target.at - x->received->bytes);
    waiting->target_length = (uint32_t)x->target.length;
    waiting->counted_bytes = waiting_bytes(x);
    mem_set(x->t, x->s, waiting, &waiting->received, &buffer_type, x->received);
    mem_set(x->t, x->s, waiting, &waiting->message, &message_type, x->message);
    count_bytes(x->state, x->connection);
    atomic_fetch_add_explicit(&x->state->live_bytes, waiting->counted_bytes, memory_order_relaxed);
    return (struct parked){
        .waiting = mem_send(x->t, x->s, &waiting_type, waiting, 1),
        .connection = mem_send(x->t, x->connection_scope, &connection_type, x->connection, 1)};
}

/* The oldest one, under the lock; empty if there is none. */
static struct parked park_leave(struct parking *parking) {
    if (parking->count == 0)
        return (struct parked){0};
    struct parked oldest = parking->ring[parking->first];
    parking->ring[parking->first] = (struct parked){0};
    parking->first = (parking->first + 1) % parking->most;
    parking->count--;
    return oldest;
}

/* Returns the one that has to leave, if all places are taken. It must be received before the next
 * safepoint. */
static struct parked park(struct exchange *x) {
    struct parking *parking = &x->state->parking;
    struct parked due = {0};
    scenario_lock(x->t, &parking->lock);
    if (parking->count == parking->most)
        due = park_leave(parking);
    parking->ring[(parking->first + parking->count++) % parking->most] = pack(x);
    pthread_mutex_unlock(&parking->lock);
    return due;
}

static struct parked pick_up(mem_thread *t, struct state *state) {
    scenario_lock(t, &state->parking.lock);
    struct parked oldest = park_leave(&state->parking);
    pthread_mutex_unlock(&state->parking.lock);
    return oldest;
}

#endif
