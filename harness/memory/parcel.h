/* SPDX-License-Identifier: MIT */
/* parcel.h - handing over where a scope is freed by whoever holds it: nothing but the pointers
 * move. */
static inline mem_parcel mem_send(mem_thread *t, mem_scope *s, const mem_type *type, void *object,
                                  uint32_t receivers) {
    (void)t, (void)type, (void)receivers;
    return (mem_parcel){.scope = s, .object = object};
}
static inline void *mem_receive(mem_thread *t, const mem_parcel *parcel, mem_scope **s) {
    (void)t;
    *s = parcel->scope;
    return parcel->object;
}
