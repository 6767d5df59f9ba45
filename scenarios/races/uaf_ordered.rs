// SPDX-License-Identifier: MIT
// uaf_ordered.rs - the worker takes the job and drops it, and the result is read from it.
use std::thread;

struct Job {
    numbers: Vec<u64>,
    sum: u64,
}

fn main() {
    let mut job = Job {
        numbers: (1..=100).collect(),
        sum: 0,
    };
    let worker = thread::spawn(move || {
        job.sum = job.numbers.iter().sum();
        drop(job);
    });
    worker.join().unwrap();
    println!("{}", job.sum); // FAULT a
}
