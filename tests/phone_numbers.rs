//! Phone numbers as a caller meets them: what is read, what is refused and why, what is shown.
//! `phone_oracle.rs` holds the same module against libphonenumber, number by number.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs
)]

use postern::phone::{
    CallingCode, Country, MAX_TYPED_CHARS, NumberKind, PhoneError, PhoneNumber, Validation, is_e164_form,
    is_test_number,
};
use proptest::prelude::*;

fn parse(typed: &str, home: &str) -> Result<String, PhoneError> {
    let home = CallingCode::parse(home).ok();
    PhoneNumber::parse(typed, home, Validation::Possible).map(|number| number.e164().to_owned())
}

fn valid(typed: &str) -> Result<PhoneNumber, PhoneError> {
    PhoneNumber::parse(typed, None, Validation::Valid)
}

fn stored(e164: &str) -> PhoneNumber {
    PhoneNumber::from_stored(e164).unwrap()
}

#[test]
fn what_people_type_becomes_e164() {
    let cases = [
        ("+1 (415) 555-2671", "", "+14155552671"),
        ("  +1.415.555.2671 ", "", "+14155552671"),
        ("(+1) 415/555/2671", "", "+14155552671"),
        ("0041 44 668 18 00", "", "+41446681800"),
        ("tel:+1-415-555-2671", "", "+14155552671"),
        ("TEL:+1-415-555-2671", "", "+14155552671"),
        ("＋１　（４１５）　５５５－２６７１", "", "+14155552671"),
        ("+٤٤ ٢٠ ٧٩٤٦ ٠٠١٨", "", "+442079460018"),
        ("+۹۸ ۹۱۲ ۳۴۵ ۶۷۸۹", "", "+989123456789"),
        ("+९१ ९८१२३ ४५६७८", "", "+919812345678"),
        ("+1\u{2011}415\u{2013}555\u{2212}2671", "", "+14155552671"),
        ("\u{202a}+1\u{a0}415\u{202f}555\u{2009}2671\u{202c}", "", "+14155552671"),
        ("\u{2066}+44 20 7946 0018\u{2069}\u{200e}", "", "+442079460018"),
        ("(415) 555-2671", "+1", "+14155552671"),
        ("1 415 555 2671", "+1", "+14155552671"),
        ("4155552671", "1", "+14155552671"),
        ("011 44 20 7946 0018", "+1", "+442079460018"),
        ("020 7946 0018", "+44", "+442079460018"),
        ("44 20 7946 0018", "+44", "+442079460018"),
        ("00 1 415 555 2671", "+44", "+14155552671"),
        ("+44 (0)20 7946 0018", "+1", "+442079460018"),
        ("0044 (0) 20 7946 0018", "+44", "+442079460018"),
        ("06 6982 1234", "+39", "+390669821234"),
        ("+39 06 6982 1234", "", "+390669821234"),
        ("347 123 4567", "+39", "+393471234567"),
        ("8 (912) 345-67-89", "+7", "+79123456789"),
        ("8~10 44 20 7946 0018", "+7", "+442079460018"),
        ("044 668 18 00", "+41", "+41446681800"),
        ("06 20 123 4567", "+36", "+36201234567"),
        // The Argentine 15 after the area code is a 9 before it from abroad.
        ("011 15-2345-6789", "+54", "+5491123456789"),
        // Brazil: a carrier's code after the zero.
        ("0 15 11 96123-4567", "+55", "+5511961234567"),
        ("0011 44 20 7946 0018", "+61", "+442079460018"),
    ];
    for (typed, home, e164) in cases {
        assert_eq!(parse(typed, home).as_deref(), Ok(e164), "{typed} at {home}");
    }
}

#[test]
fn a_double_zero_is_read_as_a_plus_where_the_home_country_dials_otherwise() {
    assert_eq!(parse("0041 44 668 18 00", "+1").as_deref(), Ok("+41446681800"));
    // In Japan 00 leads numbers of its own, so these stay Japanese.
    assert_eq!(parse("00777-012", "+81").as_deref(), Ok("+8100777012"));
}

#[test]
fn each_fault_has_its_own_reason() {
    use PhoneError as E;
    let cases = [
        ("", "", E::Empty),
        (" - ", "", E::Empty),
        ("+", "", E::Empty),
        ("tel:", "", E::Empty),
        ("+1 415 555 2671 +1 415 555 2672 +1 415 555", "", E::TooManyCharacters),
        ("1-800-FLOWERS", "+1", E::Letters),
        ("call me", "", E::Letters),
        ("+1 415 555 2671 ext. 12", "", E::Extension),
        ("+1 415 555 2671 x12", "", E::Extension),
        ("+1 415 555 2671#12", "", E::Extension),
        ("+1 415 555 2671,,12", "", E::Extension),
        ("tel:+1-415-555-2671;ext=12", "", E::Extension),
        ("+1 415 555 2671*", "", E::UnexpectedCharacter),
        ("+1 415 555 2671\0", "", E::UnexpectedCharacter),
        ("+1 415 555 26_71", "", E::UnexpectedCharacter),
        ("+1 415 555 \u{1f4de}", "", E::UnexpectedCharacter),
        ("++1 415 555 2671", "", E::PlusSign),
        ("1+415 555 2671", "", E::PlusSign),
        ("+1 415 555 2671+", "", E::PlusSign),
        ("415 555 2671", "", E::NoCallingCode),
        ("+999 415 555 2671", "", E::UnknownCallingCode),
        ("+0 415 555 2671", "+1", E::UnknownCallingCode),
        ("00 999 1234567", "", E::UnknownCallingCode),
        ("+1 415 555 267", "", E::TooShort),
        ("555-2671", "+1", E::TooShort),
        ("+1", "", E::TooShort),
        ("+44", "", E::TooShort),
        ("+1 415 555 26711", "", E::TooLong),
        ("+44 7911 1234567", "", E::TooLong),
        // 7, 9 and 10 digits exist in the United Kingdom; 8 are a local number.
        ("+44 7946 0018", "", E::WrongLength),
        // A British mobile number with a digit missing: no number of 9 digits begins with 7.
        ("+44 7911 12345", "", E::ImpossibleStart),
        ("+44 4911 123456", "", E::ImpossibleStart),
        ("+1 123 555 2671", "", E::ImpossibleStart),
        ("+1 023 555 2671", "", E::ImpossibleStart),
        ("+1 415 055 2671", "", E::ImpossibleStart),
        ("+1 415 155 2671", "", E::ImpossibleStart),
        ("+1 900 234 5678", "", E::PremiumRate),
        ("+44 909 879 0123", "", E::PremiumRate),
        ("+979 123 456 789", "", E::PremiumRate),
        ("+49 180 12345", "", E::SharedCost),
        ("+808 1234 5678", "", E::SharedCost),
        ("+44 76 4012 3456", "", E::Pager),
        ("+870 301 234 567", "", E::Satellite),
        ("+870 201 234 567", "", E::Satellite),
        ("+881 6 1234 5678", "", E::Satellite),
        ("+882 16 1234 5678", "", E::Satellite),
        ("+882 13 001234", "", E::Satellite),
    ];
    for (typed, home, error) in cases {
        assert_eq!(parse(typed, home), Err(error), "{typed} at {home}");
    }
}

#[test]
fn both_settings_refuse_numbers_that_cost() {
    for typed in ["+19002345678", "+4918012345", "+447640123456", "+881612345678"] {
        let possible = PhoneNumber::parse(typed, None, Validation::Possible);
        assert!(possible.is_err());
        assert_eq!(possible, valid(typed), "{typed}");
    }
}

#[test]
fn a_number_that_only_looks_unassigned_is_possible_but_not_valid() {
    for typed in ["+1 999 555 2671", "+44 7700 900123", "+49 16 1234 5678"] {
        let number = PhoneNumber::parse(typed, None, Validation::default()).unwrap();
        assert_eq!(number.kind(), NumberKind::Unknown, "{typed}");
        assert_eq!(valid(typed), Err(PhoneError::NotAssigned), "{typed}");
    }
    assert!(valid("+1 415 555 2671").is_ok());
}

#[test]
fn numbers_that_do_not_fit_e164_are_refused_though_a_plan_has_them() {
    // Vienna has numbers of four digits, Japan freephone numbers of up to seventeen.
    assert_eq!(parse("+43 1234", ""), Err(PhoneError::TooShort));
    assert_eq!(parse("+81 00371234567890123", ""), Err(PhoneError::TooLong));
    assert_eq!(parse("+49 301 234567890123", ""), Err(PhoneError::TooLong));
}

#[test]
fn a_mask_leaves_the_calling_code_and_at_most_the_last_four_digits() {
    let cases = [
        ("+14155552671", "+1••••••2671"),
        ("+442079460018", "+44••••••0018"),
        ("+41446681800", "+41•••••1800"),
        ("+4740612345", "+47••••2345"),
        ("+5997151234", "+599••••234"),
        ("+29022158", "+290•••58"),
        ("+2908999", "+290••99"),
        ("+9991234567", "+••••••4567"),
    ];
    for (e164, masked) in cases {
        let number = stored(e164);
        assert_eq!(number.masked(), masked);
        assert_eq!(format!("{number:?}"), format!("PhoneNumber({masked})"));
    }
}

#[test]
fn the_numbers_for_trials_pass_before_any_look_up() {
    for last in 0..100 {
        let e164 = format!("+155555501{last:02}");
        assert!(is_test_number(&e164));
        let number = PhoneNumber::parse(&e164, None, Validation::Valid).unwrap();
        assert!(number.is_test());
        assert_eq!(number.e164(), e164);
    }
    let home = CallingCode::parse("+1").ok();
    assert!(PhoneNumber::parse("(555) 555-0142", home, Validation::Valid).unwrap().is_test());
    for other in ["+15555550099", "+15555550200", "+1555555010", "+155555501000", "15555550100"] {
        assert!(!is_test_number(other), "{other}");
    }
    assert_eq!(valid("+1 555 555 0200"), Err(PhoneError::NotAssigned));
}

#[test]
fn stored_numbers_are_checked_by_form_only() {
    for good in ["+16471231234", "+447700900100", "+15555550100", "+1234567", "+999123456789012"] {
        assert!(is_e164_form(good), "{good}");
        assert_eq!(stored(good).e164(), good);
    }
    for bad in [
        "",
        "+",
        "16471231234",
        "+0471231234",
        "+123456",
        "+1234567890123456",
        "+1647123123a",
        "+1 647 123 1234",
        "+1647123１234",
        "++16471231234",
    ] {
        assert!(!is_e164_form(bad), "{bad}");
        assert_eq!(PhoneNumber::from_stored(bad), Err(PhoneError::NotE164), "{bad}");
    }
    let unknown = stored("+99912345678");
    assert_eq!((unknown.calling_code(), unknown.country()), (0, Country::UNKNOWN));
}

#[test]
fn no_reason_or_sentence_is_shared() {
    use PhoneError as E;
    let all = [
        E::Empty,
        E::TooManyCharacters,
        E::Letters,
        E::Extension,
        E::UnexpectedCharacter,
        E::PlusSign,
        E::NoCallingCode,
        E::UnknownCallingCode,
        E::TooShort,
        E::TooLong,
        E::WrongLength,
        E::ImpossibleStart,
        E::NotAssigned,
        E::PremiumRate,
        E::SharedCost,
        E::Pager,
        E::Satellite,
        E::NotE164,
    ];
    let distinct = |texts: Vec<String>| texts.iter().collect::<std::collections::HashSet<_>>().len() == all.len();
    assert!(distinct(all.iter().map(|it| it.reason().to_owned()).collect()));
    assert!(distinct(all.iter().map(PhoneError::detail).collect()));
    assert!(E::TooManyCharacters.detail().contains(&MAX_TYPED_CHARS.to_string()));
}

/// Text that is mostly made of what occurs in phone numbers.
fn near_numbers() -> impl Strategy<Value = String> {
    "[+＋]{0,2}[0-9 ().x٠-٩０-９\u{2010}\u{200e}-]{0,45}".prop_map(|text| text)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn no_text_makes_it_panic(typed in any::<String>(), home in 1_u16..1000) {
        let home = CallingCode::parse(&home.to_string()).ok();
        let _ = PhoneNumber::parse(&typed, home, Validation::Valid);
        let _ = PhoneNumber::from_stored(&typed);
        let _ = (CallingCode::parse(&typed), Country::parse(&typed), is_test_number(&typed));
    }

    #[test]
    fn what_is_read_is_e164_and_reads_back_the_same(typed in near_numbers(), home in 1_u16..1000) {
        let home = CallingCode::parse(&home.to_string()).ok();
        if let Ok(number) = PhoneNumber::parse(&typed, home, Validation::Possible) {
            prop_assert!(is_e164_form(number.e164()));
            prop_assert_ne!(number.calling_code(), 0);
            let again = PhoneNumber::from_stored(number.e164());
            prop_assert_eq!(again, Ok(number.clone()));
            let masked = number.masked();
            prop_assert_eq!(masked.chars().count(), number.e164().len());
            prop_assert!(masked.chars().filter(|&it| it == '•').count() >= 2);
        }
    }

    #[test]
    fn valid_numbers_are_possible(digits in "[1-9][0-9]{5,15}") {
        let typed = format!("+{digits}");
        if PhoneNumber::parse(&typed, None, Validation::Valid).is_ok() {
            prop_assert!(PhoneNumber::parse(&typed, None, Validation::Possible).is_ok());
        }
    }
}
