//! A call as a driver gets it, and what a carrier tells of one.

use std::time::Duration;

use crate::message::speech::Script;

/// How long a phone rings: most mailboxes answer later.
pub const RING: Duration = Duration::from_secs(20);

/// How long a call may last. The longest script takes about a minute.
pub const LONGEST: Duration = Duration::from_secs(120);

/// How long a key is waited for, each of the two times.
pub const KEY_WAIT: Duration = Duration::from_secs(8);

/// One call as a driver gets it.
pub struct Call<'a> {
    /// To whom, E.164.
    pub to: &'a str,
    /// Who calls, instead of the driver's number.
    pub from: Option<&'a str>,
    /// What is said first.
    pub opening: Opening<'a>,
    /// Where the carrier tells what becomes of the call; only with https.
    pub events: Option<&'a str>,
    /// How long the carrier may take to answer.
    pub timeout: Duration,
}

/// What whoever answers hears first.
pub enum Opening<'a> {
    /// A greeting without the code, and the wait for a key. Mailboxes and bots press none.
    Gate {
        /// Who calls, and to press a key.
        greeting: &'a Script,
        /// What is said when nobody does.
        nobody: &'a Script,
        /// Where the carrier asks for what is said next.
        next: &'a str,
    },
    /// The code at once.
    Code(&'a Script),
}

/// What a carrier told of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is under way.
    UnderWay,
    /// Somebody, or something, answered, and it is over.
    Completed,
    /// Nobody answered, or it could not be made; the carrier's word for it.
    NotAnswered(&'static str),
}
