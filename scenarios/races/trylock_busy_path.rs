// SPDX-License-Identifier: MIT
// trylock_busy_path.rs - who finds the statistics locked counts its sample as skipped all the same:
// without the guard there is no way to them.
use std::sync::Mutex;
use std::thread;

#[derive(Default)]
struct Statistics {
    recorded: u32,
    skipped: u32,
}

fn record(statistics: &Mutex<Statistics>) {
    match statistics.try_lock() {
        Ok(mut open) => open.recorded += 1,
        Err(_) => statistics.get_mut().unwrap().skipped += 1, // FAULT a
    }
}

fn main() {
    let statistics = Mutex::new(Statistics::default());
    thread::scope(|scope| {
        scope.spawn(|| record(&statistics));
        scope.spawn(|| record(&statistics));
    });
    let end = statistics.into_inner().unwrap();
    println!("{} {}", end.recorded, end.skipped);
}
