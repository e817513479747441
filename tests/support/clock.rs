//! The clock of the tests: it moves when it is told to. Where many wait at once it goes on when nobody has anything else to
//! do, to the moment that the first of them waits for.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use postern::{ports::Clock, time::Timestamp};
use tokio::sync::oneshot;

/// 2026-11-22T10:00:00Z.
pub const START: i64 = 1_795_341_600_000;

/// How often everybody may go on before it is said that nobody does.
const ROUNDS: usize = 64;

#[derive(Clone)]
pub struct TestClock(Arc<Time>);

struct Time {
    now: AtomicI64,
    /// Until when, and who is told; `None`: whoever waits moves the clock on alone.
    waiting: Mutex<Option<Waiting>>,
}

type Waiting = Vec<(i64, oneshot::Sender<()>)>;

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap()
}

impl TestClock {
    pub fn new() -> Self {
        Self(Arc::new(Time { now: AtomicI64::new(START), waiting: Mutex::new(None) }))
    }

    pub fn advance(&self, duration: Duration) {
        self.0.now.fetch_add(millis(duration), Ordering::SeqCst);
    }

    pub fn set_back(&self, duration: Duration) {
        self.0.now.fetch_sub(millis(duration), Ordering::SeqCst);
    }

    /// Waits so long, on this clock.
    pub async fn wait(&self, duration: Duration) {
        let told = self.0.waiting.lock().unwrap().as_mut().map(|waiting| {
            let (tell, told) = oneshot::channel();
            waiting.push((self.now().millis() + millis(duration), tell));
            told
        });
        match told {
            Some(told) => told.await.unwrap(),
            None => self.advance(duration),
        }
    }

    /// Does work in which many wait at once. `progress` is another number whenever somebody has done something.
    pub async fn together<T>(&self, work: impl Future<Output = T>, progress: impl Fn() -> u32) -> T {
        *self.0.waiting.lock().unwrap() = Some(Vec::new());
        let done = tokio::select! {
            done = work => done,
            () = self.pass(progress) => unreachable!("time has no end"),
        };
        *self.0.waiting.lock().unwrap() = None;
        done
    }

    async fn pass(&self, progress: impl Fn() -> u32) {
        loop {
            let before = progress();
            for _ in 0..ROUNDS {
                tokio::task::yield_now().await;
            }
            if progress() != before {
                continue;
            }
            let mut held = self.0.waiting.lock().unwrap();
            let waiting = held.take().unwrap_or_default();
            let next = waiting.iter().map(|(until, _)| *until).min().unwrap_or_default();
            self.0.now.fetch_max(next, Ordering::SeqCst);
            let (over, still): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(until, _)| *until <= next);
            *held = Some(still);
            for (_, tell) in over {
                // Who was ended meanwhile hears nothing.
                let _ = tell.send(());
            }
        }
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.now.load(Ordering::SeqCst))
    }
}
