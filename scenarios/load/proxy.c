/* SPDX-License-Identifier: MIT */
/* proxy.c - the request path of an HTTP/1.1 reverse proxy, without sockets.
 *
 * After the proxy that took the place of NGINX by sharing connections across threads (claims.md,
 * 2). A request's bytes are copied in as from a socket, parsed, routed, rewritten (hop-by-hop
 * headers out; Via, X-Forwarded-For and X-Request-Id in) and sent upstream over a connection from a
 * pool that all workers share; the upstream is a seeded generator; its answer is parsed, rewritten
 * and assembled. What is no well-formed request is answered 400. Request memory lives in a scope of
 * the request. A connection has a scope of its own, from connect to close, that is handed over with
 * it.
 */
#include "memory/scenario.h"

#include "load/proxy_upstream.h"

#include <errno.h>

#define BAD_PER_MILLE 20
#define NAME_BYTES_MAX 64

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

/* Sends the request over a pooled connection and parses what comes back. */
static void call_upstream(struct exchange *x) {
    struct pool *pool = &x->state->pools[x->route];
    struct buffer *out = rewrite_request(x);
    mem_scope *scope;
    struct connection *connection = check_out(x, pool, &scope);
    ((struct buffer *)mem_get(&connection->sent))->length = 0;
    ((struct buffer *)mem_get(&connection->received))->length = 0;
    transfer(x->t, scope, connection, &connection->sent, (struct slice){out->bytes, out->length});
    mem_drop(x->t, x->s, &buffer_type, out);
    upstream_answer(x, scope, connection);
    const struct buffer *received = mem_get(&connection->received);
    struct slice bytes = {received->bytes, received->length};
    x->answer =
        message_parse(x->t, x->s, HTTP_RESPONSE, bytes, x->message->method == HTTP_HEAD, NULL);
    if (!x->answer->complete)
        host_violation("proxy: the generated upstream answer does not parse");
    check_in(x, pool, scope, connection);
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

static uint64_t handle(struct exchange *x, const struct buffer *received) {
    struct slice host;
    uint32_t outcome = 2, status = 400;
    x->message =
        message_parse(x->t, x->s, HTTP_REQUEST, (struct slice){received->bytes, received->length},
                      false, &x->target);
    if (acceptable(x->message, &host)) {
        x->route = find_route(host, x->target);
        call_upstream(x);
        status = x->answer->status;
        outcome = status == 200 ? 0 : 1;
    }
    /* relaxed: only the sum is read, after the workers have ended */
    atomic_fetch_add_explicit(&x->state->outcomes[x->route][outcome], 1, memory_order_relaxed);
    struct buffer *reply = assemble(x, status);
    uint64_t hash = hash_bytes(status, reply->bytes, reply->length);
    mem_drop(x->t, x->s, &buffer_type, reply);
    mem_drop(x->t, x->s, &message_type, x->answer);
    mem_drop(x->t, x->s, &message_type, x->message);
    if ((status == 400) != (x->state->corpus.records[x->in->record].status == 400))
        host_violation("proxy: a request was not answered as the corpus says that it must be");
    return hash;
}

static uint64_t proxy_execute(mem_thread *t, void *prepared, uint64_t i, const void *request) {
    mem_unblock(t);
    struct exchange x = {.t = t, .state = prepared, .s = mem_scope_begin(t), .in = request};
    const struct corpus_record *record = &x.state->corpus.records[x.in->record];
    struct buffer *received = buffer_new(t, x.s, record->length);
    received = buffer_put(t, x.s, received,
                          (struct slice){x.state->corpus.bytes + record->offset, record->length});
    uint64_t hash = handle(&x, received);
    mem_drop(t, x.s, &buffer_type, received);
    mem_scope_end(t, x.s);
    mem_block(t);
    return hash_pair(i, hash);
}

static void proxy_prepare(const void *prepared, uint64_t seed, uint64_t i, void *into) {
    const struct corpus *corpus = &((const struct state *)prepared)->corpus;
    struct request *request = into;
    rng random = rng_at(seed, i);
    uint32_t bad_count = corpus->count - corpus->good_count;
    if (rng_below(&random, 1000) < BAD_PER_MILLE)
        request->record = corpus->good_count + (uint32_t)rng_below(&random, bad_count);
    else
        request->record = (uint32_t)rng_below(&random, corpus->good_count);
    request->upstream_seed = rng_u64(&random);
}

static void *proxy_setup(mem_thread *t, const struct scenario_setup *in) {
    struct state *state = mem_state_new(sizeof *state);
    char path[4096];
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
    for (int i = 0; i < ROUTES; i++) {
        struct pool *pool = &state->pools[i];
        pthread_mutex_init(&pool->lock, NULL);
        pool->idle_max = (uint32_t)(in->live + ROUTES - 1) / ROUTES;
        pool->idle = mem_state_new(pool->idle_max * sizeof *pool->idle);
    }
    return state;
}

static void proxy_reset(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    (void)t;
    for (int i = 0; i < ROUTES * OUTCOMES; i++)
        atomic_init(&state->outcomes[i / OUTCOMES][i % OUTCOMES], 0);
}

static uint64_t proxy_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    return atomic_load_explicit(&state->live_bytes, memory_order_relaxed);
}

static uint64_t proxy_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    uint64_t sum = 0;
    for (int i = 0; i < ROUTES; i++) {
        struct pool *pool = &state->pools[i];
        while (pool->idle_count > 0) {
            mem_scope *scope;
            struct connection *connection = mem_receive(t, &pool->idle[--pool->idle_count], &scope);
            close_connection(t, scope, connection);
        }
        mem_state_free(pool->idle);
        pthread_mutex_destroy(&pool->lock);
    }
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
