// SPDX-License-Identifier: MIT
// uaf_unsync.rs - a session is dropped while a worker still borrows it.
use std::thread;

struct Session {
    peer: String,
}

fn main() {
    let mut session = Some(Session {
        peer: String::from("::1"),
    });
    thread::scope(|scope| {
        scope.spawn(|| session.as_ref().map(|session| println!("{}", session.peer)));
        session = None; // FAULT a
    });
}
