// SPDX-License-Identifier: MIT
// null_deref_toctou.rs - a session is tested for None and then unwrapped, while it is being closed.
use std::sync::RwLock;
use std::thread;

fn main() {
    let session = RwLock::new(Some(0u64));
    thread::scope(|scope| {
        scope.spawn(|| loop {
            *session.write().unwrap() = None; // poisoned, and so ended, by the panic below
            *session.write().unwrap() = Some(0);
        });
        scope.spawn(|| loop {
            if session.read().unwrap().is_some() {
                *session.write().unwrap().as_mut().unwrap() += 1; // FAULT a
            }
        });
    });
}
