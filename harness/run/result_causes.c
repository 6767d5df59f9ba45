/* SPDX-License-Identifier: MIT */
/* result_causes.c - the parts of a result that say why: causes and noise. */
#include "run/result_causes.h"

#include "measure/causes.h"

/* A quantile is charged to the causes that, taken out one at a time, bring it down; what stays high
 * although all are taken out is unexplained, where it is more than this many times the median. */
#define UNEXPLAINED_TIMES 10

static const char *const keys[CAUSES_QUANTILES] = {"p50", "p99", "p99_9", "p99_99"};

static json_t *integer(uint64_t value) {
    return json_integer((json_int_t)value);
}

/* Null where fewer than 10 samples lie beyond. */
static json_t *quantiles_json(const uint64_t *quantiles_ns, uint64_t count) {
    json_t *object = json_object();
    for (int i = 0; i < CAUSES_QUANTILES; i++) {
        double beyond = (double)count * (1 - causes_quantiles[i]) * (1 + 1e-9);
        json_object_set_new(object, keys[i], beyond >= 10 ? integer(quantiles_ns[i]) : json_null());
    }
    return object;
}

static json_t *effect_json(const struct causes *causes, enum mem_cause cause) {
    const struct cause_effect *effect = &causes->effects[cause];
    json_t *object = json_pack("{s:s,s:I,s:f,s:f,s:I,s:f,s:f}", "cause", cause_name(cause), "count",
                               (json_int_t)effect->count, "total_s", effect->total_s, "longest_s",
                               effect->longest_s, "affected", (json_int_t)effect->affected,
                               "delay_s", effect->delay_s, "excess_share", effect->excess_share);
    json_object_set_new(object, "response_without_ns",
                        quantiles_json(effect->without_ns, causes->requests));
    json_object_set_new(object, "max_without_ns", integer(effect->max_without_ns));
    return object;
}

json_t *causes_json(const struct area *area) {
    struct causes causes;
    if (!area->config.plan.open || !causes_find(area, &causes))
        return json_null();
    json_t *effects = json_array(), *unexplained = json_array();
    for (int cause = 0; cause < MEM_CAUSE_COUNT; cause++)
        if (causes.effects[cause].count > 0)
            json_array_append_new(effects, effect_json(&causes, (enum mem_cause)cause));
    for (int i = 1; i < CAUSES_QUANTILES; i++)
        if ((double)causes.requests * (1 - causes_quantiles[i]) >= 10 &&
            causes.bare_ns[i] > UNEXPLAINED_TIMES * causes.measured_ns[0] &&
            causes.bare_ns[i] * 2 > causes.measured_ns[i])
            json_array_append_new(unexplained, json_string(keys[i]));
    return json_pack("{s:I,s:o,s:o,s:o,s:o}", "traced", (json_int_t)causes.requests, "response_ns",
                     quantiles_json(causes.measured_ns, causes.requests), "response_without_all_ns",
                     quantiles_json(causes.bare_ns, causes.requests), "effects", effects,
                     "unexplained", unexplained);
}

json_t *noise_json(const struct area *area) {
    json_t *workers = json_array();
    for (uint32_t i = 0; i < area->config.plan.workers; i++) {
        const struct area_noise *noise = &area->noise[i];
        json_array_append_new(
            workers,
            json_pack("{s:f,s:I,s:I,s:I,s:I}", "run_delay_s", (double)noise->run_delay_ns * 1e-9,
                      "voluntary_switches", (json_int_t)noise->voluntary_switches,
                      "involuntary_switches", (json_int_t)noise->involuntary_switches,
                      "faults_minor", (json_int_t)noise->faults_minor, "faults_major",
                      (json_int_t)noise->faults_major));
    }
    const struct histogram *h = &area->hiccups;
    json_t *hiccups = json_null();
    if (area->hiccups_taken && h->count > 0)
        hiccups =
            json_pack("{s:I,s:I,s:I,s:I}", "p50_ns", (json_int_t)histogram_quantile_ns(h, 0.5),
                      "p99_ns", (json_int_t)histogram_quantile_ns(h, 0.99), "max_ns",
                      (json_int_t)h->max_ns, "count", (json_int_t)h->count);
    return json_pack("{s:o,s:o,s:o,s:o}", "workers", workers, "hiccups", hiccups, "steal_s",
                     area->steal_s < 0 ? json_null() : json_real(area->steal_s), "pressure_s",
                     area->pressure_s < 0 ? json_null() : json_real(area->pressure_s));
}
