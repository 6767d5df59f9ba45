// SPDX-License-Identifier: MIT
// signed_overflow.rs - the time that a worker was busy is added up in microseconds, in 32 bits.
use std::thread;

fn main() {
    let worker = thread::spawn(|| {
        let mut busy_us = 0i32;
        for _ in 0..3000 {
            busy_us += 1_000_000; // FAULT a
        }
        busy_us
    });
    println!("{}", worker.join().unwrap());
}
