/* SPDX-License-Identifier: MIT */
/* test_guard.c - what sanitizers and memcheck see of an allocator of ours, by MEM_MODE.
 *
 * Compiled for a strategy and a mode (memory/guard.h). The program runs itself once for each
 * misuse, under Valgrind where it has no sanitizer, and looks for the tool's words.
 */
#include "tests/cmocka_all.h"
#include "tests/host_stub.h"

#include "memory/scenario.h"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOB_BYTES 13 /* ends within a word */
#define REPORT_BYTES_MAX 65536
#define CHILD_RAN 0
#define CHILD_REPORTED 99

struct blob {
    uint64_t value;
    unsigned char data[];
};
struct pair {
    uint64_t value, complement;
};
static const mem_type blob_type = {
    .name = "blob", .size = sizeof(struct blob), .trailing_max = 100000};
static const mem_type pair_type = {.name = "pair", .id = 1, .size = sizeof(struct pair)};

enum misuse {
    OVERFLOW,
    AFTER_END,
    AFTER_DROP,
    AFTER_RESIZE,
    DROPPED_TWICE,
    UNORDERED,
    MISUSES,
    NO_MISUSE
};
static const struct {
    const char *name;
    bool by_drop; /* only where a drop gives something back */
} misuses[] = {{"overflow", false},
               {"after the scope's end", false},
               {"after drop", true},
               {"after resize", false},
               {"dropped twice", true},
               {"read without order before the scope's end", false}}; /* ThreadSanitizer's only */

/* What a tool says in each mode; without words, nothing. */
enum guard_mode { PLAIN = GUARD_MODE_plain, POISON = GUARD_MODE_poison, PASSTHROUGH };
static const enum guard_mode mode = (enum guard_mode)MEM_PASTE(GUARD_MODE_, MEM_MODE);
static const char *const asan_words[][MISUSES] = {
    [POISON] = {"use-after-poison", "use-after-poison", "use-after-poison", "use-after-poison",
                "use-after-poison"},
    [PASSTHROUGH] = {"heap-buffer-overflow", "heap-use-after-free", "heap-use-after-free",
                     "heap-use-after-free", "double-free"}};

static const char *const memcheck_words[][MISUSES] = {
    [POISON] = {"0 bytes after a block of size 21 client-defined", "Invalid read of size 1",
                "Invalid read of size 1", "Invalid read of size 1", "Unaddressable byte(s) found"},
    [PASSTHROUGH] = {"0 bytes after a block of size 21 alloc'd",
                     "bytes inside a block of size 21 free'd",
                     "bytes inside a block of size 21 free'd",
                     "bytes inside a block of size 21 free'd", "Invalid free()"}};

static volatile unsigned char sink; /* a load that nobody needs is dropped, by Valgrind as well */

static bool under(const char *sanitizer) {
    return strcmp(TAILRACE_SANITIZER, sanitizer) == 0;
}
static const char *expected_words(enum misuse misuse) {
    if (mode == PLAIN)
        return NULL;
    if (under("ThreadSanitizer"))
        return "ThreadSanitizer: data race";
    return (under("AddressSanitizer") ? asan_words : memcheck_words)[mode][misuse];
}

static struct blob *blob_new(mem_thread *t, mem_scope *s) {
    struct blob *blob = mem_new(t, s, &blob_type, BLOB_BYTES);
    memset(blob->data, 1, BLOB_BYTES);
    return blob;
}

/* Memory is given back and used again, whole objects are written: no tool may say a word. */
static void use_well(mem_thread *t) {
    for (uint32_t i = 0; i < 100; i++) {
        mem_scope *s = mem_scope_begin(t);
        for (size_t bytes = 0; bytes < 30000; bytes = bytes * 2 + 5) {
            struct blob *blob = mem_new(t, s, &blob_type, bytes);
            memset(blob, 2, sizeof *blob + bytes);
            struct pair *pair = mem_new(t, s, &pair_type, 0);
            *pair = (struct pair){i, ~(uint64_t)i};
            blob = mem_resize(t, s, &blob_type, blob, bytes, bytes * 3 + 1);
            memset(blob->data + bytes, 3, bytes * 2 + 1);
            blob = mem_resize(t, s, &blob_type, blob, bytes * 3 + 1, bytes);
            memset(blob, 4, sizeof *blob + bytes);
            mem_drop(t, s, &pair_type, pair);
            if (bytes % 3)
                mem_drop(t, s, &blob_type, blob);
        }
        mem_scope_end(t, s);
    }
}

/* relaxed: that it orders nothing is the mistake */
static _Atomic bool was_read;
static void *read_unordered(void *data) {
    sink = *(unsigned char *)data;
    atomic_store_explicit(&was_read, true, memory_order_relaxed);
    return NULL;
}

static void use(enum misuse misuse) {
    mem_init();
    mem_thread *t = mem_attach();
    use_well(t);
    mem_scope *s = mem_scope_begin(t);
    struct blob *blob = blob_new(t, s);
    unsigned char *volatile data = blob->data; /* the compiler does not know what it points to */
    if (misuse == OVERFLOW)
        data[BLOB_BYTES] = 1;
    if (misuse == AFTER_DROP || misuse == DROPPED_TWICE)
        mem_drop(t, s, &blob_type, blob);
    if (misuse == DROPPED_TWICE)
        mem_drop(t, s, &blob_type, blob);
    struct blob *behind = misuse == AFTER_RESIZE ? blob_new(t, s) : NULL; /* so that it moves */
    if (behind)
        blob = mem_resize(t, s, &blob_type, blob, BLOB_BYTES, 5000);
    if (misuse == AFTER_RESIZE || misuse == AFTER_DROP)
        sink = *data;
    pthread_t reader;
    if (misuse == UNORDERED && pthread_create(&reader, NULL, read_unordered, data) == 0)
        while (!atomic_load_explicit(&was_read, memory_order_relaxed))
            sched_yield();
    mem_scope_end(t, s);
    if (misuse == UNORDERED)
        pthread_join(reader, NULL);
    if (misuse == AFTER_END)
        sink = *data;
    mem_detach(t);
    mem_fini();
}

/* Replaces the child by this program with a misuse, its standard error by the pipe. */
static _Noreturn void child_main(enum misuse misuse, int report) {
    char number[8], exitcode[32];
    snprintf(number, sizeof number, "%d", (int)misuse);
    snprintf(exitcode, sizeof exitcode, "--error-exitcode=%d", CHILD_REPORTED);
    dup2(report, STDERR_FILENO);
    setenv("ASAN_OPTIONS", "exitcode=99", 1);
    setenv("TSAN_OPTIONS", "exitcode=99", 1);
    if (*TAILRACE_SANITIZER)
        execl("/proc/self/exe", "test_guard", number, NULL);
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    execl(VALGRIND, "valgrind", "-q", exitcode, path, number, NULL);
    _exit(2);
}

/* True if the tool says what it should of the misuse. */
static bool is_seen_rightly(enum misuse misuse, const char *words) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        child_main(misuse, ends[1]);
    close(ends[1]);
    static char report[REPORT_BYTES_MAX];
    size_t bytes = 0;
    for (ssize_t n = 1; n > 0; bytes += n > 0 ? (size_t)n : 0)
        n = read(ends[0], report + bytes, sizeof report - 1 - bytes);
    report[bytes] = '\0';
    close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    bool right =
        WIFEXITED(status) && (words ? WEXITSTATUS(status) == CHILD_REPORTED && strstr(report, words)
                                    : WEXITSTATUS(status) == CHILD_RAN && bytes == 0);
    if (!right)
        print_error("%s: status %d, expected \"%s\", said:\n%s\n",
                    misuse == NO_MISUSE ? "no misuse" : misuses[misuse].name, status,
                    words ? words : "", report);
    return right;
}

static void test_good_use_is_not_reported(void **state) {
    (void)state;
    assert_true(is_seen_rightly(NO_MISUSE, NULL));
}
static void test_misuse_is_reported_by_mode(void **state) {
    (void)state;
    uint32_t wrong = 0;
    for (enum misuse misuse = OVERFLOW; misuse < MISUSES; misuse++) {
        bool lacking = misuses[misuse].by_drop && !(MEM_PROVIDES & MEM_RECLAIM);
        if (lacking || (misuse == UNORDERED) != under("ThreadSanitizer"))
            continue;
        wrong += !is_seen_rightly(misuse, expected_words(misuse));
    }
    assert_int_equal(wrong, 0);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_use_is_not_reported),
        cmocka_unit_test(test_misuse_is_reported_by_mode),
    };
    if (argc == 1)
        return cmocka_run_group_tests(tests, NULL, NULL);
    use((enum misuse)atoi(argv[1]));
    return CHILD_RAN;
}
