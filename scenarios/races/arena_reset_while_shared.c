/* SPDX-License-Identifier: MIT */
/* arena_reset_while_shared.c - a request's arena is reset while a thread still reads the request.
 *
 * Mechanism: the arena gives the same memory to the next request. Tools know nothing of the reset;
 * what they can see is that the next request writes there.
 */
#define MEM_STRATEGY_ID arena
#define MEM_STRATEGY_HEADER "memory/strategy_arena.h"
#include "races/case.h"
#include "races/case_memory.h"

#define LARGE_BYTES 2000
#define SMALL_BYTES 1500
#define READS 200

struct body {
    uint64_t length;
    unsigned char bytes[];
};
static const mem_type body_type = {
    .name = "body", .size = sizeof(struct body), .trailing_max = LARGE_BYTES};

static struct body *body_new(mem_thread *t, mem_scope *s, size_t length, int fill) {
    struct body *body = mem_new(t, s, &body_type, length); /* RACE e */
    body->length = length;                                 /* RACE c */
    memset(body->bytes, fill, length);                     /* RACE d */
    return body;
}

static uint64_t logged_sum;

static void *write_log(void *data) {
    const struct body *body = data;
    for (uint64_t i = 0; i < READS * LARGE_BYTES; i++)
        logged_sum += body->bytes[i % LARGE_BYTES]; /* RACE a */
    return NULL;
}

int main(void) {
    pthread_t logger;
    mem_init();
    mem_thread *t = mem_attach();
    mem_scope *s = mem_scope_begin(t);
    pthread_create(&logger, NULL, write_log, body_new(t, s, LARGE_BYTES, 5));
#if !BUG
    pthread_join(logger, NULL);
#endif
    mem_scope_end(t, s); /* RACE b */

    s = mem_scope_begin(t);
    body_new(t, s, SMALL_BYTES, 6);
#if BUG
    pthread_join(logger, NULL);
#endif
    mem_scope_end(t, s);
    mem_detach(t);
    mem_fini();
    oracle(logged_sum == 5 * READS * LARGE_BYTES, "the request changed while it was logged");
    return 0;
}
