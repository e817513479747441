//! Limits of who sends and where to, whoever it is for: client address, app, server key, country, instance.

use super::{Check, LIMITS, Limit, Per, lockout};
use crate::{
    context::Context,
    message::{Channel, Destination},
};

/// Their checks for one message. They hold before a first factor is proven too, for known and unknown alike (law 8). A limit
/// of 0 is none, and what is not known is not counted: the address where a server does not pass it, who asked where a
/// message goes out once more.
pub fn senders(context: &Context, to: &Destination, channel: Channel, app: Option<&str>) -> Vec<Check> {
    let (settings, credential) = (context.settings(), context.credential());
    let check = |limit: &Limit| {
        if !limit.holds(Some(channel)) || settings.limit(*limit) == 0 {
            return None;
        }
        let whom = match limit.per {
            Per::Address => lockout::network(context)?,
            Per::App => app?.to_owned(),
            // Pages and signed-in people have no key.
            Per::Key => Some(&credential.id).filter(|id| id.starts_with("key_") || id.starts_with("app_"))?.clone(),
            Per::Country => to.country()?,
            Per::Instance => String::new(),
            _ => return None,
        };
        // A test key's messages go nowhere: they use up nobody's limits.
        let whom = if credential.is_test { ["test:", &whom].concat() } else { whom };
        Some(Check::spend(*limit, &whom, settings))
    };
    LIMITS.iter().filter_map(check).collect()
}
