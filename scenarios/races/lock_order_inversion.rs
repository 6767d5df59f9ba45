// SPDX-License-Identifier: MIT
// lock_order_inversion.rs - saving locks index, then data; loading data, then index: rustc knows no
// order of locks. Run side by side, the two hang.
use std::sync::Mutex;
use std::thread;

const ROUNDS: usize = 3_000_000;

fn main() {
    let index = Mutex::new(0u64);
    let data = Mutex::new(0u64);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..ROUNDS {
                let mut entries = index.lock().unwrap();
                let mut bytes = data.lock().unwrap();
                *entries += 1;
                *bytes += 100;
            }
        });
        scope.spawn(|| {
            for _ in 0..ROUNDS {
                let bytes = data.lock().unwrap();
                let entries = index.lock().unwrap(); // FAULT a
                assert_eq!(*bytes, 100 * *entries);
            }
        });
    });
}
