// SPDX-License-Identifier: MIT
// mutex_copied.rs - each thread is given the struct that holds the mutex by value: a mutex is
// moved, never copied, so the second thread has none.
use std::sync::Mutex;
use std::thread;

struct Tally {
    total: Mutex<u64>,
}

fn add_up(tally: Tally) {
    *tally.total.lock().unwrap() += 1;
}

fn main() {
    let tally = Tally {
        total: Mutex::new(0),
    };
    let first = thread::spawn(move || add_up(tally));
    let second = thread::spawn(move || add_up(tally)); // FAULT a
    first.join().unwrap();
    second.join().unwrap();
}
