// SPDX-License-Identifier: MIT
// teardown_session_uaf.rs - a session is freed once it is marked as closing: the worker borrows it.
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Mutex;
use std::thread;

struct Session {
    requests: AtomicU32,
}

fn main() {
    let closing = Mutex::new(false);
    let mut session = Some(Box::new(Session {
        requests: AtomicU32::new(0),
    }));
    thread::scope(|scope| {
        scope.spawn(|| {
            if !*closing.lock().unwrap() {
                let session = session.as_ref().unwrap();
                session.requests.fetch_add(1, Ordering::Relaxed);
            }
        });
        *closing.lock().unwrap() = true;
        session = None; // FAULT a
    });
}
