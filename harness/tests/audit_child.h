/* SPDX-License-Identifier: MIT */
/* audit_child.h - runs small programs under the audit strategy, each in a child, to see how they
 * end.
 *
 * A program is called between mem_attach and mem_detach. It is to die by SIGABRT with the words in
 * its sentence on standard error, or, without words, to end well.
 */
#ifndef TAILRACE_TESTS_AUDIT_CHILD_H
#define TAILRACE_TESTS_AUDIT_CHILD_H

#include <stdint.h>

static uint32_t program_needs; /* as the program declares them */
#define SCENARIO_NEEDS program_needs
#define MEM_STRATEGY_ID audit
#define MEM_STRATEGY_HEADER "memory/strategy_audit.h"
#include "tests/cmocka_all.h"
#include "tests/host_stub.h"

#include "memory/mem.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define SENTENCE_BYTES_MAX 4096

struct node {
    uint64_t value;
    mem_ref peer, left, next;
};
struct blob {
    uint32_t count, value;
};
struct board {
    mem_slot slot;
};
static const mem_type node_type, blob_type;
static const mem_edge node_edges[] = {{offsetof(struct node, peer), MEM_BORROWED, &node_type},
                                      {offsetof(struct node, left), MEM_OWNED, &blob_type},
                                      {offsetof(struct node, next), MEM_OWNED, &node_type}};
static const mem_type node_type = {
    .name = "node", .size = sizeof(struct node), .edge_count = 3, .edges = node_edges};
static const mem_edge blob_trailing = {0, MEM_OWNED, &node_type};
static const mem_type blob_type = {.name = "blob",
                                   .id = 1,
                                   .size = sizeof(struct blob),
                                   .trailing_max = 64,
                                   .trailing_edge = &blob_trailing,
                                   .count_offset = offsetof(struct blob, count)};
static const mem_edge board_edges[] = {{offsetof(struct board, slot), MEM_SLOT, &node_type}};
static const mem_type board_type = {
    .name = "board", .id = 2, .size = sizeof(struct board), .edge_count = 1, .edges = board_edges};

struct program {
    const char *name;
    void (*run)(mem_thread *t, mem_scope *s);
    uint32_t lacks; /* needs that it does not declare */
    const char *words;
};

static struct node *node_new(mem_thread *t, mem_scope *s) {
    struct node *node = mem_new(t, s, &node_type, 0);
    node->value = 1;
    return node;
}

/* Runs a program on a thread of its own, with the scope and object that it needs of the first. */
struct elsewhere {
    void (*run)(mem_thread *t, struct elsewhere *with);
    mem_scope *scope;
    void *object;
    mem_parcel parcel;
};
static void *elsewhere_main(void *with) {
    mem_thread *t = mem_attach();
    ((struct elsewhere *)with)->run(t, with);
    mem_detach(t);
    return NULL;
}
static void elsewhere(struct elsewhere with) {
    pthread_t id;
    if (pthread_create(&id, NULL, elsewhere_main, &with) != 0)
        exit(2);
    pthread_join(id, NULL);
}

static _Noreturn void child_main(const struct program *program, int sentence) {
    dup2(sentence, STDERR_FILENO);
    program_needs = MEM_ALL & ~program->lacks;
    mem_init();
    mem_thread *t = mem_attach();
    program->run(t, mem_scope_begin(t));
    mem_detach(t);
    mem_fini();
    _exit(0);
}

/* True if the program ended as it should. */
static bool ends_as_it_should(const struct program *program) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        child_main(program, ends[1]);
    close(ends[1]);
    char sentence[SENTENCE_BYTES_MAX];
    size_t bytes = 0;
    for (ssize_t n = 1; n > 0 && bytes<sizeof sentence - 1; bytes += n> 0 ? (size_t)n : 0)
        n = read(ends[0], sentence + bytes, sizeof sentence - 1 - bytes);
    sentence[bytes] = 0;
    close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    bool aborted = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
    bool right = program->words ? aborted && strstr(sentence, "audit: ") == sentence &&
                                      strstr(sentence, program->words)
                                : WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!right)
        print_error("%s: status %d, expected \"%s\", said \"%s\"\n", program->name, status,
                    program->words ? program->words : "", sentence);
    return right;
}

static void check_programs(const struct program *programs, size_t count) {
    uint32_t wrong = 0;
    for (size_t i = 0; i < count; i++)
        wrong += !ends_as_it_should(&programs[i]);
    assert_int_equal(wrong, 0);
}

#endif
