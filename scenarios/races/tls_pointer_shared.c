/* SPDX-License-Identifier: MIT */
/* tls_pointer_shared.c - a thread-local buffer is handed to another thread, and used again.
 *
 * Mechanism: thread-local is who finds the buffer, not who may reach it. The name's pointer goes
 * through a well-locked mailbox; the next name is written over it while the other thread reads.
 */
#include "races/case.h"

#include <string.h>

#define NAME_SIZE 32
#define NAMES 100

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static char *mailbox;

/* The name is the calling thread's, until its next call. */
static char *name_of(int number) {
    static _Thread_local char name[NAME_SIZE];
    for (int i = 0; i < NAME_SIZE - 1; i++)
        name[i] = (char)('a' + number % 26); /* RACE a */
    return name;
}

static void post(char *name) {
    pthread_mutex_lock(&mutex);
    while (mailbox != NULL)
        pthread_cond_wait(&changed, &mutex);
    mailbox = name;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
}

static char *take(void) {
    pthread_mutex_lock(&mutex);
    while (mailbox == NULL)
        pthread_cond_wait(&changed, &mutex);
    char *name = mailbox;
    mailbox = NULL;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
    return name;
}

static void *read_names(void *wrong) {
    for (int i = 0; i < NAMES; i++) {
        char *name = take();
        for (int j = 0; j < NAME_SIZE - 1; j++)
            *(int *)wrong += name[j] != 'a' + i % 26; /* RACE b */
#if !BUG
        free(name);
#endif
    }
    return NULL;
}

int main(void) {
    pthread_t reader;
    int wrong = 0;
    pthread_create(&reader, NULL, read_names, &wrong);
    for (int i = 0; i < NAMES; i++) {
#if BUG
        post(name_of(i));
#else
        post(strdup(name_of(i)));
#endif
    }
    pthread_join(reader, NULL);
    oracle(wrong == 0, "a name changed while it was read");
    return 0;
}
