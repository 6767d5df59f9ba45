// SPDX-License-Identifier: MIT
// gc_root_missed.rs - a page is referred to from outside of the heap while the heap collects.
struct Page {
    text: String,
    rooted: bool,
}

struct Heap {
    pages: Vec<Page>,
}

impl Heap {
    fn collect(&mut self) {
        self.pages.retain(|page| page.rooted);
    }
}

fn main() {
    let page = Page {
        text: String::from("cached"),
        rooted: false,
    };
    let mut heap = Heap { pages: vec![page] };
    let cached = &heap.pages[0];
    heap.collect(); // FAULT a
    println!("{}", cached.text);
}
