//! Holds the phone number module against libphonenumber, by a Rust port with the same metadata.
//! Numbers are the metadata's examples, near misses of them, and sweeps of every calling code.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs
)]
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]

use postern::phone::{CallingCode, NumberKind, PhoneError, PhoneNumber, Validation, countries_of, is_e164_form};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, PhoneNumberType, Region};

const EXAMPLES: &str = include_str!("data/phone_examples.tsv");

/// The examples: number, country, type.
fn examples() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    EXAMPLES.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut parts = line.split('\t');
        let mut part = || parts.next().expect("three columns");
        (part(), part(), part())
    })
}

/// Calling codes in use, each with the oracle's main region.
fn calling_codes() -> Vec<(u16, Region)> {
    (1..1000)
        .filter_map(|code| {
            let main = countries_of(code).next()?;
            Some((code, Region::from_code(main.as_str()).unwrap()))
        })
        .collect()
}

/// The oracle's number of a calling code and national digits, nothing stripped.
fn number(code: u16, national: &str) -> rlibphonenumber::PhoneNumber {
    let digits = national.trim_start_matches('0');
    let zeros = (national.len() - digits.len()).min(national.len() - 1);
    rlibphonenumber::PhoneNumber {
        country_code: i32::from(code),
        national_number: digits.parse().unwrap_or(0),
        italian_leading_zero: (zeros > 0).then_some(true),
        number_of_leading_zeros: (zeros > 1).then_some(zeros as i32),
        ..Default::default()
    }
}

/// The kind the oracle's type stands for, satellite numbers aside.
fn kind(type_: PhoneNumberType) -> NumberKind {
    match type_ {
        PhoneNumberType::FixedLine => NumberKind::FixedLine,
        PhoneNumberType::Mobile => NumberKind::Mobile,
        PhoneNumberType::FixedLineOrMobile => NumberKind::FixedLineOrMobile,
        PhoneNumberType::TollFree => NumberKind::TollFree,
        PhoneNumberType::PremiumRate => NumberKind::PremiumRate,
        PhoneNumberType::SharedCost => NumberKind::SharedCost,
        PhoneNumberType::VoIP => NumberKind::Voip,
        PhoneNumberType::PersonalNumber => NumberKind::PersonalNumber,
        PhoneNumberType::Pager => NumberKind::Pager,
        PhoneNumberType::UAN => NumberKind::Uan,
        PhoneNumberType::VoiceMail => NumberKind::Voicemail,
        PhoneNumberType::Unknown => NumberKind::Unknown,
    }
}

/// The reason why a number that the oracle finds valid is refused all the same.
fn refusal(number: &PhoneNumber) -> Option<PhoneError> {
    match number.kind() {
        // Canada's 310 numbers have seven digits and cannot be dialled from anywhere else.
        NumberKind::Uan if number.calling_code() == 1 && number.e164().len() == 9 => Some(PhoneError::TooShort),
        // The Dominican Republic has toll-free numbers whose exchange begins with 0 or 1; such
        // cannot be dialled within the North American plan, so they too are its own.
        NumberKind::TollFree if number.country().as_str() == "DO" && matches!(&number.e164()[5..6], "0" | "1") => {
            Some(PhoneError::ImpossibleStart)
        }
        NumberKind::PremiumRate => Some(PhoneError::PremiumRate),
        NumberKind::SharedCost => Some(PhoneError::SharedCost),
        NumberKind::Pager => Some(PhoneError::Pager),
        NumberKind::Satellite => Some(PhoneError::Satellite),
        _ => None,
    }
}

/// A small generator of numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + self.roll(10) as u8)).collect()
    }
}

/// National digits to try for every calling code: each beginning of three digits at a random
/// length, and the examples with some of their last digits changed, lost or added.
fn trials() -> Vec<(u16, String)> {
    let mut dice = Dice(20_260_101);
    let mut trials = Vec::new();
    for (code, _) in calling_codes() {
        for start in 0..1000 {
            let more = dice.roll(12);
            trials.push((code, format!("{start:03}{}", dice.digits(more))));
        }
    }
    for (e164, _, _) in examples() {
        let code = PhoneNumber::from_stored(e164).map_or(0, |it| it.calling_code());
        if code == 0 {
            continue;
        }
        let national = &e164[1 + code.to_string().len()..];
        trials.push((code, national.to_owned()));
        for _ in 0..150 {
            let kept = dice.roll(national.len());
            let count = match dice.roll(8) {
                0 => national.len() - kept + 1,
                1 => national.len() - kept - 1,
                _ => national.len() - kept,
            };
            let trial = format!("{}{}", &national[..kept], dice.digits(count));
            if trial.len() > 1 {
                trials.push((code, trial));
            }
        }
    }
    trials
}

#[test]
fn type_region_and_validity_agree_for_every_calling_code() {
    let trials = trials();
    assert!(trials.len() > 300_000, "{}", trials.len());
    let mut valid = 0;
    for (code, national) in trials {
        let e164 = format!("+{code}{national}");
        let Ok(ours) = PhoneNumber::from_stored(&e164) else {
            assert!(!is_e164_form(&e164));
            continue;
        };
        let theirs = number(code, &national);
        if ours.kind() != NumberKind::Satellite {
            assert_eq!(ours.kind(), kind(theirs.get_type()), "{e164}");
        }
        match theirs.get_region_code() {
            Some(region) => assert_eq!(ours.country().as_str(), &*region.as_region_str(), "{e164}"),
            None => assert_eq!(Some(ours.country()), countries_of(code).next(), "{e164}"),
        }
        valid += usize::from(theirs.is_valid());
    }
    // Were nearly all trials in no range, the agreement would say little.
    assert!(valid > 100_000, "{valid}");
}

/// What the oracle would have a typed number be under `Validation::Valid`.
fn expected(typed: &str, home: Option<Region>) -> Result<String, Option<PhoneError>> {
    let theirs = PHONE_NUMBER_UTIL.parse(typed, home).map_err(|_| None)?;
    let e164 = theirs.format_as(PhoneNumberFormat::E164).into_owned();
    if !theirs.is_valid() || !is_e164_form(&e164) {
        return Err(None);
    }
    let refusal = PhoneNumber::from_stored(&e164).ok().as_ref().and_then(refusal);
    refusal.map_or(Ok(e164), |refusal| Err(Some(refusal)))
}

#[test]
fn typed_numbers_are_read_as_libphonenumber_reads_them() {
    let mut read = 0;
    let regions: std::collections::HashMap<u16, Region> = calling_codes().into_iter().collect();
    let mut dice = Dice(7);
    for (code, national) in trials() {
        let home = CallingCode::parse(&code.to_string()).ok();
        let region = regions[&code];
        let lead = ["", "0", "1", "8", "00", "011", "06", "15", "0015"][dice.roll(9)];
        let mut texts = vec![(format!("+{code}{lead}{national}"), None)];
        if region != Region::World {
            texts.push((format!("{lead}{national}"), home));
            texts.push((format!("{code}{lead}{national}"), home));
        }
        for (typed, home) in texts {
            let ours = PhoneNumber::parse(&typed, home, Validation::Valid);
            let ours = ours.map(|number| number.e164().to_owned());
            match expected(&typed, home.map(|_| region)) {
                Ok(e164) => {
                    assert_eq!(ours, Ok(e164), "{typed} at {region}");
                    read += 1;
                }
                Err(Some(refusal)) => assert_eq!(ours, Err(refusal), "{typed} at {region}"),
                // 00 is read as a plus sign where the oracle finds no number, on purpose.
                Err(None) if home.is_some() && typed.starts_with("00") => {}
                Err(None) => assert!(ours.is_err(), "{typed} at {region}: {ours:?}"),
            }
        }
    }
    assert!(read > 80_000, "{read}");
}

#[test]
fn every_example_has_its_country_and_type() {
    let mut count = 0;
    for (e164, country, type_) in examples() {
        if !is_e164_form(e164) {
            continue;
        }
        let number = PhoneNumber::from_stored(e164).unwrap();
        let kinds: &[NumberKind] = match type_ {
            "premium_rate" => &[NumberKind::PremiumRate],
            "toll_free" => &[NumberKind::TollFree],
            "shared_cost" => &[NumberKind::SharedCost],
            "voip" => &[NumberKind::Voip, NumberKind::Satellite],
            "personal_number" => &[NumberKind::PersonalNumber],
            "pager" => &[NumberKind::Pager],
            "uan" => &[NumberKind::Uan],
            "voicemail" => &[NumberKind::Voicemail],
            "fixed_line" => &[NumberKind::FixedLine, NumberKind::FixedLineOrMobile],
            "mobile" => &[NumberKind::Mobile, NumberKind::FixedLineOrMobile, NumberKind::Satellite],
            other => panic!("no type is called {other}"),
        };
        assert!(kinds.contains(&number.kind()), "{e164}: {type_}, not {:?}", number.kind());
        // The same as the oracle's, not only one that fits the list.
        if number.kind() != NumberKind::Satellite {
            let theirs = self::number(number.calling_code(), &e164[1 + number.calling_code().to_string().len()..]);
            assert_eq!(number.kind(), kind(theirs.get_type()), "{e164}");
        }
        let parsed = PhoneNumber::parse(e164, None, Validation::Valid);
        match refusal(&number) {
            Some(refusal) => assert_eq!(parsed, Err(refusal), "{e164}"),
            None => assert_eq!(parsed, Ok(number.clone()), "{e164}"),
        }
        // Where countries share a range, the number counts as the first one's.
        let countries: Vec<_> = countries_of(number.calling_code()).collect();
        let place = |country: &str| countries.iter().position(|it| it.as_str() == country);
        assert!(place(number.country().as_str()) <= place(country), "{e164}");
        count += 1;
    }
    assert!(count > 1100, "{count}");
}

#[test]
fn examples_written_as_at_home_and_as_abroad_read_back_the_same() {
    for (e164, _, _) in examples() {
        if !is_e164_form(e164) {
            continue;
        }
        let stored = PhoneNumber::from_stored(e164).unwrap();
        let code = stored.calling_code();
        let theirs = number(code, &e164[1 + code.to_string().len()..]);
        let home = CallingCode::parse(&code.to_string()).ok();
        let mut texts = vec![
            theirs.format_as(PhoneNumberFormat::International).into_owned(),
            theirs.format_as(PhoneNumberFormat::RFC3966).into_owned(),
        ];
        if stored.country().as_str() != "001" {
            texts.push(theirs.format_as(PhoneNumberFormat::National).into_owned());
        }
        let result = refusal(&stored).map_or(Ok(stored), Err);
        for typed in texts {
            let parsed = PhoneNumber::parse(&typed, home, Validation::Valid);
            assert_eq!(parsed, result, "{typed} for {e164}");
        }
    }
}

#[test]
fn what_passes_as_possible_is_possible_for_libphonenumber() {
    let (mut passed, mut refused) = (0, 0);
    for (code, national) in trials() {
        // libphonenumber asks only the main country of a shared code.
        if countries_of(code).count() > 1 {
            continue;
        }
        let e164 = format!("+{code}{national}");
        let Ok(ours) = PhoneNumber::parse(&e164, None, Validation::Possible) else {
            refused += 1;
            continue;
        };
        let theirs = number(code, &ours.e164()[1 + code.to_string().len()..]);
        assert!(PHONE_NUMBER_UTIL.is_possible_number(&theirs), "{e164}");
        passed += 1;
    }
    assert!(passed > 100_000 && refused > 50_000, "{passed} {refused}");
}
