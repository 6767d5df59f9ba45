/* SPDX-License-Identifier: MIT */
/* result_causes.h - the parts of a result that say why: causes and noise. */
#ifndef TAILRACE_RUN_RESULT_CAUSES_H
#define TAILRACE_RUN_RESULT_CAUSES_H

#include "measure/area.h"

#include <jansson.h>

/* New objects as reports/README.md describes; causes is null where nothing could be replayed. */
json_t *causes_json(const struct area *area);
json_t *noise_json(const struct area *area);

#endif
