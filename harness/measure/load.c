/* SPDX-License-Identifier: MIT */
/* load.c - judging a finished record. */
#include "measure/load.h"

bool load_overloaded(const struct load_record *record) {
    int last = LOAD_INTERVALS_MAX - 1;
    while (last >= 0 && record->intervals[last].count == 0)
        last--;
    if (last + 1 < LOAD_OVERLOAD_INTERVALS_MIN)
        return false;
    for (int i = (last + 1) / 2; i <= last; i++)
        if (record->intervals[i].count > 0 &&
            record->intervals[i].min_lateness_ns <= LOAD_LATENESS_ZERO_NS)
            return false;
    return true;
}
