// SPDX-License-Identifier: MIT
// arena_stale_ordered.rs - the slowest request is remembered by a borrow from an arena since reset.
struct Arena {
    traces: Vec<u64>,
}

impl Arena {
    fn reset(&mut self) {
        self.traces.clear();
    }
}

fn main() {
    let mut arena = Arena {
        traces: vec![100; 32],
    };
    let slowest = &arena.traces[..];
    arena.reset(); // FAULT a
    println!("{}", slowest.iter().sum::<u64>());
}
