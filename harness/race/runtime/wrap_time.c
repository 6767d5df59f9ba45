/* SPDX-License-Identifier: MIT */
/* wrap_time.c - sleeps and yields: others go first; no time passes while any of them can run. */
#include "race/runtime/wrap.h"

#include <unistd.h>

static struct task *enter(void) {
    return UNLIKELY(LOAD(tailrace_on)) ? tailrace_enter() : NULL;
}

WRAP(int, sched_yield, void) {
    struct task *self = enter();
    if (self)
        tailrace_yield(self);
    JUMP __real_sched_yield();
}

WRAP(int, pthread_yield, void) {
    struct task *self = enter();
    if (self)
        tailrace_yield(self);
    return __real_sched_yield();
}

WRAP(unsigned, sleep, unsigned seconds) {
    struct task *self = enter();
    if (!self)
        JUMP __real_sleep(seconds);
    return tailrace_sleep(self, seconds * RAW_SECOND_NS, CALLER) == WOKE_SIGNAL ? seconds : 0;
}

WRAP(int, usleep, useconds_t us) {
    struct task *self = enter();
    if (!self)
        JUMP __real_usleep(us);
    if (tailrace_sleep(self, us * 1000ull, CALLER) != WOKE_SIGNAL)
        return 0;
    errno = EINTR;
    return -1;
}

WRAP(int, nanosleep, const struct timespec *span, struct timespec *rest) {
    struct task *self = enter();
    if (!self || span->tv_sec < 0 || !tailrace_valid(span))
        JUMP __real_nanosleep(span, rest);
    if (tailrace_sleep(self, tailrace_deadline(span), CALLER) != WOKE_SIGNAL)
        return 0;
    if (rest)
        *rest = *span;
    errno = EINTR;
    return -1;
}

WRAP(int, clock_nanosleep, clockid_t clock, int flags, const struct timespec *span,
     struct timespec *rest) {
    struct task *self = enter();
    if (!self || span->tv_sec < 0 || !tailrace_valid(span))
        JUMP __real_clock_nanosleep(clock, flags, span, rest);
    uint64_t ns = tailrace_deadline(span), now = raw_now_ns(clock);
    if (flags & TIMER_ABSTIME)
        ns = ns > now ? ns - now : 0;
    if (tailrace_sleep(self, ns, CALLER) != WOKE_SIGNAL)
        return 0;
    if (rest && !(flags & TIMER_ABSTIME))
        *rest = *span;
    return EINTR;
}
