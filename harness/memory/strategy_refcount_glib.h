/* SPDX-License-Identifier: MIT */
/* strategy_refcount_glib.h - GLib's GAtomicRcBox: reference counts of a library, called and not
 * inlined.
 *
 * The library frees an object within release_full, right after it has called `clear`, which is told
 * the object alone. So drop leaves the type in a variable of the thread, and clear leaves there the
 * last object that was owned, with which drop goes on in a loop (mem_shed). A box cannot grow: a
 * larger one is a copy, as g_atomic_rc_box_dup makes. There is no counting up by more than one, so
 * there are no slots.
 *
 * GLib ends the process where memory runs out. It says so in a fatal message first, whose handler
 * ends the run as a result; where there is no memory for the message either, the function that
 * formats it does (GLib 2.74 calls itself without end there). So mem_try_new never returns NULL.
 */
#include "memory/no_scopes.h"
#include "memory/no_slots.h"
#include "memory/no_world.h"
#include "memory/plain_edges.h"
#include "memory/plain_state.h"

#include <glib.h>
#include <stdarg.h>
#include <stdio.h>

/* ThreadSanitizer does not see the library's atomics. Every release of a reference pairs with the
 * clear of the last one. */
#if defined(TAILRACE_TSAN)
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#define GLIB_ACQUIRED(object) __tsan_acquire(object)
#define GLIB_RELEASES(object) __tsan_release(object)
#else
#define GLIB_ACQUIRED(object) (void)(object)
#define GLIB_RELEASES(object) (void)(object)
#endif

/* What clear is to know of the object that is being dropped, and what it leaves. */
struct glib_dying {
    mem_thread *t;
    const mem_type *type;
    void *rest;
    struct mem_cascade cascade;
};
static _Thread_local struct glib_dying *glib_dying;
_Thread_local size_t glib_wanted_bytes __attribute__((weak)); /* one for all scenarios */

static void glib_out_of_memory(const char *domain, GLogLevelFlags level, const char *message,
                               void *data) {
    (void)domain, (void)level, (void)message, (void)data;
    host_out_of_memory(glib_wanted_bytes);
}
/* In the place of libc's function of this name, which GLib calls. */
int __vasprintf_chk(char **text, int flag, const char *format, va_list arguments);
__attribute__((weak)) int __vasprintf_chk(char **text, int flag, const char *format,
                                          va_list arguments) {
    (void)flag;
    va_list counted;
    va_copy(counted, arguments);
    int length = vsnprintf(NULL, 0, format, counted);
    va_end(counted);
    *text = length < 0 ? NULL : malloc((size_t)length + 1);
    if (!*text)
        host_out_of_memory(glib_wanted_bytes);
    return vsnprintf(*text, (size_t)length + 1, format, arguments);
}
static void mem_init(void) {
    g_log_set_handler("GLib", G_LOG_LEVEL_ERROR | G_LOG_FLAG_FATAL | G_LOG_FLAG_RECURSION,
                      glib_out_of_memory, NULL);
    g_log("tailrace", G_LOG_LEVEL_DEBUG, "ready"); /* what GLib allocates with the first message */
}
static void mem_fini(void) {}

MEM_INLINE void count_add(mem_thread *t, void *object, uint32_t n) {
    (void)t;
    for (uint32_t i = 0; i < n; i++)
        g_atomic_rc_box_acquire(object);
}

MEM_INLINE void *mem_try_new(mem_thread *t, mem_scope *s, const mem_type *type,
                             size_t trailing_bytes) {
    (void)t, (void)s;
    glib_wanted_bytes = mem_bytes(type, trailing_bytes);
    void *object = g_atomic_rc_box_alloc(glib_wanted_bytes);
    mem_clear_edges(type, object, trailing_bytes);
    return object;
}

static void glib_clear(void *object) {
    GLIB_ACQUIRED(object);
    struct glib_dying *dying = glib_dying;
    mem_cascade_step(&dying->cascade, dying->type, object);
    dying->rest = mem_shed(dying->t, &no_scope, &dying->type, object);
}
static __attribute__((unused)) void glib_drop_linked(mem_thread *t, const mem_type *type,
                                                     void *object) {
    struct glib_dying *outer = glib_dying, dying = {.t = t, .type = type};
    for (; object; object = dying.rest) {
        glib_dying = &dying;
        dying.rest = NULL;
        GLIB_RELEASES(object);
        g_atomic_rc_box_release_full(object, glib_clear);
    }
    glib_dying = outer;
    mem_cascade_end(&dying.cascade);
}
/* Of objects without edges the clear does nothing but tell ThreadSanitizer. */
static void glib_clear_flat(void *object) {
    GLIB_ACQUIRED(object);
}

MEM_INLINE void mem_drop(mem_thread *t, mem_scope *s, const mem_type *type, void *object) {
    (void)s;
    if (mem_has_edges(type)) {
        glib_drop_linked(t, type, object);
    } else if (object) {
        GLIB_RELEASES(object);
        g_atomic_rc_box_release_full(object, glib_clear_flat);
    }
}

/* The old box goes without a clear: what it owned has moved. */
MEM_INLINE void *mem_resize(mem_thread *t, mem_scope *s, const mem_type *type, void *object,
                            size_t old_trailing_bytes, size_t new_trailing_bytes) {
    size_t old_bytes = mem_bytes(type, old_trailing_bytes);
    if (mem_bytes(type, new_trailing_bytes) > old_bytes) {
        void *grown = memcpy(mem_try_new(t, s, type, new_trailing_bytes), object, old_bytes);
        g_atomic_rc_box_release(object);
        object = grown;
    }
    mem_clear_trailing(type, object, old_trailing_bytes / sizeof(mem_ref),
                       new_trailing_bytes / sizeof(mem_ref));
    return object;
}

#include "memory/counted.h"
#include "memory/counted_parcel.h"
