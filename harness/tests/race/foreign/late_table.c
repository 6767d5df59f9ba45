/* SPDX-License-Identifier: MIT */
/* late_table.c: currency conversion. A loader fills the table of rates while the
 * converters are still parsing their input.
 *
 * expect: data-race 45,46,76
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CURRENCIES 4
#define CONVERTERS 2

typedef struct {
    char code[4];
    long perMille;
} Rate;

typedef struct {
    pthread_t thread;
    const char *input;
    long total;
} Converter;

static Rate rateTable[CURRENCIES];

static pthread_mutex_t logMutex = PTHREAD_MUTEX_INITIALIZER;
static int logLines;

static void logEvent(const char *event)
{
    pthread_mutex_lock(&logMutex);
    if (getenv("LATE_TABLE_VERBOSE") != NULL)
        fprintf(stderr, "%d: %s\n", logLines, event);
    logLines++;
    pthread_mutex_unlock(&logMutex);
}

static void *loaderMain(void *unused)
{
    static const char codes[CURRENCIES][4] = {"ISK", "EUR", "SEK", "CHF"};

    for (int i = 0; i < CURRENCIES; i++) {
        memcpy(rateTable[i].code, codes[i], sizeof codes[i]);
        rateTable[i].perMille = 250L * (i + 1);
    }
    logEvent("rates loaded");
    return unused;
}

static long parseAmount(const char **cursor)
{
    char *end;
    long amount = strtol(*cursor, &end, 10);
    *cursor = end + (*end != '\0');
    return amount;
}

static long parseAll(const char *input)
{
    long sum = 0;
    for (int pass = 0; pass < 1500; pass++)
        for (const char *cursor = input; *cursor != '\0';)
            sum += parseAmount(&cursor);
    return sum / 1500;
}

static void *converterMain(void *argument)
{
    Converter *self = argument;
    long amount = parseAll(self->input);

    logEvent("input parsed");
    for (int i = 0; i < CURRENCIES; i++)
        self->total += amount * rateTable[i].perMille / 1000;
    logEvent("converted");
    return NULL;
}

int main(void)
{
    Converter converters[CONVERTERS] = {{.input = "12,7,1000,81"}, {.input = "5,5,90,2400,3"}};
    pthread_t loader;
    long total = 0;

    if (pthread_create(&loader, NULL, loaderMain, NULL) != 0)
        return 2;
    for (int i = 0; i < CONVERTERS; i++)
        if (pthread_create(&converters[i].thread, NULL, converterMain, &converters[i]) != 0)
            return 2;
    for (int i = 0; i < CONVERTERS; i++) {
        pthread_join(converters[i].thread, NULL);
        total += converters[i].total;
    }
    pthread_join(loader, NULL);
    printf("total %ld, %d lines logged\n", total, logLines);
    return 0;
}
