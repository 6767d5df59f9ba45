/* SPDX-License-Identifier: MIT */
/* guard.h - tells tools which bytes are objects, in memory that an allocator of ours divides up.
 *
 * -DMEM_MODE=plain (default): nothing is told, and everything here folds to nothing.
 * -DMEM_MODE=poison: what is no live object is closed: AddressSanitizer reports a use of it as
 *     use-after-poison, memcheck as an invalid read or write, and ThreadSanitizer, which cannot
 *     close memory, sees each free as a write that races with whoever still uses the object.
 * -DMEM_MODE=passthrough: each object is a malloc of its own, for every tool there is.
 *
 * A pool is what dies at once: a scope, or a collector's heap. It has one user at a time, or calls
 * under one lock. Who calls what, `bytes` always being the object's exact size (mem_exact_bytes),
 * so that an overflow by one byte is seen:
 *
 *   guard_begin(pool)       | the allocator, when a pool that is all zero bytes begins
 *   guard_end(pool)         | when it ends: all its objects are gone (passthrough: freed)
 *   guard_block_new(…)      | mem_new, if GUARD_OWN_BLOCKS, instead of finding room: a malloc of
 *                           |   the pool's, NULL where memory ran out
 *   guard_new(…)            | mem_new, with the room found: the object is the program's
 *   guard_resize(…)         | mem_resize, where the object stays; never if GUARD_OWN_BLOCKS
 *   guard_check(object)     | drop, before it reads words beside the object: reports one that was
 *                           |   given back already
 *   guard_free(…)           | drop or a sweep, before the room is linked anywhere; bytes may be
 *                           |   more, the whole room. If GUARD_OWN_BLOCKS it frees the block
 *   guard_reset(at, bytes)  | on a chunk that holds no object, new or to be used again
 *   guard_open(at, bytes)   | before the allocator reads or writes words of its own in closed
 *   guard_close(at, bytes)  |   memory (links, headers, marks), and after it
 *
 * GUARD_EXACT: nothing behind an object's last byte may be touched, as by copying whole words.
 * GUARD_REDZONE_BYTES of room stay closed behind each object and before the first: add them to
 * what it takes, and to the allocator's own words where they lie before objects and stay open.
 */
#ifndef TAILRACE_MEMORY_GUARD_H
#define TAILRACE_MEMORY_GUARD_H

#if !defined(MEM_MODE)
#define MEM_MODE plain
#endif
#define GUARD_MODE_plain 1
#define GUARD_MODE_poison 2
#define GUARD_MODE_passthrough 3

#if MEM_PASTE(GUARD_MODE_, MEM_MODE) == GUARD_MODE_plain
#include "memory/guard_plain.h"
#elif MEM_PASTE(GUARD_MODE_, MEM_MODE) == GUARD_MODE_poison
#include "memory/guard_poison.h"
#elif MEM_PASTE(GUARD_MODE_, MEM_MODE) == GUARD_MODE_passthrough
#include "memory/guard_passthrough.h"
#else
#error "MEM_MODE is plain, poison or passthrough"
#endif

#endif
