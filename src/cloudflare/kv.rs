//! The cache port on Workers KV.

use worker::{KvStore, send::SendFuture};

use crate::ports::{Cache, CacheError, PortFuture};

/// KV behind the cache port.
pub(super) struct Kv {
    /// The binding `KV`; `None` when the deployment has none.
    pub(super) binding: Option<KvStore>,
}

impl Kv {
    fn store(&self) -> Result<&KvStore, CacheError> {
        self.binding.as_ref().ok_or_else(|| CacheError("the binding KV is missing".to_owned()))
    }
}

impl Cache for Kv {
    fn get<'a>(&'a self, key: &'a str) -> PortFuture<'a, Result<Option<String>, CacheError>> {
        Box::pin(SendFuture::new(async move {
            self.store()?.get(key).text().await.map_err(|error| CacheError(error.to_string()))
        }))
    }

    fn put<'a>(&'a self, key: &'a str, value: String, seconds: u64) -> PortFuture<'a, Result<(), CacheError>> {
        Box::pin(SendFuture::new(async move {
            let put = self.store()?.put(key, value).map_err(|error| CacheError(error.to_string()))?;
            put.expiration_ttl(seconds.max(60)).execute().await.map_err(|error| CacheError(error.to_string()))
        }))
    }
}
