/* SPDX-License-Identifier: MIT */
/* treiber_aba.c - a lock-free stack of buffers whose head says only which buffer is on top.
 *
 * Mechanism: ABA. One thread has read the head and what follows it; meanwhile another takes both
 * and puts the first back. The head is as it was, so the exchange succeeds, and the stack goes on
 * with a buffer that the other thread holds. The twin's head counts its changes as well. The
 * second thread clears the page for its result first, so the first is as a rule done.
 */
#include "races/case.h"

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#define BUFFERS 3
#define NONE BUFFERS

static _Atomic uint64_t head; /* low half: the buffer on top; high half: changes so far */
static atomic_uint next[BUFFERS + 1];
static atomic_int holders[BUFFERS + 1];
static unsigned result; /* of transform; main gives it back */
static char page[4 << 20];

static uint64_t head_after(uint64_t seen, unsigned top) {
#if BUG
    return (seen & 0) | top;
#else
    return ((seen >> 32) + 1) << 32 | top;
#endif
}

static unsigned take(void) {
    /* acquire: partner is the exchange in give_back */
    uint64_t seen = atomic_load_explicit(&head, memory_order_acquire);
    unsigned top, below;
    do {
        top = (unsigned)seen;
        if (top == NONE)
            return NONE;
        below = atomic_load_explicit(&next[top], memory_order_relaxed);
        /* acquire: partner is the exchange in give_back */
    } while (!atomic_compare_exchange_strong_explicit(&head, &seen, head_after(seen, below),
                                                      memory_order_acquire, memory_order_acquire));
    const int others = atomic_fetch_add_explicit(&holders[top], 1, memory_order_relaxed);
    oracle(others == 0, "two threads hold one buffer"); /* FAULT a */
    return top;
}

static void give_back(unsigned buffer) {
    if (buffer == NONE)
        return;
    atomic_fetch_sub_explicit(&holders[buffer], 1, memory_order_relaxed);
    uint64_t seen = atomic_load_explicit(&head, memory_order_relaxed);
    do {
        atomic_store_explicit(&next[buffer], (unsigned)seen, memory_order_relaxed);
        /* release: partners are the load and the exchange in take */
    } while (!atomic_compare_exchange_strong_explicit(&head, &seen, head_after(seen, buffer),
                                                      memory_order_release, memory_order_relaxed));
}

static void *receive(void *unused) {
    const unsigned first = take();
    const unsigned second = take();
    give_back(second);
    give_back(first);
    return unused;
}

static void *transform(void *unused) {
    memset(page, 0, sizeof page);
    const unsigned input = take();
    const unsigned output = take();
    give_back(input);
    result = output;
    return unused;
}

int main(void) {
    for (unsigned i = 0; i < BUFFERS; i++)
        atomic_store_explicit(&next[i], i + 1, memory_order_relaxed);
    pthread_t receiver, transformer;
    pthread_create(&receiver, NULL, receive, NULL);
    pthread_create(&transformer, NULL, transform, NULL);
    pthread_join(receiver, NULL);
    pthread_join(transformer, NULL);
    give_back(result);
    int left = 0;
    while (take() != NONE)
        left++;
    oracle(left == BUFFERS, "buffers were lost"); /* FAULT b */
    return 0;
}
