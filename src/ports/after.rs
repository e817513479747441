//! Work that comes after the response: what a request leaves here runs once its answer is out, and before the platform
//! may end it. Nobody waits for it, so nobody learns from its time (law 8).

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use super::PortFuture;

/// What is left to do.
#[derive(Default)]
pub struct After(Mutex<VecDeque<PortFuture<'static, ()>>>);

impl After {
    /// Leaves work for later.
    pub fn later(&self, work: PortFuture<'static, ()>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(work);
    }

    /// Does what was left, in its order, and what that leaves.
    pub async fn finish(&self) {
        loop {
            let work = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            match work {
                Some(work) => work.await,
                None => return,
            }
        }
    }
}
