/* SPDX-License-Identifier: MIT */
/* schedule_locks.c - correct programs, one for each argument, that lock and wait in every way: no
 * schedule may make them fail, hang or be reported.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 20 };

static int total;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, lock2 = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER, emptied = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t sem, done;
static pthread_barrier_t barrier;
static pthread_spinlock_t spin;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void run_n(int n, void *(*body)(void *)) {
    pthread_t threads[64];
    for (int i = 0; i < n; i++)
        assert(pthread_create(&threads[i], NULL, body, (void *)(size_t)i) == 0);
    for (int i = 0; i < n; i++)
        assert(pthread_join(threads[i], NULL) == 0);
}

static struct timespec in_ms(clockid_t clock, long ms) {
    struct timespec at;
    clock_gettime(clock, &at);
    at.tv_nsec += ms * 1000000;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

static int is_past(clockid_t clock, struct timespec at) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec > at.tv_sec || (now.tv_sec == at.tv_sec && now.tv_nsec >= at.tv_nsec);
}

static void *count_locked(void *arg) {
    for (int i = 0; i < ROUNDS; i++) {
        struct timespec limit = in_ms(CLOCK_REALTIME, 60000),
                        steady = in_ms(CLOCK_MONOTONIC, 60000);
        if (i % 4 == 0)
            assert(pthread_mutex_lock(&lock) == 0);
        else if (i % 4 == 1)
            assert(pthread_mutex_timedlock(&lock, &limit) == 0);
        else if (i % 4 == 2)
            assert(pthread_mutex_clocklock(&lock, CLOCK_MONOTONIC, &steady) == 0);
        else
            while (pthread_mutex_trylock(&lock) != 0)
                ;
        total++;
        assert(pthread_mutex_unlock(&lock) == 0);
    }
    return arg;
}

static void mutex(void) {
    run_n(THREADS, count_locked);
    assert(total == THREADS * ROUNDS);
}

static void of_type(int type) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, type);
    pthread_mutex_init(&lock, &attributes);
    assert(pthread_mutex_lock(&lock) == 0);
    assert(pthread_mutex_lock(&lock) == (type == PTHREAD_MUTEX_RECURSIVE ? 0 : EDEADLK));
    if (type == PTHREAD_MUTEX_RECURSIVE)
        assert(pthread_mutex_unlock(&lock) == 0);
    assert(pthread_mutex_unlock(&lock) == 0);
    mutex();
    assert(pthread_mutex_destroy(&lock) == 0);
}

static void recursive(void) {
    of_type(PTHREAD_MUTEX_RECURSIVE);
}

static void errorcheck(void) {
    of_type(PTHREAD_MUTEX_ERRORCHECK);
}

static void *time_out(void *arg) {
    struct timespec limit = in_ms(CLOCK_REALTIME, 5);
    assert(pthread_mutex_timedlock(&lock, &limit) == ETIMEDOUT);
    assert(is_past(CLOCK_REALTIME, limit));
    limit = in_ms(CLOCK_REALTIME, 5);
    assert(pthread_rwlock_timedwrlock(&rwlock, &limit) == ETIMEDOUT);
    assert(sem_timedwait(&sem, &limit) == -1 && errno == ETIMEDOUT);
    return arg;
}

static void timeouts(void) {
    sem_init(&sem, 0, 0);
    pthread_mutex_lock(&lock);
    pthread_rwlock_rdlock(&rwlock);
    run_n(2, time_out);
    pthread_rwlock_unlock(&rwlock);
    struct timespec limit = in_ms(CLOCK_REALTIME, 5);
    int error = 0;
    while (error == 0) /* wake-ups without a signal are none */
        error = pthread_cond_timedwait(&filled, &lock, &limit);
    assert(error == ETIMEDOUT && is_past(CLOCK_REALTIME, limit));
    limit.tv_nsec = -1;
    assert(pthread_cond_timedwait(&filled, &lock, &limit) == EINVAL);
    pthread_mutex_unlock(&lock);
}

static int queued;

static void *produce(void *arg) {
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&lock);
        while (queued == 2)
            pthread_cond_wait(&emptied, &lock);
        queued++;
        pthread_mutex_unlock(&lock);
        pthread_cond_signal(&filled);
    }
    return arg;
}

static void *consume(void *arg) {
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&lock);
        while (queued == 0)
            pthread_cond_wait(&filled, &lock);
        queued--;
        total++;
        pthread_mutex_unlock(&lock);
        pthread_cond_broadcast(&emptied);
    }
    return arg;
}

static void *produce_or_consume(void *arg) {
    return (size_t)arg % 2 ? produce(arg) : consume(arg);
}

static void cond(void) {
    run_n(THREADS, produce_or_consume);
    assert(queued == 0 && total == THREADS / 2 * ROUNDS);
}

static void *set_flag(void *arg) {
    pthread_mutex_lock(&lock);
    queued = 1;
    pthread_cond_broadcast(arg);
    pthread_mutex_unlock(&lock);
    return arg;
}

static void cond_monotonic(void) {
    pthread_condattr_t attributes;
    pthread_cond_t own;
    pthread_t thread;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&own, &attributes);
    pthread_mutex_lock(&lock);
    struct timespec limit = in_ms(CLOCK_MONOTONIC, 5);
    while (pthread_cond_timedwait(&own, &lock, &limit) == 0)
        ;
    assert(is_past(CLOCK_MONOTONIC, limit));
    limit = in_ms(CLOCK_MONOTONIC, 60000);
    pthread_create(&thread, NULL, set_flag, &own);
    while (!queued)
        assert(pthread_cond_timedwait(&own, &lock, &limit) == 0);
    limit = in_ms(CLOCK_MONOTONIC, 3);
    while (pthread_cond_clockwait(&filled, &lock, CLOCK_MONOTONIC, &limit) == 0)
        ;
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
    pthread_cond_destroy(&own);
}

static int shared_value;

static void *read_or_write(void *arg) {
    for (int i = 0; i < ROUNDS; i++) {
        if ((i + (int)(size_t)arg) % 3 == 0) {
            if (i % 2 == 0)
                while (pthread_rwlock_trywrlock(&rwlock) != 0)
                    sched_yield();
            else
                assert(pthread_rwlock_wrlock(&rwlock) == 0);
            shared_value++;
        } else {
            struct timespec limit = in_ms(CLOCK_REALTIME, 60000);
            if (i % 2 == 0)
                assert(pthread_rwlock_timedrdlock(&rwlock, &limit) == 0);
            else
                assert(pthread_rwlock_rdlock(&rwlock) == 0);
            assert(shared_value >= 0);
        }
        assert(pthread_rwlock_unlock(&rwlock) == 0);
    }
    return arg;
}

static void rwlocks(void) {
    run_n(THREADS, read_or_write);
}

static void *take_and_post(void *arg) {
    for (int i = 0; i < ROUNDS; i++) {
        if (i % 2 == 0)
            while (sem_trywait(&sem) != 0)
                usleep(10);
        else
            assert(sem_wait(&sem) == 0);
        total++;
        sem_post(&sem);
    }
    sem_post(&done);
    return arg;
}

static void semaphores(void) {
    sem_init(&sem, 0, 1);
    sem_init(&done, 0, 0);
    run_n(THREADS, take_and_post);
    for (int i = 0; i < THREADS; i++)
        assert(sem_wait(&done) == 0);
    assert(total == THREADS * ROUNDS);
}

static int cells[THREADS], serial;

static void *rounds(void *arg) {
    int own = (int)(size_t)arg;
    for (int i = 0; i < ROUNDS; i++) {
        cells[own] = i;
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            serial++;
        for (int k = 0; k < THREADS; k++)
            assert(cells[k] == i);
        pthread_barrier_wait(&barrier);
    }
    return arg;
}

static void barriers(void) {
    pthread_barrier_init(&barrier, NULL, THREADS);
    run_n(THREADS, rounds);
    assert(serial == ROUNDS);
    pthread_barrier_destroy(&barrier);
}

static void *count_spinning(void *arg) {
    for (int i = 0; i < ROUNDS; i++) {
        if (i % 2 == 0)
            pthread_spin_lock(&spin);
        else
            while (pthread_spin_trylock(&spin) != 0)
                ;
        total++;
        pthread_spin_unlock(&spin);
    }
    return arg;
}

static void spins(void) {
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    run_n(THREADS, count_spinning);
    assert(total == THREADS * ROUNDS);
}

static void initialise(void) {
    pthread_mutex_lock(&lock);
    total++;
    usleep(100);
    pthread_mutex_unlock(&lock);
}

static void *call_once(void *arg) {
    pthread_once(&once, initialise);
    assert(total == 1);
    return arg;
}

static void onces(void) {
    run_n(THREADS, call_once);
}

static void *nest(void *arg) {
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&lock);
        pthread_rwlock_wrlock(&rwlock);
        pthread_mutex_lock(&lock2);
        total++;
        pthread_mutex_unlock(&lock2);
        pthread_mutex_unlock(&lock);
        pthread_rwlock_unlock(&rwlock);
    }
    return arg;
}

static void nested(void) {
    run_n(THREADS, nest);
    assert(total == THREADS * ROUNDS);
}

static const struct {
    const char *name;
    void (*run)(void);
} programs[] = {
    {"mutex", mutex},           {"recursive", recursive}, {"errorcheck", errorcheck},
    {"timeouts", timeouts},     {"cond", cond},           {"rwlocks", rwlocks},
    {"semaphores", semaphores}, {"barriers", barriers},   {"spins", spins},
    {"onces", onces},           {"nested", nested},       {"monotonic", cond_monotonic}};

int main(int count, char **arguments) {
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        if (count < 2)
            puts(programs[i].name);
        else if (strcmp(arguments[1], programs[i].name) == 0)
            return programs[i].run(), 0;
    }
    return count >= 2;
}
