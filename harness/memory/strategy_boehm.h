/* SPDX-License-Identifier: MIT */
/* strategy_boehm.h - libgc, conservative, with parallel marking while the world is stopped.
 *
 * Under ThreadSanitizer, which defers the stop signal, threads are stopped at safepoints instead:
 * boehm_safepoints.h.
 */
#include "memory/boehm_common.h"

static void mem_init(void) {
    boehm_init();
}
