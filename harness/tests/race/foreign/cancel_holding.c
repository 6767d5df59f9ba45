/* SPDX-License-Identifier: MIT */
/*
 * cancel_holding: a background thread keeps a journal, and is cancelled when the work is done.
 *
 * expect: hang 32,63
 */
#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct Journal {
    pthread_mutex_t lock;
    int fileDescriptor;
    long entries;
    unsigned checksum;
};

static struct Journal journal = {.lock = PTHREAD_MUTEX_INITIALIZER, .fileDescriptor = -1};
static atomic_long entriesWritten;

static void journalAppend(const char *text, size_t length)
{
    pthread_mutex_lock(&journal.lock);
    journal.entries++;
    for (size_t i = 0; i < length; i++)
        journal.checksum = journal.checksum * 31u + (unsigned char)text[i];
    if (write(journal.fileDescriptor, text, length) != (ssize_t)length)
        perror("write");
    pthread_mutex_unlock(&journal.lock);
    atomic_fetch_add(&entriesWritten, 1);
}

static void *heartbeat(void *unused)
{
    (void)unused;
    for (;;) {
        journalAppend("alive\n", 6);
        usleep(500);
    }
    return NULL;
}

static long doTheWork(void)
{
    long sum = 0;

    for (long i = 1; i <= 20; i++) {
        sum += i * i;
        usleep(100);
    }
    return sum;
}

static long journalClose(void)
{
    long entries;

    pthread_mutex_lock(&journal.lock);
    entries = journal.entries;
    close(journal.fileDescriptor);
    journal.fileDescriptor = -1;
    pthread_mutex_unlock(&journal.lock);
    return entries;
}

int main(void)
{
    pthread_t thread;
    void *result;
    long sum;

    journal.fileDescriptor = open("/dev/null", O_WRONLY);
    if (journal.fileDescriptor < 0) {
        perror("/dev/null");
        return 2;
    }
    if (pthread_create(&thread, NULL, heartbeat, NULL) != 0)
        return 2;
    sum = doTheWork();
    while (atomic_load(&entriesWritten) == 0)
        usleep(100);

    pthread_cancel(thread);
    pthread_join(thread, &result);
    printf("sum %ld, %s, journal %s\n", sum,
           result == PTHREAD_CANCELED ? "cancelled" : "returned",
           journalClose() > 0 ? "kept" : "empty");
    return 0;
}
