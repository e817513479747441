//! What a message says that somebody else delivers (`delivered_by_us: false`), written anew each time it is told: the code is
//! derived again while it lives, and stands nowhere. Once it is dead, the person was deleted or the channel switched off,
//! nobody is told anything more.

use serde_json::Value;

use crate::{
    config::{Config, Secrets},
    crypto::Pepper,
    message::{
        Channel, gate,
        notice::{self, Change},
        speech::{Script, Voice},
    },
    ports::Row,
    template::{Brief, Slug, Templates, Written, write::write},
    time::Timestamp,
    webhook::payload::is_handed_over,
};

/// What the message of a delivery says; `None`: somebody else's business, or nobody's any more.
pub(super) fn words(
    config: &Config,
    secrets: &Secrets,
    templates: &Templates,
    row: &Row,
    now: Timestamp,
) -> Option<Written> {
    let is_open = is_handed_over(row) && row.flag("is_on");
    let channel = Channel::parse(row.opt_text("channel")?)?;
    let slug = Slug::parse(row.opt_text("template")?)?;
    if !is_open || row.opt_text("recipient").is_none() {
        return None;
    }
    let sent = Timestamp::from_millis(row.opt_int("sent_at")?);
    let locales = [row.opt_text("locale")?];
    let brief = Brief { locales: &locales, name: row.opt_text("name"), when: Some(sent), ..Brief::default() };
    if !slug.has_code() {
        let data: Value = serde_json::from_str(row.opt_text("data")?).ok()?;
        let text = |name: &str| data.get(name).and_then(Value::as_str);
        let change = Change::read(text("change")?, text("factor"))?;
        let is_news = now < sent + notice::LIFETIME;
        return is_news.then(|| write(config, templates, channel, slug, &Brief { change: Some(&change), ..brief }));
    }
    let code = row.flag("lives").then(|| gate::code(row, Pepper(&secrets.code_pepper)).ok()).flatten().flatten()?;
    let lifetime = sent.until(Timestamp::from_millis(row.opt_int("code_expires_at")?));
    let mut words = write(config, templates, channel, slug, &Brief { code: Some(&code), lifetime, ..brief });
    if channel == Channel::Voice {
        words.body = Script::greeting_and_code(Voice::of(&words.locale), &words.body, &code).to_text();
    }
    Some(words)
}
