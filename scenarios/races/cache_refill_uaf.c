/* SPDX-License-Identifier: MIT */
/* cache_refill_uaf.c - a page is loaded on first use; who finds one there by then replaces it.
 *
 * Mechanism: between giving back the read lock (a miss) and having the write lock, another may have
 * loaded the page and use it; it is freed under its feet. As a rule the second reader comes when
 * the page is there.
 */
#include "races/case.h"

#include <string.h>

struct page {
    int version;
};

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static struct page *cached;
static char request[4 << 20];

static struct page *page_load(void) {
    struct page *page = malloc(sizeof *page);
    if (page == NULL)
        abort();
    page->version = 7;
    return page;
}

static int page_version(void) {
    pthread_rwlock_rdlock(&rwlock);
    struct page *page = cached;
    pthread_rwlock_unlock(&rwlock);
    if (page == NULL) {
        pthread_rwlock_wrlock(&rwlock);
#if BUG
        struct page *fresh = page_load();
        free(cached); /* FAULT a */
        cached = fresh;
#else
        if (cached == NULL)
            cached = page_load();
#endif
        page = cached;
        pthread_rwlock_unlock(&rwlock);
    }
    return page->version; /* FAULT b */
}

static void *warm_up(void *unused) {
    oracle(page_version() == 7, "the wrong page");
    return unused;
}

static void *answer(void *unused) {
    memset(request, 0, sizeof request);
    oracle(page_version() == 7, "the wrong page");
    return unused;
}

int main(void) {
    pthread_t warmer, server;
    pthread_create(&warmer, NULL, warm_up, NULL);
    pthread_create(&server, NULL, answer, NULL);
    pthread_join(warmer, NULL);
    pthread_join(server, NULL);
    free(cached);
    return 0;
}
