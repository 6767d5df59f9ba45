// SPDX-License-Identifier: MIT
// stack_escape.rs - a thread is given a borrow of its starter's local: it may outlive that.
use std::thread::{self, JoinHandle};

fn submit(path: &'static str) -> JoinHandle<usize> {
    let request = String::from(path);
    thread::spawn(|| request.len()) // FAULT a
}

fn main() {
    let served = submit("/index").join().unwrap();
    println!("{served}");
}
