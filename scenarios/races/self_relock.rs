// SPDX-License-Identifier: MIT
// self_relock.rs - a function that holds the lock calls another that takes it: accepted, and it
// hangs (std says that it hangs or panics).
use std::sync::Mutex;

fn read(balance: &Mutex<i32>) -> i32 {
    *balance.lock().unwrap() // FAULT a
}

fn withdraw(balance: &Mutex<i32>, amount: i32) {
    let mut left = balance.lock().unwrap();
    if read(balance) >= amount {
        *left -= amount;
    }
}

fn main() {
    let balance = Mutex::new(10);
    withdraw(&balance, 4);
}
