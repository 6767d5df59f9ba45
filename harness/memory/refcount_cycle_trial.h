/* SPDX-License-Identifier: MIT */
/* refcount_cycle_trial.h - trial deletion: finds and frees what the candidates of a scope reach and
 * nobody else does.
 *
 * It runs in a call of the scope's user, its only holder. So no edge and no count is touched by
 * another thread, but that one who holds an object may keep it, and that slots are read. Counts are
 * therefore not changed on trial: every object that candidates reach by OWNED and SLOT edges
 * becomes a node of a table, with its count as it was first read and with the number of edges from
 * other nodes. Who has more references than that is held from outside, and black, as is what it
 * reaches. The others are white; their words are read again. Where one has changed, it is black as
 * well. If none has, then no white object's count was touched between the first reading of the last
 * and the second of the first, as every count up changes the word for good; at any moment between,
 * all references to white objects were edges from white objects, and nobody could come to any:
 * they are garbage, and stay it. What others did before they gave up a reference comes before the
 * reading that finds it given up (acquire), so that the second reading sees what they kept.
 *
 * Nodes last while the search is at them: a candidate by CYCLE_BUFFERED, any other by the edge that
 * it was found by. One whose CYCLE_BUFFERED is set and that is not among the roots was made a
 * candidate meanwhile: it is left to the next search. Black roots are candidates no longer, unless
 * their word has changed since: the change did not make them one, as they were. A reader in a
 * slot's word that has not yet counted its object can read that slot, so what it finds is not
 * white.
 *
 * The table is worked through in order, blackening by a chain within it: nothing recurses.
 */
#define CYCLE_NONE UINT32_MAX
#define CYCLE_NODES_MIN 1024u

MEM_INLINE uint32_t cycle_edge_count(const struct cycle_node *node) {
    const mem_type *type = node->type;
    return type->edge_count + (type->trailing_edge ? *mem_trailing_count(type, node->object) : 0);
}
/* The object with edges that edge i of a node holds, or NULL. */
static void *cycle_child(const struct cycle_node *node, uint32_t i, mem_ref **edge,
                         const mem_type **type) {
    const mem_type *of = node->type;
    bool fixed = i < of->edge_count;
    const mem_edge *one = fixed ? &of->edges[i] : of->trailing_edge;
    if (one->kind == MEM_BORROWED || !mem_has_edges(one->type))
        return NULL;
    *edge = fixed ? mem_edge_at(node->object, one->offset)
                  : &mem_trailing(of, node->object)[i - of->edge_count];
    *type = one->type;
    return split_pointer((uint64_t)(uintptr_t)mem_get(*edge)); /* a slot may have readers */
}

/* The node of an object, new if it has none. */
static struct cycle_node *cycle_visit(mem_thread *t, const mem_type *type, void *object) {
    struct cycle_header *h = cycle_of(object);
    if (h->node)
        return &t->nodes[h->node - 1];
    if (t->count == t->capacity) {
        uint32_t capacity = t->capacity ? t->capacity * 2 : CYCLE_NODES_MIN;
        void *nodes =
            capacity > t->capacity ? realloc(t->nodes, capacity * sizeof *t->nodes) : NULL;
        if (!nodes)
            host_out_of_memory(capacity * sizeof *t->nodes);
        t->nodes = nodes;
        t->capacity = capacity;
    }
    struct cycle_node *node = &t->nodes[t->count];
    /* acquire: pairs with the release in cycle_release */
    *node = (struct cycle_node){.object = object,
                                .type = type,
                                .word = atomic_load_explicit(&h->word, memory_order_acquire)};
    h->node = ++t->count;
    return node;
}

/* Takes the scope's candidates as the first nodes; those with no reference left, which were
 * emptied or are whole, as the list that it returns. */
static uint64_t cycle_take_roots(mem_thread *t, mem_scope *s) {
    uint64_t dead = 0;
    /* relaxed: a push between the two only makes the next search come late */
    atomic_store_explicit(&s->candidate_count, 0, memory_order_relaxed);
    /* acquire: pairs with the release in cycle_push */
    uint64_t one = atomic_exchange_explicit(&s->candidates, 0, memory_order_acquire), next;
    for (; one; one = next) {
        void *object = split_pointer(one);
        struct cycle_header *h = cycle_of(object);
        next = atomic_load_explicit(&h->link, memory_order_relaxed);
        /* relaxed: the type came with the candidate; acquire: as in cycle_visit */
        const mem_type *type =
            atomic_load_explicit(&cycle_types[one >> CYCLE_POINTER_BITS], memory_order_relaxed);
        if (cycle_count(atomic_load_explicit(&h->word, memory_order_acquire)) > 0) {
            cycle_visit(t, type, object)->root = true;
        } else {
            atomic_store_explicit(&h->link, dead, memory_order_relaxed);
            dead = one;
        }
    }
    return dead;
}

/* Makes a node black, and what it reaches. */
static void cycle_blacken(mem_thread *t, uint32_t first) {
    struct cycle_node *nodes = t->nodes;
    uint32_t top = first;
    nodes[first].black = true;
    nodes[first].next_black = CYCLE_NONE;
    while (top != CYCLE_NONE) {
        struct cycle_node *node = &nodes[top];
        top = node->next_black;
        for (uint32_t i = 0; i < cycle_edge_count(node); i++) {
            mem_ref *edge;
            const mem_type *type;
            void *object = cycle_child(node, i, &edge, &type);
            uint32_t child = object ? cycle_of(object)->node - 1 : CYCLE_NONE;
            if (!object || nodes[child].black)
                continue;
            nodes[child].black = true;
            nodes[child].next_black = top;
            top = child;
        }
    }
}

/* Finds the nodes that are held from outside; the others are garbage. */
static void cycle_search(mem_thread *t) {
    for (uint32_t k = 0; k < t->count; k++)
        for (uint32_t i = 0; i < cycle_edge_count(&t->nodes[k]); i++) {
            mem_ref *edge;
            const mem_type *type;
            void *object = cycle_child(&t->nodes[k], i, &edge, &type);
            if (object)
                cycle_visit(t, type, object)->internal++;
        }
    for (uint32_t k = 0; k < t->count; k++) {
        struct cycle_node *node = &t->nodes[k];
        if (!node->black && (cycle_count(node->word) != node->internal ||
                             (!node->root && node->word & CYCLE_BUFFERED)))
            cycle_blacken(t, k);
    }
    for (uint32_t k = 0; k < t->count; k++) {
        struct cycle_node *node = &t->nodes[k];
        /* acquire: as in cycle_visit */
        if (!node->black &&
            atomic_load_explicit(&cycle_of(node->object)->word, memory_order_acquire) != node->word)
            cycle_blacken(t, k);
    }
}

/* Makes a black root a candidate no longer, or again if its word has changed. */
static void cycle_unbuffer(mem_scope *s, const struct cycle_node *node) {
    struct cycle_header *h = cycle_of(node->object);
    uint64_t word = node->word;
    atomic_store_explicit(&h->link, (uint64_t)(uintptr_t)s, memory_order_relaxed);
    /* release: pairs with the acquire in cycle_release of who makes it a candidate again */
    if (!atomic_compare_exchange_strong_explicit(&h->word, &word, word & ~CYCLE_BUFFERED,
                                                 memory_order_release, memory_order_relaxed))
        cycle_push(s, node->type, node->object);
}

/* Frees an object that nobody holds, and drops what it owns. */
static void cycle_free(mem_thread *t, mem_scope *s, const mem_type *type, void *object) {
    void *rest = mem_shed(t, s, &type, object);
    free(cycle_of(object));
    if (rest)
        mem_drop(t, s, type, rest);
}

/* White objects lose their edges to each other first, so that each is freed once. */
static void cycle_sever(mem_thread *t) {
    for (uint32_t k = 0; k < t->count; k++)
        for (uint32_t i = 0; !t->nodes[k].black && i < cycle_edge_count(&t->nodes[k]); i++) {
            mem_ref *edge;
            const mem_type *type;
            void *object = cycle_child(&t->nodes[k], i, &edge, &type);
            if (object && !t->nodes[cycle_of(object)->node - 1].black)
                mem_put(edge, NULL);
        }
}

static __attribute__((noinline, unused)) void cycle_collect(mem_thread *t, mem_scope *s) {
    uint64_t begin_ns = clock_now_ns();
    uint64_t dead = cycle_take_roots(t, s);
    cycle_search(t);
    cycle_sever(t);
    for (uint32_t k = 0; k < t->count; k++)
        cycle_of(t->nodes[k].object)->node = 0;
    /* From here on another thread may free what is black. */
    for (uint32_t k = 0; k < t->count; k++)
        if (t->nodes[k].root && t->nodes[k].black)
            cycle_unbuffer(s, &t->nodes[k]);
    t->dropping = true; /* the drops within start no search */
    for (uint32_t k = 0; k < t->count; k++)
        if (!t->nodes[k].black)
            cycle_free(t, s, t->nodes[k].type, t->nodes[k].object);
    while (dead) {
        void *object = split_pointer(dead);
        const mem_type *type =
            atomic_load_explicit(&cycle_types[dead >> CYCLE_POINTER_BITS], memory_order_relaxed);
        dead = atomic_load_explicit(&cycle_of(object)->link, memory_order_relaxed);
        cycle_free(t, s, type, object);
    }
    t->dropping = false;
    if (t->count >= MEM_CASCADE_OBJECTS)
        host_interval(MEM_CAUSE_CYCLES, begin_ns, clock_now_ns());
    t->count = 0;
}
