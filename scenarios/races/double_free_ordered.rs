// SPDX-License-Identifier: MIT
// double_free_ordered.rs - the worker drops its job when it is done, and so does who waited for it.
use std::thread;

fn main() {
    let job = vec![1u64; 500];
    let worker = thread::spawn(move || {
        println!("{}", job.iter().sum::<u64>());
        drop(job);
    });
    worker.join().unwrap();
    drop(job); // FAULT a
}
