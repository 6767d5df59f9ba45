// SPDX-License-Identifier: MIT
// sem_init_2.rs - a semaphore that is to exclude lets two threads in. The standard library has
// none; one of our own is a promise that the compiler does not take: one mutable borrow at a time.
use std::sync::{Condvar, Mutex};
use std::thread;

struct Semaphore {
    free: Mutex<u32>,
    changed: Condvar,
}

impl Semaphore {
    fn wait(&self) {
        let mut free = self.free.lock().unwrap();
        while *free == 0 {
            free = self.changed.wait(free).unwrap();
        }
        *free -= 1;
    }

    fn post(&self) {
        *self.free.lock().unwrap() += 1;
        self.changed.notify_one();
    }
}

fn sell(gate: &Semaphore, sold: &mut u32) {
    gate.wait();
    *sold += 1;
    gate.post();
}

fn main() {
    let gate = Semaphore {
        free: Mutex::new(2),
        changed: Condvar::new(),
    };
    let mut sold = 0;
    thread::scope(|scope| {
        scope.spawn(|| sell(&gate, &mut sold));
        scope.spawn(|| sell(&gate, &mut sold)); // FAULT a
    });
    println!("{sold}");
}
