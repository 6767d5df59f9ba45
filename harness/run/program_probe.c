/* SPDX-License-Identifier: MIT */
/* program_probe.c - preloaded into any program: tells whom malloc comes from in each of its
 * processes.
 *
 * tailrace-heap-probe.so appends "PID\tFILE\tVERSION" to the file that TAILRACE_HEAP_PROBE names,
 * before main of whatever loads it begins. Where nothing is written, nothing was preloaded.
 */
#include "run/heap_served.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((constructor)) static void tell(void) {
    char path[PATH_MAX], version[128], line[PATH_MAX + 256];
    const char *file = getenv("TAILRACE_HEAP_PROBE");
    int fd = file ? open(file, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    heap_served(path, sizeof path, version, sizeof version);
    snprintf(line, sizeof line, "%d\t%s\t%s\n", (int)getpid(), path, version);
    if (write(fd, line, strlen(line)) < 0)
        perror("tailrace-heap-probe"); /* which then counts as not preloaded */
    close(fd);
}
