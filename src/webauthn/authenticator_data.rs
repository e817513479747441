//! Authenticator data (§6.1): whose, which flags, the counter, and at registration the new credential.

use super::{
    CREDENTIAL_ID_MAX, Step,
    cbor::{Item, Reader},
    cose,
};
use crate::ports::PublicKey;

/// The flags. Reserved bits are not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    /// UP: somebody was there.
    pub fn user_present(self) -> bool {
        self.0 & 0x01 != 0
    }

    /// UV: the authenticator has verified who.
    pub fn user_verified(self) -> bool {
        self.0 & 0x04 != 0
    }

    /// BE: the credential may be backed up. It never changes.
    pub fn backup_eligible(self) -> bool {
        self.0 & 0x08 != 0
    }

    /// BS: it is backed up now.
    pub fn backed_up(self) -> bool {
        self.0 & 0x10 != 0
    }

    fn has_credential(self) -> bool {
        self.0 & 0x40 != 0
    }

    fn has_extensions(self) -> bool {
        self.0 & 0x80 != 0
    }
}

/// A new credential (§6.5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestedCredential {
    /// Its id, 1 to 1023 bytes.
    pub id: Vec<u8>,
    /// Its public key.
    pub public_key: PublicKey,
    /// The same as it came, in COSE.
    pub cose: Vec<u8>,
}

/// What an authenticator says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticatorData {
    /// SHA-256 of the RP ID.
    pub rp_id_hash: [u8; 32],
    /// The flags.
    pub flags: Flags,
    /// The signature counter; 0 where there is none.
    pub sign_count: u32,
    /// The new credential, at registration.
    pub credential: Option<AttestedCredential>,
}

impl AuthenticatorData {
    /// Reads it to the last byte. Extensions are read over: none was asked for (§7.1 step 28, §7.2 step 23).
    pub fn parse(bytes: &[u8]) -> Result<Self, Step> {
        let malformed = Step::AuthenticatorData;
        let (rp_id_hash, rest) = bytes.split_first_chunk::<32>().ok_or(malformed)?;
        let (&[flags], rest) = rest.split_first_chunk::<1>().ok_or(malformed)?;
        let (sign_count, mut rest) = rest.split_first_chunk::<4>().ok_or(malformed)?;
        let flags = Flags(flags);
        let mut credential = None;
        if flags.has_credential() {
            let (found, after) = attested(rest)?;
            (credential, rest) = (Some(found), after);
        }
        if flags.has_extensions() {
            let mut reader = Reader::new(rest);
            if !matches!(Reader::new(rest).item(), Some(Item::Map(_))) || reader.value().is_none() {
                return Err(malformed);
            }
            rest = reader.rest();
        }
        if !rest.is_empty() {
            return Err(malformed);
        }
        Ok(Self { rp_id_hash: *rp_id_hash, flags, sign_count: u32::from_be_bytes(*sign_count), credential })
    }
}

fn attested(bytes: &[u8]) -> Result<(AttestedCredential, &[u8]), Step> {
    let malformed = Step::AuthenticatorData;
    let (_aaguid, rest) = bytes.split_first_chunk::<16>().ok_or(malformed)?;
    let (&length, rest) = rest.split_first_chunk::<2>().ok_or(malformed)?;
    let length = usize::from(u16::from_be_bytes(length));
    if length > CREDENTIAL_ID_MAX {
        return Err(Step::CredentialIdLength);
    }
    let (id, rest) = rest.split_at_checked(length).ok_or(malformed)?;
    if id.is_empty() {
        return Err(malformed);
    }
    let mut reader = Reader::new(rest);
    let public_key = cose::read(&mut reader)?;
    let cose = rest.get(..rest.len() - reader.rest().len()).ok_or(malformed)?;
    Ok((AttestedCredential { id: id.to_vec(), public_key, cose: cose.to_vec() }, reader.rest()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// So much data with these flags.
    fn data(flags: u8, rest: &[u8]) -> Vec<u8> {
        [&[7; 32][..], &[flags], &[0, 0, 1, 2], rest].concat()
    }

    fn credential(id_length: u16) -> Vec<u8> {
        let mut bytes = [&[9; 16][..], &id_length.to_be_bytes(), &vec![3; usize::from(id_length)]].concat();
        bytes.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 32]);
        bytes.extend([5; 32]);
        bytes.extend([0x22, 0x58, 32]);
        bytes.extend([6; 32]);
        bytes
    }

    #[test]
    fn every_part_is_read() {
        let plain = AuthenticatorData::parse(&data(0x1d, &[])).expect("plain");
        assert_eq!((plain.rp_id_hash, plain.sign_count, plain.credential), ([7; 32], 258, None));
        let flags = plain.flags;
        assert!(flags.user_present() && flags.user_verified() && flags.backup_eligible() && flags.backed_up());
        let none = Flags(0);
        assert!(!none.user_present() && !none.user_verified() && !none.backup_eligible() && !none.backed_up());

        let new = AuthenticatorData::parse(&data(0x41, &credential(1023))).expect("a credential");
        let new = new.credential.expect("a credential");
        assert_eq!((new.id.len(), new.cose.len()), (1023, 77));
        assert_eq!(cose::parse(&new.cose), Ok(new.public_key));

        let both = [credential(16), vec![0xa1, 0x61, 0x61, 0xf5]].concat();
        assert!(AuthenticatorData::parse(&data(0xc1, &both)).is_ok(), "with extensions");
        assert!(AuthenticatorData::parse(&data(0x23, &[])).is_ok(), "reserved bits");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refused = |bytes: Vec<u8>| AuthenticatorData::parse(&bytes).expect_err("malformed");
        for (why, bytes) in [
            ("empty", vec![]),
            ("cut off", data(0x01, &[])[..36].to_vec()),
            ("a trailing byte", data(0x01, &[0])),
            ("a credential that is not announced", data(0x01, &credential(16))),
            ("no credential", data(0x41, &[])),
            ("a credential that is cut off", data(0x41, &credential(16)[..30])),
            ("an empty id", data(0x41, &credential(0))),
            ("a trailing byte after the key", data(0x41, &[credential(16), vec![0]].concat())),
            ("no extensions", data(0x81, &[])),
            ("extensions that are no map", data(0x81, &[0x01])),
            ("a trailing byte after the extensions", data(0x81, &[0xa0, 0x00])),
        ] {
            assert_eq!(refused(bytes), Step::AuthenticatorData, "{why}");
        }
        assert_eq!(refused(data(0x41, &credential(1024))), Step::CredentialIdLength);
        assert_eq!(refused(data(0x41, &credential(16)[..60])), Step::PublicKey);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = AuthenticatorData::parse(&bytes);
        }

        #[test]
        fn no_change_panics(at: usize, byte: u8, cut: usize) {
            let mut bytes = data(0xc1, &[credential(16), vec![0xa1, 0x61, 0x61, 0xf5]].concat());
            let length = bytes.len();
            bytes[at % length] = byte;
            bytes.truncate(cut % (length + 1));
            let _ = AuthenticatorData::parse(&bytes);
        }
    }
}
