// SPDX-License-Identifier: MIT
// publish_relaxed.rs - a reading is announced by a relaxed atomic; whatever the order, an atomic
// flag does not lend out the plain data that another thread is borrowing to write.
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

fn main() {
    let mut celsius = 0;
    let is_fresh = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            celsius = 21;
            is_fresh.store(true, Ordering::Relaxed);
        });
        while !is_fresh.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        println!("{celsius}"); // FAULT a
    });
}
