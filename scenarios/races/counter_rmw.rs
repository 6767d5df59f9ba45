// SPDX-License-Identifier: MIT
// counter_rmw.rs - two threads add to one counter without a lock: one mutable borrow at a time.
use std::thread;

fn main() {
    let mut counter = 0u64;
    thread::scope(|scope| {
        scope.spawn(|| counter += 1);
        scope.spawn(|| counter += 1); // FAULT a
    });
    println!("{counter}");
}
