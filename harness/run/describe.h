/* SPDX-License-Identifier: MIT */
/* describe.h - what a scenario is, as JSON: for `list` and for the manifest of a result set. */
#ifndef TAILRACE_RUN_DESCRIBE_H
#define TAILRACE_RUN_DESCRIBE_H

#include "memory/catalog.h"

#include <jansson.h>

/* New references. needs: the names in a set of enum mem_need. */
json_t *needs_json(uint32_t needs);
json_t *scenario_json(const struct scenario_info *scenario);

#endif
