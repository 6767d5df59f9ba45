// SPDX-License-Identifier: MIT
// start_handshake_race.rs - a worker says that it has started before it is set up: what it sets
// up is borrowed as long as it runs.
use std::sync::{Condvar, Mutex};
use std::thread;

fn main() {
    let started = Mutex::new(false);
    let changed = Condvar::new();
    let mut capacity = 0u32;
    thread::scope(|scope| {
        scope.spawn(|| {
            *started.lock().unwrap() = true;
            changed.notify_one();
            capacity = 16;
        });
        let mut known = started.lock().unwrap();
        while !*known {
            known = changed.wait(known).unwrap();
        }
        println!("{}", capacity); // FAULT a
    });
}
