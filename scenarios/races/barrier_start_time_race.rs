// SPDX-License-Identifier: MIT
// barrier_start_time_race.rs - the clock is read when the barrier has opened, by one thread for
// all: a barrier lends no data.
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

fn main() {
    let start_line = Barrier::new(2);
    let mut start = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            start_line.wait();
            start = Instant::now();
        });
        scope.spawn(|| { // FAULT a
            start_line.wait();
            println!("{:?}", start.elapsed());
        });
    });
}
