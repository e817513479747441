//! Tells Twilio's Messages API that a message was of use: whoever got it gave the code in it back. Only messages that
//! were sent with `ProvideFeedback` can be told of.

use std::time::Duration;

use super::twilio::Twilio;
use crate::ports::OutgoingRequest;

/// The request that says it of a message.
pub fn confirmed(twilio: &Twilio, sid: &str, timeout: Duration) -> OutgoingRequest {
    twilio.post(&format!("Messages/{sid}/Feedback.json"), &[("Outcome", "confirmed")], timeout)
}
