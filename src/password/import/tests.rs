use super::*;

/// Hashes of one password by other programs: Python's bcrypt, argon2-cffi, hashlib, passlib and crypt(3).
const PASSWORD: &str = "Grüße, 12 Öre!";
const HASHES: [&str; 17] = [
    "$2b$04$abcdefghijklmnopqrstuuR2cOz.8zbp8ywm1bYR1RZ8ndidSYhA6",
    "$2a$04$abcdefghijklmnopqrstuuR2cOz.8zbp8ywm1bYR1RZ8ndidSYhA6",
    "$2y$04$abcdefghijklmnopqrstuuR2cOz.8zbp8ywm1bYR1RZ8ndidSYhA6",
    "$scrypt$ln=8,r=8,p=1$c2FsdHNhbHRzYWx0MTIzNA$YBHjfXQ/oWiVgur7L0ORkn8n7wGDOFkgTWIGw6dWGFc",
    "$7$66..../....saltsaltsalt1234$U3lsxFrDVWKZ0eyyjAIYGyr7j5kUsY36B7a/1TeJMQ3",
    "$7$8/..../....SodiumChloride$dQohqSI/e5TjLrRKNyuQZa5G6L3jZPsDzKpXPYV5Aa9",
    "$s0$a0801$c2FsdHNhbHQxMjM0NTY3OA==$tVW/8jXqbTG2BB4O7AVKt1KDubVA6XNxnKIKqrCHw08=",
    "scrypt:1024:8:1$saltsalt$94c34ae8fbc70811e6a013fd35a577e0e3f813697d1f682f41f82760100991e309865d3a35c6c2de0fee697f453bf11193b2b7aed0fa5220dedae91bdc396d0d",
    "scrypt$1024$saltsalt$8$5$tBMvdN21agbjEuhCSaGdt1Pax7i3ZVaJQPEaPCmGCtrjnqjklz/pEO1DaAI26/ghkwO6eCIVGHd6th6ydxKJLw==",
    "$pbkdf2-sha256$1000$//77IHNhbHRzYWx0$aNsu63gWIqbkY/WEgLzN8KIbh7rOuJO.8/0HEB/FYnM",
    "$pbkdf2-sha512$1000$//77IHNhbHRzYWx0$jssyU8yfZmU3tUJYkii6w.41kI7HaABsNrIqCu0fMoFSM10442KQ4U/6NdRMELkFOkzGHwHwNMiEGis0lQhyMg",
    "$pbkdf2$1000$//77IHNhbHRzYWx0$4ppOxJVZ/jOzL1Om9LEak8w3tg4",
    "$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHQxMjM0NTY3OA$Vs/WJGSyPwIUkmOpaE49YITxAK4xDMIV4no3ocV2M88",
    "pbkdf2_sha256$1000$saltsalt$pvoVYRAEDJgFwskzzhCLWn1unbBRxSJqwV9smP11NH8=",
    "pbkdf2:sha256:1000$saltsalt$a6fa156110040c9805c2c933ce108b5a7d6e9db051c5226ac15f6c98fd75347f",
    "$argon2i$v=19$m=1024,t=1,p=2$c2FsdHNhbHQxMjM0NTY3OA$oVj95aJuWzWcuBG7UcyUR+5j9XqTbrd5",
    "$argon2id$v=16$m=64,t=1,p=1$c2FsdHNhbHQxMjM0NTY3OA$W7N4QfAfviAHemCG+RnGdAB2Id5dUP1n1YTNol+tzhc",
];

fn output(hash: &str, password: &str) -> (Vec<u8>, Vec<u8>) {
    let (recipe, expected) = read(hash).expect(hash);
    let text = recipe.to_text();
    assert_eq!(Recipe::from_text(&text), Some(recipe.clone()), "{text} comes back as it is stored");
    (recipe.output(password).expect("memory").to_vec(), expected)
}

#[test]
fn hashes_of_other_programs_verify() {
    for hash in HASHES {
        let (output_of_it, expected) = output(hash, PASSWORD);
        assert_eq!(output_of_it, expected, "{hash}");
        let (output_of_another, expected) = output(hash, "Grüße, 12 Öre?");
        assert_ne!(output_of_another, expected, "{hash}");
    }
}

#[test]
fn bcrypt_sees_72_bytes_as_it_does_elsewhere() {
    let hash = "$2b$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i";
    for length in [72, 73, 256] {
        let (output_of_it, expected) = output(hash, &"x".repeat(length));
        assert_eq!(output_of_it, expected, "{length}");
    }
    let (output_of_another, expected) = output(hash, &"x".repeat(71));
    assert_ne!(output_of_another, expected);
    let (of_nothing, expected) = output("$2b$04$abcdefghijklmnopqrstuubyCG3zY1GIXMyxfivm.ClDiInHzxjiq", "");
    assert_eq!(of_nothing, expected);
}

#[test]
fn a_form_that_is_not_known_is_refused_at_import() {
    let long = format!("$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ${}", "A".repeat(600));
    for bad in [
        "",
        "hunter2hunter2",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "$1$salt$qJH7.N4xYta3aEG/dfqo/0",
        "$6$salt$abc",
        "$2x$04$abcdefghijklmnopqrstuuR2cOz.8zbp8ywm1bYR1RZ8ndidSYhA6",
        "$2b$04$abcdefghijklmnopqrstuuR2cOz.8zbp8ywm1bYR1RZ8ndidSYh",
        "$2b$04$abcdefghijklmnopqrstuuR2cOz.8zbp8ywm1bYR1RZ8ndidSYhA6A",
        "$2b$4$abcdefghijklmnopqrstuuR2cOz.8zbp8ywm1bYR1RZ8ndidSYhA6",
        "$2b$+4$abcdefghijklmnopqrstuuR2cOz.8zbp8ywm1bYR1RZ8ndidSYhA6",
        "$2b$04$äbcdefghijklmnopqrstuR2cOz.8zbp8ywm1bYR1RZ8ndidSYhA6",
        "$argon2d$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$n9T88rhOPvLbFFhAIUwA6YHxh2NvvOVpMyHE2U4rDLQ",
        "$argon2id$v=20$m=64,t=1,p=1$c2FsdHNhbHQ$n9T88rhOPvLbFFhAIUwA6YHxh2NvvOVpMyHE2U4rDLQ",
        "$argon2id$v=19$m=64,t=1$c2FsdHNhbHQ$n9T88rhOPvLbFFhAIUwA6YHxh2NvvOVpMyHE2U4rDLQ",
        "$argon2id$v=19$m=64,m=64,t=1,p=1$c2FsdHNhbHQ$n9T88rhOPvLbFFhAIUwA6YHxh2NvvOVpMyHE2U4rDLQ",
        "$argon2id$v=19$m=64,t=1,p=1$c2Fsd!NhbHQ$n9T88rhOPvLbFFhAIUwA6YHxh2NvvOVpMyHE2U4rDLQ",
        "$pbkdf2-md5$1000$c2FsdHNhbHQ$n9T88rhOPvLbFFhAIUwA6YHxh2NvvOVpMyHE2U4rDLQ",
        "scrypt:1000:8:1$saltsalt$94c34ae8fbc70811e6a013fd35a577e0",
        "scrypt:0:8:1$saltsalt$94c34ae8fbc70811e6a013fd35a577e0",
        "$7$6$short$hash",
        "$bcrypt$c=4,l=23$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRY",
        "hmac-sha256:k1$argon2id$v=19$m=64,t=1,p=1,l=32$AAECAwQFBgcICQoLDA0ODw$n9T88rhOPvLbFFhAIUwA6YHxh2NvvOVpMyHE2U4rDLQ",
        &long,
    ] {
        assert_eq!(read(bad).map(|_| ()), Err(ImportError::Unknown), "{bad}");
    }
}

#[test]
fn costs_that_would_block_a_request_are_refused_at_import() {
    let hash = "n9T88rhOPvLbFFhAIUwA6YHxh2NvvOVpMyHE2U4rDLQ";
    let salt = "c2FsdHNhbHQ";
    for bad in [
        "$2b$15$abcdefghijklmnopqrstuuR2cOz.8zbp8ywm1bYR1RZ8ndidSYhA6".to_owned(),
        "$2b$31$abcdefghijklmnopqrstuuR2cOz.8zbp8ywm1bYR1RZ8ndidSYhA6".to_owned(),
        "$2b$03$abcdefghijklmnopqrstuuR2cOz.8zbp8ywm1bYR1RZ8ndidSYhA6".to_owned(),
        format!("$argon2id$v=19$m=65537,t=1,p=1${salt}${hash}"),
        format!("$argon2id$v=19$m=65536,t=17,p=1${salt}${hash}"),
        format!("$argon2id$v=19$m=4294967295,t=4294967295,p=1${salt}${hash}"),
        format!("$argon2id$v=19$m=64,t=0,p=1${salt}${hash}"),
        format!("$argon2id$v=19$m=64,t=1,p=0${salt}${hash}"),
        format!("$argon2id$v=19$m=64,t=1,p=17${salt}${hash}"),
        format!("$argon2id$v=19$m=7,t=1,p=1${salt}${hash}"),
        format!("$argon2id$v=19$m=64,t=1,p=1$c2FsdA${hash}"),
        format!("$argon2id$v=19$m=64,t=1,p=1${salt}$c2FsdA"),
        format!("$scrypt$ln=17,r=8,p=1${salt}${hash}"),
        format!("$scrypt$ln=14,r=64,p=1${salt}${hash}"),
        format!("$scrypt$ln=16,r=8,p=5${salt}${hash}"),
        format!("$scrypt$ln=255,r=1,p=1${salt}${hash}"),
        format!("$scrypt$ln=10,r=4294967295,p=4294967295${salt}${hash}"),
        format!("$scrypt$ln=10,r=0,p=1${salt}${hash}"),
        format!("$pbkdf2-sha256$2000001${salt}${hash}"),
        format!("$pbkdf2$1000001${salt}${hash}"),
        format!("$pbkdf2-sha256$0${salt}${hash}"),
        format!("$pbkdf2-sha256$1000${salt}$"),
    ] {
        assert!(matches!(read(&bad), Err(ImportError::OutOfBounds(_))), "{bad}");
    }
    // The largest of each that are in use.
    for good in [
        "$2b$14$abcdefghijklmnopqrstuuR2cOz.8zbp8ywm1bYR1RZ8ndidSYhA6".to_owned(),
        format!("$argon2id$v=19$m=65536,t=4,p=4${salt}${hash}"),
        format!("$scrypt$ln=16,r=8,p=1${salt}${hash}"),
        format!("$pbkdf2-sha256$1500000${salt}${hash}"),
    ] {
        assert!(read(&good).is_ok(), "{good}");
    }
}
