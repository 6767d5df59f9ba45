// SPDX-License-Identifier: MIT
// deadlock_abba.rs - copies take scanner, then printer; test pages printer, then scanner. That each
// device is taken before it is used is all that rustc sees to.
use std::sync::{Condvar, Mutex};
use std::thread;

const ROUNDS: usize = 3_000_000;

struct Device {
    busy: Mutex<bool>,
    idle: Condvar,
}

impl Device {
    fn new() -> Device {
        Device {
            busy: Mutex::new(false),
            idle: Condvar::new(),
        }
    }

    fn take(&self) {
        let mut busy = self.busy.lock().unwrap();
        while *busy {
            busy = self.idle.wait(busy).unwrap(); // FAULT a
        }
        *busy = true;
    }

    fn give_back(&self) {
        *self.busy.lock().unwrap() = false;
        self.idle.notify_one();
    }
}

fn print_all(first: &Device, second: &Device) {
    for _ in 0..ROUNDS {
        first.take();
        second.take();
        second.give_back();
        first.give_back();
    }
}

fn main() {
    let scanner = Device::new();
    let printer = Device::new();
    thread::scope(|scope| {
        scope.spawn(|| print_all(&scanner, &printer));
        scope.spawn(|| print_all(&printer, &scanner));
    });
}
