/* SPDX-License-Identifier: MIT */
/* heap_tuning.c - tunables of heaps: their names, and the environment through which heaps take
 * them.
 */
#include "run/heap_tuning.h"

#include "memory/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTINGS_BYTES 256

bool heap_has_tunable(const char *heap, const char *key, size_t key_length) {
    for (size_t i = 0; i < heap_tunable_count; i++)
        if (strcmp(heap_tunables[i].heap, heap) == 0 &&
            strlen(heap_tunables[i].key) == key_length &&
            strncmp(heap_tunables[i].key, key, key_length) == 0)
            return true;
    return false;
}

void heap_tunables_text(const char *heap, char *text, size_t text_bytes) {
    size_t used = 0;
    *text = '\0';
    for (size_t i = 0; i < heap_tunable_count && used < text_bytes; i++)
        if (strcmp(heap_tunables[i].heap, heap) == 0)
            used += (size_t)snprintf(text + used, text_bytes - used, "%s%s=%s", used ? " " : "",
                                     heap_tunables[i].key, heap_tunables[i].fallback);
}

/* Finds the number that `tune` gives a tunable; false if it says nothing of it. */
static bool find_number(const struct heap_tunable *tunable, const char *tune,
                        unsigned long *number) {
    char wanted[64];
    int length = snprintf(wanted, sizeof wanted, "%s:%s=", tunable->heap, tunable->key);
    const char *at = strstr(tune, wanted);
    while (at && at != tune && at[-1] != ' ')
        at = strstr(at + 1, wanted);
    if (at)
        *number = strtoul(at + length, NULL, 10);
    return at;
}

/* Appends the setting with the number in its place to what was set before. */
static void set_variable(const struct heap_tunable *tunable, unsigned long number) {
    const char *before = getenv(tunable->variable);
    char settings[SETTINGS_BYTES], text[24];
    size_t name_length = strcspn(tunable->setting, "#?");
    if (tunable->setting[name_length] == '?')
        snprintf(text, sizeof text, "%s", number ? "true" : "false");
    else
        snprintf(text, sizeof text, "%lu", number);
    snprintf(settings, sizeof settings, "%s%s%.*s%s", before ? before : "", before ? "," : "",
             (int)name_length, tunable->setting, text);
    setenv(tunable->variable, settings, 1);
}

void heap_tune(const char *heap, const char *tune) {
    unsigned long number = 0;
    for (size_t i = 0; i < heap_tunable_count; i++)
        if (strcmp(heap_tunables[i].heap, heap) == 0)
            unsetenv(heap_tunables[i].variable);
    for (size_t i = 0; i < heap_tunable_count; i++)
        if (strcmp(heap_tunables[i].heap, heap) == 0 &&
            find_number(&heap_tunables[i], tune, &number))
            set_variable(&heap_tunables[i], number);
}
