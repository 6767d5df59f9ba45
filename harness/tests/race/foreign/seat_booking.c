/* SPDX-License-Identifier: MIT */
/*
 * seat_booking: three clerks sell the seats of a few flights. The numbers of free seats are
 * atomic, so no lock is needed.
 *
 * expect: abort 36,38,39,49
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#define FLIGHTS 2
#define SEATS 3
#define CLERKS 3

struct flight {
    const char *destination;
    atomic_int free_seats;
};

struct clerk {
    pthread_t thread;
    int first_flight;
    int sold;
};

static struct flight flights[FLIGHTS] = {
    {"Reykjavik", SEATS},
    {"Tallinn", SEATS},
};

/* Returns 1 with a seat booked, 0 when the flight is full. */
static int book(struct flight *flight)
{
    if (atomic_load(&flight->free_seats) <= 0)
        return 0;
    int left = atomic_fetch_sub(&flight->free_seats, 1) - 1;
    assert(left >= 0 && "overbooked");
    return 1;
}

static void *sell(void *arg)
{
    struct clerk *me = arg;

    for (int i = 0; i < FLIGHTS; i++) {
        struct flight *flight = &flights[(me->first_flight + i) % FLIGHTS];
        while (book(flight))
            me->sold++;
    }
    return NULL;
}

int main(void)
{
    struct clerk clerks[CLERKS];
    int sold = 0;

    for (int i = 0; i < CLERKS; i++) {
        clerks[i].first_flight = i % FLIGHTS;
        clerks[i].sold = 0;
        if (pthread_create(&clerks[i].thread, NULL, sell, &clerks[i]) != 0) {
            perror("pthread_create");
            return 2;
        }
    }
    for (int i = 0; i < CLERKS; i++) {
        pthread_join(clerks[i].thread, NULL);
        sold += clerks[i].sold;
    }
    for (int i = 0; i < FLIGHTS; i++)
        printf("%s: %d seats left\n", flights[i].destination, atomic_load(&flights[i].free_seats));
    printf("sold %d of %d\n", sold, FLIGHTS * SEATS);
    return 0;
}
