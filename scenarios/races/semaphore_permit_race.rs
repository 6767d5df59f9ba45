// SPDX-License-Identifier: MIT
// semaphore_permit_race.rs - a semaphore of two permits guards a count: it hands out no data,
// so the count is borrowed by both threads.
use std::sync::{Condvar, Mutex};
use std::thread;

struct Semaphore {
    permits: Mutex<u32>,
    posted: Condvar,
}

impl Semaphore {
    fn wait(&self) {
        let mut permits = self.permits.lock().unwrap();
        while *permits == 0 {
            permits = self.posted.wait(permits).unwrap();
        }
        *permits -= 1;
    }

    fn post(&self) {
        *self.permits.lock().unwrap() += 1;
        self.posted.notify_one();
    }
}

fn main() {
    let connections = Semaphore {
        permits: Mutex::new(2),
        posted: Condvar::new(),
    };
    let mut queries = 0u64;
    thread::scope(|scope| {
        scope.spawn(|| {
            connections.wait();
            queries += 1;
            connections.post();
        });
        scope.spawn(|| { // FAULT a
            connections.wait();
            queries += 1;
            connections.post();
        });
    });
    println!("{}", queries);
}
