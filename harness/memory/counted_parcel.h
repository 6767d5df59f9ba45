/* SPDX-License-Identifier: MIT */
/* counted_parcel.h - handing over where references are counted and scopes are not: one for each
 * receiver.
 *
 * The strategy defines before it: count_add(t, object, n), as for counted.h.
 */
static inline mem_parcel mem_send(mem_thread *t, mem_scope *s, const mem_type *type, void *object,
                                  uint32_t receivers) {
    (void)type;
    if (object && receivers > 1)
        count_add(t, object, receivers - 1);
    return (mem_parcel){.scope = s, .object = object};
}
static inline void *mem_receive(mem_thread *t, const mem_parcel *parcel, mem_scope **s) {
    (void)t;
    *s = parcel->scope;
    return parcel->object;
}
