//! What a message to a phone is judged by beside its number, and what its row keeps of that.

use super::Origin;
use super::settings::Mode;
use crate::{
    context::Context,
    message::{Channel, DropReason, Route},
};

/// The signs of one message.
#[derive(Clone, Copy, Debug)]
pub struct Signs {
    /// Whether the person who asks is where the number is.
    pub origin: Origin,
    /// Whose network they ask from.
    pub asn: Option<i64>,
    /// Whether the guard looks at it: it goes to a real phone, for a live key, and the guard is not off.
    pub judged: bool,
    /// What one try costs, in millionths of the currency of `fraud.spend.prices`; 0: no price is known.
    pub cost: i64,
}

impl Signs {
    /// Of an e-mail: the guard does not look at it.
    pub const MAIL: Self = Self { origin: Origin::Unknown, asn: None, judged: false, cost: 0 };

    /// Of a message of so many parts to a number of this country. What goes to nobody because it is a trial costs nothing
    /// and is not looked at; what the null driver drops stands for what a carrier would get.
    pub fn of(context: &Context, channel: Channel, country: &str, parts: u32, route: &Route) -> Self {
        let (client, settings) = (context.client(), &context.settings().fraud);
        let is_trial = matches!(route, Route::Drop(DropReason::TestNumber | DropReason::TestKey));
        Self {
            origin: Origin::of(client, country),
            asn: client.asn,
            judged: !is_trial && settings.mode != Mode::Off,
            cost: if is_trial { 0 } else { settings.prices.cost(channel, country, parts) },
        }
    }
}
