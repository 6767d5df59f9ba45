// SPDX-License-Identifier: MIT
// resize_stale_slot.rs - a slot is taken under the lock and written after it: the slot is borrowed
// from the guard.
use std::sync::Mutex;
use std::thread;

fn append(values: &Mutex<Vec<i32>>, value: i32) {
    let mut guard = values.lock().unwrap();
    guard.push(0);
    let slot = guard.last_mut().unwrap();
    drop(guard); // FAULT a
    *slot = value;
}

fn main() {
    let values = Mutex::new(Vec::new());
    thread::scope(|scope| {
        scope.spawn(|| append(&values, 1));
        scope.spawn(|| append(&values, 2));
    });
}
