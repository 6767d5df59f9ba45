// SPDX-License-Identifier: MIT
// heap_overflow_neighbour.rs - each thread closes one sample more than it has: bounds are checked.
use std::thread;

fn main() {
    let threads: Vec<_> = (0..2)
        .map(|_| {
            thread::spawn(|| {
                let mut samples = vec![false; 32];
                let last = samples.len();
                for i in 0..=last {
                    samples[i] = true; // FAULT a
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}
