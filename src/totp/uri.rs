//! The `otpauth://` URI that apps scan: the form that Google Authenticator's wiki describes and every app reads.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Algorithm, Digits, Parameters, TotpSecret};
use crate::secret::Secret;

/// RFC 3986 §2.3: all but the unreserved characters. A space is `%20`, since apps do not read `+`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How many bytes of issuer and account an app gets: more than it shows, and few enough for the QR code.
const LONGEST: usize = 100;

/// The URI. The issuer stands in the label and as a parameter, as apps want it; what is the default is left out, so
/// that the QR code stays small and the apps that know nothing else read it. It is as secret as what is in it.
pub fn uri(secret: &TotpSecret, parameters: Parameters, issuer: &str, account: &str) -> Secret {
    let (issuer, account) = (plain(issuer), plain(account));
    let issuer = utf8_percent_encode(&issuer, ENCODED).to_string();
    let account = utf8_percent_encode(&account, ENCODED);
    let key = secret.base32();
    let (label, named) = if issuer.is_empty() {
        (account.to_string(), String::new())
    } else {
        (format!("{issuer}:{account}"), format!("&issuer={issuer}"))
    };
    let algorithm = match parameters.algorithm {
        Algorithm::Sha1 => "",
        Algorithm::Sha256 => "&algorithm=SHA256",
        Algorithm::Sha512 => "&algorithm=SHA512",
    };
    let digits = if parameters.digits == Digits::SIX { "" } else { "&digits=8" };
    Secret::new(format!("otpauth://totp/{label}?secret={}{named}{algorithm}{digits}", *key))
}

/// A name as a label can carry it. A colon would end the issuer, so it becomes a space; control characters go.
fn plain(text: &str) -> String {
    let spaced: String = text.chars().map(|character| if character == ':' { ' ' } else { character }).collect();
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut name = String::new();
    for character in words.join(" ").chars().filter(|character| !character.is_control()) {
        if name.len() + character.len_utf8() > LONGEST {
            break;
        }
        name.push(character);
    }
    name
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};
    use totp_rs::Totp;
    use zeroize::Zeroizing;

    use super::*;

    fn secret(length: usize) -> TotpSecret {
        TotpSecret::from_bytes(Zeroizing::new(b"1234567890".iter().copied().cycle().take(length).collect()))
    }

    #[test]
    fn uri_format_unchanged() {
        let uri = |parameters, issuer, account| uri(&secret(20), parameters, issuer, account).expose().to_owned();
        assert_eq!(
            uri(Parameters::default(), "Acme", "ana@example.com"),
            "otpauth://totp/Acme:ana%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Acme"
        );
        let other = Parameters { algorithm: Algorithm::Sha256, digits: Digits::new(8).expect("eight") };
        assert_eq!(
            uri(other, "Käse & Söhne: GmbH", " a:b\t+c "),
            "otpauth://totp/K%C3%A4se%20%26%20S%C3%B6hne%20GmbH:a%20b%20%2Bc?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=K%C3%A4se%20%26%20S%C3%B6hne%20GmbH&algorithm=SHA256&digits=8"
        );
        assert_eq!(
            uri(Parameters { algorithm: Algorithm::Sha512, ..Parameters::default() }, ":", "ana"),
            "otpauth://totp/ana?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&algorithm=SHA512"
        );
    }

    #[test]
    fn the_longest_names_still_fit_a_qr_code() {
        let long = "\u{1f600}".repeat(300);
        let parameters = Parameters { algorithm: Algorithm::Sha512, digits: Digits::new(8).expect("eight") };
        let uri = uri(&secret(64), parameters, &long, &long);
        assert_eq!(uri.expose().matches("%F0%9F%98%80").count(), 75);
        assert!(crate::totp::svg(&uri, "").is_some());
    }

    proptest! {
        /// Another implementation reads it back.
        #[test]
        fn another_implementation_reads_it(
            issuer in "[^:\\p{C}\\s][^:\\p{C}]{0,80}",
            account in "[^:\\p{C}\\s][^:\\p{C}]{0,80}",
            algorithm in select(&Algorithm::ALL[..]),
            digits in select(&[6i64, 8][..]),
        ) {
            let parameters = Parameters { algorithm, digits: Digits::new(digits).expect("digits") };
            let secret = secret(algorithm.secret_length());
            let uri = uri(&secret, parameters, &issuer, &account);
            let read = Totp::from_url(uri.expose()).expect("a URI");
            let issuer = plain(&issuer);
            prop_assert_eq!(read.issuer(), Some(issuer.as_str()));
            let code = read.generate(59).to_string();
            prop_assert_eq!(code.len(), usize::from(parameters.digits.get()));
            let typed = crate::crypto::Code::parse(&code).expect("a code");
            let now = crate::time::Timestamp::from_millis(59_000);
            prop_assert!(secret.matching_step(parameters, &typed, now, crate::totp::Window::Strict).is_some());
        }
    }
}
