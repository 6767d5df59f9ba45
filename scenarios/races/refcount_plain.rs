// SPDX-License-Identifier: MIT
// refcount_plain.rs - a message goes to two threads with a plain count: Rc is not Send.
use std::rc::Rc;
use std::thread;

fn main() {
    let message = Rc::new(7);
    let other = Rc::clone(&message);
    let reader = thread::spawn(move || println!("{other}")); // FAULT a
    drop(message);
    reader.join().unwrap();
}
