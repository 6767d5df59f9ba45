/* SPDX-License-Identifier: MIT */
/* test_findings.c - reports of every tool are read, and one defect has one name. */
#include "tests/findings_reports.h"

static struct findings all, others;

static int set_up(void **state) {
    (void)state;
    return findings_init(&all) && findings_init(&others) ? 0 : -1;
}
static int tear_down(void **state) {
    (void)state;
    findings_free(&all);
    findings_free(&others);
    return 0;
}
static void clear(void) {
    all.count = all.lost = others.count = others.lost = 0;
}

static void tell(char *to, size_t size) {
    size_t used = 0;
    *to = '\0';
    for (uint32_t i = 0; i < all.count && used < size; i++) {
        const struct finding *one = &all.list[i];
        used += (size_t)snprintf(to + used, size - used, "%s%s%s", i ? ", " : "", one->kind,
                                 one->artefact ? "*" : "");
        for (uint32_t j = 0; j < one->stack_count && j < 2 && used < size; j++) {
            const struct frame *frame = stack_user_frame(&one->stacks[j]);
            const char *creates = strstr(one->stacks[j].role, "created by ");
            if (frame && (j == 0 || !creates))
                used += (size_t)snprintf(to + used, size - used, " %s:%u", frame->function,
                                         frame->line);
        }
    }
}

static void test_recorded(void **state) {
    char told[4096];
    (void)state;
    for (size_t i = 0; i < REPORT_COUNT; i++) {
        clear();
        assert_true(reports[i].read(load(reports[i].name), "tool", &all));
        tell(told, sizeof told);
        if (strcmp(told, reports[i].said) != 0)
            fail_msg("%s:\n%s\nis read as\n%s", reports[i].name, reports[i].said, told);
        assert_int_equal(all.lost, 0);
    }
}

/* The same defect of the same program, told by different tools. */
static void test_one_name_for_a_defect(void **state) {
    static const char *const same[][5] = {
        {"tsan-race.log", "tsan-race-gcc.log", "helgrind-race.xml", "hook.jsonl", NULL},
        {"tsan-use-after-free.log", "asan-use-after-free.log", "asan-use-after-free-gcc.log",
         "memcheck-use-after-free.xml", NULL},
        {"tsan-misuse.log", "helgrind-lock-order.xml", NULL},
        {"asan-leak.log", "memcheck-leak.xml", NULL},
        {"tsan-signal.log", "asan-null-gcc.log", "memcheck-null.xml", NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        for (size_t j = 0; same[i][j]; j++)
            for (size_t k = 0; k < REPORT_COUNT; k++)
                if (strcmp(reports[k].name, same[i][j]) == 0) {
                    clear();
                    reports[k].read(load(same[i][j]), "tool", &all);
                    static char first[17];
                    if (j == 0)
                        strcpy(first, all.list[0].fingerprint);
                    assert_string_equal(first, all.list[0].fingerprint);
                }
    clear();
    parse_hook(load("hook.jsonl"), "tsan", &all);
    parse_sanitizer(load("tsan-race.log"), "tsan", &all);
    parse_sanitizer(load("tsan-use-after-free.log"), "tsan", &all);
    assert_int_equal(all.count, 4); /* three of the hook, and a second race of the text */
}

static void push(struct finding *one, const char *role, const char *function, const char *file,
                 uint32_t line) {
    struct stack *stack = &one->stacks[one->stack_count++];
    snprintf(stack->role, sizeof stack->role, "%s", role);
    stack->count = 1;
    snprintf(stack->frames[0].function, sizeof stack->frames[0].function, "%s", function);
    snprintf(stack->frames[0].file, sizeof stack->frames[0].file, "%s", file);
    stack->frames[0].line = line;
}

static struct finding race(const char *f, uint32_t f_line, const char *g, uint32_t g_line) {
    struct finding one = {.kind = "data-race", .message = "data race"};
    push(&one, "write of 4 bytes by thread T1", f, "/src/a.c", f_line);
    push(&one, "previous read of 4 bytes by thread T2", g, "/src/a.c", g_line);
    push(&one, "thread T1 created", "main", "/src/a.c", 3);
    finding_set_fingerprint(&one);
    return one;
}

static void test_fingerprint(void **state) {
    struct finding one = race("f", 10, "g", 20), other = race("f", 11, "g", 27);
    (void)state;
    assert_int_equal(strlen(one.fingerprint), 16);
    assert_string_equal(one.fingerprint, other.fingerprint); /* lines */
    other = race("g", 20, "f", 10);
    assert_string_equal(one.fingerprint, other.fingerprint); /* order */
    other = race("f.constprop.0", 20, "g@@V_2", 10);
    assert_string_equal(one.fingerprint, other.fingerprint);
    other = race("f", 10, "h", 20);
    assert_string_not_equal(one.fingerprint, other.fingerprint); /* function */
    other = one;
    strcpy(other.stacks[2].frames[0].function, "elsewhere"); /* where a thread was made */
    strcpy(other.stacks[0].frames[0].file, "/home/other/a.c");
    strcpy(other.message, "another sentence");
    finding_set_fingerprint(&other);
    assert_string_equal(one.fingerprint, other.fingerprint);
    strcpy(other.stacks[0].frames[0].file, "/src/b.c");
    finding_set_fingerprint(&other);
    assert_string_not_equal(one.fingerprint, other.fingerprint);
    other = one;
    strcpy(other.kind, "heap-use-after-free");
    finding_set_fingerprint(&other);
    assert_string_not_equal(one.fingerprint, other.fingerprint);
    struct finding leak = {.kind = "leak"}, leak2 = {.kind = "leak"};
    push(&leak, "allocated here", "f", "a.c", 3);
    push(&leak2, "allocated here", "g", "a.c", 3);
    finding_set_fingerprint(&leak);
    finding_set_fingerprint(&leak2);
    assert_string_not_equal(leak.fingerprint, leak2.fingerprint); /* all there is */
}

/* Lines of a text with a few more above: what was found keeps its name. */
static void test_shifted_report(void **state) {
    char text[REPORT_BYTES_MAX];
    (void)state;
    clear();
    parse_sanitizer(load("tsan-race.log"), "tsan", &all);
    strcpy(text, load("tsan-race.log"));
    for (char *at = text; (at = strstr(at, "race.c:")); at += 7)
        at[7] = at[7] == '9' ? '1' : (char)(at[7] + 1);
    parse_sanitizer(text, "tsan", &others);
    assert_int_equal(others.count, all.count);
    for (uint32_t i = 0; i < all.count; i++) {
        assert_string_equal(all.list[i].fingerprint, others.list[i].fingerprint);
        assert_int_not_equal(all.list[i].stacks[0].frames[0].line,
                             others.list[i].stacks[0].frames[0].line);
    }
}

static void test_kept_once(void **state) {
    (void)state;
    clear();
    for (uint32_t i = 0; i < 3; i++) {
        struct finding again = race("f", 10 + i, "g", 20);
        findings_add(&all, &again);
    }
    assert_int_equal(all.count, 1);
    for (uint32_t i = 0; i < FINDINGS_MAX + 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "f%u", i);
        struct finding one = race(name, 1, "g", 2);
        findings_add(&all, &one);
    }
    assert_int_equal(all.count, FINDINGS_MAX);
    assert_int_equal(all.lost, 6);
    clear(); /* without functions: two places of one file are two, in their order */
    for (uint32_t i = 0; i < 6; i++) {
        struct finding one = {.kind = "lock-not-held", .message = "needs 'm'"};
        push(&one, "here", "", "a.c", 10 + i % 3);
        findings_add(&all, &one);
        struct finding shifted = {.kind = "lock-not-held", .message = "needs 'm'"};
        push(&shifted, "here", "", "a.c", 50 + i % 3);
        findings_add(&others, &shifted);
    }
    assert_int_equal(all.count, 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_string_equal(all.list[i].fingerprint, others.list[i].fingerprint);
}

static void test_user_frame(void **state) {
    static const struct {
        const char *function, *file;
        bool own;
    } frames[] = {
        {"pthread_mutex_lock", "", false},
        {"memset", "../../../../src/libsanitizer/sanitizer_common/x_interceptors.inc", false},
        {"free", "/build/llvm/compiler-rt/lib/tsan/rtl/tsan_interceptors_posix.cpp", false},
        {"asan_thread_start(void*)", "asan_interceptors.cpp.o", false},
        {"clone3", "../sysdeps/unix/sysv/linux/x86_64/clone3.S", false},
        {"__libc_start_call_main", "csu/../sysdeps/nptl/libc_start_call_main.h", false},
        {"start_thread", "./nptl/./nptl/pthread_create.c", false},
        {"_int_free", "./malloc/./malloc/malloc.c", false},
        {"free", "./coregrind/m_replacemalloc/vg_replace_malloc.c", false},
        {"mutex_lock_WRK", "./helgrind/hg_intercepts.c", false},
        {"pthread_create@*", "./drd/drd_pthread_intercepts.c", false},
        {"point", "/work/tailrace/harness/race/runtime/points.c", false},
        {"__wrap_sem_wait", "/src/wrap.c", false},
        {"operator new(unsigned long)", "", false},
        {"void std::__invoke_impl<f>", "/usr/include/c++/12/bits/invoke.h", false},
        {"libc.so.6+0x27249", "", false},
        {"memory_pool_get", "", true},
        {"program+0x27249", "", true},
        {"tsan_queue_push", "/src/tsan_queue.c", true},
        {"malloc_pool", "malloc/pool.c", true},
        {"main", "/home/user/my nptl/main.c", true}};
    (void)state;
    assert_null(stack_user_frame(&(struct stack){.count = 0}));
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        struct finding one = {.stack_count = 0};
        push(&one, "here", frames[i].function, frames[i].file, 1);
        struct stack *stack = &one.stacks[0];
        assert_ptr_equal(stack_user_frame(stack), &stack->frames[0]); /* the only one */
        stack->frames[1] = (struct frame){"caller", "/src/caller.c", 7};
        stack->count = 2;
        bool named = frames[i].own && *frames[i].file;
        if (stack_user_frame(stack) != &stack->frames[named ? 0 : 1])
            fail_msg("%s of %s", frames[i].function, frames[i].file);
        *stack->frames[1].file = '\0'; /* no debug information at all */
        if (!*frames[i].file && stack_user_frame(stack) != &stack->frames[frames[i].own ? 0 : 1])
            fail_msg("%s", frames[i].function);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded),    cmocka_unit_test(test_one_name_for_a_defect),
        cmocka_unit_test(test_fingerprint), cmocka_unit_test(test_shifted_report),
        cmocka_unit_test(test_kept_once),   cmocka_unit_test(test_user_frame),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
