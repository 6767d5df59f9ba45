// SPDX-License-Identifier: MIT
// state_not_failed_race.rs - a user asks whether loading has failed, not whether it has ended: what
// Arc shares cannot be written.
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::Arc;
use std::thread;

const LOADING: u8 = 0;
const READY: u8 = 1;
const FAILED: u8 = 2;

struct Config {
    state: AtomicU8,
    limit: u32,
}

fn main() {
    let config = Arc::new(Config {
        state: AtomicU8::new(LOADING),
        limit: 0,
    });
    let loaded = Arc::clone(&config);
    let loader = thread::spawn(move || {
        loaded.limit = 8; // FAULT a
        let state = if loaded.limit > 0 { READY } else { FAILED };
        // Release: partner is the load in main
        loaded.state.store(state, Ordering::Release);
    });
    // Acquire: partner is the store of the loader
    if config.state.load(Ordering::Acquire) != FAILED {
        println!("{}", config.limit);
    }
    loader.join().unwrap();
}
