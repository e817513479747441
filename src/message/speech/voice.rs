//! Who speaks: the voice for the language and region that were asked for, by the names that the carriers have.

use super::phrases::{ARABIC, CHINESE, ENGLISH, FRENCH, GERMAN, JAPANESE, PORTUGUESE, Phrases, SPANISH};

/// A language of a region, as a carrier's engine speaks it.
#[derive(Clone, Copy)]
pub struct Voice(&'static Row);

struct Row {
    /// BCP 47, as people write it.
    locale: &'static str,
    /// What Twilio calls the language.
    twilio_language: &'static str,
    /// What Vonage calls it.
    vonage_language: &'static str,
    /// Twilio's voice. Without one Twilio takes `man`, which does not speak every language.
    twilio: &'static str,
    phrases: &'static Phrases,
    /// Regions that get this row; the first row of a language takes the rest.
    regions: &'static [&'static str],
}

const fn row(
    locale: &'static str,
    twilio: &'static str,
    phrases: &'static Phrases,
    regions: &'static [&'static str],
) -> Row {
    Row { locale, twilio_language: locale, vonage_language: locale, twilio, phrases, regions }
}

/// By language; the first row of each is for regions that no other row names.
static VOICES: &[(&str, &[Row])] = &[
    (
        "en",
        &[
            row("en-US", "Polly.Joanna", &ENGLISH, &[]),
            row("en-GB", "Polly.Amy", &ENGLISH, &["GB", "IE", "ZA"]),
            row("en-AU", "Polly.Nicole", &ENGLISH, &["AU", "NZ"]),
            row("en-IN", "Polly.Aditi", &ENGLISH, &["IN"]),
        ],
    ),
    (
        "es",
        &[
            row("es-MX", "Polly.Mia", &SPANISH, &[]),
            row("es-ES", "Polly.Lucia", &SPANISH, &["", "ES", "AD", "GQ"]),
            row("es-US", "Polly.Penelope", &SPANISH, &["US", "PR"]),
        ],
    ),
    ("fr", &[row("fr-FR", "Polly.Celine", &FRENCH, &[]), row("fr-CA", "Polly.Chantal", &FRENCH, &["CA"])]),
    ("de", &[row("de-DE", "Polly.Vicki", &GERMAN, &[])]),
    (
        "pt",
        &[
            row("pt-BR", "Polly.Vitoria", &PORTUGUESE, &[]),
            row("pt-PT", "Polly.Ines", &PORTUGUESE, &["PT", "AO", "CV", "GW", "MO", "MZ", "ST", "TL"]),
        ],
    ),
    ("zh", &[Row { locale: "zh-CN", ..row("cmn-CN", "Polly.Zhiyu", &CHINESE, &[]) }]),
    ("ja", &[row("ja-JP", "Polly.Mizuki", &JAPANESE, &[])]),
    // The standard language, whatever the region.
    ("ar", &[Row { twilio_language: "arb", ..row("ar", "Polly.Zeina", &ARABIC, &[]) }]),
];

static FALLBACK: Row = row("en-US", "Polly.Joanna", &ENGLISH, &[]);

/// The voices of a tag's language.
fn rows(locale: &str) -> &'static [Row] {
    let language = locale.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    let language = if language == "cmn" { "zh" } else { language.as_str() };
    VOICES.iter().find(|(name, _)| *name == language).map_or(&[][..], |(_, rows)| rows)
}

impl Voice {
    /// The languages there are, each with the regions that sound different.
    pub fn all() -> impl Iterator<Item = Self> {
        VOICES.iter().flat_map(|(_, rows)| rows.iter().map(Self))
    }

    /// The voice for a language tag; English where the language has none. A script or variant changes nothing.
    pub fn of(locale: &str) -> Self {
        let rows = rows(locale);
        let subtags = locale.split(['-', '_']).skip(1);
        // Two letters or three digits are a region; a single letter begins an extension.
        let region = subtags
            .take_while(|subtag| subtag.len() > 1)
            .find(|subtag| {
                let letters = subtag.len() == 2 && subtag.bytes().all(|byte| byte.is_ascii_alphabetic());
                letters || (subtag.len() == 3 && subtag.bytes().all(|byte| byte.is_ascii_digit()))
            })
            .unwrap_or_default()
            .to_ascii_uppercase();
        let named = rows.iter().find(|row| row.regions.contains(&region.as_str()));
        Self(named.or(rows.first()).unwrap_or(&FALLBACK))
    }

    /// Whether there is a voice for the language of a tag.
    pub fn speaks(locale: &str) -> bool {
        !rows(locale).is_empty()
    }

    /// The language and region that are spoken, BCP 47.
    pub fn locale(self) -> &'static str {
        self.0.locale
    }

    /// What Twilio calls that language.
    pub fn twilio_language(self) -> &'static str {
        self.0.twilio_language
    }

    /// What Vonage calls that language.
    pub fn vonage_language(self) -> &'static str {
        self.0.vonage_language
    }

    /// The name of Twilio's voice.
    pub fn twilio(self) -> &'static str {
        self.0.twilio
    }

    pub(super) fn phrases(self) -> &'static Phrases {
        self.0.phrases
    }
}
