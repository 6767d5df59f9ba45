/* SPDX-License-Identifier: MIT */
/* no_handoff.h - send and receive of a strategy that does not provide MEM_HANDOFF: no cell reaches
 * them. */
static inline mem_parcel mem_send(mem_thread *t, mem_scope *s, const mem_type *type, void *object,
                                  uint32_t receivers) {
    (void)t, (void)s, (void)type, (void)object, (void)receivers;
    host_violation("send: this strategy does not provide handing over");
}
static inline void *mem_receive(mem_thread *t, const mem_parcel *parcel, mem_scope **s) {
    (void)t, (void)parcel, (void)s;
    host_violation("receive: this strategy does not provide handing over");
}
