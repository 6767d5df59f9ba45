// SPDX-License-Identifier: MIT
// shutdown_stats_race.rs - the statistics are printed before the worker is joined: it still
// borrows.
use std::thread;

fn main() {
    let mut bytes = 0u64;
    thread::scope(|scope| {
        let worker = scope.spawn(|| bytes += 512);
        println!("{}", bytes); // FAULT a
        worker.join().unwrap();
    });
}
