/* SPDX-License-Identifier: MIT */
/* proxy.c - the request path of an HTTP/1.1 reverse proxy, without sockets.
 *
 * After the proxy that took the place of NGINX by sharing connections across threads. A request's
 * bytes are copied in as from a socket, parsed, routed, rewritten (hop-by-hop headers out; Via,
 * X-Forwarded-For and X-Request-Id in) and sent upstream over a pooled connection; the upstream is
 * a seeded generator; its answer is parsed, rewritten and assembled. What is no well-formed request
 * is answered 400. Request memory lives in a scope of the request. A connection has a scope of its
 * own, from connect to close, that is handed over with it. Idle connections are in one pool a route
 * that all workers share, or with pool=worker in one that each worker has to itself, as NGINX does,
 * a share of the connections each.
 *
 * With slow=N an upstream is slow for N per mille of the time: that part of each 10,000 requests in
 * one stretch. Such a request does not wait on the clock. It is parked as it is, with its
 * connection and all its memory, and completed by a later request, whose worker may be another: by
 * the slow one that finds all places taken, or after the stretch by one request each. Its answer
 * comes in small pieces. What is parked in the end is completed then.
 *
 * Stresses many short-lived objects of one request beside connections that outlive it and cross
 * threads. Read the p50 and the processor time a request for what request arenas save; pool=worker
 * against pool=shared for what sharing costs in locks and saves in open connections (live bytes),
 * and slow=200 for whether memory falls again after the stretch.
 */
#include "memory/scenario.h"

#include "load/proxy_upstream.h"

#include <errno.h>

#define BAD_PER_MILLE 20
#define SLOW_PERIOD 10000 /* requests, of which the first ones are slow */
#define NAME_BYTES_MAX 64
enum { POOL_SHARED, POOL_WORKER };

static const struct {
    struct slice host, path; /* prefixes */
} routes[ROUTES] = {{SLICE("static."), SLICE("")}, {SLICE("grpc."), SLICE("")},
                    {SLICE("upload."), SLICE("")}, {SLICE("auth."), SLICE("")},
                    {SLICE("api."), SLICE("/v2")}, {SLICE("api."), SLICE("")},
                    {SLICE(""), SLICE("/api")},    {SLICE(""), SLICE("")}};

static bool starts_with(struct slice text, struct slice prefix) {
    return text.length >= prefix.length && strncasecmp(text.at, prefix.at, prefix.length) == 0;
}

static uint32_t find_route(struct slice host, struct slice target) {
    uint32_t route = 0;
    while (!starts_with(host, routes[route].host) || !starts_with(target, routes[route].path))
        route++; /* the last one takes all */
    return route;
}

/* RFC 9110, 7.6.1: not passed on, nor is a header that Connection names. */
static bool is_hop_by_hop(const struct message *message, struct slice name) {
    static const struct slice names[] = {
        SLICE("connection"),    SLICE("keep-alive"), SLICE("proxy-connection"),  SLICE("te"),
        SLICE("trailer"),       SLICE("upgrade"),    SLICE("transfer-encoding"), SLICE("expect"),
        SLICE("content-length")};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_is(name, names[i]))
            return true;
    uint32_t count;
    const struct header *connection = message_find(message, SLICE("connection"), &count);
    struct slice rest = connection ? header_value(connection) : SLICE("");
    while (rest.length > 0) {
        const char *comma = memchr(rest.at, ',', rest.length);
        struct slice token = {rest.at, comma ? (size_t)(comma - rest.at) : rest.length};
        rest.at += token.length + (comma != NULL);
        rest.length -= token.length + (comma != NULL);
        while (token.length > 0 && *token.at == ' ')
            token.at++, token.length--;
        while (token.length > 0 && token.at[token.length - 1] == ' ')
            token.length--;
        if (slice_is(name, token))
            return true;
    }
    return false;
}

static void put(struct exchange *x, struct buffer **buffer, struct slice text) {
    *buffer = buffer_put(x->t, x->s, *buffer, text);
}

static void put_text(struct exchange *x, struct buffer **buffer, const char *text) {
    put(x, buffer, (struct slice){text, strlen(text)});
}

static void put_number(struct exchange *x, struct buffer **buffer, const char *format,
                       unsigned long long number) {
    char text[NAME_BYTES_MAX];
    int length = snprintf(text, sizeof text, format, number);
    put(x, buffer, (struct slice){text, (size_t)length});
}

static void put_headers(struct exchange *x, struct buffer **buffer, const struct message *from) {
    for (struct header *h = mem_get(&from->headers); h; h = mem_get(&h->next)) {
        if (is_hop_by_hop(from, header_name(h)) ||
            slice_is(header_name(h), SLICE("x-forwarded-for")))
            continue;
        put(x, buffer, header_name(h));
        put_text(x, buffer, ": ");
        put(x, buffer, header_value(h));
        put_text(x, buffer, "\r\n");
    }
}

static void put_body(struct exchange *x, struct buffer **buffer, const struct message *from) {
    const struct buffer *body = mem_get(&from->body);
    put_number(x, buffer, "Content-Length: %llu\r\n\r\n", body ? body->length : 0);
    if (body)
        put(x, buffer, (struct slice){body->bytes, body->length});
}

/* The request as it goes upstream. */
static struct buffer *rewrite_request(struct exchange *x) {
    struct buffer *out = buffer_new(x->t, x->s, 1024);
    uint32_t count;
    const struct header *forwarded = message_find(x->message, SLICE("x-forwarded-for"), &count);
    put_text(x, &out, http_method_str((enum http_method)x->message->method));
    put_text(x, &out, " ");
    put(x, &out, x->target);
    put_text(x, &out, " HTTP/1.1\r\n");
    put_headers(x, &out, x->message);
    put_text(x, &out, "X-Forwarded-For: ");
    if (forwarded) {
        put(x, &out, header_value(forwarded));
        put_text(x, &out, ", ");
    }
    put_number(x, &out, "192.0.2.%llu\r\n", x->in->upstream_seed % 254 + 1);
    put_number(x, &out, "X-Request-Id: %016llx\r\nVia: 1.1 tailrace\r\n", x->in->upstream_seed);
    put_body(x, &out, x->message);
    return out;
}

/* Sends the request over a pooled connection. */
static void send_upstream(struct exchange *x) {
    struct buffer *out = rewrite_request(x);
    struct connection *connection = check_out(x, &x->connection_scope);
    ((struct buffer *)mem_get(&connection->sent))->length = 0;
    ((struct buffer *)mem_get(&connection->received))->length = 0;
    transfer(x->t, x->connection_scope, connection, &connection->sent,
             (struct slice){out->bytes, out->length});
    mem_drop(x->t, x->s, &buffer_type, out);
    x->connection = connection;
}

/* Parses what comes back. */
static void receive_upstream(struct exchange *x) {
    upstream_answer(x, x->connection_scope, x->connection);
    const struct buffer *received = mem_get(&x->connection->received);
    struct slice bytes = {received->bytes, received->length};
    x->answer =
        message_parse(x->t, x->s, HTTP_RESPONSE, bytes, x->message->method == HTTP_HEAD, NULL);
    if (!x->answer->complete)
        host_violation("proxy: the generated upstream answer does not parse");
    check_in(x, x->connection_scope, x->connection);
    x->connection = NULL;
}

static const char *status_text(uint32_t status) {
    return status == 200   ? "HTTP/1.1 200 OK\r\n"
           : status == 400 ? "HTTP/1.1 400 Bad Request\r\n"
                           : "HTTP/1.1 503 Service Unavailable\r\n";
}

/* What the client gets. */
static struct buffer *assemble(struct exchange *x, uint32_t status) {
    struct buffer *reply = buffer_new(x->t, x->s, 512);
    put_text(x, &reply, status_text(status));
    put_number(x, &reply, "X-Request-Id: %016llx\r\nVia: 1.1 tailrace\r\n", x->in->upstream_seed);
    if (x->answer) {
        put_headers(x, &reply, x->answer);
        put_text(x, &reply, "Strict-Transport-Security: max-age=31536000\r\n");
        put_body(x, &reply, x->answer);
    } else {
        put_text(x, &reply, "Connection: close\r\nContent-Length: 12\r\n\r\nbad request\n");
    }
    return reply;
}

/* RFC 9112, 3.2: a 1.1 request has exactly one Host. */
static bool acceptable(const struct message *message, struct slice *host) {
    uint32_t count;
    const struct header *header = message_find(message, SLICE("host"), &count);
    *host = header ? header_value(header) : SLICE("");
    return message->complete && (count == 1 || (message->minor_version == 0 && count == 0));
}

/* Copies the request in and parses it. False if it is to be refused. */
static bool arrive(struct exchange *x) {
    const struct corpus_record *record = &x->state->corpus.records[x->in->record];
    struct slice host, bytes = {x->state->corpus.bytes + record->offset, record->length};
    x->received = buffer_put(x->t, x->s, buffer_new(x->t, x->s, record->length), bytes);
    bytes.at = x->received->bytes;
    x->message = message_parse(x->t, x->s, HTTP_REQUEST, bytes, false, &x->target);
    if (!acceptable(x->message, &host))
        return false;
    x->route = find_route(host, x->target);
    return true;
}

/* Answers the client and gives all memory of the request back. Returns its part of the checksum. */
static uint64_t answer(struct exchange *x) {
    if (x->connection)
        receive_upstream(x);
    uint32_t status = x->answer ? x->answer->status : 400;
    uint32_t outcome = status == 200 ? 0 : status == 400 ? 2 : 1;
    /* relaxed: only the sum is read, after the workers have ended */
    atomic_fetch_add_explicit(&x->state->outcomes[x->route][outcome], 1, memory_order_relaxed);
    struct buffer *reply = assemble(x, status);
    uint64_t hash = hash_bytes(status, reply->bytes, reply->length);
    mem_drop(x->t, x->s, &buffer_type, reply);
    mem_drop(x->t, x->s, &message_type, x->answer);
    mem_drop(x->t, x->s, &message_type, x->message);
    mem_drop(x->t, x->s, &buffer_type, x->received);
    if ((status == 400) != (x->state->corpus.records[x->in->record].status == 400))
        host_violation("proxy: a request was not answered as the corpus says that it must be");
    return hash_pair(x->i, hash);
}

/* Goes on with a request that was parked, if it is one. Returns its part of the checksum. */
static uint64_t complete(mem_thread *t, struct state *state, const struct parked *parked) {
    struct exchange x = {.t = t, .state = state};
    if (!parked->waiting.scope)
        return 0;
    struct waiting *waiting = mem_receive(t, &parked->waiting, &x.s);
    x.connection = mem_receive(t, &parked->connection, &x.connection_scope);
    x.in = &waiting->in;
    x.i = waiting->i;
    x.worker = waiting->worker;
    x.route = waiting->route;
    x.received = mem_take(t, waiting, &waiting->received);
    x.message = mem_take(t, waiting, &waiting->message);
    x.target = (struct slice){x.received->bytes + waiting->target_offset, waiting->target_length};
    atomic_fetch_sub_explicit(&state->live_bytes, waiting->counted_bytes, memory_order_relaxed);
    uint64_t hash = answer(&x);
    mem_drop(t, x.s, &waiting_type, waiting);
    mem_scope_end(t, x.s);
    return hash;
}

static uint64_t complete_all(mem_thread *t, struct state *state) {
    uint64_t sum = 0;
    while (state->parking.count > 0) {
        struct parked parked = pick_up(t, state);
        sum += complete(t, state, &parked);
    }
    return sum;
}

/* The calling thread's, in the order in which they come. */
static uint32_t worker_number(struct state *state) {
    static _Thread_local uint32_t number_and_one;
    if (number_and_one == 0)
        number_and_one = 1 + atomic_fetch_add_explicit(&state->workers, 1, memory_order_relaxed);
    return number_and_one - 1;
}

static uint64_t proxy_execute(mem_thread *t, void *prepared, uint64_t i, const void *request) {
    struct state *state = prepared;
    struct parked due = {0};
    uint64_t sum = 0;
    mem_unblock(t);
    struct exchange x = {.t = t, .state = state, .s = mem_scope_begin(t), .in = request, .i = i};
    x.worker = worker_number(state);
    if (arrive(&x))
        send_upstream(&x);
    if (x.in->slow && x.connection) {
        due = park(&x);
    } else {
        sum = answer(&x);
        mem_scope_end(t, x.s);
        if (state->params.slow > 0)
            due = pick_up(t, state);
    }
    sum += complete(t, state, &due);
    mem_block(t);
    return sum;
}

static void proxy_prepare(const void *prepared, uint64_t seed, uint64_t i, void *into) {
    const struct state *state = prepared;
    const struct corpus *corpus = &state->corpus;
    struct request *request = into;
    rng random = rng_at(seed, i);
    uint32_t bad_count = corpus->count - corpus->good_count;
    if (rng_below(&random, 1000) < BAD_PER_MILLE)
        request->record = corpus->good_count + (uint32_t)rng_below(&random, bad_count);
    else
        request->record = (uint32_t)rng_below(&random, corpus->good_count);
    request->upstream_seed = rng_u64(&random);
    request->slow = i % SLOW_PERIOD < state->params.slow * SLOW_PERIOD / 1000;
}

/* For `connections` idle ones in all. */
static void make_pools(struct state *state, uint64_t connections, uint32_t threads) {
    state->pool_count = ROUTES * (state->params.pool == POOL_WORKER ? threads : 1);
    state->pools = mem_state_new(state->pool_count * sizeof *state->pools);
    for (uint32_t i = 0; i < state->pool_count; i++) {
        struct pool *pool = &state->pools[i];
        pthread_mutex_init(&pool->lock, NULL);
        pool->idle_max = (uint32_t)((connections + state->pool_count - 1) / state->pool_count);
        pool->idle = mem_state_new(pool->idle_max * sizeof *pool->idle);
    }
    pthread_mutex_init(&state->parking.lock, NULL);
    state->parking.most = (uint32_t)state->params.waiting;
    state->parking.ring = mem_state_new(state->parking.most * sizeof *state->parking.ring);
}

static void *proxy_setup(mem_thread *t, const struct scenario_setup *in) {
    struct state *state = mem_state_new(sizeof *state);
    char path[4096];
    state->params = *(const SCENARIO_PARAMS *)in->params;
    snprintf(path, sizeof path, "%s/http-requests.txt", in->data_dir);
    (void)t;
    errno = 0;
    if (!corpus_load(&state->corpus, path, in->error, in->error_bytes)) {
        if (errno == ENOMEM)
            host_out_of_memory(CORPUS_REQUEST_BYTES_MAX);
        return NULL;
    }
    if (in->live > 1u << 24) {
        snprintf(in->error, in->error_bytes, "proxy: live must be at most %u connections",
                 1u << 24);
        return NULL;
    }
    /* not from mem_state_new: a collector need not look for references in text */
    state->content = malloc(2 * BODY_BYTES_MAX);
    if (!state->content)
        host_out_of_memory(2 * BODY_BYTES_MAX);
    rng random = rng_at(in->seed, 0xc0de);
    for (size_t i = 0; i < 2 * BODY_BYTES_MAX; i++)
        state->content[i] = "abcdefghijklmnopqrstuvwxyz{}[]:,\" 0123456789"[rng_below(&random, 44)];
    make_pools(state, in->live, in->threads);
    return state;
}

static void proxy_reset(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    complete_all(t, state);
    for (int i = 0; i < ROUTES * OUTCOMES; i++)
        atomic_init(&state->outcomes[i / OUTCOMES][i % OUTCOMES], 0);
}

static uint64_t proxy_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    return atomic_load_explicit(&state->live_bytes, memory_order_relaxed);
}

static void close_pools(mem_thread *t, struct state *state) {
    for (uint32_t i = 0; i < state->pool_count; i++) {
        struct pool *pool = &state->pools[i];
        while (pool->idle_count > 0) {
            mem_scope *scope;
            struct connection *connection = mem_receive(t, &pool->idle[--pool->idle_count], &scope);
            close_connection(t, scope, connection);
        }
        mem_state_free(pool->idle);
        pthread_mutex_destroy(&pool->lock);
    }
    mem_state_free(state->pools);
    mem_state_free(state->parking.ring);
    pthread_mutex_destroy(&state->parking.lock);
}

static uint64_t proxy_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    uint64_t sum = complete_all(t, state);
    close_pools(t, state);
    for (int i = 0; i < ROUTES * OUTCOMES; i++)
        sum += hash_pair((uint64_t)i,
                         atomic_load_explicit(&state->outcomes[i / OUTCOMES][i % OUTCOMES],
                                              memory_order_relaxed));
    corpus_free(&state->corpus);
    free(state->content);
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_proxy = {.name = "proxy",
                                        .request_bytes = sizeof(struct request),
                                        .setup = proxy_setup,
                                        .prepare = proxy_prepare,
                                        .execute = proxy_execute,
                                        .reset = proxy_reset,
                                        .live_bytes = proxy_live_bytes,
                                        .finish = proxy_finish,
                                        SCENARIO_MEMORY};
