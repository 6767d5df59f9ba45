// SPDX-License-Identifier: MIT
// seqlock_plain_payload.rs - a sequence lock with an atomic number and a plain payload: what is
// written through a shared reference without a lock is not Sync, atomic number or no.
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

struct Position {
    sequence: AtomicUsize,
    left: Cell<i64>,
}

fn write_position(position: &Position, left: i64) {
    position.sequence.fetch_add(1, Ordering::Acquire);
    position.left.set(left);
    position.sequence.fetch_add(1, Ordering::Release);
}

fn read_position(position: &Position) -> i64 {
    loop {
        let before = position.sequence.load(Ordering::Acquire);
        let left = position.left.get();
        if before % 2 == 0 && position.sequence.load(Ordering::Acquire) == before {
            return left;
        }
    }
}

fn main() {
    let position = Position {
        sequence: AtomicUsize::new(0),
        left: Cell::new(0),
    };
    thread::scope(|scope| {
        scope.spawn(|| write_position(&position, 1)); // FAULT a
        println!("{}", read_position(&position));
    });
}
