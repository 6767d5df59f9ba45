/* SPDX-License-Identifier: MIT */
/* gc_pace.h - when our own collectors collect: growth in percent of what is live, as Go's GOGC. */
static size_t gc_growth_percent, gc_headroom_bytes_min;
static size_t gc_headroom_bytes; /* to be allocated until the next cycle's end; 0: not known yet */

/* Under gc_heap.lock, when all is swept: as much as growth allows, but no more than there is room
 * for. */
static void gc_set_headroom(void) {
    size_t room = gc_room_bytes() / 10 * 8, wanted = gc_heap.live_bytes / 100 * gc_growth_percent;
    if (wanted < gc_headroom_bytes_min)
        wanted = gc_headroom_bytes_min;
    gc_headroom_bytes = wanted < room ? wanted : room;
}

static void gc_pace_init(void) {
    gc_growth_percent = host_tune("growth", 100);
    gc_headroom_bytes_min = host_tune("headroom", 4 << 20);
    gc_set_headroom();
}
