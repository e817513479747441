//! Tokens: another library takes them with the keys as served, and nothing is taken that a live key of ours did not
//! sign, under its own algorithm, for what the token is used for (standards 38 and 39).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation, jwk::JwkSet};
use postern::{
    ports::{Algorithm, PublicKey},
    token::{ACCESS, ID, Invalid, TokenError},
};
use serde_json::{Value, json};

use crate::support::{
    World,
    tokens::{claims, part, sign, signed_with, stolen, try_sign, verify},
    vars,
};

const BOTH: [Algorithm; 2] = [Algorithm::Rs256, Algorithm::Es256];

/// What another library makes of a token with the keys as served.
async fn elsewhere(world: &World, token: &str) -> jsonwebtoken::errors::Result<jsonwebtoken::TokenData<Value>> {
    let served = world.get("/.well-known/jwks.json").await;
    let keys: JwkSet = serde_json::from_str(&served.text).unwrap();
    let kid = jsonwebtoken::decode_header(token)?.kid.unwrap_or_default();
    let jwk = keys.find(&kid).ok_or(jsonwebtoken::errors::ErrorKind::InvalidKeyFormat)?;
    let algorithm = jwk.common.key_algorithm.unwrap().to_string().parse()?;
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&["http://localhost:8787"]);
    // The clock of the test is not the machine's.
    validation.validate_exp = false;
    jsonwebtoken::decode(token, &DecodingKey::from_jwk(jwk)?, &validation)
}

#[tokio::test]
async fn a_token_is_taken_by_another_library_with_the_keys_as_served() {
    let world = World::null();
    for algorithm in BOTH {
        let claims = claims(&world, 1800);
        let token = sign(world.here(), algorithm, ACCESS, &claims).await;
        let read = elsewhere(&world, &token).await.unwrap();
        assert_eq!(read.claims, claims);
        assert_eq!(read.header.typ.as_deref(), Some(ACCESS));
        assert_eq!(format!("{:?}", read.header.alg).to_uppercase(), algorithm.as_str());
        assert_eq!(Value::Object(verify(world.here(), &token, ACCESS).await.unwrap().0), claims);
        // And neither takes it with a letter changed.
        for at in [token.find('.').unwrap() + 5, token.rfind('.').unwrap() + 5] {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(elsewhere(&world, &changed).await.is_err());
            assert!(verify(world.here(), &changed, ACCESS).await.is_err());
        }
    }
}

#[tokio::test]
async fn standard_38_the_algorithm_is_the_keys_to_say() {
    let world = World::null();
    let here = world.here();
    for (algorithm, other) in [(BOTH[0], BOTH[1]), (BOTH[1], BOTH[0])] {
        let (claims, now) = (claims(&world, 1800), world.now());
        sign(here, algorithm, ACCESS, &claims).await;
        sign(here, other, ACCESS, &claims).await;
        let (kid, pkcs8) = stolen(here, algorithm);
        let (other_kid, other_pkcs8) = stolen(here, other);
        let header = |alg: &str, kid: &str| json!({"alg": alg, "kid": kid, "typ": ACCESS});
        // No signature at all (RFC 7519 §6.1), in every case that libraries have fallen for.
        for alg in ["none", "None", "NONE", "nOnE", ""] {
            for signature in ["", "AAAA"] {
                let token = format!("{}.{}.{signature}", part(&header(alg, &kid)), part(&claims));
                assert_eq!(verify(here, &token, ACCESS).await.unwrap_err(), Invalid::Algorithm, "{alg}");
            }
        }
        // The public key as the secret of a MAC (RFC 8725 §2.1).
        let jwks = world.get("/.well-known/jwks.json").await;
        let jwk = jwks.json["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid.as_str()).unwrap().clone();
        let public = match PublicKey::clone(&here.app.cache.get().unwrap().signing_keys[0].public) {
            PublicKey::Rs256 { n, .. } => n,
            PublicKey::Es256 { x, .. } => x.to_vec(),
            PublicKey::EdDsa(point) => point.to_vec(),
        };
        for secret in [jwk.to_string().into_bytes(), jwks.text.clone().into_bytes(), public, Vec::new()] {
            let mut header = Header::new(jsonwebtoken::Algorithm::HS256);
            (header.kid, header.typ) = (Some(kid.clone()), Some(ACCESS.to_owned()));
            let token = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&secret)).unwrap();
            assert_eq!(verify(here, &token, ACCESS).await.unwrap_err(), Invalid::Algorithm);
        }
        // Right signatures under another name, or with another key's name.
        let named = |alg: &str| header(alg, &kid);
        for alg in [other.as_str(), "RS384", "PS256", "ES384", "EdDSA", "rs256", "es256", "HS256"] {
            let token = signed_with(here, algorithm, &pkcs8, &named(alg), &claims).await;
            assert_eq!(verify(here, &token, ACCESS).await.unwrap_err(), Invalid::Algorithm, "{alg}");
        }
        let mixed = signed_with(here, algorithm, &pkcs8, &header(algorithm.as_str(), &other_kid), &claims).await;
        assert_eq!(verify(here, &mixed, ACCESS).await.unwrap_err(), Invalid::Algorithm);
        let mixed = signed_with(here, algorithm, &pkcs8, &header(other.as_str(), &other_kid), &claims).await;
        assert_eq!(verify(here, &mixed, ACCESS).await.unwrap_err(), Invalid::Signature);
        let mixed = signed_with(here, other, &other_pkcs8, &named(algorithm.as_str()), &claims).await;
        assert_eq!(verify(here, &mixed, ACCESS).await.unwrap_err(), Invalid::Signature);
        // What all these are not.
        let good = signed_with(here, algorithm, &pkcs8, &named(algorithm.as_str()), &claims).await;
        assert_eq!(Value::Object(verify(here, &good, ACCESS).await.unwrap().0), claims);
        assert_eq!(world.now(), now);
    }
}

#[tokio::test]
async fn standard_38_keys_that_a_token_brings_are_not_looked_at() {
    let world = World::null();
    let here = world.here();
    for algorithm in BOTH {
        let claims = claims(&world, 1800);
        sign(here, algorithm, ACCESS, &claims).await;
        let (kid, ours) = stolen(here, algorithm);
        let theirs = here.app.ports.signatures.generate(algorithm).await.unwrap();
        let jwk = match &theirs.public {
            PublicKey::Rs256 { n, e } => {
                json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode(n), "e": URL_SAFE_NO_PAD.encode(e)})
            }
            PublicKey::Es256 { x, y } => {
                json!({"kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y)})
            }
            PublicKey::EdDsa(_) => unreachable!(),
        };
        let url = "https://attacker.example/keys.json";
        for (name, value) in [
            ("jwk", jwk),
            ("jku", json!(url)),
            ("x5u", json!(url)),
            ("x5c", json!(["MIIB"])),
            ("x5t#S256", json!("AAAA")),
        ] {
            let header = |kid: Option<&str>| json!({"alg": algorithm.as_str(), "kid": kid, "typ": ACCESS, name: value});
            let token = signed_with(here, algorithm, &theirs.pkcs8, &header(Some(&kid)), &claims).await;
            assert_eq!(verify(here, &token, ACCESS).await.unwrap_err(), Invalid::Signature, "{name}");
            for stranger in
                [None, Some("sig_01M83WM7ZA000G40R40M30E209"), Some(""), Some("../keys/1"), Some("' OR 1=1")]
            {
                let token = signed_with(here, algorithm, &theirs.pkcs8, &header(stranger), &claims).await;
                assert_eq!(verify(here, &token, ACCESS).await.unwrap_err(), Invalid::Key, "{name} {stranger:?}");
            }
            // Our own signature is ours, whatever stands beside it.
            let token = signed_with(here, algorithm, &ours, &header(Some(&kid)), &claims).await;
            verify(here, &token, ACCESS).await.unwrap();
        }
    }
    assert!(world.carriers.sent().is_empty(), "nobody was asked for keys");
}

#[tokio::test]
async fn standard_39_type_issuer_and_time_are_checked() {
    let world = World::null();
    let here = world.here();
    let algorithm = Algorithm::Es256;
    let good = claims(&world, 1800);
    sign(here, algorithm, ACCESS, &good).await;
    let (kid, pkcs8) = stolen(here, algorithm);
    let now = world.now() / 1000;
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        claims
    };
    let header = |typ: Value| json!({"alg": "ES256", "kid": kid, "typ": typ});
    let made = async |header: Value, claims: Value| signed_with(here, algorithm, &pkcs8, &header, &claims).await;

    for typ in [json!(ID), json!("AT+JWT"), json!("application/at+jwt"), json!(""), json!(7), Value::Null] {
        let token = made(header(typ.clone()), good.clone()).await;
        assert_eq!(verify(here, &token, ACCESS).await.unwrap_err(), Invalid::Type, "{typ}");
    }
    let access = made(header(json!(ACCESS)), good.clone()).await;
    assert_eq!(verify(here, &access, ID).await.unwrap_err(), Invalid::Type, "an access token is no ID token");
    let extended = json!({"alg": "ES256", "kid": kid, "typ": ACCESS, "crit": ["exp"]});
    assert_eq!(verify(here, &made(extended, good.clone()).await, ACCESS).await.unwrap_err(), Invalid::Critical);

    let cases = [
        (with("iss", json!("https://attacker.example")), Invalid::Issuer),
        (with("iss", json!("http://localhost:8787/")), Invalid::Issuer),
        (with("iss", json!(["http://localhost:8787"])), Invalid::Issuer),
        (without("iss"), Invalid::Issuer),
        (with("exp", json!(now)), Invalid::Time),
        (with("exp", json!(now - 1)), Invalid::Time),
        (with("exp", json!((now + 60).to_string())), Invalid::Time),
        (with("exp", json!(1e300)), Invalid::Time),
        (without("exp"), Invalid::Time),
        (with("nbf", json!(now + 1)), Invalid::Time),
        (with("nbf", json!("0")), Invalid::Time),
        (with("nbf", Value::Null), Invalid::Time),
        (json!([]), Invalid::Malformed),
        (json!("usr_1"), Invalid::Malformed),
    ];
    for (claims, error) in cases {
        let token = made(header(json!(ACCESS)), claims.clone()).await;
        assert_eq!(verify(here, &token, ACCESS).await.unwrap_err(), error, "{claims}");
    }
    for claims in [good.clone(), with("nbf", json!(now)), with("exp", json!(now + 1))] {
        verify(here, &made(header(json!(ACCESS)), claims).await, ACCESS).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let world = World::null();
    let here = world.here();
    let token = sign(here, Algorithm::Es256, ACCESS, &claims(&world, 1800)).await;
    let parts: Vec<&str> = token.split('.').collect();
    let long = format!("{}.{}.{}", parts[0], "A".repeat(8 * 1024), parts[2]);
    for text in [
        "",
        ".",
        "..",
        "...",
        parts[0],
        &format!("{}.{}", parts[0], parts[1]),
        &format!("{token}."),
        &format!("{token}.x"),
        &format!(".{token}"),
        &format!("{token}="),
        &format!("{token} "),
        &format!("\u{feff}{token}"),
        &format!("e30.{}.{}.{}", parts[0], parts[1], parts[2]),
        &format!("bm8.{}.{}", parts[1], parts[2]),
        &format!("W10.{}.{}", parts[1], parts[2]),
        &long,
        "sk_live_3fJ0m9vQ2xZ7LrT8bYkWn1sEo5HdUcGaPiVX6M4tRqA",
    ] {
        assert_eq!(verify(here, text, ACCESS).await.unwrap_err(), Invalid::Malformed, "{text:.60}");
    }
    // An encrypted one, of five parts, is none of ours.
    assert_eq!(verify(here, &format!("{}....", parts[0]), ACCESS).await.unwrap_err(), Invalid::Malformed);
    // No letter can be changed, not even in what base64 leaves over.
    for at in 0..token.len() {
        for letter in [b'A', b'_', b'w', b'='] {
            let mut changed = token.clone().into_bytes();
            if changed[at] == letter {
                continue;
            }
            changed[at] = letter;
            let changed = String::from_utf8(changed).unwrap();
            assert!(verify(here, &changed, ACCESS).await.is_err(), "{at} {letter}");
        }
    }
    // And no raw signature of another length.
    for signature in ["", "AA", &"A".repeat(85), &"A".repeat(87)] {
        let text = format!("{}.{}.{signature}", parts[0], parts[1]);
        let error = verify(here, &text, ACCESS).await.unwrap_err();
        assert!([Invalid::Malformed, Invalid::Signature].contains(&error), "{error}");
    }
}

#[tokio::test]
async fn without_an_issuer_tokens_stop_and_nothing_else() {
    let cases = [
        ("dev", None, "PUBLIC_URL is missing"),
        ("dev", Some("login.example.com"), "PUBLIC_URL is a text"),
        ("prod", Some("http://login.example.com"), "PUBLIC_URL has to be https"),
    ];
    for (environment, url, says) in cases {
        let mut bindings = vars::null();
        bindings.remove("PUBLIC_URL");
        bindings.extend(url.map(|url| ("PUBLIC_URL".to_owned(), json!(url))));
        bindings.insert("ENVIRONMENT".to_owned(), json!(environment));
        let world = World::native(&bindings);
        let failed = try_sign(world.here(), Algorithm::Es256, ACCESS, &claims(&world, 60)).await;
        assert!(matches!(failed, Err(TokenError::Misconfigured(issue)) if issue.detail.starts_with(says)));
        let refused = verify(world.here(), "e30.e30.AA", ACCESS).await;
        assert!(matches!(refused, Err(Invalid::Misconfigured(issue)) if issue.variable == "PUBLIC_URL"));
        assert_eq!(world.here().database.number("SELECT count(*) FROM signing_keys"), 0, "no key was made for nothing");
        for path in ["openid-configuration", "oauth-authorization-server"] {
            let problem = world.get(&format!("/.well-known/{path}")).await;
            let problem = problem.expect_problem(503, "configuration_invalid");
            assert!(problem["detail"].as_str().unwrap().starts_with(says), "{problem}");
        }
        world.get("/.well-known/jwks.json").await.expect(200);
        world.get("/v1/users").await.expect(200);
    }
}

#[tokio::test]
async fn no_token_outlives_the_key_that_signs_it() {
    let world = World::null();
    let day = 24 * 3600;
    let token = try_sign(world.here(), Algorithm::Es256, ACCESS, &claims(&world, day)).await;
    assert!(token.is_ok());
    for claims in [claims(&world, day + 1), json!({"sub": "x"}), json!({"exp": "tomorrow"})] {
        let failed = try_sign(world.here(), Algorithm::Es256, ACCESS, &claims).await;
        assert!(matches!(failed, Err(TokenError::Fault(_))), "{claims}");
    }
}
