/* SPDX-License-Identifier: MIT */
/* boehm_signals.h - libgc stops threads by its own signals, wherever they are. */
static void boehm_world_init(void) {}
static void boehm_world_join(void) {}
static void boehm_world_leave(void) {}
static inline void mem_block(mem_thread *t) {
    (void)t;
}
static inline void mem_unblock(mem_thread *t) {
    (void)t;
}
static inline void mem_safepoint(mem_thread *t) {
    (void)t;
}
