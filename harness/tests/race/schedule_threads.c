/* SPDX-License-Identifier: MIT */
/* schedule_threads.c - correct programs, one for each argument, whose threads come and go, talk to
 * the world outside and get signals: no schedule may make them fail, hang or be reported.
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, MANY = 50, TASKS = 40, MESSAGES = 5 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int total, stop;
static sem_t sem;
static atomic_int flag, handled;

static void run_n(int n, void *(*body)(void *)) {
    pthread_t threads[MANY];
    for (int i = 0; i < n; i++)
        assert(pthread_create(&threads[i], NULL, body, (void *)(size_t)i) == 0);
    for (int i = 0; i < n; i++)
        assert(pthread_join(threads[i], NULL) == 0);
}

static void add_locked(int n) {
    pthread_mutex_lock(&lock);
    total += n;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void *add_one(void *arg) {
    add_locked(1);
    return arg;
}

static void many(void) {
    run_n(MANY, add_one);
    assert(total == MANY);
}

static void wait_for_total(int n) {
    pthread_mutex_lock(&lock);
    while (total < n)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void detached(void) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        pthread_create(&thread, i % 2 ? &attributes : NULL, add_one, NULL);
        if (i % 2 == 0)
            pthread_detach(thread);
    }
    wait_for_total(THREADS);
}

static void unlock_it(void *mutex) {
    pthread_mutex_unlock(mutex);
}

static void *wait_for_ever(void *arg) {
    pthread_mutex_lock(&lock);
    pthread_cleanup_push(unlock_it, &lock);
    total++;
    for (;;)
        pthread_cond_wait(&changed, &lock);
    pthread_cleanup_pop(1);
    return arg;
}

static void *sleep_for_ever(void *arg) {
    for (;;)
        sleep(1000);
    return arg;
}

static void *take_for_ever(void *arg) {
    for (;;)
        sem_wait(&sem);
    return arg;
}

static void cancels(void) {
    void *(*const bodies[])(void *) = {wait_for_ever, sleep_for_ever, take_for_ever};
    sem_init(&sem, 0, 1);
    for (int i = 0; i < 3; i++) {
        pthread_t thread;
        void *result;
        pthread_create(&thread, NULL, bodies[i], NULL);
        pthread_cancel(thread);
        pthread_join(thread, &result);
        assert(result == PTHREAD_CANCELED);
    }
    add_locked(1); /* the lock was given back */
}

static void *work(void *arg) {
    pthread_mutex_lock(&lock);
    for (;;) {
        while (total == 0 && !stop)
            pthread_cond_wait(&changed, &lock);
        if (total == 0)
            break;
        total--;
        pthread_mutex_unlock(&lock);
        atomic_fetch_add(&handled, 1);
        pthread_mutex_lock(&lock);
    }
    pthread_mutex_unlock(&lock);
    return arg;
}

static void pool(void) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < TASKS; i++) {
        pthread_mutex_lock(&lock);
        total++;
        pthread_cond_signal(&changed);
        pthread_mutex_unlock(&lock);
    }
    pthread_mutex_lock(&lock);
    stop = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert(handled == TASKS);
}

static int there[2], back[2];

static void *echo(void *arg) {
    char c;
    while (read(there[0], &c, 1) == 1) {
        add_locked(1);
        assert(write(back[1], &c, 1) == 1);
    }
    return arg;
}

static void pipes(void) {
    pthread_t thread;
    assert(pipe(there) == 0 && pipe(back) == 0);
    pthread_create(&thread, NULL, echo, NULL);
    for (int i = 0; i < MESSAGES; i++) {
        char c = (char)i;
        assert(write(there[1], &c, 1) == 1);
        struct pollfd ready = {.fd = back[0], .events = POLLIN};
        assert(poll(&ready, 1, -1) == 1);
        fd_set set;
        FD_ZERO(&set);
        FD_SET(back[0], &set);
        assert(select(back[0] + 1, &set, NULL, NULL, NULL) == 1);
        assert(read(back[0], &c, 1) == 1 && c == i);
    }
    close(there[1]);
    pthread_join(thread, NULL);
}

static void *fork_and_wait(void *arg) {
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
        _exit(1);
    }
    add_locked(1);
    assert(waitpid(child, &status, 0) == child);
    assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    child = fork();
    if (child == 0) {
        usleep(10);
        exit(3);
    }
    assert(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3);
    return arg;
}

static void forks(void) {
    run_n(2, fork_and_wait);
}

static void on_signal(int number) {
    (void)number;
    atomic_fetch_add(&handled, 1);
    sem_post(&sem);
}

static void handle(int number, int flags) {
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = on_signal;
    action.sa_flags = flags;
    sigaction(number, &action, NULL);
}

static void *wait_for_handled(void *arg) {
    while (atomic_load(&handled) < 2)
        usleep(100);
    return arg;
}

/* A timer wakes a thread that waits for a semaphore, and main in a join. */
static void signals(void) {
    struct itimerval timer = {{0, 0}, {0, 20000}};
    pthread_t thread;
    sem_init(&sem, 0, 0);
    handle(SIGALRM, SA_RESTART);
    setitimer(ITIMER_REAL, &timer, NULL);
    while (sem_wait(&sem) != 0)
        assert(errno == EINTR);
    assert(handled == 1);
    setitimer(ITIMER_REAL, &timer, NULL);
    pthread_create(&thread, NULL, wait_for_handled, NULL);
    pthread_join(thread, NULL);
    raise(SIGALRM);
    assert(handled == 3);
}

static void on_interrupt(int number) {
    (void)number;
    atomic_fetch_add(&handled, 1);
}

/* Without SA_RESTART a handler ends the wait. */
static void interrupted(void) {
    struct itimerval timer = {{0, 0}, {0, 20000}};
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = on_interrupt;
    sigaction(SIGALRM, &action, NULL);
    sem_init(&sem, 0, 0);
    setitimer(ITIMER_REAL, &timer, NULL);
    assert(sem_wait(&sem) == -1 && errno == EINTR);
    assert(handled == 1);
}

static void *exit_here(void *arg) {
    (void)arg;
    exit(0);
}

static void exits(void) {
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, wait_for_ever, NULL);
    pthread_detach(threads[0]);
    pthread_create(&threads[1], NULL, exit_here, NULL);
    pthread_join(threads[1], NULL);
}

/* main returns while others wait and run. */
static void returns(void) {
    pthread_t thread;
    for (int i = 0; i < 2; i++) {
        pthread_create(&thread, NULL, i ? wait_for_ever : sleep_for_ever, NULL);
        pthread_detach(thread);
    }
}

static void *spin_until_set(void *arg) {
    while (!atomic_load_explicit(&flag, memory_order_acquire))
        ;
    return arg;
}

static void spin_wait(void) {
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, spin_until_set, NULL);
    usleep(1000);
    atomic_store_explicit(&flag, 1, memory_order_release);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

static pthread_key_t key;

static void at_end(void *value) {
    add_locked((int)(size_t)value);
}

static void *leave_value(void *arg) {
    pthread_setspecific(key, (void *)1);
    if (arg)
        pthread_exit(arg);
    return arg;
}

static void destructors(void) {
    pthread_key_create(&key, at_end);
    run_n(THREADS, leave_value);
    assert(total == THREADS);
}

/* Computes without any access that a tool sees, beside a thread that needs it to. */
static void *compute(void *arg) {
    long left = 1500000000;
    __asm__ volatile("1: dec %0\n jnz 1b" : "+r"(left) : : "cc");
    add_locked(1);
    return arg;
}

static void computes(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, compute, NULL);
    while (!atomic_load(&flag)) {
        pthread_mutex_lock(&lock);
        atomic_store(&flag, total == 1);
        pthread_mutex_unlock(&lock);
    }
    pthread_join(thread, NULL);
}

static const struct {
    const char *name;
    void (*run)(void);
} programs[] = {{"many", many},
                {"detached", detached},
                {"cancels", cancels},
                {"pool", pool},
                {"pipes", pipes},
                {"forks", forks},
                {"signals", signals},
                {"exits", exits},
                {"returns", returns},
                {"spin_wait", spin_wait},
                {"computes", computes},
                {"destructors", destructors},
                {"interrupted", interrupted}};

int main(int count, char **arguments) {
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        if (count < 2)
            puts(programs[i].name);
        else if (strcmp(arguments[1], programs[i].name) == 0)
            return programs[i].run(), 0;
    }
    return count >= 2;
}
