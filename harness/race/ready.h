/* SPDX-License-Identifier: MIT */
/* ready.h - whether this machine can check for races: for `tailrace doctor`. */
#ifndef TAILRACE_RACE_READY_H
#define TAILRACE_RACE_READY_H

#include <jansson.h>

/* A new object: "detectors": [{"name", "available", "version", "reason"}], "symbolizer" (path, ""
 * for none), "fixed_addresses" (whether a program may be started without address space
 * randomisation, which replays need), "canary": {"runs", "caught", "located", "exit_status"} (a
 * race that is always there, under ThreadSanitizer; located: with the file and line of both
 * accesses; null where TSan is not available), "findings": [sentences]. Takes some seconds; call
 * spawn_begin first. NULL without memory. */
json_t *race_ready_json(void);

#endif
