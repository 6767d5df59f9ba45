/* SPDX-License-Identifier: MIT */
/* deadlock.c - told when no thread can ever run again, with the stack of each.
 *
 * Careful rather than quick: no thread may be outside, timed, or unknown to us, none may be awake,
 * and no signal handler may be there that could wake one.
 */
#include "race/runtime/runtime.h"

#include <link.h>
#include <unwind.h>

enum {
    LOOKS = 2,             /* in a row, 50 ms apart */
    FOREIGN_LOOKS = 2,     /* until threads or signals of libraries are reckoned with */
    SYMBOLS_MAX = 1 << 16, /* of a library, looked through */
    DIRECTORY_BYTES = 4096,
    UNWIND_PATIENCE_NS = 100000,
    UNWIND_LOOKS_MAX = 20000, /* 2 s */
    FRAMES_SKIPPED_MAX = 64,
};

__attribute__((weak)) void __tsan_init(void);
static _Atomic uint32_t unwinding; /* tasks that were asked for their stack and have not got it */
static bool libraries_signal;

struct entry { /* linux_dirent64 */
    uint64_t inode;
    int64_t offset;
    uint16_t bytes;
    uint8_t type;
    char name[];
};

/* Threads of the process. */
static uint32_t count_threads(void) {
    static _Alignas(8) char bytes[DIRECTORY_BYTES];
    uint32_t count = 0;
    int fd = raw_open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return UINT32_MAX;
    for (long got; (got = raw_call(SYS_getdents64, fd, (long)bytes, sizeof(bytes), 0)) > 0;)
        for (long at = 0; at < got;) {
            struct entry *entry = (void *)(bytes + at);
            count += entry->name[0] != '.';
            at += entry->bytes;
        }
    raw_close(fd);
    return count;
}

/* Whether threads run that are none of ours, besides the watcher and ThreadSanitizer's own. */
static bool has_foreign_threads(void) {
    uint32_t known = 1 + (__tsan_init != NULL), end = LOAD(tailrace_task_end);
    for (uint32_t i = 0; i < end; i++) {
        uint32_t state = LOAD(tailrace_tasks[i].state);
        known += state != TASK_FREE && state != TASK_DONE;
    }
    return count_threads() > known;
}

/* Whether a thread waits that only we can wake; none is anything else. */
static bool all_blocked(void) {
    uint32_t blocked = 0, end = LOAD(tailrace_task_end);
    for (uint32_t i = 0; i < end; i++) {
        struct task *task = &tailrace_tasks[i];
        uint32_t state = LOAD(task->state);
        if (state == TASK_FREE || state == TASK_DONE)
            continue;
        if (state != TASK_BLOCKED || task->wait.timed ||
            tailrace_thread_state(LOAD(task->tid)) != 'S')
            return false;
        blocked++;
    }
    return blocked > 0;
}

/* What a library may have done unseen: signalled a condition, come to a barrier. */
static void wake_for_foreigners(bool threads) {
    uint32_t end = LOAD(tailrace_task_end);
    for (uint32_t i = 0; i < end; i++) {
        struct task *task = &tailrace_tasks[i];
        if (LOAD(task->state) != TASK_BLOCKED)
            continue;
        if (task->wait.kind == WAIT_COND) {
            STORE(task->woken, true);
        } else if (threads && task->wait.kind == WAIT_BARRIER) {
            STORE(task->state, TASK_OUTSIDE);
            tailrace_wake(task, GO_REAL);
        }
    }
}

static void begin_report(void) {
    uint32_t end = LOAD(tailrace_task_end), count = 0;
    for (uint32_t i = 0; i < end; i++)
        count += LOAD(tailrace_tasks[i].state) == TASK_BLOCKED;
    STORE(unwinding, count);
    for (uint32_t i = 0; i < end; i++)
        if (LOAD(tailrace_tasks[i].state) == TASK_BLOCKED)
            tailrace_wake(&tailrace_tasks[i], GO_UNWIND);
}

void tailrace_stuck(uint32_t looks) {
    bool restart;
    uint64_t signals = tailrace_lock();
    bool idle = !LOAD(tailrace_turn) && !LOAD(tailrace_exiting), stuck = idle && all_blocked();
    bool foreign = stuck && has_foreign_threads();
    if (foreign || (idle && libraries_signal && looks % FOREIGN_LOOKS == 0))
        wake_for_foreigners(foreign);
    else if (stuck && looks >= LOOKS && !tailrace_handlers(&restart))
        begin_report();
    tailrace_unlock(signals);
}

static const char *waits_for(enum wait_kind kind) {
    static const char *const names[] = {
        [WAIT_MUTEX] = "a mutex",
        [WAIT_READ] = "a read-write lock to read",
        [WAIT_WRITE] = "a read-write lock to write",
        [WAIT_SPIN] = "a spin lock",
        [WAIT_SEM] = "a semaphore",
        [WAIT_COND] = "a condition",
        [WAIT_BARRIER] = "a barrier",
        [WAIT_ONCE] = "a pthread_once initialiser",
        [WAIT_JOIN] = "another thread's end",
        [WAIT_SLEEP] = "its time",
    };
    return names[kind];
}

struct walk {
    struct task *task;
    const void *caller;
    bool inside;
    uint32_t skipped;
};

static _Unwind_Reason_Code visit(struct _Unwind_Context *context, void *argument) {
    struct walk *walk = argument;
    uintptr_t pc = (uintptr_t)_Unwind_GetIP(context);
    walk->inside |= pc == (uintptr_t)walk->caller || ++walk->skipped > FRAMES_SKIPPED_MAX;
    if (walk->inside)
        walk->task->frames[walk->task->frame_count++] = pc;
    return walk->task->frame_count < TASK_FRAMES_MAX ? _URC_NO_REASON : _URC_END_OF_STACK;
}

static _Noreturn void write_report(void) {
    static struct line line;
    bool first = true;
    line.used = 0;
    tailrace_line_text(&line, "{\"kind\":\"deadlock\",\"message\":\"no thread can ever run again\","
                              "\"stacks\":[");
    uint32_t end = LOAD(tailrace_task_end);
    for (uint32_t i = 0; i < end; i++) {
        struct task *task = &tailrace_tasks[i];
        if (LOAD(task->state) != TASK_BLOCKED)
            continue;
        char role[64];
        tailrace_role(role, sizeof(role), "thread T", task->number, " waits for ",
                      waits_for(task->wait.kind));
        tailrace_line_stack(&line, first, role, task->frames, task->frame_count);
        first = false;
    }
    tailrace_line_text(&line, "]}");
    tailrace_line_write(&line);
    tailrace_finish();
    tailrace_write_end();
    raw_exit(EXIT_DEADLOCK);
}

void tailrace_unwind_self(struct task *self, const void *caller) {
    struct walk walk = {self, caller, false, 0};
    self->frame_count = 0;
    _Unwind_Backtrace(visit, &walk);
    /* The last one writes; acquires and releases the frames of all. */
    if (atomic_fetch_sub_explicit(&unwinding, 1, memory_order_acq_rel) == 1)
        write_report();
    for (int look = 0; look < UNWIND_LOOKS_MAX; look++)
        raw_sleep_ns(UNWIND_PATIENCE_NS);
    write_report(); /* another one could not unwind */
}

static bool imports_signal(const ElfW(Sym) * symbols, const char *names, size_t names_bytes) {
    size_t end = (size_t)(names - (const char *)symbols) / sizeof(*symbols);
    for (size_t i = 1; i < end && i < SYMBOLS_MAX && symbols[i].st_name < names_bytes; i++) {
        const char *name = names + symbols[i].st_name;
        if (symbols[i].st_shndx == 0 && tailrace_text_begins(name, "pthread_cond_") &&
            (tailrace_text_begins(name + 13, "signal") ||
             tailrace_text_begins(name + 13, "broadcast")))
            return true;
    }
    return false;
}

static int look_at_library(struct dl_phdr_info *info, size_t size, void *any) {
    (void)size;
    const ElfW(Dyn) *dynamic = NULL;
    if (!info->dlpi_name || !info->dlpi_name[0])
        return 0; /* the program, whose calls are wrapped */
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
            dynamic = (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    uintptr_t symbols = 0, names = 0, base = info->dlpi_addr;
    size_t names_bytes = 0;
    for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
        if (dynamic->d_tag == DT_SYMTAB)
            symbols = dynamic->d_un.d_ptr;
        else if (dynamic->d_tag == DT_STRTAB)
            names = dynamic->d_un.d_ptr;
        else if (dynamic->d_tag == DT_STRSZ)
            names_bytes = dynamic->d_un.d_val;
    }
    /* The table of names follows that of symbols, whose size is not told. */
    bool relocated = symbols >= base; /* the kernel's own library is not */
    if (symbols && names > symbols && relocated)
        *(bool *)any |= imports_signal((const void *)symbols, (const void *)names, names_bytes);
    return 0;
}

void tailrace_look_at_libraries(void) {
    dl_iterate_phdr(look_at_library, &libraries_signal);
}
