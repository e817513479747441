//! What the table of numbering plans tells: countries, kinds, calling codes; and how big it is.
//! The numbers are fixed by hand here; `phone_oracle.rs` compares very many with libphonenumber.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs
)]

use std::io::Write;

use postern::phone::{
    CallingCode, Country, NumberKind, PhoneError, PhoneNumber, countries_of, is_known_country, metadata_release,
};

fn stored(e164: &str) -> PhoneNumber {
    PhoneNumber::from_stored(e164).unwrap()
}

#[test]
fn a_shared_calling_code_is_told_apart_by_its_numbers() {
    let cases = [
        ("+14155552671", "US"),
        ("+16042345678", "CA"),
        ("+12684641234", "AG"),
        ("+12642351234", "AI"),
        ("+16847331234", "AS"),
        ("+12462501234", "BB"),
        ("+14413701234", "BM"),
        ("+12423591234", "BS"),
        ("+17672251234", "DM"),
        ("+18092345678", "DO"),
        ("+14734031234", "GD"),
        ("+16713001234", "GU"),
        ("+18762101234", "JM"),
        ("+16582101234", "JM"),
        ("+18697652917", "KN"),
        ("+13453231234", "KY"),
        ("+17582845678", "LC"),
        ("+16702345678", "MP"),
        ("+16644923456", "MS"),
        ("+17872345678", "PR"),
        ("+17215205678", "SX"),
        ("+16492311234", "TC"),
        ("+18682911234", "TT"),
        ("+17844301234", "VC"),
        ("+12843001234", "VG"),
        ("+13406421234", "VI"),
        ("+442079460018", "GB"),
        ("+447781123456", "GG"),
        ("+447797712345", "JE"),
        ("+447624123456", "IM"),
        ("+441624756789", "IM"),
        ("+79123456789", "RU"),
        ("+77710009998", "KZ"),
        ("+390612345678", "IT"),
        ("+390669812345", "VA"),
        ("+4740612345", "NO"),
        ("+4779123456", "SJ"),
        ("+61212345678", "AU"),
        ("+61891621234", "CC"),
        ("+61891641234", "CX"),
        ("+212520123456", "MA"),
        // libphonenumber tells Western Sahara from Morocco by no number, nor the French part of
        // Saint Martin from Saint Barthélemy.
        ("+212528812345", "MA"),
        ("+262262161234", "RE"),
        ("+262269601234", "YT"),
        ("+29022158", "SH"),
        ("+2908999", "TA"),
        ("+358131234567", "FI"),
        ("+358181234567", "AX"),
        ("+590590201234", "GP"),
        ("+590590271234", "BL"),
        ("+59994351234", "CW"),
        ("+5997151234", "BQ"),
        ("+41446681800", "CH"),
        ("+80012345678", "001"),
        // In no range: by the leading digits, or else the main country.
        ("+12680000000", "AG"),
        ("+77000000000", "KZ"),
        ("+19995552671", "US"),
        ("+447700900123", "GB"),
        ("+15555550100", "US"),
    ];
    for (e164, country) in cases {
        assert_eq!(stored(e164).country().as_str(), country, "{e164}");
    }
}

#[test]
fn kinds_are_told() {
    let cases = [
        ("+14155552671", NumberKind::FixedLineOrMobile),
        ("+447911123456", NumberKind::Mobile),
        ("+442079460018", NumberKind::FixedLine),
        ("+18002345678", NumberKind::TollFree),
        ("+19002345678", NumberKind::PremiumRate),
        ("+4918012345", NumberKind::SharedCost),
        ("+445612345678", NumberKind::Voip),
        ("+447012345678", NumberKind::PersonalNumber),
        ("+447640123456", NumberKind::Pager),
        ("+445512345678", NumberKind::Uan),
        ("+41860123456789", NumberKind::Voicemail),
        ("+870301234567", NumberKind::Satellite),
        ("+8823421234", NumberKind::Mobile),
        ("+883510012345", NumberKind::Voip),
        ("+19995552671", NumberKind::Unknown),
        ("+99912345678", NumberKind::Unknown),
    ];
    for (e164, kind) in cases {
        assert_eq!(stored(e164).kind(), kind, "{e164}");
    }
}

#[test]
fn calling_codes_are_read_and_their_countries_listed() {
    let countries = |code| countries_of(code).map(|it| it.to_string()).collect::<Vec<_>>();
    for (text, code) in [("+1", 1), ("1", 1), ("+44", 44), (" 998 ", 998), ("+800", 800)] {
        assert_eq!(CallingCode::parse(text).map(CallingCode::get), Ok(code), "{text}");
    }
    for bad in ["", "+", "0", "+0", "001", "+01", "+4", "+999", "+1268", "++1", "1a", "٤٤"] {
        assert_eq!(CallingCode::parse(bad), Err(PhoneError::UnknownCallingCode), "{bad}");
    }
    assert_eq!(CallingCode::parse("44").unwrap().to_string(), "+44");
    assert_eq!(countries(44), ["GB", "GG", "IM", "JE"]);
    assert_eq!(countries(1).len(), 25);
    assert_eq!(countries(1).first().map(String::as_str), Some("US"));
    assert_eq!(countries(800), ["001"]);
    assert!(countries(999).is_empty());
}

#[test]
fn countries_with_numbers_are_known() {
    for known in ["US", "us", "GB", "XK", "AX"] {
        assert!(is_known_country(known), "{known}");
    }
    for unknown in ["", "U", "USA", "ZZ", "AQ", "00", "001", "U1", "É"] {
        assert!(!is_known_country(unknown), "{unknown}");
    }
    assert_eq!(Country::parse("ch").unwrap().as_str(), "CH");
}

#[test]
fn the_table_is_small_and_names_its_source() {
    let table = include_bytes!("../src/phone/table.bin");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(table).unwrap();
    let size = packed.finish().unwrap().len();
    assert!(size <= 60 * 1024, "{size} bytes after gzip");
    assert_eq!(metadata_release(), "9.0.42");
}
