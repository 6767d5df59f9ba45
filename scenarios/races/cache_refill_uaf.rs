// SPDX-License-Identifier: MIT
// cache_refill_uaf.rs - a cached page is used after its lock was given back: it is borrowed
// from the guard.
use std::sync::RwLock;

struct Page {
    version: u32,
}

fn version(cached: &RwLock<Option<Box<Page>>>) -> u32 {
    let page = {
        let mut guard = cached.write().unwrap();
        *guard = Some(Box::new(Page { version: 7 }));
        guard.as_deref().unwrap() // FAULT a
    };
    page.version
}

fn main() {
    let cached = RwLock::new(None);
    println!("{}", version(&cached));
}
