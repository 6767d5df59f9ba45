// SPDX-License-Identifier: MIT
// wrong_lock.rs - a balance changed under two locks, neither its own: a lock that does not hold the
// data guards nothing, and one mutable borrow at a time is what counts.
use std::sync::Mutex;
use std::thread;

fn book(lock: &Mutex<()>, balance_cents: &mut i64, cents: i64) {
    let _held = lock.lock().unwrap();
    *balance_cents += cents;
}

fn main() {
    let balance_lock = Mutex::new(());
    let audit_lock = Mutex::new(());
    let mut balance_cents = 0i64;
    thread::scope(|scope| {
        scope.spawn(|| book(&balance_lock, &mut balance_cents, 7));
        scope.spawn(|| book(&audit_lock, &mut balance_cents, -2)); // FAULT a
    });
    println!("{balance_cents}");
}
