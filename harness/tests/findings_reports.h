/* SPDX-License-Identifier: MIT */
/* findings_reports.h - recorded reports of detectors, and what they say.
 *
 * Recorded with clang 19, gcc 12, valgrind 3.19 and rustc 1.95, paths made neutral; but for
 * gcc-13.sarif, after gcc's source, and hook.jsonl, after the run-time's contract.
 */
#ifndef TAILRACE_TESTS_FINDINGS_REPORTS_H
#define TAILRACE_TESTS_FINDINGS_REPORTS_H

#include "tests/cmocka_all.h"

#include "race/finding.h"

#include <stdio.h>
#include <string.h>

#ifndef REPORTS_FOLDER
#error "REPORTS_FOLDER: path of tests/race/reports"
#endif
#define REPORT_BYTES_MAX 65536

typedef bool reader_of(const char *text, const char *detector, struct findings *all);

static bool parse_xml(const char *text, const char *detector, struct findings *all) {
    return parse_valgrind_xml(text, strlen(text), detector, all);
}

/* said: for each finding its kind, whether it is an artefact (*), and the user frames of its
 * first two stacks. */
static const struct report {
    const char *name;
    reader_of *read;
    const char *said;
} reports[] = {
    {"tsan-race.log", parse_sanitizer, "data-race reader:7 bump:5, data-race reader:7 worker:6"},
    {"tsan-race-gcc.log", parse_sanitizer,
     "data-race reader:7 bump:5, data-race reader:7 worker:6"},
    {"tsan-use-after-free.log", parse_sanitizer, "heap-use-after-free touch:6 drop:5"},
    {"tsan-misuse.log", parse_sanitizer,
     "lock-order-inversion inversion:27 inversion:27, mutex-bad-unlock unlocker:12 bad_unlock:30, "
     "mutex-bad-unlock bad_unlock:30 bad_unlock:30, "
     "mutex-destroy-locked destroy_locked:31 destroy_locked:31, thread-leak thread_leak:29, "
     "signal-unsafe-call handler:14"},
    {"tsan-signal.log", parse_sanitizer, "null-dereference null:25"},
    {"tsan-c++.log", parse_sanitizer,
     "data-race ns::box<int>::get(int) const:6 ns::box<int>::set(int):6"},
    {"tsan-no-symbols.log", parse_sanitizer,
     "data-race race.thread+0xe4738:0 race.thread+0xe46c8:0"},
    {"asan-use-after-free.log", parse_sanitizer, "heap-use-after-free touch:6 drop:5"},
    {"asan-use-after-free-gcc.log", parse_sanitizer, "heap-use-after-free touch:6 drop:5"},
    {"asan-free.log", parse_sanitizer,
     "double-free freer:13 fork_free:36, bad-free bad_free:19 bad_free:19, "
     "alloc-dealloc-mismatch main:11 main:11"},
    {"asan-bounds.log", parse_sanitizer,
     "heap-buffer-overflow heap_over:15 heap_over:15, "
     "stack-buffer-overflow stack_over:16 stack_over:16, global-buffer-overflow global_over:17, "
     "overlapping-copy overlap:26 overlap:26"},
    {"asan-stack.log", parse_sanitizer,
     "stack-use-after-return after_return:22 ret:21, stack-use-after-scope* scope:20 scope:20"},
    {"asan-leak.log", parse_sanitizer, "leak leak:23, leak-indirect leak:23"},
    {"asan-null-gcc.log", parse_sanitizer, "null-dereference null:25"},
    {"msan.log", parse_sanitizer,
     "uninitialised-value uninit:24, uninitialised-value strcpy_uninit:43"},
    {"ubsan.log", parse_sanitizer,
     "signed-integer-overflow :34, invalid-shift :34, index-out-of-bounds :34, "
     "signed-integer-overflow :34, misaligned-access :34, invalid-value :34, "
     "float-cast-overflow :34, pointer-overflow :34"},
    {"ubsan-stacks-gcc.log", parse_sanitizer,
     "signed-integer-overflow ub:34, invalid-shift ub:34, index-out-of-bounds ub:34, "
     "object-size ub:34, misaligned-access ub:34, invalid-value ub:34"},
    {"helgrind-race.xml", parse_xml, "data-race reader:7 bump:5, data-race reader:7 worker:6"},
    {"helgrind-lock-order.xml", parse_xml, "lock-order-inversion inversion:28 inversion:27"},
    {"helgrind-unlock.xml", parse_xml,
     "mutex-bad-unlock unlocker:12 bad_unlock:30, mutex-bad-unlock bad_unlock:30, "
     "thread-exit-holding-lock _Exit:30"},
    {"drd-race.xml", parse_xml, "data-race reader:7"},
    {"drd-unlock.xml", parse_xml,
     "mutex-bad-unlock unlocker:12 bad_unlock:30, mutex-invalid-access bad_unlock:30"},
    {"memcheck-use-after-free.xml", parse_xml, "heap-use-after-free touch:6 drop:5"},
    {"memcheck-double-free.xml", parse_xml, "double-free double_free:18 double_free:18"},
    {"memcheck-null.xml", parse_xml, "null-dereference null:25"},
    {"memcheck-leak.xml", parse_xml, "leak leak:23"},
    {"memcheck-leak-possible.xml", parse_xml, "leak-possible thread_leak:29"},
    {"memcheck-uninitialised.xml", parse_xml,
     "uninitialised-value write_uninit:45 write_uninit:45"},
    {"clang-analyzer.sarif", parse_sarif,
     "leak :18, double-free :19, heap-use-after-free :20, null-dereference :21"},
    {"clang-thread-safety.sarif", parse_sarif,
     "lock-not-held :14, lock-not-held :14, lock-not-held :14, mutex-double-lock :15 :15, "
     "lock-imbalance :16 :16, mutex-bad-unlock :17, stack-address-escape :23, bad-free :30"},
    {"gcc-13.sarif", parse_sarif, "double-free dfree:19"},
    {"gcc-analyzer.json", parse_gcc_json,
     "stack-address-escape :23, double-free dfree:19 dfree:19, heap-use-after-free uaf:20 uaf:20, "
     "leak lose:24 lose:24, leak fl:28 fl:28"},
    {"rustc.jsonl", parse_rustc_json, "E0277 :2 :2, E0502 :1 :1, E0382 :1 :1"},
    {"hook.jsonl", parse_hook,
     "data-race bump:5 reader:7, heap-use-after-free touch:6 drop:5, deadlock* forth:8 back:14"},
};
#define REPORT_COUNT (sizeof reports / sizeof *reports)

static const char *load(const char *name) {
    static char text[REPORT_BYTES_MAX];
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", REPORTS_FOLDER, name);
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("%s is missing", path);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

#endif
