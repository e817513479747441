//! Which slow hashes were computed, for the tests that hold known and unknown people to the same work (law 8), and
//! cheap ones for tests that compute thousands. By thread, and natively only: nothing of this file is in the Worker.

use std::cell::{Cell, RefCell};

thread_local! {
    static DONE: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static CHEAP: Cell<bool> = const { Cell::new(false) };
}

/// The slow hashes that this thread has computed since it was last asked: each one's algorithm and costs.
pub fn done() -> Vec<String> {
    DONE.take()
}

/// From now on this thread hashes new passwords, and nobody's, at the least cost there is.
pub fn make_cheap() {
    CHEAP.set(true);
}

pub(super) fn is_cheap() -> bool {
    CHEAP.get()
}

pub(super) fn note(scheme: impl std::fmt::Debug) {
    DONE.with_borrow_mut(|done| done.push(format!("{scheme:?}")));
}
