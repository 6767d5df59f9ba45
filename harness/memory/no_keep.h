/* SPDX-License-Identifier: MIT */
/* no_keep.h - keep of a strategy that does not provide MEM_SHARED: no cell reaches it. */
static inline void *mem_keep(mem_thread *t, const mem_type *type, void *object) {
    (void)t, (void)type, (void)object;
    host_violation("keep: this strategy does not provide sharing");
}
