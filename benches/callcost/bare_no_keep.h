/* SPDX-License-Identifier: MIT */
/* bare_no_keep.h - a library without reference counts. */
LOOP void *subject_keep(void *t, void *object) {
    (void)t;
    return object;
}
