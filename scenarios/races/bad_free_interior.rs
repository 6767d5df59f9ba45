// SPDX-License-Identifier: MIT
// bad_free_interior.rs - what owns a line is given the part of it behind its leading blanks.
use std::thread;

fn handle(line: String) {
    println!("{line}");
    drop(line);
}

fn main() {
    let line = String::from("  quit");
    let handler = thread::spawn(move || handle(line.trim_start())); // FAULT a
    handler.join().unwrap();
}
