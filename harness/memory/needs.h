/* SPDX-License-Identifier: MIT */
/* needs.h - what a scenario may need of a strategy, and what each strategy provides. */
#ifndef TAILRACE_MEMORY_NEEDS_H
#define TAILRACE_MEMORY_NEEDS_H

enum mem_need {
    MEM_UNIQUE = 1,   /* objects with one owner */
    MEM_SHARED = 2,   /* objects or scopes with several holders at once */
    MEM_CYCLES = 4,   /* owned references that form rings */
    MEM_SLOTS = 8,    /* edges that are read by other threads while they are replaced */
    MEM_RESIZE = 16,  /* objects that grow */
    MEM_HANDOFF = 32, /* objects or scopes that are given back on another thread */
    MEM_RECLAIM = 64, /* single objects given back in a long-lived scope */
    MEM_ALL = 127,
    /* Not needs. What a strategy never gives back although it runs; such a cell is stamped `leaks`.
     */
    MEM_LEAKS_RINGS = 128, /* owned references that form rings */
    MEM_LEAKS = 256,       /* anything */
    MEM_OWN_THREAD = 512,  /* collects on a thread of its own, beside the workers */
    MEM_SIGNALS = 1024     /* stops threads anywhere by signals, which ThreadSanitizer defers */
};
enum mem_heaps { MEM_ANY_HEAP, MEM_OWN_PAGES };

enum mem_strategy_provides {
#define STRATEGY(id, name, family, provides, heaps, tunables, source, what)                        \
    mem_provides_##id = (provides),
#include "memory/strategies.def"
#undef STRATEGY
};
#define MEM_PASTE_(a, b) a##b
#define MEM_PASTE(a, b) MEM_PASTE_(a, b)
/* What the strategy that this file is compiled for provides: a constant that folds away. */
#define MEM_PROVIDES ((unsigned)MEM_PASTE(mem_provides_, MEM_STRATEGY_ID))

#endif
