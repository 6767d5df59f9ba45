/* SPDX-License-Identifier: MIT */
/*
 * BankTransfer.c - a small bank: tellers move money between accounts, every account has a guard
 * of its own, and no money may get lost.
 *
 * expect: lock-order-inversion 61,62
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define ACCOUNT_COUNT 4
#define TELLER_COUNT 3
#define TRANSFERS_EACH 12
#define INITIAL_BALANCE 1000L

typedef struct Account {
    int accountId;
    long balance;
    pthread_mutex_t guard;
} Account;

typedef struct Teller {
    pthread_t thread;
    unsigned randomState;
    int transfersDone;
    int transfersRefused;
} Teller;

static Account *accounts[ACCOUNT_COUNT];

static Account *createAccount(int accountId, long openingBalance)
{
    Account *newAccount = malloc(sizeof *newAccount);
    if (newAccount == NULL) {
        perror("malloc");
        exit(2);
    }
    newAccount->accountId = accountId;
    newAccount->balance = openingBalance;
    pthread_mutex_init(&newAccount->guard, NULL);
    return newAccount;
}

static void destroyAccount(Account *account)
{
    pthread_mutex_destroy(&account->guard);
    free(account);
}

static unsigned nextRandom(unsigned *state)
{
    *state = *state * 1103515245u + 12345u;
    return *state >> 16;
}

static int transferMoney(Account *fromAccount, Account *toAccount, long amount)
{
    int enoughMoney;

    pthread_mutex_lock(&fromAccount->guard);
    pthread_mutex_lock(&toAccount->guard);
    enoughMoney = fromAccount->balance >= amount;
    if (enoughMoney) {
        fromAccount->balance -= amount;
        toAccount->balance += amount;
    }
    pthread_mutex_unlock(&toAccount->guard);
    pthread_mutex_unlock(&fromAccount->guard);
    return enoughMoney;
}

static void *tellerMain(void *argument)
{
    Teller *self = argument;

    for (int i = 0; i < TRANSFERS_EACH; i++) {
        unsigned fromIndex = nextRandom(&self->randomState) % ACCOUNT_COUNT;
        unsigned distance = 1 + nextRandom(&self->randomState) % (ACCOUNT_COUNT - 1);
        unsigned toIndex = (fromIndex + distance) % ACCOUNT_COUNT;
        long amount = (long)(nextRandom(&self->randomState) % 400);

        if (transferMoney(accounts[fromIndex], accounts[toIndex], amount))
            self->transfersDone++;
        else
            self->transfersRefused++;
    }
    return NULL;
}

int main(void)
{
    Teller tellers[TELLER_COUNT];
    long totalBalance = 0;
    int handled = 0;

    for (int i = 0; i < ACCOUNT_COUNT; i++)
        accounts[i] = createAccount(i, INITIAL_BALANCE);
    for (int i = 0; i < TELLER_COUNT; i++) {
        tellers[i].randomState = 7u * (unsigned)i + 1u;
        tellers[i].transfersDone = tellers[i].transfersRefused = 0;
        pthread_create(&tellers[i].thread, NULL, tellerMain, &tellers[i]);
    }
    for (int i = 0; i < TELLER_COUNT; i++) {
        pthread_join(tellers[i].thread, NULL);
        handled += tellers[i].transfersDone + tellers[i].transfersRefused;
    }
    for (int i = 0; i < ACCOUNT_COUNT; i++) {
        totalBalance += accounts[i]->balance;
        destroyAccount(accounts[i]);
    }
    printf("total %ld after %d transfers\n", totalBalance, handled);
    return totalBalance == ACCOUNT_COUNT * INITIAL_BALANCE ? 0 : 1;
}
