//! The bundled list: not the words but a Golomb-coded set of their hashes, so that some sixteen thousand fit in
//! 40 KB. It never misses one of the list; a text that is not on it is taken for one once in 2^18.
//!
//! `list.bin` is made by `cargo xtask common-passwords`. Layout: the count (32 bits, big-endian), then for each hash
//! in ascending order its distance to the one before: divided by 2^18 in unary (ones, closed by a zero), and the rest
//! in 18 bits. Written bit by bit, highest first.

use sha2::{Digest, Sha256};

static LIST: &[u8] = include_bytes!("list.bin");

/// How many bits of a distance are written out: the rate of false alarms is two to the minus this.
pub const REST_BITS: u32 = 18;

/// The number of a folded password in a list of `count`: the first 64 bits of its SHA-256, scaled to `count * 2^18`.
pub fn fingerprint(folded: &str, count: u32) -> u64 {
    let digest: [u8; 32] = Sha256::digest(folded.as_bytes()).into();
    let hash = digest.iter().take(8).fold(0u64, |hash, byte| hash << 8 | u64::from(*byte));
    let range = u128::from(count) << REST_BITS;
    u64::try_from((u128::from(hash) * range) >> 64).unwrap_or(u64::MAX)
}

/// Whether any of some folded passwords is on the list.
pub(super) fn has_any(candidates: &[String]) -> bool {
    let wanted: Vec<u64> = candidates.iter().map(|folded| fingerprint(folded, count())).collect();
    list().any(|number| wanted.contains(&number))
}

/// How many passwords the list has.
fn count() -> u32 {
    LIST.iter().take(4).fold(0, |count, byte| count << 8 | u32::from(*byte))
}

/// The numbers of the list, ascending.
fn list() -> impl Iterator<Item = u64> {
    let mut bits = LIST.iter().skip(4).flat_map(|byte| (0..8).rev().map(move |at| u64::from(byte >> at & 1)));
    let mut last = 0;
    (0..count()).map_while(move |_| {
        let mut many = 0u64;
        while bits.next()? == 1 {
            many += 1;
        }
        let rest = (0..REST_BITS).try_fold(0, |rest, _| Some(rest << 1 | bits.next()?))?;
        last += many << REST_BITS | rest;
        Some(last)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_list_is_whole_and_in_order() {
        let numbers: Vec<u64> = list().collect();
        assert_eq!(numbers.len(), count() as usize);
        assert!(numbers.is_sorted());
        assert!(LIST.len() <= 41 * 1024, "{} bytes", LIST.len());
    }

    #[test]
    fn a_false_alarm_is_rare() {
        // Passwords that nobody has: 0.8 alarms are expected among them.
        let numbers: BTreeSet<u64> = list().collect();
        let alarms = (0..200_000).filter(|n| numbers.contains(&fingerprint(&format!("nobody's {n}"), count()))).count();
        assert!(alarms <= 5, "{alarms}");
    }
}
