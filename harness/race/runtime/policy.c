/* SPDX-License-Identifier: MIT */
/* policy.c - which thread goes next, and after how many steps.
 *
 * Sources: S. Burckhardt et al., "A randomized scheduler with probabilistic guarantees of finding
 * bugs", ASPLOS 2010 (PCT); a random walk with sampled accesses. All choices come from one
 * generator, so that the same seed makes the same choices wherever the program does the same.
 */
#include "race/runtime/runtime.h"

enum {
    CHANGES_MAX = 3,              /* PCT of depth 4 */
    SYNCS_ALONE_MIN = 200,        /* a thread that spins is found out after so many points… */
    SYNCS_ALONE_MAX = 2000,       /* …drawn up to so many */
    ACCESSES_ALONE_MIN = 1 << 12, /* each time that it did so, sooner */
    ACCESSES_ALONE_POWER_MIN = 16,
    ACCESSES_ALONE_POWER_MAX = 20,
    WALK_POWER = 14,   /* after 2^14 synchronisation points the walk switches ever more rarely */
    SKIPS_MAX = 64,    /* sleeps in a row that take no time: who polls may wait for the world */
    DUE_POWER_MAX = 8, /* 2^… points until a timed wait is looked at though others can run */
    PRIORITY_DEMOTED = -1000,
    PRIORITY_MIDDLE = 1 << 30,
    WINDOWS_POWER_MAX = 4,
    HELD_NS_MAX = 100000000,
};

_Atomic uint64_t tailrace_points, tailrace_sync_points, tailrace_steps, tailrace_trace;
rng tailrace_rng;
uint32_t tailrace_threads, tailrace_spurious;

/* What PCT's steps are. A window is where a thread comes back to what it has just acquired, read or
 * changed, or waits for a condition: what it knows may be out of date, if others run now. (After
 * C. S. Park and K. Sen's and S. Park et al.'s directed schedulers, CTrigger, ASPLOS 2009.) */
enum grain { GRAIN_SYNC, GRAIN_WINDOW, GRAIN_ACCESS };
/* PCT's first priorities: drawn, or main first and then the newest or the oldest: plain runs know
 * little but the last. */
enum order { ORDER_DRAWN, ORDER_NEWEST, ORDER_OLDEST, ORDERS };

static struct {
    bool pct;
    bool late; /* timed waits run out before others get on, now and then */
    enum grain grain;
    enum order order;
    int64_t next_priority;
    uint32_t change_count, changes_done, gap_mean, syncs_max, accesses_max;
    uint64_t changes[CHANGES_MAX], change_next;
    int64_t demoted;
    int64_t gap; /* accesses until the walk may switch */
    uint32_t syncs_alone, accesses_alone, skips;
    uint64_t virtual_ns;
} policy;

static uint64_t draw(uint64_t min, uint64_t max) {
    return min + rng_below(&tailrace_rng, max - min + 1);
}

static void set_next_change(void) {
    uint64_t steps = LOAD(tailrace_steps);
    policy.change_next = UINT64_MAX;
    for (uint32_t i = 0; i < policy.change_count; i++)
        if (policy.changes[i] > steps && policy.changes[i] < policy.change_next)
            policy.change_next = policy.changes[i];
}

/* 2^(length / 8), by steps of an eighth power of two that are exact enough. */
static uint64_t expected_steps(uint32_t length) {
    static const uint32_t eighths[] = {1000, 1091, 1189, 1297, 1414, 1542, 1682, 1834};
    uint32_t power = length / 8 < 40 ? length / 8 : 40;
    uint64_t steps = ((1ull << power) * eighths[length % 8] + 999) / 1000;
    return steps > 2 ? steps : 2;
}

/* Of eight seeds one has accesses as steps, and the fewer changes the more have windows. */
static enum grain grain_of(enum race_schedule kind) {
    uint32_t turn = seed_number(tailrace_seed) % SEED_TURNS;
    if (turn == SEED_ACCESS_TURN)
        return GRAIN_ACCESS;
    return kind >= SCHEDULE_PCT2 && turn <= 2 * (uint32_t)(SCHEDULE_PCT4 - kind) + 2 ? GRAIN_WINDOW
                                                                                     : GRAIN_SYNC;
}

/* 1, 1, 1, 2 or 4: what goes wrong does so at one of the first as a rule. */
static uint64_t few_windows(void) {
    uint64_t power = draw(0, WINDOWS_POWER_MAX);
    return power > 2 ? 1ull << (power - 2) : 1;
}

void tailrace_policy_start(void) {
    enum race_schedule kind = seed_schedule(tailrace_seed);
    tailrace_rng = rng_at(tailrace_seed, 0);
    policy.pct = kind >= SCHEDULE_PCT2;
    policy.grain = grain_of(kind);
    policy.late = draw(0, 2) == 0;
    policy.order = (enum order)draw(0, ORDERS - 1);
    if (policy.grain == GRAIN_WINDOW && draw(0, 3)) /* the usual order, but for what changes do */
        policy.order = ORDER_OLDEST;
    policy.syncs_max = (uint32_t)draw(SYNCS_ALONE_MIN, SYNCS_ALONE_MAX);
    policy.accesses_max = 1u << draw(ACCESSES_ALONE_POWER_MIN, ACCESSES_ALONE_POWER_MAX);
    policy.gap_mean = 4u << draw(0, 6);
    policy.gap = (int64_t)draw(1, 2 * policy.gap_mean - 1);
    policy.demoted = PRIORITY_DEMOTED;
    tailrace_spurious = kind != SCHEDULE_PCT2 && draw(0, 1) ? (uint32_t)draw(2, 16) : 0;
    policy.change_count = policy.pct ? (uint32_t)(kind - SCHEDULE_PCT2) + 1 : 0;
    uint64_t steps =
        policy.grain == GRAIN_WINDOW ? few_windows() : expected_steps(seed_length(tailrace_seed));
    for (uint32_t i = 0; i < policy.change_count; i++)
        policy.changes[i] = draw(1, steps);
    set_next_change();
}

void tailrace_policy_new(struct task *task) {
    task->number = tailrace_threads++;
    int64_t drawn = (int64_t)(rng_u64(&tailrace_rng) >> 2) + 1;
    bool first = task->number == 0 && policy.order != ORDER_DRAWN;
    task->priority = first                          ? INT64_MAX
                     : policy.order == ORDER_NEWEST ? PRIORITY_MIDDLE + task->number
                     : policy.order == ORDER_OLDEST ? PRIORITY_MIDDLE - task->number
                                                    : drawn;
}

void tailrace_policy_demote(struct task *self) {
    self->priority = --policy.demoted;
}

void tailrace_policy_switched(const struct task *to) {
    policy.syncs_alone = policy.accesses_alone = policy.skips = 0;
    STORE(tailrace_trace, hash_pair(LOAD(tailrace_trace) ^ to->number, LOAD(tailrace_points)));
}

void tailrace_policy_wait(struct wait *wait, uint64_t ns) {
    wait->due = LOAD(tailrace_points) + (1ull << draw(0, DUE_POWER_MAX));
    wait->order = policy.virtual_ns + ns;
    wait->held = policy.late && wait->kind != WAIT_SLEEP && ns <= HELD_NS_MAX && draw(0, 1);
}

static void count(_Atomic uint64_t *counter) {
    STORE(*counter, LOAD(*counter) + 1);
}

static bool change_point(struct task *self) {
    if (LOAD(tailrace_steps) < policy.change_next)
        return false;
    /* Lowest, or above those that gave way by themselves: both orders find bugs. */
    self->priority = draw(0, 1) ? --policy.demoted : -(int64_t)++policy.changes_done;
    set_next_change();
    return true;
}

bool tailrace_policy_access(void) {
    struct task *self = LOAD(tailrace_turn);
    count(&tailrace_points);
    if (UNLIKELY(++policy.accesses_alone >= policy.accesses_max) && self) {
        policy.accesses_alone = 0;
        if (policy.accesses_max > ACCESSES_ALONE_MIN)
            policy.accesses_max /= 2;
        tailrace_policy_demote(self);
        return true;
    }
    bool fresh = self && self->fresh;
    if (self)
        self->fresh = false;
    if (fresh) /* what follows an unlock is no less a place to stop at than the unlock */
        count(&tailrace_sync_points);
    if (policy.pct) {
        if (policy.grain != GRAIN_ACCESS && !fresh)
            return false;
        count(&tailrace_steps);
        return self && change_point(self);
    }
    count(&tailrace_steps);
    if (--policy.gap > 0 && !(fresh && draw(0, 1)))
        return false;
    policy.gap = (int64_t)draw(1, 2 * policy.gap_mean - 1);
    return true;
}

/* Whether the thread was at the object lately; remembers that it is. */
static bool comes_back(struct task *self, const volatile void *object) {
    for (uint32_t i = 0; i < TASK_TOUCHED; i++)
        if (self->touched[i] == object)
            return true;
    self->touched[self->touched_next++ % TASK_TOUCHED] = object;
    return false;
}

bool tailrace_policy_sync(struct task *self, const volatile void *object) {
    bool window = object && comes_back(self, object);
    count(&tailrace_points);
    count(&tailrace_sync_points);
    if (policy.grain != GRAIN_WINDOW || window)
        count(&tailrace_steps);
    if (policy.pct)
        change_point(self);
    if (++policy.syncs_alone < policy.syncs_max)
        return false;
    policy.syncs_alone = 0;
    tailrace_policy_demote(self);
    return true;
}

bool tailrace_policy_stays(void) {
    uint64_t rarity = LOAD(tailrace_sync_points) >> WALK_POWER;
    return !policy.pct && rarity > 0 && rng_below(&tailrace_rng, rarity + 1) > 0;
}

bool tailrace_any_outside(void) {
    uint32_t end = LOAD(tailrace_task_end);
    for (uint32_t i = 0; i < end; i++)
        if (LOAD(tailrace_tasks[i].state) == TASK_OUTSIDE)
            return true;
    return false;
}

static bool deadline_passed(const struct wait *wait) {
    return raw_now_ns(wait->clock) >= wait->deadline_ns;
}

/* Others can run, but this one has waited long: no thread that waits for it may spin for ever. */
static bool is_due(struct task *task) {
    struct wait *wait = &task->wait;
    if (!wait->timed || LOAD(tailrace_points) < wait->due)
        return false;
    if (wait->kind == WAIT_SLEEP || deadline_passed(wait))
        return true;
    wait->due = LOAD(tailrace_points) + (1ull << DUE_POWER_MAX);
    return false;
}

static bool may_run(struct task *task) {
    uint32_t state = LOAD(task->state);
    if (state != TASK_BLOCKED)
        return state == TASK_READY;
    if (tailrace_wait_over(task))
        task->woke = WOKE_READY;
    else if (LOAD(task->signalled))
        task->woke = WOKE_SIGNAL;
    else if (task->wait.cancellable && LOAD(task->cancelled))
        task->woke = WOKE_CANCEL;
    else if (is_due(task))
        task->woke = WOKE_TIMEOUT;
    else
        return false;
    return true;
}

/* Nobody can run: the first whose time comes, if it has come. */
static struct task *first_in_time(void) {
    struct task *first = NULL;
    uint32_t end = LOAD(tailrace_task_end);
    for (uint32_t i = 0; i < end; i++) {
        struct task *task = &tailrace_tasks[i];
        if (LOAD(task->state) == TASK_BLOCKED && task->wait.timed &&
            (!first || task->wait.order < first->wait.order))
            first = task;
    }
    if (!first)
        return NULL;
    bool skip =
        first->wait.kind == WAIT_SLEEP && policy.skips < SKIPS_MAX && !tailrace_any_outside();
    if (!skip && !deadline_passed(&first->wait))
        return NULL;
    policy.skips++;
    if (policy.virtual_ns < first->wait.order)
        policy.virtual_ns = first->wait.order;
    first->woke = WOKE_TIMEOUT;
    return first;
}

static struct task *pick(struct task *const *from, uint32_t n) {
    if (!policy.pct)
        return from[rng_below(&tailrace_rng, n)];
    struct task *best = from[0];
    for (uint32_t i = 1; i < n; i++)
        if (from[i]->priority > best->priority)
            best = from[i];
    return best;
}

struct task *tailrace_choose(const struct task *not_this) {
    static struct task *able[TASKS_MAX]; /* under the lock */
    uint32_t n = 0, end = LOAD(tailrace_task_end);
    struct task *last = NULL;
    for (uint32_t i = 0; i < end; i++) {
        struct task *task = &tailrace_tasks[i];
        if (!may_run(task))
            continue;
        if (task == not_this)
            last = task;
        else
            able[n++] = task;
    }
    if (last && n == 0)
        able[n++] = last;
    struct task *next = n == 1 ? able[0] : n > 0 ? pick(able, n) : first_in_time();
    if (next && LOAD(next->state) == TASK_BLOCKED) {
        STORE(next->state, TASK_READY);
        STORE(next->signalled, false);
    }
    return next;
}
