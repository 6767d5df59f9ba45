/* SPDX-License-Identifier: MIT */
/* gc_pace.h - when our own collectors collect: growth in percent of what is live, as Go's GOGC. */
#define GC_HEADROOM_BYTES_MIN ((size_t)4 << 20)

static size_t gc_growth_percent;
static size_t gc_headroom_bytes; /* to be allocated until the next cycle's end; 0: not known yet */

/* Under gc_heap.lock, when all is swept: as much as growth allows, but no more than there is room
 * for. */
static void gc_set_headroom(void) {
    size_t room = gc_room_bytes() / 10 * 8, wanted = gc_heap.live_bytes / 100 * gc_growth_percent;
    if (wanted < GC_HEADROOM_BYTES_MIN)
        wanted = GC_HEADROOM_BYTES_MIN;
    gc_headroom_bytes = wanted < room ? wanted : room;
}
