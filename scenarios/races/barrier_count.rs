// SPDX-License-Identifier: MIT
// barrier_count.rs - a barrier counts main as well, which does not come to it: a number is a
// number.
use std::sync::Barrier;
use std::thread;

const WORKERS: usize = 2;

fn main() {
    let barrier = Barrier::new(WORKERS + 1);
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                barrier.wait(); // FAULT a
            });
        }
    });
}
