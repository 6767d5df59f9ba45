// SPDX-License-Identifier: MIT
// write_under_rdlock.rs - hits are counted while the lock is held for reading: its guard lends out
// the data for reading only.
use std::sync::RwLock;
use std::thread;

struct Entry {
    value: i32,
    hits: u64,
}

fn look_up(entry: &RwLock<Entry>) -> i32 {
    let held = entry.read().unwrap();
    held.hits += 1; // FAULT a
    held.value
}

fn main() {
    let entry = RwLock::new(Entry { value: 10, hits: 0 });
    thread::scope(|scope| {
        scope.spawn(|| look_up(&entry));
        scope.spawn(|| look_up(&entry));
    });
    println!("{}", entry.read().unwrap().hits);
}
