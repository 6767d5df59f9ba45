// SPDX-License-Identifier: MIT
// loop_var_address.rs - each worker is given a borrow of the loop's variable, which it may outlive.
use std::thread;

fn main() {
    let mut workers = Vec::new();
    for number in 0..4 {
        workers.push(thread::spawn(|| println!("worker {number}"))); // FAULT a
    }
    for worker in workers {
        worker.join().unwrap();
    }
}
