/* SPDX-License-Identifier: MIT */
/* search.c - values that take several runs to find. */
#include "run/search.h"

#include "measure/causes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUDGET_RUN_S 0.2
#define BUDGET_PRECISION 1.05
#define BUDGET_BYTES_MIN ((uint64_t)64 << 10)
#define BUDGET_BYTES_MAX ((uint64_t)1 << 44)
#define RATE_STEPS 8
#define RATE_PRECISION 1.03
#define CONFIRMATIONS_MAX 5
#define CONFIRMATION_TIMES 3
#define CAPACITY_S 1.0
#define SAMPLES_BEYOND 15

bool search_capacity(const struct cell *cell, double duration_s, double *per_second,
                     struct run *run, struct error *error) {
    struct cell closed = *cell;
    closed.mode = CELL_CLOSED;
    closed.requests = 0;
    closed.duration_s = duration_s;
    *per_second = 0;
    if (!supervise(&closed, run, error))
        return false;
    if (run->status != RUN_OK)
        return true;
    uint64_t done = 0, last_ns = 0;
    for (uint32_t i = 0; i < cell->threads; i++) {
        done += run->area->records[i].done;
        if (run->area->records[i].end_ns > last_ns)
            last_ns = run->area->records[i].end_ns;
    }
    if (last_ns > run->area->config.plan.start_ns)
        *per_second = (double)done * 1e9 / (double)(last_ns - run->area->config.plan.start_ns);
    return true;
}

/* Whether the cell ends a short run under this budget; the run is left for its reason. */
static bool works(const struct cell *cell, uint64_t bytes, bool *well, struct run *run,
                  struct error *error) {
    struct cell budgeted = *cell;
    double per_second;
    budgeted.budget_bytes = bytes;
    budgeted.warmup_s = BUDGET_RUN_S;
    run_free(run);
    bool ran = search_capacity(&budgeted, BUDGET_RUN_S, &per_second, run, error);
    *well = ran && run->status == RUN_OK;
    return ran;
}

bool search_budget(const struct cell *cell, uint64_t *bytes, struct run *run, struct error *error) {
    uint64_t high = BUDGET_BYTES_MIN, low = 0;
    bool well = false;
    *bytes = 0;
    while (!well) {
        if (!works(cell, high, &well, run, error))
            return false;
        if (!well && (run->status == RUN_UNSUPPORTED || high >= BUDGET_BYTES_MAX))
            return true;
        if (!well) {
            low = high;
            high *= 2;
        }
    }
    while (low > 0 && (double)high > (double)low * BUDGET_PRECISION) {
        uint64_t middle = (uint64_t)sqrt((double)low * (double)high);
        if (!works(cell, middle, &well, run, error))
            return false;
        if (well)
            high = middle;
        else
            low = middle;
    }
    *bytes = high;
    return works(cell, high, &well, run, error);
}

bool objective_parse(const char *text, struct objective *objective, struct error *error) {
    static const struct {
        const char *text, *key;
        double p;
    } quantiles[] = {{"p50", "p50", 0.5},
                     {"p90", "p90", 0.9},
                     {"p99", "p99", 0.99},
                     {"p99.9", "p99_9", 0.999},
                     {"p99.99", "p99_99", 0.9999}};
    static const struct {
        const char *text;
        double ns;
    } units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
    const char *equals = strchr(text, '=');
    char *end = NULL;
    double number = equals ? strtod(equals + 1, &end) : 0;
    *objective = (struct objective){0};
    for (size_t i = 0; equals && i < sizeof quantiles / sizeof *quantiles; i++)
        if (strlen(quantiles[i].text) == (size_t)(equals - text) &&
            strncmp(text, quantiles[i].text, (size_t)(equals - text)) == 0) {
            objective->p = quantiles[i].p;
            snprintf(objective->key, sizeof objective->key, "%s", quantiles[i].key);
        }
    for (size_t i = 0; end && end != equals + 1 && i < sizeof units / sizeof *units; i++)
        if (strcmp(end, units[i].text) == 0 && number > 0 && number * units[i].ns < 1e12)
            objective->limit_ns = (uint64_t)(number * units[i].ns);
    if (objective->p == 0 || objective->limit_ns == 0)
        return error_set(error, EXIT_INPUT,
                         "--slo takes a quantile and its limit, as in p99=1ms, not \"%s\"", text);
    return true;
}

/* One run at this rate. It meets the objective if it ended well, in time and with enough samples.
 */
static bool try_rate(const struct cell *cell, const struct objective *objective, double rate,
                     double duration_s, bool *met, json_t *steps, struct error *error) {
    struct cell open = *cell;
    struct run run = {0};
    struct histogram all = {0};
    open.mode = CELL_OPEN_RATE;
    open.rate = rate;
    open.duration_s = duration_s;
    open.requests = 0;
    bool ran = supervise(&open, &run, error);
    for (uint32_t i = 0; ran && run.area && i < cell->threads; i++)
        histogram_add(&all, &run.area->records[i].response);
    if (ran && (double)all.count * (1 - objective->p) < 10 && run.status == RUN_OK)
        ran =
            error_set(error, EXIT_INPUT,
                      "%.0f requests in %.3g s are too few for this quantile: lengthen --duration",
                      (double)all.count, duration_s);
    uint64_t value_ns = histogram_quantile_ns(&all, objective->p);
    *met = ran && run.status == RUN_OK && value_ns <= objective->limit_ns;
    if (ran) {
        fprintf(stderr, "%.0f/s: %s %.3f ms, %s\n", rate, objective->key, (double)value_ns * 1e-6,
                *met                   ? "met"
                : run.status == RUN_OK ? "missed"
                                       : run_status_name(run.status));
        json_array_append_new(steps,
                              json_pack("{s:f,s:I,s:s,s:b,s:f}", "rate", rate, "value_ns",
                                        (json_int_t)value_ns, "status", run_status_name(run.status),
                                        "met", *met, "duration_s", duration_s));
    }
    run_free(&run);
    return ran;
}

static bool bisect_rate(const struct cell *cell, const struct objective *objective, double capacity,
                        double *rate, json_t *steps, struct error *error) {
    /* at the lowest rate, too, enough samples must lie beyond the quantile */
    double low = fmax(capacity / 100, SAMPLES_BEYOND / (1 - objective->p) / cell->duration_s);
    double high = fmax(capacity, low);
    bool met;
    if (!try_rate(cell, objective, low, cell->duration_s, &met, steps, error))
        return false;
    *rate = met ? low : 0;
    for (int step = 0; met && step < RATE_STEPS && high > low * RATE_PRECISION; step++) {
        double middle = sqrt(low * high);
        bool here;
        if (!try_rate(cell, objective, middle, cell->duration_s, &here, steps, error))
            return false;
        *(here ? &low : &high) = middle;
    }
    *rate = met ? low : 0;
    return true;
}

bool search_rate(const struct cell *cell, const struct objective *objective, double *rate,
                 json_t **steps, struct error *error) {
    struct run run = {0};
    double capacity;
    *steps = json_array();
    bool ran = search_capacity(cell, CAPACITY_S, &capacity, &run, error);
    if (ran && run.status != RUN_OK)
        ran = error_set(error, EXIT_FINDING, "no capacity could be measured: %s", run.reason);
    run_free(&run);
    if (!ran || !bisect_rate(cell, objective, capacity, rate, *steps, error))
        return false;
    bool met = false;
    for (int i = 0; *rate > 0 && !met && i < CONFIRMATIONS_MAX; i++) {
        *rate *= i > 0 ? 0.95 : 1;
        if (!try_rate(cell, objective, *rate, CONFIRMATION_TIMES * cell->duration_s, &met, *steps,
                      error))
            return false;
    }
    *rate = met ? *rate : 0;
    return true;
}
