// SPDX-License-Identifier: MIT
// thread_leak.rs - the thread that warms the cache is never joined: to drop its handle detaches it,
// which frees its memory in time but leaves its work to chance.
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread;

const ROUNDS: usize = 1000;

fn main() {
    for _ in 0..ROUNDS {
        let warm = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&warm);
        thread::spawn(move || told.store(true, Ordering::Relaxed)); // FAULT a
        if !warm.load(Ordering::Relaxed) {
            println!("fault: main is done, the thread is not, and nobody will wait for it");
            return;
        }
    }
}
