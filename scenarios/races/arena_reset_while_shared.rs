// SPDX-License-Identifier: MIT
// arena_reset_while_shared.rs - an arena is reset while a thread still borrows what lies in it.
use std::thread;

struct Arena {
    bytes: Vec<u8>,
}

impl Arena {
    fn reset(&mut self) {
        self.bytes.clear();
    }
}

fn main() {
    let mut arena = Arena {
        bytes: vec![5; 2000],
    };
    thread::scope(|scope| {
        scope.spawn(|| println!("{}", arena.bytes[..1000].len()));
        arena.reset(); // FAULT a
    });
}
