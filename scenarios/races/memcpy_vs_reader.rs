// SPDX-License-Identifier: MIT
// memcpy_vs_reader.rs - a quote is replaced by a copy while another thread reads it: the copy's
// target is borrowed mutably until the thread ends.
use std::thread;

fn main() {
    let received = [7i64; 32];
    let mut latest = [0i64; 32];
    thread::scope(|scope| {
        scope.spawn(|| latest.copy_from_slice(&received));
        println!("{}", latest[31] - latest[0]); // FAULT a
    });
}
