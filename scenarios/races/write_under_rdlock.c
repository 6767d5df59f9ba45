/* SPDX-License-Identifier: MIT */
/* write_under_rdlock.c - a cache counts its hits while it holds its lock for reading.
 *
 * Mechanism: readers share a lock for reading, so whatever they write they write at the same time.
 * A lookup looks like reading, and its count of hits came later.
 */
#include "races/case.h"

#define THREADS 2
#define ENTRIES 4
#define LOOKUPS 500

struct entry {
    int key;
    int value;
    long hits;
};

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static struct entry entries[ENTRIES] = {{1, 10, 0}, {2, 20, 0}, {3, 30, 0}, {4, 40, 0}};

static int look_up(int key) {
    int value = 0;
#if BUG
    pthread_rwlock_rdlock(&rwlock);
#else
    pthread_rwlock_wrlock(&rwlock);
#endif
    for (int i = 0; i < ENTRIES; i++) {
        if (entries[i].key == key) {
            entries[i].hits++; /* RACE a */
            value = entries[i].value;
        }
    }
    pthread_rwlock_unlock(&rwlock);
    return value;
}

static void *look_up_all(void *unused) {
    for (int i = 0; i < LOOKUPS; i++) {
        int key = 1 + i % ENTRIES;
        oracle(look_up(key) == 10 * key, "the cache gave a wrong value");
    }
    return unused;
}

int main(void) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, look_up_all, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    long hits = 0;
    for (int i = 0; i < ENTRIES; i++)
        hits += entries[i].hits;
    oracle(hits == THREADS * LOOKUPS, "hits were lost");
    return 0;
}
