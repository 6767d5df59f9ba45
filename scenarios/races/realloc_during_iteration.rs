// SPDX-License-Identifier: MIT
// realloc_during_iteration.rs - a list is walked by one thread while another lets it grow.
use std::thread;

fn main() {
    let mut list = vec![1u64; 1000];
    thread::scope(|scope| {
        scope.spawn(|| println!("{}", list.iter().sum::<u64>()));
        scope.spawn(|| list.push(1)); // FAULT a
    });
}
