// SPDX-License-Identifier: MIT
// uninit_read.rs - an option that was not given is never set, and read all the same.
fn main() {
    let verbose: bool;
    for word in ["--jobs"] {
        if word == "--verbose" {
            verbose = true;
            break;
        }
    }
    println!("verbose: {verbose}"); // FAULT a
}
