/* SPDX-License-Identifier: MIT */
/* guard_poison.h - what is no live object is closed, by the means of the tool that is compiled in;
 * without one, by requests that mean something under Valgrind only. */
#include "memory/guard_shared_blocks.h"
#define GUARD_EXACT true
#define GUARD_REDZONE_BYTES ((size_t)16)

#if !defined(__has_feature)
#define __has_feature(feature) 0 /* gcc */
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include "memory/guard_asan.h"
#elif defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#include "memory/guard_tsan.h"
#else
#include "memory/guard_valgrind.h"
#endif
