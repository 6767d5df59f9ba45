/* SPDX-License-Identifier: MIT */
/* race_kinds.c - what each kind of finding means, and what to do, a sentence each. */
#include "race/race_words.h"

#include <string.h>

/* Names that are the whole name come before those that begin with the same word. */
static const struct kind_help kinds[] = {
    {"data-race", "Two threads access the same memory without order, and one of them writes.",
     "Guard both accesses by one lock, make them atomic, or order them by a join or a handover."},
    {"heap-use-after-free", "Memory of the heap is used after it was freed.",
     "Let whoever uses the memory hold it (a reference, a lock, an epoch) until the use is over."},
    {"use-after-poison", "Memory is used that its arena, pool or collector has taken back.",
     "Keep nothing that points into an arena across its reset, nor into a slot given back."},
    {"stack-use-after-return", "A variable of a function is used after the function returned.",
     "Give other threads memory that lives until they are joined."},
    {"stack-use-after-scope", "A variable is used outside of the block in which it lives.",
     "Declare it in a block that outlives every use."},
    {"heap-buffer-overflow", "An access lies outside of the block of heap memory it belongs to.",
     "Hold index and length under one lock, and check the index where it is used."},
    {"stack-buffer-overflow", "An access lies outside of the variable on the stack it belongs to.",
     "Check the index where it is used."},
    {"global-buffer-overflow", "An access lies outside of the global variable it belongs to.",
     "Check the index where it is used."},
    {"double-free", "A block of memory is freed twice.",
     "Let one owner free it, and take the pointer from the others when it is handed over."},
    {"bad-free", "Something is freed that malloc never gave.",
     "Free the pointer that malloc gave, not one into the block."},
    {"lock-order-inversion", "Locks are taken in different orders, which can end in a deadlock.",
     "Take the locks in the same order everywhere."},
    {"deadlock", "Every thread waits for another, and none can ever run again.",
     "Take locks in one order everywhere, and signal whenever what is waited for becomes true."},
    {"thread-leak", "A thread is neither joined nor detached.",
     "Join each thread, or detach it where nothing depends on its end."},
    {"mutex-double-lock", "A thread locks a mutex that it already holds.",
     "Unlock it first, or split off a function for callers that hold it."},
    {"mutex-bad-unlock", "A mutex is unlocked by a thread that does not hold it.",
     "Unlock each mutex in the thread that locked it, once."},
    {"mutex-destroy-locked", "A mutex is destroyed while it is locked.",
     "Destroy a lock after the last thread that uses it was joined."},
    {"mutex-", "A lock is used in a way in which it gives no protection.",
     "Follow the rules of pthread_mutex_lock(3) at the place that is named."},
    {"signal-unsafe-call", "A signal handler calls a function that is not safe there.",
     "Set a flag or write to a pipe in the handler, and do the work outside (signal-safety(7))."},
    {"errno-in-signal", "A signal handler changes errno under the code that it interrupts.",
     "Save errno where the handler begins, and restore it where it ends."},
    {"uninitialised-value", "A value is used that nobody wrote.",
     "Initialise it before another thread or a branch can see it."},
    {"null-dereference", "A null pointer is followed.",
     "Check and use the pointer under one lock, or load it once into a variable."},
    {"signed-integer-overflow", "A calculation leaves the range of its signed type.",
     "Use a wider or an unsigned type, or check the operands first."},
    {"division-by-zero", "A number is divided by zero.", "Check the divisor where it is used."},
    {"index-out-of-bounds", "An index lies outside of its array.",
     "Check the index where it is used."},
    {"stack-address-escape", "The address of a local variable outlives its function.",
     "Give it memory that lives as long as whoever uses it."},
    {"lock-not-held", "Something is used without the lock that is declared to guard it.",
     "Take the lock around the use, or declare the function to need it."},
    {"lock-not-released", "A function ends while it holds a lock that it took.",
     "Release the lock on every way out."},
    {"lock-imbalance", "A lock is held on one way to a place and not on another.",
     "Take and release it on every way alike."},
    {"lock-order-reversal", "Locks are released or taken in an unexpected order.",
     "Release the lock taken last first, and take them in the same order everywhere."},
    {"segv", "An access goes to an address that the program has not mapped.",
     "Look for a pointer that was never set, was changed by a race, or is used after its end."},
    {"file-leak", "A file is opened and never closed.", "Close it on every way out."},
    {"hang", "A run did not end in time.",
     "Look for a wait whose signal can come too early, a lock never released, an endless loop."},
    {"crash", "A run was ended by a signal.",
     "Replay it under a debugger, or under a detector that shows the first bad access."},
    {"abort", "A run ended itself: an assertion or check of the program failed.",
     "Take it as a proof that an order of threads exists that breaks the assertion."},
    {"suppression-expired", "A suppression has reached the end of its term.",
     "Repair what it hides, or decide anew and give it another date."},
    {"suppression-stale", "A suppression matches no finding.",
     "Remove it, so that it cannot hide another defect later."},
};

static const struct kind_help other = {
    "", "A detector reported a defect of this kind.",
    "Read the detector's own message and the stacks, and look its name up in its manual."};

static const struct kind_help leak = {"",
                                      "Memory is never freed, and nothing points to it any more.",
                                      "Free it where its last use ends, or keep a pointer where it "
                                      "is to live as long as the program."};

static const struct kind_help rust = {
    "", "The Rust compiler rejects the program.",
    "Run rustc --explain with the code for the rule that it breaks."};

/* "E0502" */
static bool is_rust(const char *kind) {
    return kind[0] == 'E' && strlen(kind) == 5 && strspn(kind + 1, "0123456789") == 4;
}

const struct kind_help *kind_help(const char *kind) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t length = strlen(kinds[i].kind);
        bool begins = kinds[i].kind[length - 1] == '-';
        if (begins ? strncmp(kinds[i].kind, kind, length) == 0 : strcmp(kinds[i].kind, kind) == 0)
            return &kinds[i];
    }
    if (is_rust(kind))
        return &rust;
    return strstr(kind, "leak") ? &leak : &other;
}
