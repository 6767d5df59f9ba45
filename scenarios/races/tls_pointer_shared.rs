// SPDX-License-Identifier: MIT
// tls_pointer_shared.rs - a thread-local buffer is handed to another thread: a reference to what is
// for one thread is not Send.
use std::cell::RefCell;
use std::thread;

thread_local! {
    static NAME: RefCell<String> = RefCell::new(String::new());
}

fn main() {
    NAME.with(|name| {
        name.borrow_mut().push('a');
        thread::scope(|scope| {
            scope.spawn(|| println!("{}", name.borrow())); // FAULT a
            name.borrow_mut().push('b');
        });
    });
}
