/* SPDX-License-Identifier: MIT */
/* bare_no_give.h - a library that takes no single objects back. */
LOOP void subject_give(void *t, void *s, size_t size, void *object) {
    (void)t, (void)s, (void)size, (void)object;
}
