/* SPDX-License-Identifier: MIT */
/* test_contract_mutation.c - threads that move lists from edge to edge, for one strategy: nothing
 * that is owned may be lost, however the references move while a collector looks for them.
 *
 * Each thread has a table of its own and a mirror of it outside the strategy, against which it
 * checks the lists. A long list gives a concurrent collector work; its tail is cut off and held
 * elsewhere, by the table or by nothing but a local, for longer and shorter than a cycle, so that a
 * collector without a barrier loses it.
 */
#include "tests/contract.h"

#define THREADS 2
#define EDGES 64
#define DEPTH_MAX 12
#define STEPS 200000
#define LONG_LENGTH 20000
#define CUT_DEPTH_MAX 500
#define CUT_EVERY 512 /* steps */
#define SAFEPOINT_EVERY 8

struct mirror {
    uint64_t values[DEPTH_MAX];
    uint32_t depth;
};
struct mutator {
    mem_thread *t;
    mem_scope *s;
    struct table *table;
    struct mirror mirrors[EDGES];
    struct node *list,
        *cut;   /* the long one, owned; its node behind which it was cut off, or NULL */
    void *tail; /* owned, or NULL where the table has it, in its last edge */
    rng random;
    uint64_t seed, wrong;
};

static mem_ref *edge_at(struct mutator *m, uint64_t i) {
    return &mem_trailing(&table_type, m->table)[i];
}

static void push(struct mutator *m, uint64_t i, uint64_t value) {
    struct mirror *mirror = &m->mirrors[i];
    if (mirror->depth == DEPTH_MAX)
        return;
    struct node *node = node_new(m->t, m->s, value);
    mem_set(m->t, m->s, node, &node->next, &node_type, mem_take(m->t, m->table, edge_at(m, i)));
    mem_set(m->t, m->s, m->table, edge_at(m, i), &node_type, node);
    mirror->values[mirror->depth++] = value;
}
static void pop(struct mutator *m, uint64_t i) {
    struct mirror *mirror = &m->mirrors[i];
    struct node *node = mem_take(m->t, m->table, edge_at(m, i));
    m->wrong += !node != !mirror->depth;
    if (!node)
        return;
    m->wrong += node->value != mirror->values[--mirror->depth];
    mem_set(m->t, m->s, m->table, edge_at(m, i), &node_type, mem_take(m->t, node, &node->next));
    mem_drop(m->t, m->s, &node_type, node);
}
static void swap(struct mutator *m, uint64_t i, uint64_t k) {
    void *a = mem_take(m->t, m->table, edge_at(m, i)), *b = mem_take(m->t, m->table, edge_at(m, k));
    mem_safepoint(m->t); /* both lists are held by nothing but locals */
    mem_set(m->t, m->s, m->table, edge_at(m, i), &node_type, i == k ? a : b);
    if (i == k)
        return;
    mem_set(m->t, m->s, m->table, edge_at(m, k), &node_type, a);
    struct mirror mirror = m->mirrors[i];
    m->mirrors[i] = m->mirrors[k];
    m->mirrors[k] = mirror;
}
static void check(struct mutator *m, uint64_t i) {
    const struct mirror *mirror = &m->mirrors[i];
    uint32_t depth = mirror->depth;
    struct node *node = mem_get(edge_at(m, i));
    for (; node && depth > 0; node = mem_get(&node->next))
        m->wrong += node->value != mirror->values[--depth];
    m->wrong += node || depth > 0;
}

static void cut_off(struct mutator *m, bool held) {
    m->cut = m->list;
    for (uint64_t i = rng_below(&m->random, CUT_DEPTH_MAX); i > 0; i--)
        m->cut = mem_get(&m->cut->next);
    m->tail = mem_take(m->t, m->cut, &m->cut->next);
    if (held)
        return;
    mem_set(m->t, m->s, m->table, edge_at(m, EDGES), &node_type, m->tail);
    m->tail = NULL;
}
static void join_up(struct mutator *m) {
    void *tail = m->tail ? m->tail : mem_take(m->t, m->table, edge_at(m, EDGES));
    mem_set(m->t, m->s, m->cut, &m->cut->next, &node_type, tail);
    m->cut = NULL;
    m->tail = NULL;
}

static void step(struct mutator *m, uint64_t number) {
    uint64_t i = rng_below(&m->random, EDGES), k = rng_below(&m->random, EDGES);
    switch (rng_below(&m->random, 8)) {
    case 0:
    case 1:
    case 2:
        push(m, i, number);
        break;
    case 3:
        pop(m, i);
        break;
    case 4:
        swap(m, i, k);
        break;
    case 5:
        mem_set(m->t, m->s, m->table, edge_at(m, i), &node_type, NULL);
        m->mirrors[i].depth = 0;
        break;
    case 6:
        mem_drop(m->t, m->s, &blob_type, blob_new(m->t, m->s, number, 100));
        break;
    default:
        check(m, i);
    }
}

static void *mutate(void *argument) {
    struct mutator *m = argument;
    m->t = mem_attach();
    m->s = mem_scope_begin(m->t);
    m->table = mem_new(m->t, m->s, &table_type, (EDGES + 1) * sizeof(mem_ref));
    m->random = rng_at(7, m->seed);
    m->list = list_new(m->t, m->s, LONG_LENGTH);
    for (uint64_t number = 0; number < STEPS; number++) {
        step(m, number);
        if (number % SAFEPOINT_EVERY == 0)
            mem_safepoint(m->t);
        if (number % CUT_EVERY == CUT_EVERY / 2)
            join_up(m);
        else if (number % CUT_EVERY == 0)
            cut_off(m, rng_below(&m->random, 2));
    }
    if (m->cut)
        join_up(m);
    for (uint64_t i = 0; i < EDGES; i++)
        check(m, i);
    uint64_t length = 0;
    for (struct node *node = m->list; node; node = mem_get(&node->next))
        length += node->value == LONG_LENGTH - 1 - length;
    m->wrong += length != LONG_LENGTH;
    mem_drop(m->t, m->s, &node_type, m->list);
    mem_drop(m->t, m->s, &table_type, m->table);
    mem_scope_end(m->t, m->s);
    mem_detach(m->t);
    return NULL;
}

static void test_nothing_owned_is_lost(void **state) {
    (void)state;
    pthread_t ids[THREADS];
    struct mutator *mutators = mem_state_new(THREADS * sizeof *mutators);
    for (uint64_t i = 0; i < THREADS; i++) {
        mutators[i].seed = i;
        assert_int_equal(pthread_create(&ids[i], NULL, mutate, &mutators[i]), 0);
    }
    mem_block(self);
    for (uint64_t i = 0; i < THREADS; i++)
        pthread_join(ids[i], NULL);
    mem_unblock(self);
    for (uint64_t i = 0; i < THREADS; i++)
        assert_int_equal(mutators[i].wrong, 0);
    mem_state_free(mutators);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nothing_owned_is_lost)};
    return cmocka_run_group_tests(tests, contract_setup, contract_teardown);
}
