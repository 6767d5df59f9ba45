// SPDX-License-Identifier: MIT
// double_checked_init.rs - settings are made at first use, with a look before the lock: what can be
// looked at without the lock cannot be a static, since it is not Sync.
use std::cell::Cell;
use std::sync::Mutex;
use std::thread;

static GUARD: Mutex<()> = Mutex::new(());
static TIMEOUT_MS: Cell<Option<u32>> = Cell::new(None); // FAULT a

fn timeout_ms() -> u32 {
    if let Some(timeout_ms) = TIMEOUT_MS.get() {
        return timeout_ms;
    }
    let _held = GUARD.lock().unwrap();
    if TIMEOUT_MS.get().is_none() {
        TIMEOUT_MS.set(Some(250));
    }
    TIMEOUT_MS.get().unwrap()
}

fn main() {
    let other = thread::spawn(timeout_ms);
    println!("{}", timeout_ms());
    println!("{}", other.join().unwrap());
}
