/* SPDX-License-Identifier: MIT */
/* no_scopes.h - threads and scopes of a strategy that keeps nothing for either. */
struct mem_thread {
    char unused;
};
struct mem_scope {
    char unused;
};
static mem_thread no_thread;
static mem_scope no_scope;

static mem_thread *mem_attach(void) {
    return &no_thread;
}
static void mem_detach(mem_thread *t) {
    (void)t;
}
static inline mem_scope *mem_scope_begin(mem_thread *t) {
    (void)t;
    return &no_scope;
}
static inline void mem_scope_end(mem_thread *t, mem_scope *s) {
    (void)t, (void)s;
}
