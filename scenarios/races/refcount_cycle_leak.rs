// SPDX-License-Identifier: MIT
// refcount_cycle_leak.rs - a parent counts its child, and the child its parent: Rc leaks cycles.
use std::cell::RefCell;
use std::rc::Rc;

#[derive(Default)]
struct Node {
    child: RefCell<Option<Rc<Node>>>,
    parent: RefCell<Option<Rc<Node>>>, // FAULT a
}

fn main() {
    let parent = Rc::new(Node::default());
    let child = Rc::new(Node::default());
    *parent.child.borrow_mut() = Some(Rc::clone(&child));
    *child.parent.borrow_mut() = Some(Rc::clone(&parent));
    let watch = Rc::downgrade(&parent);
    drop(child);
    drop(parent);
    if let Some(node) = watch.upgrade() {
        let whole = node.child.borrow().is_some() && node.parent.borrow().is_none();
        println!("fault: nobody holds the parent, and it lives (whole: {whole})");
    }
}
