// SPDX-License-Identifier: MIT
// arena_bump_race.rs - two threads allocate from a bump arena whose cursor is a Cell: whatever
// holds one is not Sync.
use std::cell::Cell;
use std::thread;

struct Arena {
    used: Cell<usize>,
}

impl Arena {
    fn take(&self, size: usize) -> usize {
        let start = self.used.get();
        self.used.set(start + size);
        start
    }
}

fn main() {
    let arena = Arena { used: Cell::new(0) };
    thread::scope(|scope| {
        scope.spawn(|| arena.take(8)); // FAULT a
        scope.spawn(|| arena.take(8));
    });
    println!("{}", arena.used.get());
}
