// SPDX-License-Identifier: MIT
// destroy_locked.rs - a session's lock is destroyed while it is held: the guard borrows the mutex.
use std::sync::Mutex;

fn main() {
    let open = Mutex::new(true);
    let mut guard = open.lock().unwrap();
    *guard = false;
    drop(open); // FAULT a
    println!("{}", *guard);
}
