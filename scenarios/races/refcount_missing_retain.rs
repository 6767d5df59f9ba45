// SPDX-License-Identifier: MIT
// refcount_missing_retain.rs - a shared buffer is handed to a thread without another reference.
use std::sync::Arc;
use std::thread;

fn main() {
    let buffer = Arc::new(String::from("as long as somebody holds it"));
    let reader = thread::spawn(move || println!("{}", buffer.len()));
    println!("{}", buffer.len()); // FAULT a
    reader.join().unwrap();
}
