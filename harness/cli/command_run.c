/* SPDX-License-Identifier: MIT */
/* command_run.c - `tailrace run`: one cell, one process, one result. */
#include "cli/commands.h"
#include "measure/context.h"
#include "run/files.h"
#include "run/floor.h"
#include "run/result.h"
#include "run/run_histograms.h"
#include "run/search.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define PAIRS_MAX 16 /* of --tune, and of --param */

static const char help[] =
    "usage: tailrace run SCENARIO [OPTIONS]\n"
    "       tailrace run SCENARIO --help   what this scenario is, and its parameters\n"
    "\n"
    "Measures one cell in a process of its own and prints a summary, or with --json the whole "
    "result.\n"
    "\n"
    "  --strategy S      how memory is managed (malloc); `tailrace list strategies`\n"
    "  --heap H          what serves malloc: a name from `tailrace list heaps` or a library's path "
    "(glibc)\n"
    "  --threads N       workers, each pinned to a processor (processors - 1, at least 1)\n"
    "  --rate R          open loop: R requests per second, all workers together\n"
    "  --load F          open loop: F times the capacity, which is measured first for 1 s (0.5)\n"
    "  --slo Q=T         searches the highest rate at which this response quantile is at most T, "
    "as in\n"
    "                    p99=1ms, confirms it by a run of 3 times the duration and prints it\n"
    "  --closed          closed loop: each worker starts a request when its last one has ended; "
    "tells\n"
    "                    service time and capacity, not response time\n"
    "  --arrivals A      open loop: poisson or fixed gaps (poisson)\n"
    "  --duration S      seconds of recording (5)      --requests N  this many requests instead\n"
    "  --warmup S        seconds before it that are not recorded (0.5)\n"
    "  --live N          size of the live set, in the scenario's units (`tailrace list "
    "scenarios`)\n"
    "  --param K=V       a parameter of the scenario; may be given several times\n"
    "  --budget BYTES    memory that the program may take; running out of it is a result (oom)\n"
    "  --seed N          of input and schedule (1)\n"
    "  --tune K=V        a tunable of the strategy, or as HEAP:K=V of the heap (`tailrace list "
    "--json`); may\n"
    "                    be given several times\n"
    "  --drain S         watches the resident set so long after all was given back (0.1): it is "
    "looked\n"
    "                    at after 0.1, 1 and 5 s\n"
    "  --count           counts the heap calls made while recording (`allocations`), which slows "
    "them:\n"
    "                    repeats exactly with --closed --requests N --threads 1 --warmup 0\n"
    "  --clock C         monotonic, or tsc where that is safe: cheaper to read; calibrated "
    "against\n"
    "                    monotonic before and after, a run in which they drift apart is rejected\n"
    "  --timeout S       after which the run counts as hung (generous)\n"
    "  --json F          writes the result as JSON to the file F, or with - to standard output\n"
    "  --hlog F          writes an HdrHistogram log: response time in intervals of 0.1 s or more, "
    "tagged with\n"
    "                    the cell; of a closed loop service time, one interval, tagged "
    "CELL/service\n"
    "  --hgrm F          writes the percentiles of the same values as HdrHistogram tabulates them, "
    "in ms\n"
    "\n"
    "BYTES and live sets take K, M or G. Exit status: 0 measured (status ok, overloaded, oom or\n"
    "unsupported), 1 the worker crashed or hung, 2 bad arguments, 3 something this machine "
    "lacks.\n";

enum {
    OPTION_HELP = 256,
    OPTION_STRATEGY,
    OPTION_HEAP,
    OPTION_CLOSED,
    OPTION_COUNT,
    OPTION_ARRIVALS,
    OPTION_TUNE,
    OPTION_PARAM,
    OPTION_JSON,
    OPTION_SLO,
    OPTION_CLOCK,
    OPTION_HLOG,
    OPTION_HGRM,
    OPTION_NUMBER
};

static const struct option options[] = {{"help", no_argument, NULL, OPTION_HELP},
                                        {"strategy", required_argument, NULL, OPTION_STRATEGY},
                                        {"heap", required_argument, NULL, OPTION_HEAP},
                                        {"closed", no_argument, NULL, OPTION_CLOSED},
                                        {"count", no_argument, NULL, OPTION_COUNT},
                                        {"arrivals", required_argument, NULL, OPTION_ARRIVALS},
                                        {"tune", required_argument, NULL, OPTION_TUNE},
                                        {"param", required_argument, NULL, OPTION_PARAM},
                                        {"json", required_argument, NULL, OPTION_JSON},
                                        {"slo", required_argument, NULL, OPTION_SLO},
                                        {"clock", required_argument, NULL, OPTION_CLOCK},
                                        {"hlog", required_argument, NULL, OPTION_HLOG},
                                        {"hgrm", required_argument, NULL, OPTION_HGRM},
                                        {"threads", required_argument, NULL, OPTION_NUMBER},
                                        {"rate", required_argument, NULL, OPTION_NUMBER},
                                        {"load", required_argument, NULL, OPTION_NUMBER},
                                        {"duration", required_argument, NULL, OPTION_NUMBER},
                                        {"requests", required_argument, NULL, OPTION_NUMBER},
                                        {"warmup", required_argument, NULL, OPTION_NUMBER},
                                        {"live", required_argument, NULL, OPTION_NUMBER},
                                        {"budget", required_argument, NULL, OPTION_NUMBER},
                                        {"seed", required_argument, NULL, OPTION_NUMBER},
                                        {"drain", required_argument, NULL, OPTION_NUMBER},
                                        {"timeout", required_argument, NULL, OPTION_NUMBER},
                                        {NULL, 0, NULL, 0}};

struct arguments {
    struct cell cell;
    const char *tunes[PAIRS_MAX], *params[PAIRS_MAX];
    int tune_count, param_count;
    int mode_count; /* of --rate, --load, --closed: one at most */
    const char *json, *hlog, *hgrm;
    struct objective objective; /* limit 0: none */
    bool help;
};

static bool take_option(struct arguments *to, int option, const char *name, struct error *error) {
    switch (option) {
    case OPTION_HELP:
        to->help = true;
        return true;
    case OPTION_STRATEGY:
        return cell_set_strategy(&to->cell, optarg, error);
    case OPTION_HEAP:
        return cell_set_heap(&to->cell, optarg, error);
    case OPTION_CLOSED:
        to->cell.mode = CELL_CLOSED;
        to->mode_count++;
        return true;
    case OPTION_COUNT:
        to->cell.count = true;
        return true;
    case OPTION_ARRIVALS:
        return cell_set_arrivals(&to->cell, optarg, error);
    case OPTION_JSON:
        to->json = optarg;
        return true;
    case OPTION_HLOG:
        to->hlog = optarg;
        return true;
    case OPTION_HGRM:
        to->hgrm = optarg;
        return true;
    case OPTION_CLOCK:
        return cell_set_clock(&to->cell, optarg, error);
    case OPTION_SLO:
        to->mode_count++;
        return objective_parse(optarg, &to->objective, error);
    case OPTION_NUMBER:
        to->mode_count += strcmp(name, "rate") == 0 || strcmp(name, "load") == 0;
        return cell_set_number(&to->cell, name, optarg, error);
    default:
        break;
    }
    const char **pairs = option == OPTION_TUNE ? to->tunes : to->params;
    int *count = option == OPTION_TUNE ? &to->tune_count : &to->param_count;
    if (*count == PAIRS_MAX)
        return error_set(error, EXIT_INPUT, "--%s can be given %d times at most", name, PAIRS_MAX);
    pairs[(*count)++] = optarg; /* checked once strategy and scenario are known */
    return true;
}

static bool take_options(struct arguments *to, int argc, char **argv, struct error *error) {
    int option, index = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", options, &index)) != -1) {
        if (option == ':' || option == '?')
            return refuse_option(option, "run", argv, error);
        if (!take_option(to, option, options[index].name, error))
            return false;
    }
    return true;
}

static bool to_stdout(const char *path) {
    return path && strcmp(path, "-") == 0;
}

static bool parse(struct arguments *to, int argc, char **argv, struct error *error) {
    *to = (struct arguments){0};
    cell_defaults(&to->cell, &scenario_infos[0]);
    to->cell.arrivals = ARRIVALS_POISSON;
    to->cell.live = 0;
    if (!take_options(to, argc, argv, error))
        return false;
    if (to->help && optind == argc)
        return true;
    if (optind != argc - 1)
        return error_set(error, EXIT_INPUT, "run takes one scenario (`tailrace list scenarios`)");
    to->cell.scenario = find_scenario(argv[optind]);
    if (!to->cell.scenario)
        return error_set(error, EXIT_INPUT,
                         "there is no scenario \"%s\" (`tailrace list scenarios` names them)",
                         argv[optind]);
    if (to->help)
        return true;
    if (to->cell.live == 0)
        to->cell.live = to->cell.scenario->live;
    cell_default_params(&to->cell);
    for (int i = 0; i < to->param_count; i++)
        if (!cell_set_param(&to->cell, to->params[i], error))
            return false;
    if (to->mode_count > 1)
        return error_set(error, EXIT_INPUT,
                         "--rate, --load, --slo and --closed exclude each other");
    if (to->objective.limit_ns > 0 && (to->hlog || to->hgrm || to->cell.count))
        return error_set(error, EXIT_INPUT,
                         "--slo takes many runs: --hlog, --hgrm and --count take one");
    if (to_stdout(to->json) + to_stdout(to->hlog) + to_stdout(to->hgrm) > 1)
        return error_set(error, EXIT_INPUT,
                         "only one of --json, --hlog and --hgrm can go to standard output");
    if (to->cell.mode != CELL_OPEN_LOAD)
        to->cell.load = 0;
    for (int i = 0; i < to->tune_count; i++)
        if (!cell_add_tune(&to->cell, to->tunes[i], error))
            return false;
    return true;
}

static void print_quantiles(const char *name, const json_t *quantiles) {
    static const char *const keys[] = {"p50", "p90", "p99", "p99_9", "p99_99", "max"};
    printf("%-9s", name);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const json_t *value = json_object_get(quantiles, keys[i]);
        if (json_is_integer(value))
            printf(" %11.2f", (double)json_integer_value(value) * 1e-3);
        else
            printf(" %11s", "-");
    }
    putchar('\n');
}

static void print_allocations(const json_t *allocations) {
    json_int_t calls, bytes, frees;
    if (json_unpack((json_t *)allocations, "{s:I,s:I,s:I}", "calls", &calls, "bytes", &bytes,
                    "frees", &frees) == 0)
        printf("heap calls: %lld for %lld bytes, %lld freed\n", (long long)calls, (long long)bytes,
               (long long)frees);
}

static void print_summary(const json_t *result) {
    const json_t *stamp;
    size_t i;
    printf("%s: %s\n", json_string_value(json_object_get(result, "cell")),
           json_string_value(json_object_get(result, "status")));
    printf("%-9s %11s %11s %11s %11s %11s %11s\n", "us", "p50", "p90", "p99", "p99.9", "p99.99",
           "max");
    print_quantiles("response", json_object_get(result, "response_ns"));
    print_quantiles("service", json_object_get(result, "service_ns"));
    print_quantiles("lateness", json_object_get(result, "lateness_ns"));
    printf("requests %lld, achieved %.1f/s, offered %.1f/s, peak RSS %.1f MiB, checksum %s\n",
           (long long)json_integer_value(json_object_get(result, "requests")),
           json_number_value(json_object_get(result, "achieved_rate")),
           json_number_value(json_object_get(result, "offered_rate")),
           json_number_value(json_object_get(result, "rss_peak_bytes")) / 0x1p20,
           json_is_string(json_object_get(result, "checksum"))
               ? json_string_value(json_object_get(result, "checksum"))
               : "none (the number of requests was not fixed)");
    print_allocations(json_object_get(result, "allocations"));
    if (strcmp(json_string_value(json_object_get(result, "mode")), "closed") == 0)
        printf("closed loop: requests wait for the last one to end, so this run cannot see what a "
               "stall does to response time (--rate or --load can)\n");
    json_array_foreach(json_object_get(result, "stamps"), i, stamp)
        printf("stamp: %s\n", json_string_value(stamp));
}

static bool deliver_json(const json_t *result, const char *path, struct error *error) {
    if (!to_stdout(path))
        return !path || file_write_json(path, result, JSON_INDENT(1), error);
    json_dumpf(result, stdout, FILE_JSON_FLAGS | JSON_INDENT(1));
    putchar('\n');
    return true;
}

static bool deliver(const struct arguments *arguments, const struct run *run, const json_t *result,
                    struct error *error) {
    if (!arguments->json && !to_stdout(arguments->hlog) && !to_stdout(arguments->hgrm))
        print_summary(result);
    return deliver_json(result, arguments->json, error) &&
           (!arguments->hlog || run_write_hlog(&arguments->cell, run, arguments->hlog, error)) &&
           (!arguments->hgrm || run_write_hgrm(&arguments->cell, run, arguments->hgrm, error));
}

/* What one scenario is, for its --help. */
static int print_page(const struct scenario_info *scenario) {
    printf("%s: %s\n\n%s\n\n", scenario->name, scenario->what, scenario_page(scenario));
    printf("class   %s\nsource  %s\nneeds  ", scenario->kind, scenario->source);
    for (uint32_t needs = scenario->needs; needs; needs &= needs - 1)
        printf(" %s", need_name(needs));
    printf("%s\n\n  --live N  %s (%llu)\n", scenario->needs ? "" : " nothing", scenario->unit,
           (unsigned long long)scenario->live);
    for (size_t i = 0; i < SCENARIO_PARAMS_MAX && scenario->params[i].name; i++) {
        const struct scenario_param *param = &scenario->params[i];
        char standard[AREA_TEXT_BYTES];
        struct cell cell = {.scenario = scenario};
        cell_default_params(&cell);
        cell_param_text(&cell, i, standard, sizeof standard);
        printf("  --param %s=V  %s; ", param->name, param->what);
        if (strchr(param->unit, '|'))
            printf("one of %s (%s)\n", param->unit, standard);
        else
            printf("%llu to %llu %s (%s)\n", (unsigned long long)param->low,
                   (unsigned long long)param->high, param->unit, standard);
    }
    return 0;
}

/* --load: turns it into a rate, by the capacity that a run of one second shows. */
static bool find_rate(struct cell *cell, struct run *run, struct error *error) {
    double per_second;
    if (cell->mode != CELL_OPEN_LOAD)
        return true;
    if (!search_capacity(cell, 1, &per_second, run, error))
        return false;
    cell->mode = CELL_OPEN_RATE;
    cell->load_of_own = true;
    cell->rate = cell->load * per_second;
    if (run->status == RUN_OK)
        fprintf(stderr, "capacity %.0f/s, so the rate is %.0f/s\n", per_second, cell->rate);
    return true;
}

static int exit_status(const struct run *run) {
    if (run->status != RUN_OK)
        fprintf(stderr, "tailrace: %s: %s\n", run_status_name(run->status), run->reason);
    return run->status == RUN_CRASHED || run->status == RUN_TIMEOUT ? EXIT_FINDING : 0;
}

/* --slo: the search is the result. */
static int run_search(const struct arguments *arguments, struct error *error) {
    json_t *steps = NULL;
    double rate = 0;
    bool ran = search_rate(&arguments->cell, &arguments->objective, &rate, &steps, error);
    json_t *result = cell_json(&arguments->cell);
    json_object_set_new(result, "schema", json_string("tailrace/slo/1"));
    json_object_set_new(result, "quantile", json_string(arguments->objective.key));
    json_object_set_new(result, "limit_ns",
                        json_integer((json_int_t)arguments->objective.limit_ns));
    json_object_set_new(result, "rate", rate > 0 ? json_real(rate) : json_null());
    json_object_set_new(result, "steps", steps ? steps : json_array());
    if (ran && arguments->json)
        ran = deliver_json(result, arguments->json, error);
    else if (ran && rate > 0)
        printf("%s: %s at most %.6g ms up to %.1f/s\n",
               json_string_value(json_object_get(result, "cell")), arguments->objective.key,
               (double)arguments->objective.limit_ns * 1e-6, rate);
    json_decref(result);
    if (ran && rate <= 0)
        ran = error_set(error, EXIT_FINDING, "no rate that was tried meets this");
    return ran ? 0 : tell_error(error);
}

int command_run(int argc, char **argv) {
    struct arguments arguments;
    struct run run = {0};
    struct error error = {0};
    if (!parse(&arguments, argc, argv, &error))
        return tell_error(&error);
    if (arguments.help && optind == argc)
        return fputs(help, stdout) < 0;
    if (arguments.help)
        return print_page(arguments.cell.scenario);
    catch_interrupts();
    if (arguments.objective.limit_ns > 0)
        return run_search(&arguments, &error);
    bool ran = find_rate(&arguments.cell, &run, &error);
    bool measured = ran && run.status != RUN_OK; /* it cannot even be measured closed */
    if (ran && !measured) {
        run_free(&run);
        ran = supervise(&arguments.cell, &run, &error);
    }
    int status = ran ? exit_status(&run) : 0;
    if (ran) {
        json_t *context = context_json(command_line());
        json_t *result = result_json(&arguments.cell, &run, context, -1, -1);
        floor_label(result, NULL);
        ran = deliver(&arguments, &run, result, &error);
        json_decref(result);
        json_decref(context);
    }
    run_free(&run);
    return ran ? status : tell_error(&error);
}
