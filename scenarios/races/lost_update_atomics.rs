// SPDX-License-Identifier: MIT
// lost_update_atomics.rs - two threads add to an atomic total by a load and a store: each is
// atomic, so rustc is content.
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

const ADDITIONS: u64 = 20_000_000;

fn main() {
    let total = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..ADDITIONS {
                    let seen = total.load(Ordering::Relaxed);
                    total.store(seen + 1, Ordering::Relaxed); // FAULT a
                }
            });
        }
    });
    let lost = 2 * ADDITIONS - total.into_inner();
    if lost > 0 {
        println!("fault: {lost} additions were lost");
    }
}
