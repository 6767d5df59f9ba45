// SPDX-License-Identifier: MIT
// cond_if_not_while.rs - a consumer that is woken does not look again whether there is an item:
// rustc does not know what a wait is for.
use std::collections::VecDeque;
use std::process;
use std::sync::{Condvar, Mutex};
use std::thread;

const CONSUMERS: usize = 3;
const ITEMS: usize = 300_000;

fn main() {
    let queue = Mutex::new(VecDeque::new());
    let filled = Condvar::new();
    thread::scope(|scope| {
        for _ in 0..CONSUMERS {
            scope.spawn(|| {
                for _ in 0..ITEMS {
                    let mut items = queue.lock().unwrap();
                    if items.is_empty() {
                        items = filled.wait(items).unwrap();
                    }
                    if items.pop_front().is_none() {
                        println!("fault: an item was taken that is not there"); // FAULT a
                        process::exit(0);
                    }
                }
            });
        }
        scope.spawn(|| {
            for item in 0..CONSUMERS * ITEMS {
                queue.lock().unwrap().push_back(item);
                filled.notify_one();
            }
        });
    });
}
