// SPDX-License-Identifier: MIT
// treiber_aba.rs - a lock-free stack of buffers, by index, whose head says only which is on top:
// safe Rust, and one buffer is held twice.
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

const BUFFERS: usize = 3;
const NONE: usize = BUFFERS;
const ROUNDS: usize = 3_000_000;

struct Stack {
    head: AtomicUsize,
    next: Vec<AtomicUsize>,
    holders: Vec<AtomicUsize>,
}

impl Stack {
    fn take(&self) -> Option<usize> {
        loop {
            // Acquire: partner is the exchange in give_back
            let top = self.head.load(Ordering::Acquire);
            if top == NONE {
                return None;
            }
            let below = self.next[top].load(Ordering::Relaxed);
            // AcqRel: partner is the load above
            let seen = self
                .head
                .compare_exchange(top, below, Ordering::AcqRel, Ordering::Relaxed);
            if seen.is_ok() {
                if self.holders[top].fetch_add(1, Ordering::Relaxed) > 0 {
                    println!("fault: two threads hold one buffer"); // FAULT a
                    process::exit(0);
                }
                return Some(top);
            }
        }
    }

    fn give_back(&self, buffer: usize) {
        self.holders[buffer].fetch_sub(1, Ordering::Relaxed);
        loop {
            let top = self.head.load(Ordering::Relaxed);
            self.next[buffer].store(top, Ordering::Relaxed);
            // Release: partner is the load in take
            let seen =
                self.head
                    .compare_exchange(top, buffer, Ordering::Release, Ordering::Relaxed);
            if seen.is_ok() {
                return;
            }
        }
    }
}

fn main() {
    let stack = Stack {
        head: AtomicUsize::new(0),
        next: (1..=BUFFERS).map(AtomicUsize::new).collect(),
        holders: (0..BUFFERS).map(|_| AtomicUsize::new(0)).collect(),
    };
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    let (input, output) = (stack.take(), stack.take());
                    for buffer in [input, output].into_iter().flatten() {
                        stack.give_back(buffer);
                    }
                }
            });
        }
    });
}
