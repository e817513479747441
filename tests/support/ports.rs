//! The other ports in memory: a clock that is moved, seeded randomness, a cache that can be stale, a log that
//! is kept, and fetch into the fake carriers.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use postern::ports::{
    Analytics, Cache, CacheError, Fetch, FetchError, Level, Log, OutgoingRequest, OutgoingResponse, Point, PortFuture,
    Random,
};

use serde_json::Value;

use super::carriers::{Carriers, Reply};

pub use super::clock::{START, TestClock};

/// SplitMix64: good enough to differ, and the same at every run.
#[derive(Clone)]
pub struct TestRandom(Arc<AtomicU64>);

impl TestRandom {
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seed)))
    }

    fn next(&self) -> u64 {
        let mut value = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::SeqCst).wrapping_add(0x9E37_79B9_7F4A_7C15);
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ (value >> 31)
    }
}

impl Random for TestRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let value = self.next().to_be_bytes();
            chunk.copy_from_slice(&value[..chunk.len()]);
        }
    }
}

/// KV in memory. Frozen, it goes on giving what it had: as stale as KV can be.
#[derive(Clone, Default)]
pub struct TestCache(Arc<Mutex<CacheState>>);

#[derive(Default)]
struct CacheState {
    values: BTreeMap<String, String>,
    touched: Vec<String>,
    frozen: bool,
    broken: bool,
}

impl TestCache {
    pub fn freeze(&self) {
        self.0.lock().unwrap().frozen = true;
    }

    pub fn break_it(&self) {
        self.0.lock().unwrap().broken = true;
    }

    pub fn keys(&self) -> Vec<String> {
        self.0.lock().unwrap().values.keys().cloned().collect()
    }

    /// Every key that was read or written, in order.
    pub fn touched(&self) -> Vec<String> {
        self.0.lock().unwrap().touched.clone()
    }

    pub fn set(&self, key: &str, value: &str) {
        self.0.lock().unwrap().values.insert(key.to_owned(), value.to_owned());
    }
}

impl Cache for TestCache {
    fn get<'a>(&'a self, key: &'a str) -> PortFuture<'a, Result<Option<String>, CacheError>> {
        Box::pin(async move {
            let mut state = self.0.lock().unwrap();
            state.touched.push(key.to_owned());
            if state.broken { Err(CacheError("broken".to_owned())) } else { Ok(state.values.get(key).cloned()) }
        })
    }

    fn put<'a>(&'a self, key: &'a str, value: String, seconds: u64) -> PortFuture<'a, Result<(), CacheError>> {
        Box::pin(async move {
            assert!(seconds >= 60, "KV keeps nothing for less than a minute");
            let mut state = self.0.lock().unwrap();
            state.touched.push(key.to_owned());
            if state.broken {
                return Err(CacheError("broken".to_owned()));
            }
            if !state.frozen {
                state.values.insert(key.to_owned(), value);
            }
            Ok(())
        })
    }
}

#[derive(Clone, Default)]
pub struct TestLog(Arc<Mutex<Vec<String>>>);

impl TestLog {
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Log for TestLog {
    fn line(&self, level: Level, text: &str) {
        self.0.lock().unwrap().push(format!("{level:?} {text}"));
    }
}

/// Analytics Engine in memory: the points as it takes them.
#[derive(Clone, Default)]
pub struct TestAnalytics(Arc<Mutex<Vec<Value>>>);

impl TestAnalytics {
    pub fn points(&self) -> Vec<Value> {
        self.0.lock().unwrap().clone()
    }
}

impl Analytics for TestAnalytics {
    fn write(&self, point: &Point<'_>) {
        self.0.lock().unwrap().push(point.to_json());
    }
}

/// Fetch into the fake carriers of this process. A hanging carrier takes the time limit, on the tests' clock.
#[derive(Clone)]
pub struct TestFetch {
    pub carriers: Arc<Carriers>,
    pub clock: TestClock,
}

impl Fetch for TestFetch {
    fn fetch(&self, request: OutgoingRequest) -> PortFuture<'_, Result<OutgoingResponse, FetchError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            let path =
                request.url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap_or("/");
            let headers: Vec<(String, String)> =
                request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            match self.carriers.handle(request.method, path, &headers, &request.body) {
                Reply::Respond(status, body) => Ok(OutgoingResponse { status, body }),
                Reply::Hang => {
                    self.clock.wait(request.timeout).await;
                    Err(FetchError::Timeout)
                }
                Reply::Late(after, status) => {
                    self.clock.wait(after.min(request.timeout)).await;
                    let in_time = after < request.timeout;
                    if in_time {
                        Ok(OutgoingResponse { status, body: "{}".to_owned() })
                    } else {
                        Err(FetchError::Timeout)
                    }
                }
                Reply::Drop | Reply::NotHttp => Err(FetchError::Network),
            }
        })
    }
}
