// SPDX-License-Identifier: MIT
// arena_overflow_intra.rs - a name's terminator is written behind it: its borrow of the arena ends.
fn main() {
    let words = "sixteen letters!".as_bytes();
    let mut arena = vec![1u8; 4096];
    let (name, rest) = arena.split_at_mut(words.len());
    name.copy_from_slice(words);
    name[words.len()] = 0; // FAULT a
    println!("{}", rest[0]);
}
