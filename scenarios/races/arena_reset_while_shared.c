/* SPDX-License-Identifier: MIT */
/* arena_reset_while_shared.c - a request's arena is reset while a thread still reads the request.
 *
 * Mechanism: the arena gives the same memory to the next request. No tool takes its reset for a
 * free, but for the writes of the next request.
 */
#define MEM_STRATEGY_ID arena
#define MEM_STRATEGY_HEADER "memory/strategy_arena.h"
#include "races/case.h"
#include "races/case_memory.h"

#define BODY_BYTES 2000
#define READS 20

struct body {
    unsigned char bytes[BODY_BYTES];
};
struct reply {
    uint64_t status, bytes;
};
static const mem_type body_type = {.name = "body", .size = sizeof(struct body)};
static const mem_type reply_type = {.name = "reply", .id = 1, .size = sizeof(struct reply)};

static void *write_log(void *data) {
    const struct body *body = data;
    unsigned sum = 0;
    for (int i = 0; i < READS * BODY_BYTES; i++)
        sum += body->bytes[i % BODY_BYTES]; /* RACE a */
    oracle(sum == 5 * READS * BODY_BYTES, "the request changed while it was logged");
    return NULL;
}

int main(void) {
    pthread_t logger;
    mem_init();
    mem_thread *t = mem_attach();
    mem_scope *s = mem_scope_begin(t);
    struct body *body = mem_new(t, s, &body_type, 0);
    memset(body->bytes, 5, BODY_BYTES);
    pthread_create(&logger, NULL, write_log, body);
#if !BUG
    pthread_join(logger, NULL);
#endif
    mem_scope_end(t, s); /* RACE b */

    s = mem_scope_begin(t);
    for (int i = 0; i < 100; i++) {
        struct reply *reply = mem_new(t, s, &reply_type, 0);
        reply->status = 200; /* RACE c */
        reply->bytes = 0;    /* RACE d */
    }
    mem_scope_end(t, s); /* RACE e */
#if BUG
    pthread_join(logger, NULL);
#endif
    mem_detach(t);
    mem_fini();
    return 0;
}
