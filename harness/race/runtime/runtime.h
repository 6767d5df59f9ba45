/* SPDX-License-Identifier: MIT */
/* runtime.h - what the parts of the run-time in a program under test share.
 *
 * Nothing here is instrumented, and nothing calls the C library but where said: what a sanitizer
 * sees of the program is the program's alone, and no ordering between its threads comes from us.
 *
 * Who may touch what: `tailrace_turn` names the one task that runs; the counters and the random
 * numbers are its own. Tasks' states and the turn change under tailrace_lock only, with signals
 * blocked. Fields marked atomic are read by anyone.
 */
#ifndef TAILRACE_RACE_RUNTIME_RUNTIME_H
#define TAILRACE_RACE_RUNTIME_RUNTIME_H

#include "base/rng.h"
#include "race/runtime/raw.h"
#include "race/seed.h"

#include <pthread.h>

enum {
    TASKS_MAX = 1024,      /* living threads that are scheduled; more run unscheduled */
    ONCE_DEPTH_MAX = 8,    /* initialisers in initialisers */
    TASK_FRAMES_MAX = 16,  /* of a blocked thread's stack */
    EXIT_DEADLOCK = 43,    /* exit status */
    DESTRUCTOR_ROUNDS = 3, /* of PTHREAD_DESTRUCTOR_ITERATIONS (4) that we let others have */
};

enum task_state {
    TASK_FREE,
    TASK_READY,   /* has the turn or may get it */
    TASK_BLOCKED, /* until what it waits for is there: task.wait */
    TASK_OUTSIDE, /* in a call that we know nothing of, or computing beside the others */
    TASK_DONE,    /* not yet joined */
};

enum wait_kind {
    WAIT_MUTEX,
    WAIT_READ,  /* a rwlock, for reading */
    WAIT_WRITE, /* a rwlock, for writing */
    WAIT_SPIN,
    WAIT_SEM,
    WAIT_COND,
    WAIT_BARRIER,
    WAIT_ONCE,
    WAIT_JOIN,
    WAIT_SLEEP,
};

/* Why a blocked task has the turn again. */
enum woke { WOKE_READY, WOKE_TIMEOUT, WOKE_SIGNAL, WOKE_CANCEL, WOKE_REAL };

/* Bits of task.go. */
enum { GO_TURN = 1, GO_REAL = 2, GO_UNWIND = 4 };

struct wait {
    const volatile void
        *came_for; /* what the point is at, if not the object: of a condition its mutex */
    enum wait_kind kind;
    bool timed, cancellable;
    bool held; /* its time is to run out before the others get on */
    clockid_t clock;
    uint64_t deadline_ns; /* of clock, where timed */
    uint64_t due;         /* points at which the deadline is looked at though others can run */
    uint64_t order;       /* among deadlines, in time that passes only when nobody can run */
    const void *object;
    const void *caller; /* the program's code that waits */
};

#define TASK_TOUCHED 4
struct task {
    _Atomic uint32_t go; /* futex: GO_ bits */
    _Atomic uint32_t state;
    _Atomic int tid; /* 0: still starting */
    _Atomic bool busy, signalled, cancelled, woken;
    bool detached;
    _Atomic bool brief; /* until its next point in a call that may block, but not for long */
    uint8_t rounds;     /* of destructors */
    uint32_t number;    /* in the order of creation */
    int64_t priority;
    bool fresh; /* no access yet since it gave something free */
    uint8_t touched_next;
    const volatile void *touched[TASK_TOUCHED]; /* what it acquired, read or changed last */
    _Atomic pthread_t handle;                   /* 0: not known yet */
    void *(*start)(void *);
    void *argument;
    struct wait wait;
    enum woke woke;
    uint32_t once_depth; /* pthread_once initialisers that it runs */
    const void *once[ONCE_DEPTH_MAX];
    uint32_t frame_count;
    uintptr_t frames[TASK_FRAMES_MAX];
};

#define TAILRACE_THREAD_LOCAL static __thread __attribute__((tls_model("initial-exec")))
#define LOAD(x) atomic_load_explicit(&(x), memory_order_relaxed)
#define STORE(x, value) atomic_store_explicit(&(x), value, memory_order_relaxed)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define CALLER __builtin_return_address(0)

/* The run: start.c. */
extern _Atomic uint32_t
    tailrace_on; /* enum race_schedule; 0 until started, after a fork, without seed */
extern uint64_t tailrace_seed;
extern _Atomic bool tailrace_unserialised, tailrace_exiting;
void tailrace_finish(void); /* freezes what the end line says */
void tailrace_write_end(void);

/* Tasks and the turn: turn.c. */
extern struct task tailrace_tasks[TASKS_MAX];
extern _Atomic uint32_t tailrace_task_end; /* slots above it were never used */
extern _Atomic(struct task *) tailrace_turn;
uint64_t tailrace_lock(void); /* returns the signals to restore */
void tailrace_unlock(uint64_t signals);
struct task *tailrace_task_new(void);              /* locks; NULL: no room */
struct task *tailrace_task_find(pthread_t thread); /* NULL: none of ours */
void tailrace_task_begin(struct task *self);       /* in its own thread; waits for the turn */
void tailrace_thread_key(void);                    /* calls tailrace_task_done at its end */
void tailrace_task_done(void);                     /* the calling thread's last */
void tailrace_task_drop(struct task *task);        /* makes the slot free */
struct task *tailrace_enter(void);                 /* the caller, scheduled; NULL: not so */
/* A synchronisation point; object: what is acquired, or the atomic; NULL where nothing is. */
void tailrace_point(struct task *self, const volatile void *object);
void tailrace_yield(struct task *self);                 /* one at which others go first */
struct task *tailrace_self(void);                       /* NULL: not scheduled */
enum woke tailrace_block(struct task *self);            /* self->wait is filled */
void tailrace_leave(struct task *self);                 /* for a call that may block */
void tailrace_arrive(struct task *self);                /* and back */
void tailrace_give(struct task *task);                  /* locked; NULL: nobody */
void tailrace_wake(struct task *task, uint32_t go_bit); /* sets the bit, wakes */
void tailrace_access(void);                             /* a point at an access to memory */
void tailrace_sync(const volatile void *object);        /* a point at an atomic or allocator call */

/* Waits: wait.c. */
bool tailrace_wait_over(const struct task *task); /* peeks at the object itself */
/* Until self->wait is over, or what its flags allow. Never WOKE_READY when it is not. */
enum woke tailrace_wait(struct task *self);
/* A point; makes ready for tailrace_wait. False: do the real call between tailrace_leave and
 * tailrace_arrive, as other processes have a part in it. */
bool tailrace_wait_for(struct task *self, struct wait wait);
enum woke tailrace_sleep(struct task *self, uint64_t ns, const void *caller);
bool tailrace_valid(const struct timespec *limit);
uint64_t tailrace_deadline(const struct timespec *limit); /* in ns */
bool tailrace_handlers(bool *restart); /* whether the program handles signals; all restart calls */

/* Who goes next: policy.c. Locked, but for tailrace_policy_start. */
extern _Atomic uint64_t tailrace_points, tailrace_sync_points, tailrace_steps, tailrace_trace;
extern rng tailrace_rng;
extern uint32_t tailrace_threads, tailrace_spurious; /* 1 in so many waits; 0: never */
void tailrace_policy_start(void);
void tailrace_policy_new(struct task *task);
bool tailrace_policy_access(void); /* at an access: whether to switch */
/* Counts a point; whether to rather switch. */
bool tailrace_policy_sync(struct task *self, const volatile void *object);
bool tailrace_policy_stays(void); /* drawn: no switch at this point, to get on in long runs */
void tailrace_policy_demote(struct task *self);
void tailrace_policy_switched(const struct task *to);
void tailrace_policy_wait(struct wait *wait, uint64_t ns); /* draws when a timed one is due */
/* The next one, or NULL. not_this: only where there is no other. */
struct task *tailrace_choose(const struct task *not_this);
bool tailrace_any_outside(void);
void tailrace_delay(bool sync); /* the delay schedule's sleep */

/* Watching: watch.c, deadlock.c. */
void tailrace_watch_start(void);
_Noreturn void tailrace_unwind_self(struct task *self,
                                    const void *caller); /* ends in waiting for the end */
void tailrace_look_at_libraries(void); /* whether one may signal the program's conditions */
void tailrace_stuck(uint32_t looks);   /* nobody can run, and the how manieth look in a row */
char tailrace_thread_state(int tid);   /* its letter in /proc; X: gone */

/* Lines of the log: log.c. */
struct line {
    size_t used;
    char text[32768];
};
void tailrace_line_text(struct line *line, const char *text);                      /* as it is */
void tailrace_line_string(struct line *line, const char *text, size_t length_max); /* quoted */
void tailrace_line_number(struct line *line, uint64_t number);
void tailrace_line_hexadecimal(struct line *line, uint64_t number);
/* {"role": …, "frames": […]}, a comma before it but for the first. */
void tailrace_line_stack(struct line *line, bool first, const char *role, const uintptr_t *pcs,
                         uint32_t count);
void tailrace_line_write(struct line *line); /* appends it to the log */
void tailrace_log_start(const char *prefix);
bool tailrace_logging(void);
/* The parts one after another, as much as there is room for; number: UINT64_MAX for none. */
void tailrace_role(char *role, size_t bytes, const char *before, uint64_t number,
                   const char *between, const char *after);
bool tailrace_text_begins(const char *text, const char *with);

#endif
