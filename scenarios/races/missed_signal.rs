// SPDX-License-Identifier: MIT
// missed_signal.rs - the flag that a thread waits for is atomic, so its setter takes no lock: a
// Condvar wants a guard to wait, and none to notify. Some round hangs.
use std::hint;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread;

const ROUNDS: usize = 20_000;

struct Event {
    set: AtomicBool,
    mutex: Mutex<()>,
    changed: Condvar,
}

impl Event {
    fn new() -> Event {
        Event {
            set: AtomicBool::new(false),
            mutex: Mutex::new(()),
            changed: Condvar::new(),
        }
    }

    fn wait(&self) {
        let mut guard = self.mutex.lock().unwrap();
        // Acquire: partner is the store in notify
        while !self.set.load(Ordering::Acquire) {
            thread::yield_now(); // the setter may be about to come
            guard = self.changed.wait(guard).unwrap(); // FAULT a
        }
        self.set.store(false, Ordering::Relaxed);
    }

    fn notify(&self) {
        // Release: partner is the load in wait
        self.set.store(true, Ordering::Release);
        self.changed.notify_one();
    }
}

fn main() {
    let event = Event::new();
    let round_now = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..=ROUNDS {
                // Release: partner is the load of the setter
                round_now.store(round, Ordering::Release);
                event.wait();
            }
        });
        scope.spawn(|| {
            for round in 1..=ROUNDS {
                // Acquire: partner is the store of the waiter
                while round_now.load(Ordering::Acquire) < round {
                    thread::yield_now();
                }
                for _ in 0..round % 64 {
                    hint::spin_loop();
                }
                event.notify();
            }
        });
    });
}
