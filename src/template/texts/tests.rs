//! The texts held against what a reader, a carrier's bill and the renderer make of them. What they say in each language
//! only people can judge.

use super::*;
use crate::message::{Encoding, segments};

const CHANNELS: [Channel; 3] = [Channel::Sms, Channel::Voice, Channel::Email];

fn text(channel: Channel, slug: Slug, language: &str) -> Text {
    built_in(channel, slug, language).unwrap_or_else(|| panic!("{language} has no {channel:?} of {slug:?}"))
}

/// Every text with what it is.
fn all() -> impl Iterator<Item = (&'static str, Channel, Slug, Text)> {
    let of = |language, channel| {
        let slugs = Slug::ALL.into_iter().filter(move |slug| slug.goes_by(channel));
        slugs.map(move |slug| (language, channel, slug, text(channel, slug, language)))
    };
    LANGUAGES.into_iter().flat_map(move |language| CHANNELS.into_iter().flat_map(move |channel| of(language, channel)))
}

fn changes() -> Vec<Change> {
    let factors = ["phone", "email", "totp", "passkey", "password", "recovery_codes", "another"];
    let added = factors.map(|factor| Change::Added { factor: factor.to_owned(), name: None });
    let removed = factors.map(|factor| Change::Removed { factor: factor.to_owned(), name: None });
    let others = [
        Change::Reset,
        Change::RecoveryCodesReplaced,
        Change::PasswordChanged,
        Change::EmailChanged,
        Change::PhoneChanged,
        Change::EmailStoodIn,
        Change::RecoveryCodeStoodIn,
        Change::SignUpTried,
    ];
    [added.to_vec(), removed.to_vec(), others.to_vec()].concat()
}

/// The names between braces; what is left must have none.
fn placeholders(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        assert!(!before.contains(['{', '}']), "{text}");
        let (name, after) = after.split_once("}}").unwrap_or_else(|| panic!("not closed: {text}"));
        names.push(name);
        rest = after;
    }
    assert!(!rest.contains(['{', '}']), "{text}");
    names
}

/// As somebody gets it, from an app and a host of these names.
fn filled(text: &str, app_name: &str, host: &str) -> String {
    let values = [
        ("otp_code", "042137"),
        ("app.name", app_name),
        ("ttl_minutes", "5"),
        ("origin_binding", &format!("@{host} #042137")),
        ("link", "https://app.example.com/join#invitation=iv_abc"),
        ("expires_at", "2026-11-22 01:27 UTC"),
        ("time", "2026-11-22 01:27 UTC"),
        ("factor_name", ""),
    ];
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{{{name}}}}}"), value))
}

#[test]
fn every_language_has_every_text() {
    for language in LANGUAGES {
        for channel in CHANNELS {
            for slug in Slug::ALL {
                let Some(text) = built_in(channel, slug, language) else {
                    assert!(!slug.goes_by(channel), "{language} {channel:?} {slug:?}");
                    continue;
                };
                assert!(slug.goes_by(channel) && !text.body.is_empty(), "{language} {channel:?} {slug:?}");
                assert_eq!(text.subject.is_empty(), channel != Channel::Email, "{language} {slug:?}");
                assert_eq!([text.subject.trim(), text.body.trim()], [text.subject, text.body]);
                assert!(text.body.len() <= 1600, "{language} {slug:?}");
            }
        }
    }
    assert_eq!(all().count(), LANGUAGES.len() * 13);
    assert_eq!(built_in(Channel::Sms, Slug::VerificationCode, "xx"), None);
    assert_eq!(built_in(Channel::Sms, Slug::Invitation, "cmn"), built_in(Channel::Sms, Slug::Invitation, "zh"));
}

#[test]
fn a_translation_is_no_copy_and_as_long() {
    for (language, channel, slug, translated) in all().filter(|(language, ..)| *language != "en") {
        let english = text(channel, slug, "en");
        // Arabic and Spanish end a notice as English does, and its words are all values.
        let (words, same) = (translated.body.replace(['.', ' '], ""), translated.body == english.body);
        assert!(!same || words == "{{change}}{{advice}}", "{language} {slug:?}");
        let paragraphs = |text: Text| text.body.split("\n\n").count();
        if channel == Channel::Email {
            assert_eq!(paragraphs(translated), paragraphs(english), "{language} {slug:?}");
        }
    }
    for change_ in changes() {
        for tag in LANGUAGES.into_iter().skip(1) {
            assert_ne!(change(tag, &change_), change("en", &change_), "{tag}");
            for channel in [Channel::Sms, Channel::Email] {
                let (translated, english) = (advice(tag, channel, &change_), advice("en", channel, &change_));
                assert_ne!(translated, english);
                assert_eq!(translated.split("\n\n").count(), english.split("\n\n").count(), "{tag}");
            }
        }
    }
}

#[test]
fn every_placeholder_has_a_value() {
    for (language, channel, slug, text) in all() {
        let known: &[&str] = match (channel, slug) {
            (Channel::Voice, _) => &["app.name"],
            (Channel::Sms, slug) if slug.has_code() => &["otp_code", "app.name", "ttl_minutes", "origin_binding"],
            (_, slug) if slug.has_code() => &["otp_code", "app.name", "ttl_minutes"],
            (_, Slug::Invitation) => &["app.name", "link", "expires_at"],
            _ => &["change", "advice", "time"],
        };
        for name in [placeholders(text.subject), placeholders(text.body)].concat() {
            assert!(known.contains(&name), "{language} {channel:?} {slug:?}: {name}");
        }
    }
}

/// Mail programs and phones take the code from the beginning, and a page gets it by the last line.
#[test]
fn a_code_comes_first_and_once() {
    for (language, channel, slug, text) in all() {
        let what = format!("{language} {channel:?} {slug:?}");
        let codes = |text: &str| text.matches("{{otp_code}}").count();
        match channel {
            _ if !slug.has_code() => assert_eq!(codes(text.body) + codes(text.subject), 0, "{what}"),
            // A mailbox may record a greeting.
            Channel::Voice => assert_eq!(codes(text.body), 0, "{what}"),
            Channel::Sms => {
                assert!(text.body.starts_with("{{otp_code}}") && codes(text.body) == 1, "{what}");
                let bound =
                    text.body.ends_with("\n{{origin_binding}}") && text.body.matches("origin_binding").count() == 1;
                assert!(bound, "{what}");
            }
            Channel::Email => {
                assert!(text.subject.starts_with("{{otp_code}}") && codes(text.subject) == 1, "{what}");
                let alone = text.body.split("\n\n").filter(|paragraph| *paragraph == "{{otp_code}}").count();
                assert_eq!((alone, codes(text.body)), (1, 1), "{what}");
            }
        }
    }
}

/// An app's name of 16 characters and a host of 24, and then shorter ones: 7 and 17.
#[test]
fn what_an_sms_costs_unchanged() {
    // Verification, enrolment, reset.
    let cost = |language: &str, app_name: &str, host: &str| {
        [Slug::VerificationCode, Slug::EnrolmentCode, Slug::ResetPasswordCode].map(|slug| {
            let text = filled(text(Channel::Sms, slug, language).body, app_name, host);
            assert!(placeholders(&text).is_empty(), "{text}");
            segments(&text)
        })
    };
    let (gsm, ucs) = (
        |counts: [u32; 3]| counts.map(|count| (Encoding::Gsm7, count)),
        |counts: [u32; 3]| counts.map(|count| (Encoding::Ucs2, count)),
    );
    for (language, long, short) in [
        ("en", gsm([1, 1, 1]), gsm([1, 1, 1])),
        ("es", gsm([1, 1, 1]), gsm([1, 1, 1])),
        ("fr", gsm([1, 1, 1]), gsm([1, 1, 1])),
        ("de", gsm([1, 1, 1]), gsm([1, 1, 1])),
        ("pt", gsm([1, 1, 1]), gsm([1, 1, 1])),
        ("zh", ucs([1, 1, 2]), ucs([1, 1, 1])),
        ("ja", ucs([2, 2, 2]), ucs([1, 1, 2])),
        ("ar", ucs([2, 2, 2]), ucs([1, 1, 2])),
    ] {
        assert_eq!(cost(language, "SixteenCharsLong", "login.sixteen24.example1"), long, "{language}");
        assert_eq!(cost(language, "Example", "login.example.com"), short, "{language}");
    }
}

#[test]
fn what_a_notice_by_sms_costs_unchanged() {
    // What the dearest costs, and how many of the 22 cost one SMS.
    let costs = |language: &'static str| {
        let cost = |change_: &Change| {
            let body = text(Channel::Sms, Slug::SecurityNotice, language).body;
            let body = body.replace("{{change}}", change(language, change_));
            let body = body.replace("{{advice}}", advice(language, Channel::Sms, change_));
            segments(&filled(&body, "Example", "")).1
        };
        let costs: Vec<u32> = changes().iter().map(cost).collect();
        (language, costs.iter().copied().max().unwrap_or(0), costs.iter().filter(|cost| **cost == 1).count())
    };
    let expected = [
        ("en", 1, 22),
        ("es", 3, 17),
        ("fr", 2, 19),
        ("de", 2, 19),
        ("pt", 3, 17),
        ("zh", 1, 22),
        ("ja", 2, 19),
        ("ar", 2, 0),
    ];
    assert_eq!(LANGUAGES.map(costs), expected);
}

#[test]
fn every_change_has_its_sentence() {
    for language in LANGUAGES {
        let mut said: Vec<&str> = changes().iter().map(|change_| change(language, change_)).collect();
        for (sentence, change_) in said.iter().zip(changes()) {
            let named = matches!(change_, Change::Added { .. } | Change::Removed { .. });
            let names: Vec<&str> = placeholders(sentence);
            assert_eq!(names.iter().filter(|name| **name == "app.name").count(), 1, "{sentence}");
            assert_eq!(names.len(), if named { 2 } else { 1 }, "{sentence}");
            assert_eq!(names.contains(&"factor_name"), named, "{sentence}");
            assert!(!sentence.ends_with(['.', '。', ' ']) && !sentence.contains(['\n', ':']), "{sentence}");
        }
        said.sort_unstable();
        said.dedup();
        assert_eq!(said.len(), 22, "{language}");
        let tried = advice(language, Channel::Sms, &Change::SignUpTried);
        assert_ne!(tried, advice(language, Channel::Sms, &Change::Reset));
        assert!(!placeholders(tried).contains(&"link") && !tried.is_empty());
    }
    assert_eq!(change("xx", &Change::Reset), change("en", &Change::Reset));
}

/// Whoever gets a notice learns from it never to follow a link in one.
#[test]
fn a_notice_has_no_link() {
    for language in LANGUAGES {
        for change_ in changes() {
            for text in [
                change(language, &change_),
                advice(language, Channel::Sms, &change_),
                advice(language, Channel::Email, &change_),
            ] {
                let looks_like_one =
                    ["http", "www", "{{link}}", "{{app.url}}", "@", "/"].iter().any(|part| text.contains(part));
                assert!(!looks_like_one, "{text}");
            }
        }
        for channel in [Channel::Sms, Channel::Email] {
            assert!(!text(channel, Slug::SecurityNotice, language).body.contains("link"), "{language}");
        }
    }
}

/// What each language is written in; and no letter of another one has slipped in.
#[test]
fn letters_are_of_the_language() {
    let han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    let kana = |c: char| ('\u{3040}'..='\u{30ff}').contains(&c);
    let arabic = |c: char| ('\u{600}'..='\u{6ff}').contains(&c);
    let fits = |language: &str, c: char| match language {
        "en" => c.is_ascii(),
        "zh" => c.is_ascii() || han(c) || "，。：".contains(c),
        "ja" => c.is_ascii() || han(c) || kana(c) || "、。：".contains(c),
        "ar" => c.is_ascii() || arabic(c),
        _ => c.is_ascii() || ('\u{a1}'..='\u{ff}').contains(&c),
    };
    let own = |language: &str, text: &str| match language {
        "zh" => text.chars().any(han) && !text.chars().any(kana),
        "ja" => text.chars().any(kana),
        "ar" => text.chars().any(arabic),
        _ => text.chars().any(|c| c.is_ascii_alphabetic()),
    };
    let mut texts: Vec<(&str, String)> = all()
        .flat_map(|(language, _, _, text)| {
            [(language, filled(text.subject, "", "")), (language, filled(text.body, "", ""))]
        })
        .collect();
    for language in LANGUAGES {
        for change_ in changes() {
            let said = [
                change(language, &change_),
                advice(language, Channel::Sms, &change_),
                advice(language, Channel::Email, &change_),
            ];
            texts.extend(said.map(|text| (language, text.to_owned())));
        }
    }
    for (language, text) in texts {
        for c in text.chars() {
            assert!(fits(language, c), "{language}: {c:?} in {text}");
        }
        let has_words = !text.is_empty() && !text.starts_with("{{change}}");
        assert!(!has_words || own(language, &text), "{language}: {text}");
    }
}

/// A line goes from right to left where its first letter does (Unicode's bidirectional algorithm, rule P2), whatever the app is called.
#[test]
fn no_line_in_arabic_begins_with_a_latin_name() {
    let is_right_to_left = |line: &str| line.chars().find(|c| c.is_alphabetic()).is_none_or(|c| !c.is_ascii());
    let mut texts: Vec<String> = Vec::new();
    for (_, _, _, text) in all().filter(|(language, ..)| *language == "ar") {
        texts.extend([text.subject.to_owned(), text.body.to_owned()]);
    }
    for change_ in changes() {
        texts.extend(
            [change("ar", &change_), advice("ar", Channel::Email, &change_), advice("ar", Channel::Sms, &change_)]
                .map(str::to_owned),
        );
    }
    for text in texts {
        // Alone on their lines they go their own way; a sentence stands for the change and the advice.
        let text = text.replace("{{change}}", "").replace("{{advice}}", "").replace("{{origin_binding}}", "");
        let text = text.split('\n').filter(|line| *line != "{{link}}").collect::<Vec<_>>().join("\n");
        for line in filled(&text, "Example", "").lines() {
            assert!(is_right_to_left(line), "{line}");
        }
    }
}

#[test]
fn a_moment_is_in_utc() {
    let when = Timestamp::from_millis(1_795_310_876_042);
    assert_eq!(moment("en", when), "22 November 2026, 01:27 UTC");
    for language in LANGUAGES.into_iter().skip(1) {
        assert_eq!(moment(language, when), "2026-11-22 01:27 UTC");
    }
}
