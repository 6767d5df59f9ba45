// SPDX-License-Identifier: MIT
// publish_plain_flag.rs - a table is announced by a plain bool: who writes it has it alone.
use std::thread;

fn main() {
    let mut hops = [0; 16];
    let mut ready = false;
    thread::scope(|scope| {
        scope.spawn(|| {
            hops[3] = 4;
            ready = true;
        });
        while !ready {} // FAULT a
    });
    println!("{}", hops[3]);
}
