/* SPDX-License-Identifier: MIT */
/*
 * BankOrdered.c - transfers between accounts; of two guards the one of the lower account number
 * is always taken first. An inspector counts the money meanwhile with all guards held.
 *
 * expect: none
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define ACCOUNT_COUNT 5
#define TELLER_COUNT 3
#define TRANSFERS_EACH 25
#define INSPECTIONS 6
#define INITIAL_BALANCE 500L

typedef struct Account {
    long balance;
    pthread_mutex_t guard;
} Account;

typedef struct Bank {
    Account accounts[ACCOUNT_COUNT];
} Bank;

typedef struct Employee {
    Bank *bank;
    pthread_t thread;
    unsigned randomState;
    long result;
} Employee;

static unsigned nextRandom(Employee *self)
{
    self->randomState = self->randomState * 1664525u + 1013904223u;
    return self->randomState >> 16;
}

static void lockPair(Bank *bank, unsigned first, unsigned second)
{
    unsigned lower = first < second ? first : second;
    unsigned higher = first < second ? second : first;

    pthread_mutex_lock(&bank->accounts[lower].guard);
    pthread_mutex_lock(&bank->accounts[higher].guard);
}

static void unlockPair(Bank *bank, unsigned first, unsigned second)
{
    pthread_mutex_unlock(&bank->accounts[first].guard);
    pthread_mutex_unlock(&bank->accounts[second].guard);
}

static bool transferMoney(Bank *bank, unsigned from, unsigned to, long amount)
{
    bool enough;

    lockPair(bank, from, to);
    enough = bank->accounts[from].balance >= amount;
    if (enough) {
        bank->accounts[from].balance -= amount;
        bank->accounts[to].balance += amount;
    }
    unlockPair(bank, from, to);
    return enough;
}

static long countMoney(Bank *bank)
{
    long total = 0;

    for (int i = 0; i < ACCOUNT_COUNT; i++)
        pthread_mutex_lock(&bank->accounts[i].guard);
    for (int i = 0; i < ACCOUNT_COUNT; i++)
        total += bank->accounts[i].balance;
    for (int i = ACCOUNT_COUNT - 1; i >= 0; i--)
        pthread_mutex_unlock(&bank->accounts[i].guard);
    return total;
}

static void *tellerMain(void *argument)
{
    Employee *self = argument;

    for (int i = 0; i < TRANSFERS_EACH; i++) {
        unsigned from = nextRandom(self) % ACCOUNT_COUNT;
        unsigned to = (from + 1 + nextRandom(self) % (ACCOUNT_COUNT - 1)) % ACCOUNT_COUNT;
        self->result += transferMoney(self->bank, from, to, (long)(nextRandom(self) % 300));
    }
    return NULL;
}

static void *inspectorMain(void *argument)
{
    Employee *self = argument;

    for (int i = 0; i < INSPECTIONS; i++)
        self->result += countMoney(self->bank) != ACCOUNT_COUNT * INITIAL_BALANCE;
    return NULL;
}

int main(void)
{
    Bank *bank = malloc(sizeof *bank);
    Employee staff[TELLER_COUNT + 1];
    long complaints;

    if (bank == NULL)
        return 2;
    for (int i = 0; i < ACCOUNT_COUNT; i++) {
        bank->accounts[i].balance = INITIAL_BALANCE;
        pthread_mutex_init(&bank->accounts[i].guard, NULL);
    }
    for (int i = 0; i <= TELLER_COUNT; i++) {
        staff[i] = (Employee){.bank = bank, .randomState = (unsigned)i};
        if (pthread_create(&staff[i].thread, NULL, i < TELLER_COUNT ? tellerMain : inspectorMain,
                           &staff[i]) != 0)
            return 2;
    }
    for (int i = 0; i <= TELLER_COUNT; i++)
        pthread_join(staff[i].thread, NULL);
    complaints = staff[TELLER_COUNT].result;
    printf("total %ld, %ld complaints\n", countMoney(bank), complaints);
    for (int i = 0; i < ACCOUNT_COUNT; i++)
        pthread_mutex_destroy(&bank->accounts[i].guard);
    free(bank);
    return complaints != 0;
}
