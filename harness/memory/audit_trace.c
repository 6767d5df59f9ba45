/* SPDX-License-Identifier: MIT */
/* audit_trace.c - clang's load and store callbacks, passed on to the audit strategy.
 *
 * The scenario is compiled with -fsanitize-coverage=func,trace-loads,trace-stores (the two need a
 * kind of coverage beside them: without `func` clang accepts them and emits nothing); this file is
 * not. Each callback comes before the access it tells of.
 */
#if !defined(TAILRACE_AUDIT_TRACE)
#define TAILRACE_AUDIT_TRACE 1
#endif
#include "memory/audit_trace.h"

#include <stdatomic.h>
#include <stdint.h>

static _Atomic(audit_trace_fn) hook;

/* relaxed, as the load below: threads that are traced are started after it */
void audit_trace_install(audit_trace_fn fn) {
    atomic_store_explicit(&hook, fn, memory_order_relaxed);
}

static void access(const void *address, size_t bytes, bool store) {
    audit_trace_fn fn = atomic_load_explicit(&hook, memory_order_relaxed);
    if (fn)
        fn(address, bytes, store);
}

#define CALLBACKS(n, type)                                                                         \
    void __sanitizer_cov_load##n(const type *address);                                             \
    void __sanitizer_cov_store##n(const type *address);                                            \
    void __sanitizer_cov_load##n(const type *address) {                                            \
        access(address, sizeof(type), false);                                                      \
    }                                                                                              \
    void __sanitizer_cov_store##n(const type *address) {                                           \
        access(address, sizeof(type), true);                                                       \
    }
CALLBACKS(1, uint8_t)
CALLBACKS(2, uint16_t)
CALLBACKS(4, uint32_t)
CALLBACKS(8, uint64_t)
CALLBACKS(16, __int128)
