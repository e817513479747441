//! The clock, randomness and log ports on Workers.

use crate::{
    ports::{Clock, Level, Log, Random},
    time::Timestamp,
};

/// `Date.now()`.
pub(super) struct WorkersClock;

impl Clock for WorkersClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(worker::Date::now().as_millis()).unwrap_or(i64::MAX))
    }
}

/// `crypto.getRandomValues()`.
pub(super) struct WebCryptoRandom;

impl Random for WebCryptoRandom {
    #[allow(clippy::disallowed_methods, reason = "this is the port")]
    fn fill(&self, bytes: &mut [u8]) {
        // It fails only where the runtime has no WebCrypto. Going on with predictable bytes would be
        // worse than ending the request, so this is the one place that may abort.
        if getrandom::fill(bytes).is_err() {
            worker::console_error!("no source of randomness");
            std::process::abort();
        }
    }
}

/// The console, one JSON object a line, as Workers Logs indexes them.
pub(super) struct Console;

impl Log for Console {
    fn line(&self, level: Level, text: &str) {
        match level {
            Level::Info => worker::console_log!("{text}"),
            Level::Warn => worker::console_warn!("{text}"),
            Level::Error => worker::console_error!("{text}"),
        }
    }
}

/// JavaScript's own normalising: Unicode's tables are not in the Wasm.
pub(crate) fn nfkc(text: &str) -> String {
    js_sys::JsString::from(text).normalize("NFKC").into()
}
