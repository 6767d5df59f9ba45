// SPDX-License-Identifier: MIT
// atomic_plain_mix.rs - a counter is raised atomically and collected by plain accesses: those go
// through get_mut, which wants the counter for itself.
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

fn main() {
    let mut pending = AtomicU64::new(0);
    thread::scope(|scope| {
        scope.spawn(|| pending.fetch_add(1, Ordering::Relaxed));
        let collected = *pending.get_mut(); // FAULT a
        *pending.get_mut() = 0;
        println!("{collected}");
    });
}
