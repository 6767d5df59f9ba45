// SPDX-License-Identifier: MIT
// heap_leak.rs - a line that is freed by hand is so on the good path only: to leak is safe in
// Rust, so ManuallyDrop and mem::forget are.
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};

static LIVE: AtomicUsize = AtomicUsize::new(0);

struct Line(String);

impl Line {
    fn new(text: &str) -> Line {
        LIVE.fetch_add(1, Ordering::Relaxed);
        Line(text.to_string())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

fn parse(text: &str) -> Option<i32> {
    let line = mem::ManuallyDrop::new(Line::new(text)); // FAULT a
    let value = line.0.split_once('=')?.1.parse().ok();
    drop(mem::ManuallyDrop::into_inner(line));
    value
}

fn main() {
    for text in ["threads=4", "a comment", "seed=7"] {
        parse(text);
    }
    let live = LIVE.load(Ordering::Relaxed);
    if live > 0 {
        println!("fault: {live} lines were not freed");
    }
}
