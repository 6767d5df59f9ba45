// SPDX-License-Identifier: MIT
// Races in 4096 places: as many functions, each with a counter of its own that two threads bump.
#include <pthread.h>
#include <stdio.h>

// RACE(1, 2, 3) defines race_123().
#define RACE(a, b, c)                                                                              \
    static void race_##a##b##c(void) {                                                             \
        static volatile long counter;                                                              \
        counter = counter + 1;                                                                     \
    }
#define NAME(a, b, c) race_##a##b##c,

#define TIMES_16(m, a, b)                                                                          \
    m(a, b, 0) m(a, b, 1) m(a, b, 2) m(a, b, 3) m(a, b, 4) m(a, b, 5) m(a, b, 6) m(a, b, 7)        \
        m(a, b, 8) m(a, b, 9) m(a, b, A) m(a, b, B) m(a, b, C) m(a, b, D) m(a, b, E) m(a, b, F)
#define TIMES_256(m, a)                                                                            \
    TIMES_16(m, a, 0)                                                                              \
    TIMES_16(m, a, 1)                                                                              \
    TIMES_16(m, a, 2)                                                                              \
    TIMES_16(m, a, 3)                                                                              \
    TIMES_16(m, a, 4)                                                                              \
    TIMES_16(m, a, 5)                                                                              \
    TIMES_16(m, a, 6)                                                                              \
    TIMES_16(m, a, 7)                                                                              \
    TIMES_16(m, a, 8)                                                                              \
    TIMES_16(m, a, 9)                                                                              \
    TIMES_16(m, a, A)                                                                              \
    TIMES_16(m, a, B)                                                                              \
    TIMES_16(m, a, C) TIMES_16(m, a, D) TIMES_16(m, a, E) TIMES_16(m, a, F)
#define TIMES_4096(m)                                                                              \
    TIMES_256(m, 0)                                                                                \
    TIMES_256(m, 1)                                                                                \
    TIMES_256(m, 2)                                                                                \
    TIMES_256(m, 3)                                                                                \
    TIMES_256(m, 4)                                                                                \
    TIMES_256(m, 5)                                                                                \
    TIMES_256(m, 6)                                                                                \
    TIMES_256(m, 7)                                                                                \
    TIMES_256(m, 8)                                                                                \
    TIMES_256(m, 9)                                                                                \
    TIMES_256(m, A)                                                                                \
    TIMES_256(m, B) TIMES_256(m, C) TIMES_256(m, D) TIMES_256(m, E) TIMES_256(m, F)

TIMES_4096(RACE)

static void (*const races[])(void) = {TIMES_4096(NAME)};

static void *race(void *unused) {
    for (unsigned i = 0; i < sizeof races / sizeof *races; i++)
        races[i]();
    return unused;
}

int main(void) {
    pthread_t thread;

    if (pthread_create(&thread, NULL, race, NULL) != 0)
        return 2;
    race(NULL);
    pthread_join(thread, NULL);
    return 0;
}
