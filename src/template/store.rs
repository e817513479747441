//! SQL of templates: what differs from the built-in texts.

use super::Slug;
use crate::{
    message::Channel,
    ports::{Row, Statement},
    statement,
    time::Timestamp,
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

/// Writes a row whole. `?1` channel, `?2` slug, `?3` locale, `?4` subject, `?5` body, `?6` sender, `?7` who delivers, `?8` now.
const PUT: &str =
    "INSERT INTO templates (channel, slug, locale, subject, body, from_number_override, delivered_by_us, updated_at)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
  ON CONFLICT (channel, slug, locale) DO UPDATE SET subject = excluded.subject, body = excluded.body,
    from_number_override = excluded.from_number_override, delivered_by_us = excluded.delivered_by_us,
    updated_at = excluded.updated_at";
/// `?1` channel, `?2` slug, `?3` locale.
const REMOVE: &str = "DELETE FROM templates WHERE channel = ?1 AND slug = ?2 AND locale = ?3";
/// Every isolate reads anew. `?1` now.
const NEW_VERSION: &str = "UPDATE instance SET version = version + 1, updated_at = ?1 WHERE id = 1";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[ALL, PUT, REMOVE, NEW_VERSION];

/// Writes what the operator has written of one template, in one locale or for all.
pub(super) fn put(stored: &Stored, now: Timestamp) -> Statement {
    statement!(
        PUT,
        stored.channel.as_str(),
        stored.slug.as_str(),
        stored.locale.as_str(),
        stored.subject.as_deref(),
        stored.body.as_deref(),
        stored.from_number_override.as_deref(),
        stored.delivered_by_us,
        now.millis()
    )
}

/// Goes back to what is built in.
pub(super) fn remove(channel: Channel, slug: Slug, locale: &str) -> Statement {
    statement!(REMOVE, channel.as_str(), slug.as_str(), locale)
}

/// Makes a change hold everywhere at once.
pub(super) fn new_version(now: Timestamp) -> Statement {
    statement!(NEW_VERSION, now.millis())
}

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
        self.of(channel, slug).find(|row| row.locale.eq_ignore_ascii_case(locale))
    }

    /// Everything that the operator has written of a template.
    pub fn of(&self, channel: Channel, slug: Slug) -> impl Iterator<Item = &Stored> {
        self.0.iter().filter(move |row| row.channel == channel && row.slug == slug)
    }

    /// With this row in the place of the one before.
    pub(super) fn put(&mut self, stored: Stored) {
        self.remove(stored.channel, stored.slug, &stored.locale);
        self.0.push(stored);
    }

    /// Without a row.
    pub(super) fn remove(&mut self, channel: Channel, slug: Slug, locale: &str) {
        self.0.retain(|row| !(row.channel == channel && row.slug == slug && row.locale == locale));
    }

    /// Whether Postern gives messages of it to a carrier. `false`: the event `<channel>.queued` has them, and whoever names it
    /// delivers.
    pub fn delivered_by_us(&self, channel: Channel, slug: Slug) -> bool {
        self.stored(channel, slug, "").and_then(|row| row.delivered_by_us).unwrap_or(true)
    }

    /// Who sends messages of it instead of the driver's sender.
    pub fn from_number_override(&self, channel: Channel, slug: Slug) -> Option<&str> {
        self.stored(channel, slug, "").and_then(|row| row.from_number_override.as_deref())
    }
}
