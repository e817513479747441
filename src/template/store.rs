//! SQL of templates: what differs from the built-in texts.

use super::Slug;
use crate::{
    message::Channel,
    ports::{Row, Statement},
    statement,
};

/// What the operator has written of one template, in one locale or for all.
#[derive(Clone, Debug)]
pub struct Stored {
    /// How it goes.
    pub channel: Channel,
    /// What it is for.
    pub slug: Slug,
    /// BCP 47; empty: what holds in every language.
    pub locale: String,
    /// An e-mail's subject.
    pub subject: Option<String>,
    /// The text, in a locale.
    pub body: Option<String>,
    /// Who sends, for every language.
    pub from_number_override: Option<String>,
    /// Who delivers, for every language; `None`: we do.
    pub delivered_by_us: Option<bool>,
}

/// Everything that differs, as the snapshot of settings has it.
#[derive(Clone, Debug, Default)]
pub struct Templates(Vec<Stored>);

const ALL: &str = "SELECT channel, slug, locale, subject, body, from_number_override, delivered_by_us FROM templates
  WHERE channel IN ('sms', 'voice', 'email')";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[ALL];

/// Reads everything that differs: [`Templates::read`].
pub fn all() -> Statement {
    statement!(ALL)
}

impl Templates {
    /// From the rows of [`all`]. A row that this version does not know is left out.
    pub fn read(rows: &[Row]) -> Self {
        let stored = |row: &Row| {
            Some(Stored {
                channel: Channel::parse(row.opt_text("channel")?)?,
                slug: Slug::parse(row.opt_text("slug")?)?,
                locale: row.opt_text("locale")?.to_owned(),
                subject: row.opt_text("subject").map(str::to_owned),
                body: row.opt_text("body").map(str::to_owned),
                from_number_override: row.opt_text("from_number_override").map(str::to_owned),
                delivered_by_us: row.opt_int("delivered_by_us").map(|flag| flag != 0),
            })
        };
        Self(rows.iter().filter_map(stored).collect())
    }

    /// What the operator has written of a template for this locale; empty: for every language.
    pub fn stored(&self, channel: Channel, slug: Slug, locale: &str) -> Option<&Stored> {
        self.0.iter().find(|row| row.channel == channel && row.slug == slug && row.locale == locale)
    }

    /// Whether Postern gives messages of it to a carrier. `false`: the event `<channel>.queued` has them, and whoever hears it
    /// delivers.
    pub fn delivered_by_us(&self, channel: Channel, slug: Slug) -> bool {
        self.stored(channel, slug, "").and_then(|row| row.delivered_by_us).unwrap_or(true)
    }

    /// Who sends messages of it instead of the driver's sender.
    pub fn from_number_override(&self, channel: Channel, slug: Slug) -> Option<&str> {
        self.stored(channel, slug, "").and_then(|row| row.from_number_override.as_deref())
    }
}
