/* SPDX-License-Identifier: MIT */
/* arena_bump_race.c - two threads allocate from a bump arena whose cursor is a plain integer.
 *
 * Mechanism: taking a block is reading the cursor and moving it. Two threads that read the same
 * cursor get the same block, and write each other's objects over.
 */
#include "races/case.h"

#define THREADS 2
#define OBJECTS 500
#define ARENA_SIZE 8000u

struct object {
    int owner;
    int number;
};

static struct {
    char *memory;
    size_t used;
} arena;

/* A block of the arena, which all threads use; the arena frees it. */
static void *arena_take(size_t size) {
#if BUG
    size_t start = arena.used; /* RACE a */
    arena.used = start + size; /* RACE b */
#else
    size_t start = __atomic_fetch_add(&arena.used, size, __ATOMIC_RELAXED);
#endif
    return start + size <= ARENA_SIZE ? arena.memory + start : NULL;
}

static void *make_objects(void *argument) {
    int owner = *(int *)argument;
    static struct object *objects[THREADS][OBJECTS];
    for (int i = 0; i < OBJECTS; i++) {
        struct object *object = arena_take(sizeof(*object));
        if (object == NULL)
            abort();
        object->owner = owner; /* RACE c */
        object->number = i;    /* RACE d */
        objects[owner][i] = object;
    }
    for (int i = 0; i < OBJECTS; i++) {
        oracle(objects[owner][i]->owner == owner, "two threads have one object"); /* RACE e */
        oracle(objects[owner][i]->number == i, "an object was written over");     /* RACE f */
    }
    return NULL;
}

int main(void) {
    arena.memory = malloc(ARENA_SIZE);
    if (arena.memory == NULL)
        abort();
    pthread_t threads[THREADS];
    int owners[THREADS] = {0, 1};
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, make_objects, &owners[i]);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    free(arena.memory);
    return 0;
}
