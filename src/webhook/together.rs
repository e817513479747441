//! Does several things at the same time, a few at once: what waits has not begun, so that no time limit runs for it.

use std::{future::poll_fn, pin::Pin, task::Poll};

/// Runs futures, at most so many at once, and gives what they gave, in the order in which they ended.
pub(super) async fn together<F: Future + Unpin>(
    mut waiting: impl Iterator<Item = F>,
    at_once: usize,
) -> Vec<F::Output> {
    let (mut running, mut ended) = (Vec::new(), Vec::new());
    poll_fn(|context| {
        loop {
            running.extend(waiting.by_ref().take(at_once.saturating_sub(running.len())));
            let before = ended.len();
            running.retain_mut(|future| match Pin::new(future).poll(context) {
                Poll::Ready(output) => {
                    ended.push(output);
                    false
                }
                Poll::Pending => true,
            });
            if running.is_empty() && ended.len() == before {
                return Poll::Ready(());
            }
            // Where nothing ended, each has its waker; else the next ones begin.
            if ended.len() == before {
                return Poll::Pending;
            }
        }
    })
    .await;
    ended
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn all_are_done_and_never_more_at_once_than_allowed() {
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let one = |number: usize| {
            let (running, most) = (&running, &most);
            Box::pin(async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                for _ in 0..=number % 5 {
                    tokio::task::yield_now().await;
                }
                running.fetch_sub(1, Ordering::SeqCst);
                number
            })
        };
        let mut done = together((0..40).map(one), 6).await;
        done.sort_unstable();
        assert_eq!(done, (0..40).collect::<Vec<_>>());
        assert_eq!(most.load(Ordering::SeqCst), 6);
        assert!(together((0..0).map(one), 6).await.is_empty());
    }
}
