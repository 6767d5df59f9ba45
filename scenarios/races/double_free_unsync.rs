// SPDX-License-Identifier: MIT
// double_free_unsync.rs - two workers are each given the same buffer to drop.
use std::thread;

fn main() {
    let buffer = vec![0u8; 4096];
    let first = thread::spawn(move || drop(buffer));
    let second = thread::spawn(move || drop(buffer)); // FAULT a
    first.join().unwrap();
    second.join().unwrap();
}
