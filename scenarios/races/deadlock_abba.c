/* SPDX-License-Identifier: MIT */
/* deadlock_abba.c - a copy job takes scanner, then printer; a test page takes printer, then
 * scanner.
 *
 * Mechanism: each holds what the other waits for. The devices are owned by a flag and a condition
 * variable, which no detector of lock orders takes for a lock: nothing but the hang shows it. The
 * test page first clears its page, so the copy is as a rule done by then.
 */
#include "races/case.h"

#include <string.h>

struct device {
    pthread_mutex_t mutex;
    pthread_cond_t idle;
    bool busy;
};

static struct device scanner = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
static struct device printer = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
static char page[4 << 20];

static void device_take(struct device *device) {
    pthread_mutex_lock(&device->mutex);
    while (device->busy)
        pthread_cond_wait(&device->idle, &device->mutex); /* FAULT a */
    device->busy = true;
    pthread_mutex_unlock(&device->mutex);
}

static void device_give_back(struct device *device) {
    pthread_mutex_lock(&device->mutex);
    device->busy = false;
    pthread_cond_signal(&device->idle);
    pthread_mutex_unlock(&device->mutex);
}

static void *copy(void *unused) {
    device_take(&scanner);
    device_take(&printer);
    device_give_back(&printer);
    device_give_back(&scanner);
    return unused;
}

static void *print_test_page(void *unused) {
    memset(page, 0xff, sizeof page);
#if BUG
    device_take(&printer);
    device_take(&scanner);
#else
    device_take(&scanner);
    device_take(&printer);
#endif
    device_give_back(&scanner);
    device_give_back(&printer);
    return unused;
}

int main(void) {
    pthread_t copier, tester;
    pthread_create(&copier, NULL, copy, NULL);
    pthread_create(&tester, NULL, print_test_page, NULL);
    pthread_join(copier, NULL);
    pthread_join(tester, NULL);
    return 0;
}
