//! What an app and this instance share, and whether a code comes from it. It cannot be printed by accident.

use subtle::{ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use super::{Algorithm, Parameters, Step, Window, base32, code::code};
use crate::{crypto::Code, ports::Random, time::Timestamp};

/// A secret. No `Debug`, no `Display`, no `Serialize`.
#[derive(Clone)]
pub struct TotpSecret(Zeroizing<Vec<u8>>);

impl TotpSecret {
    /// A new secret: at least the 128 bits of RFC 4226 §4, and as long as the hash.
    pub fn new(algorithm: Algorithm, random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new(vec![0; algorithm.secret_length()]);
        random.fill(&mut bytes);
        Self(bytes)
    }

    /// A secret that was stored.
    pub fn from_bytes(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// Its bytes, to be sealed.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its text, for whoever types it into an app.
    pub fn base32(&self) -> Zeroizing<String> {
        base32::encode(&self.0)
    }

    /// The step that a code is of: the newest one, if by chance it is of two. Every step of the window is calculated
    /// and compared in constant time, whichever matches.
    pub fn matching_step(&self, parameters: Parameters, code: &Code, now: Timestamp, window: Window) -> Option<Step> {
        let current = Step::at(now);
        // The oldest first, so that the newest stays.
        let found = (0..=window.steps()).rev().fold(-1, |found, back| {
            let step = current.before(back);
            let right = self.code(parameters, step);
            let same = right.map_or(0.into(), |right| right.expose().as_bytes().ct_eq(code.expose().as_bytes()));
            i64::conditional_select(&found, &step.0, same)
        });
        (found >= 0).then_some(Step(found))
    }

    fn code(&self, parameters: Parameters, step: Step) -> Option<Code> {
        code(&self.0, parameters, step.counter()?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};
    use totp_rs::Builder;

    use super::*;
    use crate::totp::Digits;

    fn secret() -> TotpSecret {
        TotpSecret::from_bytes(Zeroizing::new(b"12345678901234567890".to_vec()))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1000)
    }

    fn typed(text: &str) -> Code {
        Code::parse(text).expect("a code")
    }

    #[test]
    fn the_current_and_the_previous_step_are_accepted_and_no_other() {
        // RFC 4226 appendix D: step 5 is 254676.
        let step = |second, window| {
            secret().matching_step(Parameters::default(), &typed("254676"), at(second), window).map(Step::number)
        };
        for (second, previous, strict) in [
            (149, None, None),
            (150, Some(5), Some(5)),
            (179, Some(5), Some(5)),
            (180, Some(5), None),
            (209, Some(5), None),
            (210, None, None),
        ] {
            assert_eq!(step(second, Window::Previous), previous, "{second}");
            assert_eq!(step(second, Window::Strict), strict, "{second}");
        }
        // The last millisecond of a step belongs to it.
        let last = Timestamp::from_millis(179_999);
        assert_eq!(
            secret().matching_step(Parameters::default(), &typed("254676"), last, Window::Strict),
            Some(Step(5))
        );
    }

    #[test]
    fn a_code_of_another_length_is_never_right() {
        // RFC 6238 appendix B, 59 s: the eight digits end in the six of another length.
        let eight = Parameters { digits: Digits::new(8).expect("eight"), ..Parameters::default() };
        let step = |parameters, text| secret().matching_step(parameters, &typed(text), at(59), Window::Previous);
        assert_eq!(step(eight, "94287082"), Some(Step(1)));
        assert_eq!(step(eight, "287082"), None);
        assert_eq!(step(Parameters::default(), "287082"), Some(Step(1)));
        assert_eq!(step(Parameters::default(), "94287082"), None);
        assert_eq!(step(Parameters::default(), "2870820000"), None);
    }

    #[test]
    fn a_code_of_two_steps_is_of_the_newer_one() {
        // Found by another program: the first two steps in a row that share a code.
        let step = |window| {
            secret().matching_step(Parameters::default(), &typed("911617"), at(910_738 * 30), window).map(Step::number)
        };
        assert_eq!(step(Window::Previous), Some(910_738));
        assert_eq!(step(Window::Strict), Some(910_738));
    }

    #[test]
    fn before_1970_nothing_is_right_and_at_its_start_only_the_first_step() {
        let step = |millis, text| {
            secret().matching_step(
                Parameters::default(),
                &typed(text),
                Timestamp::from_millis(millis),
                Window::Previous,
            )
        };
        assert_eq!(step(0, "755224"), Some(Step(0)));
        assert_eq!(step(-1, "755224"), None);
        assert_eq!(step(i64::MIN, "755224"), None);
    }

    #[test]
    fn a_secret_is_as_long_as_its_hash_and_all_of_it_is_random() {
        struct Ones;
        impl Random for Ones {
            fn fill(&self, bytes: &mut [u8]) {
                bytes.fill(255);
            }
        }
        for (algorithm, length) in Algorithm::ALL.into_iter().zip([20, 32, 64]) {
            assert_eq!(TotpSecret::new(algorithm, &Ones).bytes(), vec![255; length]);
        }
    }

    #[test]
    fn names_and_numbers_are_read_back() {
        for (algorithm, name) in Algorithm::ALL.into_iter().zip(Algorithm::NAMES) {
            assert_eq!(algorithm.as_str(), name);
            assert_eq!(Algorithm::parse(name), Some(algorithm));
        }
        assert_eq!(Algorithm::parse("md5"), None);
        let digits: Vec<i64> = (-1..300).filter(|digits| Digits::new(*digits).is_some()).collect();
        assert_eq!(digits, [6, 8]);
        let windows: Vec<i64> = (-1..300).filter(|steps| Window::new(*steps).is_some()).collect();
        assert_eq!(windows, [0, 1]);
    }

    fn other(algorithm: Algorithm) -> totp_rs::Algorithm {
        match algorithm {
            Algorithm::Sha1 => totp_rs::Algorithm::SHA1,
            Algorithm::Sha256 => totp_rs::Algorithm::SHA256,
            Algorithm::Sha512 => totp_rs::Algorithm::SHA512,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Another implementation makes the code; which step ours says it is of is held against when it was made.
        #[test]
        fn another_implementation_agrees(
            bytes in proptest::collection::vec(any::<u8>(), 16..=64),
            algorithm in select(&Algorithm::ALL[..]),
            digits in select(&[6i64, 8][..]),
            second in 120i64..100_000_000_000,
            behind in 0i64..120,
        ) {
            let parameters = Parameters { algorithm, digits: Digits::new(digits).expect("digits") };
            let theirs = Builder::new()
                .with_algorithm(other(algorithm))
                .with_digits(parameters.digits.get())
                .with_secret(bytes.clone())
                .with_step_duration(30)
                .with_skew(0)
                .build()
                .expect("their TOTP");
            let made = second - behind;
            let code = theirs.generate(u64::try_from(made).expect("a second")).to_string();
            let ours = TotpSecret::from_bytes(Zeroizing::new(bytes));
            let step = ours.matching_step(parameters, &typed(&code), at(second), Window::Previous);
            let (made, current) = (made / 30, second / 30);
            // By chance a code is of two steps; then it is right anyway.
            let chance = ours.code(parameters, Step(current)).map(|code| code.expose().to_owned()) == Some(code.clone())
                || ours.code(parameters, Step(current - 1)).map(|code| code.expose().to_owned()) == Some(code);
            if current - made <= 1 {
                prop_assert!(step.is_some_and(|step| step.number() >= made));
            } else {
                prop_assert_eq!(step.is_some(), chance);
            }
        }
    }
}
