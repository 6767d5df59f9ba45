/* SPDX-License-Identifier: MIT */
/* bare_glib.c - GLib's atomically counted boxes: alloc and release, acquire and release. */
#include "meter.h"
#include "touch.h"

#include <glib.h>

#define SUBJECT_NAME "callcost-bare-glib"
#define SUBJECT_EACH 1
#define SUBJECT_SCOPE 0
#define SUBJECT_HANDOFF 1
#define SUBJECT_KEEP 1
#define SUBJECT_STOPS NULL
#include "bare_no_scope.h"
#include "bare_no_start.h"

LOOP void *subject_new(void *t, void *s, size_t size) {
    (void)t, (void)s;
    return g_atomic_rc_box_alloc(size);
}
LOOP void *subject_keep(void *t, void *object) {
    (void)t;
    return (g_atomic_rc_box_acquire)(object); /* the function: the macro only casts */
}
LOOP void subject_give(void *t, void *s, size_t size, void *object) {
    (void)t, (void)s, (void)size;
    g_atomic_rc_box_release(object);
}

#include "bare.h"

#include "loops.h"
