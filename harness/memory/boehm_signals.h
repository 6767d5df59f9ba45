/* SPDX-License-Identifier: MIT */
/* boehm_signals.h - libgc stops threads by its own signals, wherever they are. */
static void boehm_world_init(void) {}

/* The main thread is registered by GC_INIT and stays so: unattached, it may call mem_state_new and
 * mem_fini, which may collect. */
static void boehm_world_join(void) {
    struct GC_stack_base base;
    if (!GC_thread_is_registered() && GC_get_stack_base(&base) == GC_SUCCESS)
        GC_register_my_thread(&base);
}
static void boehm_world_leave(bool main_thread) {
    if (!main_thread)
        GC_unregister_my_thread();
}
static inline void mem_block(mem_thread *t) {
    (void)t;
}
static inline void mem_unblock(mem_thread *t) {
    (void)t;
}
static inline void mem_safepoint(mem_thread *t) {
    (void)t;
}
