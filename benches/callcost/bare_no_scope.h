/* SPDX-License-Identifier: MIT */
/* bare_no_scope.h - a library without scopes. */
LOOP void *subject_open(void *t) {
    return t;
}
LOOP void subject_close(void *t, void *s) {
    (void)t, (void)s;
}
