/* SPDX-License-Identifier: MIT */
/* arena_overflow_intra.c - a name's terminator is written behind it, into its neighbour in the
 * arena.
 *
 * Mechanism: room for the characters and not for the zero. An arena has no gaps between its
 * objects, and to every tool all of it is one block.
 */
#define MEM_STRATEGY_ID arena
#define MEM_STRATEGY_HEADER "memory/strategy_arena.h"
#include "races/case.h"
#include "races/case_memory.h"

struct name {
    uint64_t length;
    char text[];
};
struct account {
    uint64_t balance;
};
static const mem_type name_type = {
    .name = "name", .size = sizeof(struct name), .trailing_max = 1000};
static const mem_type account_type = {.name = "account", .id = 1, .size = sizeof(struct account)};

static const char *const words = "sixteen letters!";

static void *copy_words(void *data) {
    struct name *name = data;
    memcpy(name->text, words, name->length);
    name->text[name->length] = '\0'; /* FAULT a */
    return NULL;
}

int main(void) {
    pthread_t copier;
    size_t length = strlen(words);
    mem_init();
    mem_thread *t = mem_attach();
    mem_scope *s = mem_scope_begin(t);
    struct name *name = mem_new(t, s, &name_type, BUG ? length : length + 1);
    struct account *account = mem_new(t, s, &account_type, 0);
    account->balance = 1000;
    name->length = length;
    pthread_create(&copier, NULL, copy_words, name);
    pthread_join(copier, NULL);
    uint64_t balance = account->balance;
    mem_scope_end(t, s);
    mem_detach(t);
    mem_fini();
    oracle(balance == 1000, "a balance has changed");
    return 0;
}
