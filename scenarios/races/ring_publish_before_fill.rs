// SPDX-License-Identifier: MIT
// ring_publish_before_fill.rs - a packet is put into the ring, and its length set after that:
// it has been moved.
use std::collections::VecDeque;
use std::sync::Mutex;
use std::thread;

struct Packet {
    length: u32,
}

fn main() {
    let ring = Mutex::new(VecDeque::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut packet = Box::new(Packet { length: 0 });
            ring.lock().unwrap().push_back(packet);
            packet.length = 64; // FAULT a
        });
        scope.spawn(|| {
            if let Some(packet) = ring.lock().unwrap().pop_front() {
                println!("{}", packet.length);
            }
        });
    });
}
