// SPDX-License-Identifier: MIT
// atomicity_violation_locked.rs - the balance is checked under the lock, and changed under it
// again: each access has its guard, which is all that is asked.
use std::process;
use std::sync::Mutex;
use std::thread;

const ROUNDS: usize = 3_000_000;

fn withdraw(balance: &Mutex<i32>, amount: i32) {
    let enough = *balance.lock().unwrap() >= amount;
    if enough {
        let mut left = balance.lock().unwrap();
        *left -= amount;
        if *left < 0 {
            println!("fault: more was withdrawn than there was"); // FAULT a
            process::exit(0);
        }
    }
}

fn main() {
    let balance = Mutex::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    *balance.lock().unwrap() = 100;
                    withdraw(&balance, 80);
                }
            });
        }
    });
}
