/* SPDX-License-Identifier: MIT */
/* no_world.h - the thread and entry calls of a strategy that never stops a thread. */
static inline void mem_block(mem_thread *t) {
    (void)t;
}
static inline void mem_unblock(mem_thread *t) {
    (void)t;
}
static inline void mem_safepoint(mem_thread *t) {
    (void)t;
}
static inline void mem_scope_enter(mem_thread *t, mem_scope *s) {
    (void)t, (void)s;
}
static inline void mem_scope_leave(mem_thread *t, mem_scope *s) {
    (void)t, (void)s;
}
