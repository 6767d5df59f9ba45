// SPDX-License-Identifier: MIT
// use_after_return.rs - a function returns a borrow of its own local.
fn compose<'a>(code: u32) -> &'a str {
    let line = format!("status {code}");
    &line // FAULT a
}

fn main() {
    println!("{}", compose(7).split(' ').count());
}
