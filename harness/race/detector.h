/* SPDX-License-Identifier: MIT */
/* detector.h - the tools that may report a defect: how each is built for, run and read.
 *
 * detectors_probe first, on one thread; afterwards any thread may call anything here.
 */
#ifndef TAILRACE_RACE_DETECTOR_H
#define TAILRACE_RACE_DETECTOR_H

#include "base/error.h"
#include "race/finding.h"
#include "race/seed.h"
#include "run/spawn.h"

enum detector_kind {
    DETECTOR_NATIVE,
    DETECTOR_SANITIZER,
    DETECTOR_VALGRIND,
    DETECTOR_STATIC,
    DETECTOR_RUST
};
enum detector_id {
#define DETECTOR(id, name, letter, kind, flag, what) DETECTOR_ID_##id,
#include "race/detectors.def"
#undef DETECTOR
    DETECTOR_ID_COUNT
};

struct detector {
    const char *name;
    char letter;
    enum detector_kind kind;
    const char *flag, *what;
    /* by detectors_probe */
    bool available;
    char reason[256];  /* why it is not; "" if it is */
    char version[128]; /* of its tool; "" if it has none */
};
extern struct detector detectors[DETECTOR_ID_COUNT];

/* Tries each wanted detector (a bit each, by id) on an empty program in `folder`. */
void detectors_probe(uint32_t wanted, const char *folder);
const struct detector *detector_find(const char *name); /* NULL: unknown */
enum detector_id detector_id(const struct detector *detector);

#define DETECTOR_WORDS_MAX 64
#define DETECTOR_WORD_BYTES 4096

/* A program built for a detector, or what a static one reads. */
struct detector_build {
    const char *const *sources; /* ends in NULL */
    const char *const *flags;   /* -D, -I…; ends in NULL */
    const char *program;        /* path of the result */
};

/* Compiles; true if the compiler could. What it said is in result->said in any case; a static
 * detector's findings are added. */
bool detector_compile(const struct detector *detector, const struct detector_build *build,
                      struct spawn_result *result, struct findings *all);

/* One run of a program that detector_compile made, or of any other that was built for it. */
struct detector_run {
    char *const *argv;
    const char *log_prefix; /* of files that the run leaves; nothing else begins so */
    uint64_t seed;          /* seed.h; takes effect where tailrace-cc built the program */
    double timeout_s;
    bool keep_output;
};

/* What the run-time told when the program ended (race/runtime); all 0 where it is not there. */
struct run_shape {
    bool present, unserialised;
    uint64_t points, sync_points;
};

#define DETECTOR_SAMPLE_BYTES 4096

/* Runs it and reads what the detector left: findings are added, the first report's text goes to
 * sample (DETECTOR_SAMPLE_BYTES, or NULL), the files are removed. */
void detector_execute(const struct detector *detector, const struct detector_run *run,
                      struct spawn_result *result, struct findings *all, struct run_shape *shape,
                      char *sample);

#endif
