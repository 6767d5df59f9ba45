/* SPDX-License-Identifier: MIT */
/* use_after_return.c - a message keeps a pointer to the line that it was composed in.
 *
 * Mechanism: the line is a local variable of the function that composes, and ends when that
 * returns. Who reads the message reads what was left on the stack.
 */
#include "races/case.h"

#include <string.h>

#define LINE_BYTES 64

struct message {
    const char *text;
    char line[LINE_BYTES];
};

static void message_set(struct message *message, const char *text) {
    message->text = text;
}

static void compose(struct message *message, int code) {
#if BUG
    char line[LINE_BYTES];
#else
    char *line = message->line;
#endif
    snprintf(line, LINE_BYTES, "status %d", code);
    message_set(message, line);
}

static int count_words(const struct message *message) {
    int words = 1;
    for (const char *at = message->text; *at; at++) /* FAULT a */
        words += *at == ' ';                        /* FAULT b */
    return words;
}

static void *report(void *unused) {
    struct message message = {0};
    compose(&message, 7);
    oracle(count_words(&message) == 2, "the message has changed");
    return unused;
}

int main(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, report, NULL);
    pthread_join(thread, NULL);
    return 0;
}
