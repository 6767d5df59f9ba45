/* SPDX-License-Identifier: MIT */
/* parse_text.c - makes safe what tools write, and finds words in it. */
#include "race/parse.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the character that begins here, 0 if it is none that JSON and XML both take. */
static size_t character(const unsigned char *at, size_t left) {
    size_t length = *at < 0x80 ? 1 : *at < 0xc2 ? 0 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
    if (length == 0 || length > left || *at > 0xf4)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (*at == 0xe0 && at[1] < 0xa0) || (*at == 0xf0 && at[1] < 0x90);
    bool surrogate = *at == 0xed && at[1] > 0x9f;
    bool none = *at == 0xef && at[1] == 0xbf && at[2] > 0xbd;
    bool beyond = *at == 0xf4 && at[1] > 0x8f;
    bool control = *at < ' ' && *at != '\n' && *at != '\t' && *at != '\r';
    return overlong || surrogate || none || beyond || control ? 0 : length;
}

char *text_clean(const char *text, size_t bytes) {
    char *copy = malloc(bytes + 1);
    size_t length;
    if (!copy)
        return NULL;
    for (size_t at = 0; at < bytes; at += length ? length : 1) {
        length = character((const unsigned char *)text + at, bytes - at);
        memcpy(copy + at, length ? text + at : "?", length ? length : 1);
    }
    copy[bytes] = '\0';
    return copy;
}

void text_set_part(char *to, size_t size, const char *from, size_t length) {
    size_t fits = length < size ? length : size - 1;
    memcpy(to, from, fits);
    if (fits < length)
        while (fits > 0 && (from[fits] & 0xc0) == 0x80)
            fits--;
    to[fits] = '\0';
    for (size_t i = 0; i < fits; i++)
        if ((unsigned char)to[i] < ' ' || to[i] == 0x7f)
            to[i] = '?';
}

void text_set(char *to, size_t size, const char *from) {
    text_set_part(to, size, from, strlen(from));
}

void text_set_slug(char *to, size_t size, const char *from) {
    size_t length = 0;
    while (isspace((unsigned char)*from))
        from++;
    for (; length + 1 < size && *from; from++) {
        unsigned char byte = (unsigned char)*from;
        bool letter = isalnum(byte);
        if (!letter && byte != ' ' && byte != '-' && byte != '_' && byte != '.')
            break;
        if (letter)
            to[length++] = (char)tolower(byte);
        else if (length > 0 && to[length - 1] != '-')
            to[length++] = '-';
    }
    while (length > 0 && to[length - 1] == '-')
        length--;
    to[length] = '\0';
    if (length == 0)
        text_set(to, size, "unknown");
}

bool text_begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

bool text_ends(const char *text, const char *with) {
    size_t length = strlen(text), end = strlen(with);
    return length >= end && strcmp(text + length - end, with) == 0;
}

/* Of a word that begins here. */
static size_t word_length(const char *at) {
    return strcspn(at, " \t");
}

static const char *next_word(const char *at) {
    at += word_length(at);
    return at + strspn(at, " \t");
}

static bool is_word(const char *at, const char *word) {
    return word_length(at) == strlen(word) && text_begins(at, word);
}

/* Behind "(tid=12, running)", where one begins. */
static const char *skip_parenthesis(const char *at) {
    const char *end = *at == '(' ? strchr(at, ')') : NULL;
    return end ? end + 1 + strspn(end + 1, " \t") : at;
}

/* Whether the words from here on tell an address or only lead to the stack below. */
static size_t idle_words(const char *at) {
    const char *next = next_word(at);
    if (is_word(at, "at") && text_begins(next, "0x"))
        return 2;
    bool last = *next == '\0';
    return last && (is_word(at, "at") || is_word(at, "here") || is_word(at, "from")) ? 1 : 0;
}

static void append(char *to, size_t size, const char *from, size_t length) {
    size_t used = strlen(to);
    if (used > 0 && used + 1 < size) {
        to[used++] = ' ';
        to[used] = '\0';
    }
    if (used < size)
        text_set_part(to + used, size - used, from, length);
}

/* "size 4" as "4 bytes", after "of". */
static const char *append_size(char *to, size_t size, const char *at) {
    const char *number = next_word(at);
    append(to, size, number, word_length(number));
    append(to, size, "bytes", is_word(number, "1") ? 4 : 5);
    return next_word(number);
}

static void append_words(char *to, size_t size, const char *line) {
    const char *at = line;
    while (*(at = skip_parenthesis(at))) {
        size_t idle = idle_words(at);
        bool sized = text_ends(to, " of") && is_word(at, "size");
        if (is_word(at, "thread") && (text_ends(to, "bytes") || text_ends(to, "byte")))
            append(to, size, "by", 2);
        if (sized) {
            at = append_size(to, size, at);
            continue;
        }
        if (idle == 0)
            append(to, size, at, word_length(at));
        at = next_word(idle == 2 ? next_word(at) : at);
    }
}

void role_set(char *to, size_t size, const char *line) {
    static const char *const leads[] = {"Location is ", "Possible data race during ",
                                        "This conflicts with a "};
    char words[512];
    *to = '\0';
    line += strspn(line, " \t");
    for (size_t i = 0; i < sizeof leads / sizeof *leads; i++)
        if (text_begins(line, leads[i]))
            line += strlen(leads[i]);
    if (text_begins(line, "Address 0x") && strstr(line, " is "))
        line = strstr(line, " is ") + strlen(" is ");
    text_set(words, sizeof words, line);
    size_t length = strcspn(words, "\r");
    while (length > 0 && (words[length - 1] == ':' || words[length - 1] == ' '))
        length--;
    words[length] = '\0';
    bool shouts = text_begins(words, "READ ") || text_begins(words, "WRITE ");
    for (size_t i = 0; words[i] && (i == 0 || (shouts && words[i] != ' ')); i++)
        words[i] = (char)tolower((unsigned char)words[i]);
    append_words(to, size, words);
}
