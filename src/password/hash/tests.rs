use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::password::recipe::work;

const OWNER: &str = "usr_01M83WM7ZA000G40R40M30E209";

struct Counting;

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::try_from(at % 256).expect("a byte");
        }
    }
}

fn ring(current: &str, ids: &[&str]) -> KeyRing {
    let all = json!({
        "k1": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "k2": "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
    });
    let keys: serde_json::Map<_, _> = ids.iter().map(|id| ((*id).to_owned(), all[*id].clone())).collect();
    let object = json!({"current": current, "keys": keys});
    KeyRing::parse(&object.as_object().expect("an object").clone().into_iter().collect::<BTreeMap<_, _>>())
        .expect("a ring")
}

fn password(text: &str) -> Password {
    Password::parse(text).expect("a password")
}

fn made(text: &str) -> PasswordHash {
    PasswordHash::make(&password(text), OWNER, &ring("k1", &["k1"]), &Counting).expect("a hash")
}

#[test]
fn password_format_unchanged() {
    // Calculated by another program (argon2-cffi over the reference library; HKDF and HMAC of Python's hashlib):
    // a change locks every person out of every deployment.
    assert_eq!(
        made("correct horse battery staple").to_text(),
        "hmac-sha256:k1$argon2id$v=19$m=19456,t=2,p=1,l=32$AAECAwQFBgcICQoLDA0ODw$\
         EaHu7Ly0l6P5CnwDnjbSivw6rHIYxpxa4MFGwiiAIbg"
    );
}

#[test]
fn the_password_is_right_and_no_other() {
    let hash = PasswordHash::parse(&made("Grüße aus Köln").to_text()).expect("a hash");
    let ring = ring("k1", &["k1"]);
    let verdict = |text, owner| hash.verify(&password(text), owner, &ring).expect("a verdict");
    assert_eq!(verdict("Grüße aus Köln", OWNER), Verdict::Right { rehash: false });
    assert_eq!(verdict("Gru\u{308}ße aus Ko\u{308}ln", OWNER), Verdict::Right { rehash: false }, "decomposed");
    for wrong in ["grüße aus köln", "Grüße aus Köl", "Grüße aus Köln ", ""] {
        assert_eq!(verdict(wrong, OWNER), Verdict::Wrong, "{wrong}");
    }
    assert_eq!(verdict("Grüße aus Köln", "usr_01M83WM7ZA000G40R40M30E20A"), Verdict::Wrong, "another's hash");
}

#[test]
fn the_whole_password_counts() {
    let long = "x".repeat(255);
    let hash = made(&format!("{long}a"));
    let ring = ring("k1", &["k1"]);
    assert_eq!(hash.verify(&password(&format!("{long}b")), OWNER, &ring), Ok(Verdict::Wrong));
}

#[test]
fn a_rotated_pepper_verifies_and_asks_for_a_new_hash() {
    let hash = made("correct horse battery staple");
    let verify = |ring: &KeyRing| hash.verify(&password("correct horse battery staple"), OWNER, ring);
    assert_eq!(verify(&ring("k2", &["k1", "k2"])), Ok(Verdict::Right { rehash: true }));
    assert_eq!(verify(&ring("k2", &["k2"])), Err(HashError::KeyMissing("k1".to_owned())));
    let wrong = hash.verify(&password("another"), OWNER, &ring("k2", &["k1", "k2"]));
    assert_eq!(wrong, Ok(Verdict::Wrong));
}

#[test]
fn the_pepper_is_needed() {
    // The same key id with another key: the database alone does not do.
    let hash = made("correct horse battery staple").to_text().replace(":k1$", ":k2$");
    let hash = PasswordHash::parse(&hash).expect("a hash");
    let verdict = hash.verify(&password("correct horse battery staple"), OWNER, &ring("k2", &["k1", "k2"]));
    assert_eq!(verdict, Ok(Verdict::Wrong));
}

#[test]
fn older_costs_verify_and_ask_for_a_new_hash() {
    let ring = ring("k1", &["k1"]);
    // The same password with fewer passes, as an older release might have made it; imported, and so stored.
    let text = "$argon2id$v=19$m=512,t=3,p=1$c2FsdHNhbHQxMjM0NTY3OA$n9T88rhOPvLbFFhAIUwA6YHxh2NvvOVpMyHE2U4rDLQ";
    let hash = PasswordHash::import(text, OWNER, &ring).expect("a known form").expect("a hash");
    let stored = hash.to_text();
    assert!(stored.starts_with("hmac-sha256:k1$argon2id$v=19$m=512,t=3,p=1,l=32$"), "{stored}");
    assert!(!stored.contains("n9T88rhOPvLbFFhAIUwA6YHxh2NvvOVpMyHE2U4rDLQ"), "the other system's hash is not kept");
    let hash = PasswordHash::parse(&stored).expect("a hash");
    assert_eq!(hash.verify(&password("Grüße, 12 Öre!"), OWNER, &ring), Ok(Verdict::Right { rehash: true }));
}

#[test]
fn what_was_typed_is_what_another_system_hashed() {
    // Calculated with Python's hashlib over the decomposed and the composed text.
    let ring = ring("k1", &["k1"]);
    for (text, matches_composed) in [
        ("pbkdf2:sha256:1000$saltsalt$b978aec857a8fa15434aa1c74b3196e9d617148c0443148d2e7aedf6c85eb17d", false),
        ("pbkdf2:sha256:1000$saltsalt$215cd97f834e5d988f0466281a54a88c34ceca28942ec21d7b0223a2f1614805", true),
    ] {
        let hash = PasswordHash::import(text, OWNER, &ring).expect("a known form").expect("a hash");
        let verdict = |typed| hash.verify(&password(typed), OWNER, &ring).expect("a verdict");
        let right = Verdict::Right { rehash: true };
        // Typed decomposed, either hash fits: as typed, or as the other system may have normalised it.
        assert_eq!(verdict("cafe\u{301} con leche"), right);
        // Typed composed, the hash of the decomposed text is out of reach.
        assert_eq!(verdict("caf\u{e9} con leche") == right, matches_composed);
    }
}

#[test]
fn nothing_is_never_right() {
    assert_eq!(verify_alike(None, None, &password("anything"), OWNER, &ring("k1", &["k1"])), Ok(Verdict::Wrong));
}

/// What verifying a wrong password took, by what is kept.
fn work(kept: Option<&PasswordHash>, imports: Option<&str>, typed: &str) -> Vec<String> {
    let imports = imports.map(|text| Imports::parse(text).expect("imports"));
    work::taken();
    let ring = ring("k1", &["k1"]);
    assert_eq!(verify_alike(kept, imports.as_ref(), &password(typed), OWNER, &ring), Ok(Verdict::Wrong));
    work::taken()
}

#[test]
fn the_work_is_the_same_for_ours_for_imported_and_for_nothing() {
    let ours = made("correct horse battery staple");
    let imported = |text| PasswordHash::import(text, OWNER, &ring("k1", &["k1"])).expect("a form").expect("a hash");
    let bcrypt = imported("$2b$04$abcdefghijklmnopqrstuuR2cOz.8zbp8ywm1bYR1RZ8ndidSYhA6");
    let pbkdf2 =
        imported("pbkdf2:sha256:1000$saltsalt$b978aec857a8fa15434aa1c74b3196e9d617148c0443148d2e7aedf6c85eb17d");
    // Decomposed too, which other systems may have hashed as it was typed.
    for typed in ["wrong", "cafe\u{301} wrong"] {
        for (imports, imported) in [("bcrypt:4", &bcrypt), ("pbkdf2-sha256:1000", &pbkdf2)] {
            let nothing = work(None, Some(imports), typed);
            assert_eq!(nothing.len(), if typed == "wrong" { 2 } else { 3 }, "{nothing:?}");
            assert_eq!(work(Some(&ours), Some(imports), typed), nothing);
            assert_eq!(work(Some(imported), Some(imports), typed), nothing);
        }
        // Nobody says how imports were made: they take what they take.
        assert_eq!(work(None, None, typed), work(Some(&ours), None, typed));
        assert_ne!(work(None, None, typed), work(Some(&bcrypt), None, typed));
    }
}

#[test]
fn imports_are_named_by_algorithm_and_costs() {
    for good in ["bcrypt:12", "scrypt:14:8:1", "pbkdf2-sha256:600000", "pbkdf2:1000", "argon2id:65536:3:4"] {
        assert_eq!(Imports::parse(good).map(|imports| imports.to_text()).as_deref(), Some(good));
    }
    for bad in
        ["", "bcrypt", "bcrypt:3", "bcrypt:15", "bcrypt:12:1", "bcrypt:+9", "md5:1", "scrypt:14:8", "argon2id:1:1:1"]
    {
        assert!(Imports::parse(bad).is_none(), "{bad}");
    }
}

#[test]
fn what_is_not_ours_is_malformed() {
    let good = made("correct horse battery staple").to_text();
    assert!(PasswordHash::parse(&good).is_ok());
    let plain = good.strip_prefix("hmac-sha256:k1").expect("a prefix");
    for bad in [
        "",
        plain,
        &good.replace("hmac-sha256", "hmac-sha1"),
        &good.replace("argon2id", "argon2d"),
        &good.replace("v=19", "v=18"),
        &good.replace("m=19456", "m=1945600"),
        &good.replace("m=19456", "m=019456"),
        &good.replace("t=2", "t=0"),
        &good.replace("l=32", "l=9"),
        &good.replace("t=2,p=1", "p=1,t=2"),
        &good.replace("$AAEC", "$$AAEC"),
        good.get(..good.len() - 1).expect("text"),
        &format!("{good}="),
    ] {
        assert!(PasswordHash::parse(bad).is_err(), "{bad}");
    }
}
