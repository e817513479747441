//! An authenticator app: another implementation than ours, which knows nothing but what it has scanned.

use serde_json::Value;
use totp_rs::Totp;

pub struct Authenticator(Totp);

impl Authenticator {
    /// Scans what an enrolment shows.
    #[track_caller]
    pub fn scan(enrolled: &Value) -> Self {
        let uri = enrolled["totp"]["uri"].as_str().expect("a URI");
        Self(Totp::from_url(uri).expect("a URI that apps read"))
    }

    /// The code at a moment, in milliseconds since 1970.
    pub fn code(&self, millis: i64) -> String {
        self.0.generate(u64::try_from(millis / 1000).expect("a moment after 1970")).to_string()
    }
}
