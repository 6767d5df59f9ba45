// SPDX-License-Identifier: MIT
// missing_join.rs - a sum is read without joining its thread: a thread that nobody must join may
// not borrow from its starter.
use std::thread;

fn main() {
    let mut sum = 0u64;
    thread::spawn(|| sum = (0..200).sum()); // FAULT a
    println!("{sum}");
}
