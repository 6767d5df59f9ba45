/* SPDX-License-Identifier: MIT */
/* wrap_memory.c - schedule points at accesses to memory, as ThreadSanitizer's compiler pass tells
 * of them, at atomics and at the allocator.
 */
#include "race/runtime/wrap.h"

#define ACCESS(name)                                                                               \
    WRAP(void, name, void *address) {                                                              \
        if (UNLIKELY(LOAD(tailrace_on)))                                                           \
            tailrace_access();                                                                     \
        JUMP __real_##name(address);                                                               \
    }

ACCESS(__tsan_read1)
ACCESS(__tsan_read2)
ACCESS(__tsan_read4)
ACCESS(__tsan_read8)
ACCESS(__tsan_read16)
ACCESS(__tsan_write1)
ACCESS(__tsan_write2)
ACCESS(__tsan_write4)
ACCESS(__tsan_write8)
ACCESS(__tsan_write16)
ACCESS(__tsan_unaligned_read2)
ACCESS(__tsan_unaligned_read4)
ACCESS(__tsan_unaligned_read8)
ACCESS(__tsan_unaligned_read16)
ACCESS(__tsan_unaligned_write2)
ACCESS(__tsan_unaligned_write4)
ACCESS(__tsan_unaligned_write8)
ACCESS(__tsan_unaligned_write16)

#define FUNCTION(result, name, point, parameters, arguments)                                       \
    __attribute__((weak)) result __real_##name parameters;                                         \
    result __wrap_##name parameters;                                                               \
    result __wrap_##name parameters {                                                              \
        if (UNLIKELY(LOAD(tailrace_on)))                                                           \
            point;                                                                                 \
        JUMP __real_##name arguments;                                                              \
    }

FUNCTION(void, __tsan_read_range, tailrace_access(), (void *a, unsigned long n), (a, n))
FUNCTION(void, __tsan_write_range, tailrace_access(), (void *a, unsigned long n), (a, n))
FUNCTION(void *, __tsan_memcpy, tailrace_access(), (void *a, const void *b, size_t n), (a, b, n))
FUNCTION(void *, __tsan_memmove, tailrace_access(), (void *a, const void *b, size_t n), (a, b, n))
FUNCTION(void *, __tsan_memset, tailrace_access(), (void *a, int byte, size_t n), (a, byte, n))
FUNCTION(void *, malloc, tailrace_access(), (size_t n), (n))
FUNCTION(void *, calloc, tailrace_access(), (size_t count, size_t n), (count, n))
FUNCTION(void *, realloc, tailrace_sync(block), (void *block, size_t n), (block, n))
FUNCTION(void, free, tailrace_sync(block), (void *block), (block))

#define ATOMIC_UPDATE(bits, type, verb)                                                            \
    FUNCTION(type, __tsan_atomic##bits##_##verb, tailrace_sync(a),                                 \
             (volatile type * a, type value, int order), (a, value, order))
#define ATOMIC_COMPARE(bits, type, verb)                                                           \
    FUNCTION(int, __tsan_atomic##bits##_compare_exchange_##verb, tailrace_sync(a),                 \
             (volatile type * a, type * expected, type value, int order, int failed),              \
             (a, expected, value, order, failed))
#define ATOMICS(bits, type)                                                                        \
    FUNCTION(type, __tsan_atomic##bits##_load, tailrace_sync(a),                                   \
             (const volatile type *a, int order), (a, order))                                      \
    FUNCTION(void, __tsan_atomic##bits##_store, tailrace_sync(a),                                  \
             (volatile type * a, type value, int order), (a, value, order))                        \
    ATOMIC_UPDATE(bits, type, exchange)                                                            \
    ATOMIC_UPDATE(bits, type, fetch_add)                                                           \
    ATOMIC_UPDATE(bits, type, fetch_sub)                                                           \
    ATOMIC_UPDATE(bits, type, fetch_and)                                                           \
    ATOMIC_UPDATE(bits, type, fetch_or)                                                            \
    ATOMIC_UPDATE(bits, type, fetch_xor)                                                           \
    ATOMIC_UPDATE(bits, type, fetch_nand)                                                          \
    ATOMIC_COMPARE(bits, type, strong)                                                             \
    ATOMIC_COMPARE(bits, type, weak)                                                               \
    FUNCTION(type, __tsan_atomic##bits##_compare_exchange_val, tailrace_sync(a),                   \
             (volatile type * a, type expected, type value, int order, int failed),                \
             (a, expected, value, order, failed))

ATOMICS(8, uint8_t)
ATOMICS(16, uint16_t)
ATOMICS(32, uint32_t)
ATOMICS(64, uint64_t)
ATOMICS(128, unsigned __int128)
FUNCTION(void, __tsan_atomic_thread_fence, tailrace_sync(NULL), (int order), (order))
