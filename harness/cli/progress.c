/* SPDX-License-Identifier: MIT */
/* progress.c - a bar on a terminal, plain lines otherwise. */
#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BAR 24

static void tell_bar(const struct bench_progress *p) {
    int filled = p->planned ? (int)(BAR * (uint64_t)p->done / p->planned) : BAR;
    char left[32] = "";
    if (p->left_s >= 0)
        snprintf(left, sizeof left, ", %d:%02d left", (int)p->left_s / 60, (int)p->left_s % 60);
    fprintf(stderr, "\r\033[K%s [%.*s%*s] %u/%u%s  %s",
            p->calibrating ? "calibrating"
            : p->warming   ? "warming up"
                           : "measuring",
            filled, "########################", BAR - filled, "", p->done, p->planned, left,
            p->cell);
    if (strcmp(p->status, "ok") != 0)
        fprintf(stderr, ": %s: %s\n", p->status, p->reason);
    if (p->done == p->planned)
        fputc('\n', stderr);
}

static void tell_line(const struct bench_progress *p) {
    bool well = strcmp(p->status, "ok") == 0;
    fprintf(stderr, "%s %u/%u %s: %s%s%s\n",
            p->calibrating ? "calibrated"
            : p->warming   ? "warmed up"
                           : "measured",
            p->done, p->planned, p->cell, p->status, well ? "" : ": ", well ? "" : p->reason);
}

bench_tell progress_teller(void) {
    return isatty(STDERR_FILENO) ? tell_bar : tell_line;
}
