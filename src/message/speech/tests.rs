//! What is said, held against what a listener makes of it.

use proptest::prelude::*;

use super::*;

/// The digits as a listener of each language knows them, apart from the table that is tested.
const HEARD: [(&str, &str); 8] = [
    ("en", "zero one two three four five six seven eight nine"),
    ("es", "cero uno dos tres cuatro cinco seis siete ocho nueve"),
    ("fr", "zéro un deux trois quatre cinq six sept huit neuf"),
    ("de", "null eins zwei drei vier fünf sechs sieben acht neun"),
    ("pt", "zero um dois três quatro cinco seis sete oito nove"),
    ("zh", "零 一 二 三 四 五 六 七 八 九"),
    ("ja", "ゼロ いち に さん よん ご ろく なな はち きゅう"),
    ("ar", "صفر واحد اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة"),
];

fn code(digits: &str) -> Code {
    Code::parse(digits).expect("a code")
}

fn said(script: &Script) -> Vec<&str> {
    let say = |part: &'_ Part| matches!(part, Part::Say(_));
    script
        .parts
        .iter()
        .filter(|part| say(part))
        .map(|part| if let Part::Say(words) = part { words } else { "" })
        .collect()
}

#[test]
fn every_language_says_each_digit_alone_and_the_code_twice() {
    for (language, words) in HEARD {
        let words: Vec<&str> = words.split(' ').collect();
        let script = Script::code(Voice::of(language), &code("0123456789"));
        let digits: Vec<&str> = said(&script).into_iter().filter(|said| words.contains(said)).collect();
        assert_eq!(digits, [words.clone(), words].concat(), "{language}");
        // A pause follows each digit, and comes before the first.
        for (at, part) in script.parts.iter().enumerate() {
            if let Part::Say(word) = part
                && digits.contains(&word.as_ref())
            {
                let around = [script.parts.get(at.wrapping_sub(1)), script.parts.get(at + 1)];
                assert!(around.iter().all(|part| matches!(part, Some(Part::Pause))), "{language}: {word}");
            }
        }
    }
}

#[test]
fn no_sentence_has_a_figure_in_it() {
    for voice in Voice::all() {
        let all = [
            Script::gate(voice, "Example calls."),
            Script::greeting_and_code(voice, "Example calls.", &code("0123456789")),
            Script::nobody(voice),
            Script::too_late(voice),
        ];
        for text in all.iter().map(Script::to_text) {
            assert!(!text.contains(char::is_numeric), "{text}");
            assert!(!text.contains(['{', '}']), "{text}");
        }
    }
}

#[test]
fn the_greeting_comes_first_and_is_no_longer_than_fits() {
    for voice in Voice::all() {
        let gate = Script::gate(voice, "A&B <c>\ncalls.").to_text();
        assert!(gate.starts_with("A&B <c> calls. "), "{gate}");
        let long = Script::gate(voice, &"é".repeat(1600)).to_text();
        assert_eq!(long.matches('é').count() / 400, 1, "{long}");
        let escaped = Script::gate(voice, &"'".repeat(1600)).to_text();
        assert!((80..90).contains(&escaped.matches('\'').count()), "{escaped}");
    }
}

#[test]
fn the_language_comes_from_the_tag() {
    for (asked, locale) in [
        ("en", "en-US"),
        ("en-GB", "en-GB"),
        ("EN_gb", "en-GB"),
        ("en-NZ", "en-AU"),
        ("en-Latn-IN", "en-IN"),
        ("en-u-rg-gbzzzz", "en-US"),
        ("es", "es-ES"),
        ("es-ES", "es-ES"),
        ("es-419", "es-MX"),
        ("es-AR", "es-MX"),
        ("es-US", "es-US"),
        ("fr", "fr-FR"),
        ("fr-BE", "fr-FR"),
        ("fr-CA", "fr-CA"),
        ("de-AT", "de-DE"),
        ("pt", "pt-BR"),
        ("pt-PT", "pt-PT"),
        ("pt-MZ", "pt-PT"),
        ("zh", "zh-CN"),
        ("zh-Hant-TW", "zh-CN"),
        ("cmn", "zh-CN"),
        ("ja-JP", "ja-JP"),
        ("ar", "ar"),
        ("ar-EG", "ar"),
        ("it", "en-US"),
        ("e", "en-US"),
        ("eng", "en-US"),
        ("", "en-US"),
        ("-", "en-US"),
    ] {
        assert_eq!(Voice::of(asked).locale(), locale, "{asked}");
        let falls_back = locale == "en-US" && !asked.to_lowercase().starts_with("en-") && asked != "en";
        assert_eq!(Voice::speaks(asked), !falls_back, "{asked}");
    }
    for (asked, twilio, vonage) in [("zh", "cmn-CN", "cmn-CN"), ("ar-SA", "arb", "ar"), ("de", "de-DE", "de-DE")] {
        let voice = Voice::of(asked);
        assert_eq!([voice.twilio_language(), voice.vonage_language()], [twilio, vonage]);
    }
}

#[test]
fn xml_is_escaped_and_what_it_cannot_hold_is_left_out() {
    assert_eq!(escape_xml("A&B <c> \"d\" 'e'\t\u{7}\u{ffff}é"), "A&amp;B &lt;c&gt; &quot;d&quot; &apos;e&apos; é");
}

proptest! {
    #[test]
    fn no_tag_panics(locale in "\\PC{0,40}") {
        Voice::of(&locale).locale();
    }
}
