/* SPDX-License-Identifier: MIT */
/* describe.c - what a scenario is, as JSON. */
#include "run/describe.h"

json_t *needs_json(uint32_t needs) {
    json_t *names = json_array();
    for (needs &= MEM_ALL; needs; needs &= needs - 1)
        json_array_append_new(names, json_string(need_name(needs)));
    return names;
}

static json_t *param_list(const struct scenario_info *scenario) {
    json_t *params = json_array();
    for (size_t i = 0; i < SCENARIO_PARAMS_MAX && scenario->params[i].name; i++) {
        const struct scenario_param *one = &scenario->params[i];
        json_array_append_new(
            params, json_pack("{s:s,s:s,s:s,s:I,s:I,s:I}", "name", one->name, "unit", one->unit,
                              "what", one->what, "low", (json_int_t)one->low, "default",
                              (json_int_t)one->standard, "high", (json_int_t)one->high));
    }
    return params;
}

json_t *scenario_json(const struct scenario_info *one) {
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:I,s:s,s:o,s:{s:I,s:I}}", "name", one->name,
                     "kind", "scenario", "class", one->kind, "what", one->what, "description",
                     scenario_page(one), "source", one->source, "needs", needs_json(one->needs),
                     "live", (json_int_t)one->live, "live_unit", one->unit, "params",
                     param_list(one), "smoke", "live", (json_int_t)one->smoke_live, "requests",
                     (json_int_t)one->smoke_requests);
}
