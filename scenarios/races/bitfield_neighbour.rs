// SPDX-License-Identifier: MIT
// bitfield_neighbour.rs - two threads count each in its bits of one word: Rust has no bit-fields,
// and methods that change some bits borrow the whole word.
use std::thread;

struct Statistics(u32);

impl Statistics {
    fn count_sent(&mut self) {
        self.0 += 1;
    }
    fn count_dropped(&mut self) {
        self.0 += 1 << 20;
    }
}

fn main() {
    let mut statistics = Statistics(0);
    thread::scope(|scope| {
        scope.spawn(|| statistics.count_sent());
        scope.spawn(|| statistics.count_dropped()); // FAULT a
    });
    println!("{}", statistics.0);
}
