/* SPDX-License-Identifier: MIT */
/* gc_root_missed.c - a cached page is referred to from a table in which the collector does not
 * look.
 *
 * Mechanism: who put it there gave its reference back, as if the table held one. Nothing else leads
 * to the page, so the next collection frees it, and the table still points there.
 */
#define MEM_STRATEGY_ID marksweep
#define MEM_STRATEGY_HEADER "memory/strategy_marksweep.h"
#include "races/case.h"
#include "races/case_memory.h"

#define REQUESTS 3000 /* enough for two collections */
#define REQUEST_BYTES 4000

struct page {
    uint64_t reads;
    char text[200];
};
struct request {
    char bytes[REQUEST_BYTES];
};
static const mem_type page_type = {.name = "page", .size = sizeof(struct page)};
static const mem_type request_type = {.name = "request", .id = 1, .size = sizeof(struct request)};

struct table {
    struct page *page;
};
static atomic_bool done;

static void *handle_requests(void *unused) {
    mem_thread *t = mem_attach();
    for (int i = 0; i < REQUESTS; i++) {
        mem_scope *s = mem_scope_begin(t);
        struct request *request = mem_new(t, s, &request_type, 0); /* RACE b */
        request->bytes[0] = 1;
        mem_drop(t, s, &request_type, request);
        mem_scope_end(t, s); /* RACE c */
    }
    mem_detach(t);
    /* release: pairs with the acquire in main */
    atomic_store_explicit(&done, true, memory_order_release);
    return unused;
}

static struct page *page_new(mem_thread *t, mem_scope *s) {
    struct page *page = mem_new(t, s, &page_type, 0);
    memset(page->text, 'x', sizeof page->text);
    return page;
}

static void read_page(const struct page *page) {
    for (size_t i = 0; i < sizeof page->text; i++)
        oracle(page->text[i] == 'x', "a page has changed"); /* RACE a */
}

int main(void) {
    pthread_t worker;
    mem_init();
    mem_thread *t = mem_attach();
    mem_scope *s = mem_scope_begin(t);
#if BUG
    struct table *table = malloc(sizeof *table);
    if (!table)
        abort();
    table->page = page_new(t, s);
    mem_drop(t, s, &page_type, table->page);
#else
    struct table *table = mem_state_new(sizeof *table); /* may hold references */
    table->page = page_new(t, s);
#endif
    pthread_create(&worker, NULL, handle_requests, NULL);
    /* acquire: pairs with the release in handle_requests */
    while (!atomic_load_explicit(&done, memory_order_acquire)) {
        read_page(table->page);
        mem_safepoint(t);
    }
    read_page(table->page);
    pthread_join(worker, NULL);
#if BUG
    free(table);
#else
    mem_drop(t, s, &page_type, table->page);
    mem_state_free(table);
#endif
    mem_scope_end(t, s);
    mem_detach(t);
    mem_fini();
    return 0;
}
