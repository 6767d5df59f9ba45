// SPDX-License-Identifier: MIT
// pool_slot_uaf.rs - a connection goes back to its pool, and is used by who gave it back.
struct Connection {
    number: u64,
}

struct Pool {
    free: Vec<Box<Connection>>,
}

impl Pool {
    fn give_back(&mut self, connection: Box<Connection>) {
        self.free.push(connection);
    }
}

fn main() {
    let mut pool = Pool { free: Vec::new() };
    let connection = Box::new(Connection { number: 1 });
    pool.give_back(connection);
    println!("{} of {}", connection.number, pool.free.len()); // FAULT a
}
