/* SPDX-License-Identifier: MIT */
/* json_api.c - a service that parses, changes and serialises JSON, with a store of sessions.
 *
 * After what any JSON API does with a body, and nativejson-benchmark's parse and
 * stringify. A body is copied in as from a socket and parsed by a strict RFC 8259 parser into
 * cJSON's tree, one object for each node, name and string; members are renamed, removed, inserted
 * and sorted, arrays filtered, strings lengthened in place; the tree is written into a reply that
 * grows by doubling, and dropped. 70 % of the requests are such; 20 % read a session, the tree that
 * was stored last, and 10 % store one anew: it is parsed in a scope of its own, put in the place of
 * the old one under a lock, and the old one is dropped. Sessions are Zipf-distributed as YCSB's
 * keys. Some bodies are malformed: cut, garbled, or continued; they must be refused. One answer in
 * CHECK_EVERY is parsed again and compared. The bodies are scenarios/data/json: eight of 0.2 to 1.4
 * kB as APIs answer, a deployment's configuration of 14 kB, an array of 330 records of 104 kB. With
 * mix=mixed 95.0 % of the bodies are small, 4.8 % are the configuration and 0.2 % the records.
 *
 * Stresses many small objects that die together after a few microseconds, in number by far the
 * most that a service like this makes, next to trees that live for long and die on another thread.
 * Read it with mix=small for what a strategy costs per object, and with mixed knowing that p99 is
 * the configuration's and p99.9 the records', so that tails compare between strategies, not mixes.
 */
#include "load/json_bodies.h"
#include "load/json_edit.h"
#include "load/zipf.h"
#include "memory/scenario.h"

#define SHARDS 16
#define LIVE_MAX ((uint64_t)1 << 20)
#define ZIPF_EXPONENT 0.99
#define CHECK_EVERY 16
#define EDITS_MIN 2
#define EDITS_SPREAD 4
#define REPLY_BYTES_FIRST 256

/* Per mille, by params->mix. */
static const uint32_t mixes[][SIZE_CLASSES] = {{1000, 0, 0}, {950, 48, 2}, {0, 0, 1000}};

/* A session as it is stored. */
struct document {
    mem_ref root; /* owned */
    uint64_t revision;
};
static const mem_edge document_edges[] = {
    {offsetof(struct document, root), MEM_OWNED, &json_node_type}};
static const mem_type document_type = {.name = "document",
                                       .id = 3,
                                       .size = sizeof(struct document),
                                       .edge_count = 1,
                                       .edges = document_edges};

/* Of a shard, under its lock. */
struct session {
    mem_scope *scope;
    struct document *document; /* owned */
    uint64_t hash;             /* of its text, which is the same in each revision */
};
struct state {
    pthread_mutex_t locks[SHARDS];
    struct session *sessions; /* state memory too */
    struct body bodies[BODIES];
    struct zipf popular;
    char *text;
    uint64_t seed, live, live_bytes;
    uint32_t mix, malformed;
};

enum op { OP_TRANSFORM, OP_READ, OP_STORE };
struct request {
    uint32_t op, body;
    enum fault fault;
    bool check;
    uint64_t session, seed;
};
/* A request under way. */
struct call {
    mem_thread *t;
    mem_scope *s;
    struct state *state;
    const struct request *in;
};

static uint32_t session_body(const struct state *state, uint64_t session) {
    return (uint32_t)(hash_pair(state->seed, session) % SMALL_BODIES);
}

/* Parses what was received into scope s; NULL and *at where it is refused. Holds both to what is
 * known of the body. */
static struct json_node *parse(const struct call *call, mem_scope *s, size_t *at) {
    const struct request *in = call->in;
    const struct body *body = &call->state->bodies[in->body];
    struct json_buffer *received = body_receive(call->t, call->s, body, in->fault, in->seed);
    uint32_t nodes;
    struct json_node *root = json_parse(call->t, s, received->bytes, received->length, &nodes, at);
    mem_drop(call->t, call->s, &json_buffer_type, received);
    if ((root == NULL) != (in->fault != SOUND))
        host_violation("json-api: a sound body was refused, or a malformed one was not");
    if (root && nodes != body->nodes)
        host_violation("json-api: a body was parsed into another number of nodes than before");
    return root;
}

static struct json_writer reply_new(const struct call *call) {
    return (struct json_writer){call->t, call->s,
                                json_buffer_new(call->t, call->s, REPLY_BYTES_FIRST)};
}

/* Gives the reply back; returns its hash. */
static uint64_t reply_end(struct json_writer *reply, uint64_t status) {
    uint64_t hash = hash_bytes(status, reply->buffer->bytes, reply->buffer->length);
    mem_drop(reply->t, reply->s, &json_buffer_type, reply->buffer);
    return hash;
}

static uint64_t refuse(const struct call *call, size_t at) {
    struct json_writer reply = reply_new(call);
    json_put_word(&reply, "{\"error\":\"this is no JSON\",\"at\":");
    json_write_integer(&reply, (int64_t)at);
    json_put_word(&reply, "}");
    return reply_end(&reply, 400);
}

static uint64_t transform(const struct call *call) {
    size_t at;
    struct json_node *root = parse(call, call->s, &at);
    if (!root)
        return refuse(call, at);
    struct json_editor e = {call->t, call->s, rng_at(call->in->seed, 0)};
    for (uint64_t edits = EDITS_MIN + rng_below(&e.random, EDITS_SPREAD); edits > 0; edits--)
        json_edit(&e, root);
    struct json_writer reply = reply_new(call);
    json_write(&reply, root);
    if (call->in->check && !json_reads_back(call->t, call->s, reply.buffer, root))
        host_violation("json-api: an answer is not read back as what was written");
    mem_drop(call->t, call->s, &json_node_type, root);
    return reply_end(&reply, 200);
}

static pthread_mutex_t *lock_of(struct state *state, uint64_t session) {
    return &state->locks[session % SHARDS];
}

static uint64_t read_session(const struct call *call) {
    uint64_t number = call->in->session;
    struct session *session = &call->state->sessions[number];
    struct json_writer reply = reply_new(call);
    scenario_lock(call->t, lock_of(call->state, number));
    mem_scope_enter(call->t, session->scope);
    json_write(&reply, mem_get(&session->document->root));
    mem_scope_leave(call->t, session->scope);
    pthread_mutex_unlock(lock_of(call->state, number));
    uint64_t hash = reply_end(&reply, 200);
    if (hash != session->hash) /* which never changes */
        host_violation("json-api: a session is not what was stored");
    return hash;
}

/* Makes a document of the tree, in its scope. */
static struct document *document_new(mem_thread *t, mem_scope *s, struct json_node *root,
                                     uint64_t number) {
    struct json_editor e = {.t = t, .s = s};
    struct document *document = mem_new(t, s, &document_type, 0);
    document->revision = 0;
    json_insert(&e, root, "session", (int64_t)number);
    mem_set(t, s, document, &document->root, &json_node_type, root);
    return document;
}

static void session_end(mem_thread *t, const struct session *session) {
    mem_drop(t, session->scope, &document_type, session->document);
    mem_scope_end(t, session->scope);
}

static uint64_t store_session(const struct call *call) {
    uint64_t number = call->in->session;
    struct session *session = &call->state->sessions[number];
    struct session next = {.scope = mem_scope_begin(call->t), .hash = session->hash};
    size_t at;
    struct json_node *root = parse(call, next.scope, &at);
    if (!root) {
        mem_scope_end(call->t, next.scope);
        return refuse(call, at);
    }
    next.document = document_new(call->t, next.scope, root, number);
    struct json_writer reply = reply_new(call);
    json_write(&reply, root);
    scenario_lock(call->t, lock_of(call->state, number));
    mem_scope_enter(call->t, session->scope);
    struct session old = *session;
    next.document->revision = old.document->revision + 1;
    session->scope = next.scope;
    session->document = next.document;
    mem_scope_leave(call->t, next.scope);
    pthread_mutex_unlock(lock_of(call->state, number));
    session_end(call->t, &old); /* nobody else finds it now */
    uint64_t hash = reply_end(&reply, 200);
    if (hash != session->hash)
        host_violation("json-api: a session was stored as another than before");
    return hash;
}

static uint64_t json_api_execute(mem_thread *t, void *state, uint64_t i, const void *in) {
    const struct request *request = in;
    mem_unblock(t);
    struct call call = {t, mem_scope_begin(t), state, request};
    uint64_t hash = request->op == OP_READ    ? read_session(&call)
                    : request->op == OP_STORE ? store_session(&call)
                                              : transform(&call);
    mem_scope_end(t, call.s);
    mem_block(t);
    return hash_pair(i, hash);
}

static uint32_t draw_body(const struct state *state, rng *random) {
    uint64_t dice = rng_below(random, 1000);
    const uint32_t *mix = mixes[state->mix];
    if (dice < mix[SMALL])
        return (uint32_t)rng_below(random, SMALL_BODIES);
    return dice < mix[SMALL] + mix[MEDIUM] ? BODIES - 2 : BODIES - 1;
}

static void json_api_prepare(const void *prepared, uint64_t seed, uint64_t i, void *into) {
    const struct state *state = prepared;
    struct request *request = into;
    rng random = rng_at(seed, i);
    uint64_t dice = rng_below(&random, 10);
    request->op = dice < 7 ? OP_TRANSFORM : dice < 9 ? OP_READ : OP_STORE;
    request->session = zipf_rank(&state->popular, &random);
    request->body = draw_body(state, &random);
    if (request->op == OP_STORE)
        request->body = session_body(state, request->session);
    request->fault = SOUND;
    if (rng_below(&random, 1000) < state->malformed)
        request->fault = CUT + (enum fault)rng_below(&random, FAULTS - CUT);
    request->check = rng_below(&random, CHECK_EVERY) == 0;
    request->seed = rng_u64(&random);
}

static void make_session(mem_thread *t, struct state *state, uint64_t number) {
    const struct request request = {.body = session_body(state, number), .seed = 0};
    struct session *session = &state->sessions[number];
    struct call call = {t, mem_scope_begin(t), state, &request};
    size_t at;
    session->scope = mem_scope_begin(t);
    struct json_node *root = parse(&call, session->scope, &at);
    session->document = document_new(t, session->scope, root, number);
    struct json_writer reply = reply_new(&call);
    json_write(&reply, root);
    session->hash = reply_end(&reply, 200);
    state->live_bytes += sizeof *session->document + json_bytes(root);
    mem_scope_leave(t, session->scope);
    mem_scope_end(t, call.s);
}

static void *json_api_setup(mem_thread *t, const struct scenario_setup *in) {
    const SCENARIO_PARAMS *params = in->params;
    if (in->live > LIVE_MAX) {
        snprintf(in->error, in->error_bytes, "json-api: live must be at most %llu sessions",
                 (unsigned long long)LIVE_MAX);
        return NULL;
    }
    struct state *state = mem_state_new(sizeof *state);
    state->seed = in->seed;
    state->live = in->live;
    state->mix = (uint32_t)params->mix;
    state->malformed = (uint32_t)params->malformed;
    state->popular = zipf_make(in->live, ZIPF_EXPONENT);
    if (!(state->text = bodies_load(t, state->bodies, in)))
        return NULL;
    for (int i = 0; i < SHARDS; i++)
        pthread_mutex_init(&state->locks[i], NULL);
    state->sessions = mem_state_new(state->live * sizeof *state->sessions);
    for (uint64_t number = 0; number < state->live; number++)
        make_session(t, state, number);
    return state;
}

static void json_api_reset(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    for (uint64_t number = 0; number < state->live; number++) {
        mem_scope_enter(t, state->sessions[number].scope);
        state->sessions[number].document->revision = 0;
        mem_scope_leave(t, state->sessions[number].scope);
    }
}

static uint64_t json_api_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    return state->live_bytes;
}

static uint64_t json_api_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    uint64_t sum = 0;
    for (uint64_t number = 0; number < state->live; number++) {
        const struct request request = {.session = number};
        struct call call = {t, mem_scope_begin(t), state, &request};
        struct session *session = &state->sessions[number];
        uint64_t hash = read_session(&call);
        mem_scope_end(t, call.s);
        mem_scope_enter(t, session->scope);
        sum += hash_pair(number, hash_pair(session->document->revision, hash));
        session_end(t, session);
        session->document = NULL;
    }
    for (int i = 0; i < SHARDS; i++)
        pthread_mutex_destroy(&state->locks[i]);
    free(state->text);
    mem_state_free(state->sessions);
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_json_api = {.name = "json-api",
                                           .request_bytes = sizeof(struct request),
                                           .setup = json_api_setup,
                                           .prepare = json_api_prepare,
                                           .execute = json_api_execute,
                                           .reset = json_api_reset,
                                           .live_bytes = json_api_live_bytes,
                                           .finish = json_api_finish,
                                           SCENARIO_MEMORY};
