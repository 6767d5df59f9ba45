/* SPDX-License-Identifier: MIT */
/* floor.c - the noise floor: the same schedule, each request a bare spin. */
#include "run/floor.h"

#include "run/result.h"

static const struct scenario_info spin = {.name = FLOOR_SCENARIO, .live = 1, .what = "a bare spin"};

bool floor_measure(const struct cell *cell, uint64_t spin_ns, json_t **quantiles,
                   struct error *error) {
    struct cell bare = *cell;
    struct run run = {0};
    bare.scenario = &spin;
    bare.strategy = find_strategy("none");
    bare.heap[0] = bare.heap_path[0] = bare.tune[0] = bare.lacking[0] = '\0';
    bare.live = spin_ns > 0 ? spin_ns : 1;
    bare.budget_bytes = 0;
    *quantiles = NULL;
    bool ran = run_or_lack(supervise(&bare, &run, error), &run, error);
    if (ran && run.status == RUN_OK)
        *quantiles = response_json(&run);
    run_free(&run);
    return ran;
}

void floor_label(json_t *result, const json_t *floor) {
    json_t *response = json_object_get(result, "response_ns"), *limited = json_array(), *value;
    const char *key;
    json_object_foreach(response, key, value) {
        const json_t *at_floor = json_object_get(floor, key);
        if (key[0] == 'p' && json_is_integer(value) && json_is_integer(at_floor) &&
            2 * json_integer_value(at_floor) > json_integer_value(value))
            json_array_append_new(limited, json_string(key));
    }
    json_object_set_new(response, "noise_limited", floor ? limited : json_null());
    json_object_set_new(result, "noise_floor_ns", floor ? json_deep_copy(floor) : json_null());
    if (!floor)
        json_decref(limited);
}
