// SPDX-License-Identifier: MIT
// unlock_not_owned.rs - an error path unlocks, and goes on to where all paths unlock: the guard is
// gone by then.
use std::sync::Mutex;

fn sell(stock: &Mutex<i32>, pieces: i32) -> bool {
    let mut left = stock.lock().unwrap();
    let enough = *left >= pieces;
    if enough {
        *left -= pieces;
    } else {
        drop(left);
    }
    drop(left); // FAULT a
    enough
}

fn main() {
    let stock = Mutex::new(1);
    println!("{}", sell(&stock, 2));
}
