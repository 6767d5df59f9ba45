/* SPDX-License-Identifier: MIT */
/* held_buffers.h - large buffers that come and go: what tokenizer and large-objects share.
 *
 * A buffer is made and touched by one thread, held in a place until another buffer takes that
 * place, and then looked through and given back by whoever replaced it. Each has a scope of its
 * own, which is handed over with it. A page is touched in its first word, or whole.
 */
#ifndef TAILRACE_LOAD_HELD_BUFFERS_H
#define TAILRACE_LOAD_HELD_BUFFERS_H

#include "memory/scenario.h"

#define HELD_PAGE_WORDS 512 /* of 8 bytes: 4 KiB */
#define HELD_PAGES_A_MIB 256
#define HELD_MIB_MAX 64
#define HELD_PLACES_MAX 1024

/* Each word that was touched has its page's mark. */
struct held_buffer {
    uint64_t seed, pages;
    uint64_t words[];
};
static const mem_type held_type = {.name = "buffer",
                                   .id = MEM_TYPES_MAX - 1, /* not the scenario's own */
                                   .size = sizeof(struct held_buffer),
                                   .trailing_max = (uint32_t)HELD_MIB_MAX << 20};

struct held_place {
    mem_parcel parcel;
    uint64_t pages; /* the buffer's, which only its scope's user may ask */
};
struct held {
    pthread_mutex_t lock;
    struct held_place *places;   /* state memory; under lock */
    uint64_t count, next, pages; /* of places; the oldest one; held by all: under lock */
    uint32_t touched_words;      /* of each page */
};

static inline uint64_t held_mark(uint64_t seed, uint64_t page) {
    return hash_pair(seed, page);
}

static inline struct held_buffer *held_new(mem_thread *t, mem_scope *s, const struct held *held,
                                           uint64_t seed, uint64_t pages) {
    struct held_buffer *buffer =
        mem_new(t, s, &held_type, pages * HELD_PAGE_WORDS * sizeof(uint64_t));
    buffer->seed = seed;
    buffer->pages = pages;
    for (uint64_t page = 0; page < pages; page++) {
        uint64_t mark = held_mark(seed, page);
        for (uint32_t k = 0; k < held->touched_words; k++)
            buffer->words[page * HELD_PAGE_WORDS + k] = mark;
    }
    return buffer;
}

/* The hash of all pages, which must be as they were made. */
static inline uint64_t held_hash(const struct held *held, const struct held_buffer *buffer) {
    uint64_t hash = buffer->seed;
    for (uint64_t page = 0; page < buffer->pages; page++) {
        uint64_t mark = held_mark(buffer->seed, page), wrong = 0;
        const uint64_t *words = buffer->words + page * HELD_PAGE_WORDS;
        for (uint32_t k = 0; k < held->touched_words; k++)
            wrong |= words[k] ^ mark;
        if (wrong != 0)
            host_violation("a page of a large buffer is not as it was made");
        hash += words[0];
    }
    return hash;
}

static inline void held_give_back(mem_thread *t, const struct held *held,
                                  const mem_parcel *parcel) {
    mem_scope *s;
    struct held_buffer *buffer = mem_receive(t, parcel, &s);
    held_hash(held, buffer);
    mem_drop(t, s, &held_type, buffer);
    mem_scope_end(t, s);
}

/* Makes a buffer and puts it in a place (HELD_OLDEST: the one filled longest ago) instead of what
 * is held there, which is given back. Returns the new one's hash. */
#define HELD_OLDEST UINT64_MAX
static inline uint64_t held_replace(mem_thread *t, struct held *held, uint64_t place, uint64_t seed,
                                    uint64_t pages) {
    mem_scope *s = mem_scope_begin(t);
    struct held_buffer *buffer = held_new(t, s, held, seed, pages);
    uint64_t hash = held_hash(held, buffer);
    scenario_lock(t, &held->lock);
    struct held_place *at =
        &held->places[place == HELD_OLDEST ? held->next++ % held->count : place];
    mem_parcel old = at->parcel;
    at->parcel = mem_send(t, s, &held_type, buffer, 1);
    held->pages += pages - at->pages;
    at->pages = pages;
    pthread_mutex_unlock(&held->lock);
    if (old.scope)
        held_give_back(t, held, &old);
    return hash;
}

/* held is in state memory. */
static inline void held_begin(struct held *held, uint64_t count, bool touch_all) {
    pthread_mutex_init(&held->lock, NULL);
    held->count = count;
    held->touched_words = touch_all ? HELD_PAGE_WORDS : 1;
    held->places = mem_state_new(count * sizeof *held->places);
}

static inline void held_end(mem_thread *t, struct held *held) {
    for (uint64_t n = 0; n < held->count; n++) {
        mem_parcel parcel = held->places[n].parcel;
        held->places[n].parcel = (mem_parcel){0};
        if (parcel.scope)
            held_give_back(t, held, &parcel);
    }
    pthread_mutex_destroy(&held->lock);
    mem_state_free(held->places);
}

/* Of all objects; while nobody uses it. */
static inline uint64_t held_bytes(const struct held *held) {
    return held->count * sizeof(struct held_buffer) +
           held->pages * HELD_PAGE_WORDS * sizeof(uint64_t);
}

#endif
