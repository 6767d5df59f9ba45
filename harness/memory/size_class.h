/* SPDX-License-Identifier: MIT */
/* size_class.h - size classes of arena-pool: steps of 16 bytes to 1 KiB, powers of two above. */
#define SIZE_CLASS_FINE 64
#define SIZE_CLASS_COUNT (SIZE_CLASS_FINE + 21)

MEM_INLINE uint32_t size_class_of(size_t bytes) {
    if (bytes <= 16 * SIZE_CLASS_FINE)
        return (uint32_t)((bytes + 15) / 16) - 1;
    uint32_t class = SIZE_CLASS_FINE + 53 - (uint32_t)__builtin_clzll(bytes - 1);
    return class < SIZE_CLASS_COUNT ? class : SIZE_CLASS_COUNT;
}
MEM_INLINE size_t size_class_bytes(uint32_t class) {
    return class < SIZE_CLASS_FINE ? (class + 1) * 16 : (size_t)2048 << (class - SIZE_CLASS_FINE);
}
