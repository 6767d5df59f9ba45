// SPDX-License-Identifier: MIT
// batch_left_after_unlock.rs - who finishes a batch's last job asks whether it was the last one
// after unlocking: the guard is gone by then.
use std::sync::Mutex;
use std::thread;

fn finish(batch: &Mutex<u32>) {
    let mut left = batch.lock().unwrap();
    *left -= 1;
    drop(left);
    if *left == 0 { // FAULT a
        println!("the batch is done");
    }
}

fn main() {
    let batch = Mutex::new(2);
    thread::scope(|scope| {
        scope.spawn(|| finish(&batch));
        scope.spawn(|| finish(&batch));
    });
}
