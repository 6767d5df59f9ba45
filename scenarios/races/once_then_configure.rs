// SPDX-License-Identifier: MIT
// once_then_configure.rs - the log is opened once, and its level set after that: a static that
// can be written must be Sync.
use std::cell::Cell;
use std::sync::Once;
use std::thread;

static ONCE: Once = Once::new();
static LEVEL: Cell<u32> = Cell::new(0); // FAULT a

fn main() {
    let starter = thread::spawn(|| {
        ONCE.call_once(|| println!("opened"));
        LEVEL.set(2);
    });
    ONCE.call_once(|| println!("opened"));
    println!("{}", LEVEL.get());
    starter.join().unwrap();
}
