//! A reader for as much CBOR (RFC 8949) as authenticators write: CTAP2's form, without indefinite lengths and tags.
//! Lengths longer than needed and keys out of order are taken, since nothing depends on them; a key twice is not.

/// How deep arrays and maps may lie in each other. CTAP2 allows four.
const DEPTH: u8 = 8;

/// How many entries a map may have, so that looking for duplicates stays cheap.
const ENTRIES: u64 = 64;

/// One head, with the string that belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A number from 0.
    Unsigned(u64),
    /// A number below 0: this one is -1 minus what is inside.
    Negative(u64),
    /// A byte string.
    Bytes(&'a [u8]),
    /// A text string.
    Text(&'a str),
    /// An array of so many values, which follow.
    Array(u64),
    /// A map of so many pairs, which follow.
    Map(u64),
    /// `false`, `true`, `null`, a float: nothing that is looked at.
    Other,
}

impl Item<'_> {
    /// The number, if it is one that fits.
    pub fn integer(self) -> Option<i64> {
        match self {
            Self::Unsigned(number) => i64::try_from(number).ok(),
            Self::Negative(number) => i64::try_from(number).ok().map(|number| -1 - number),
            _ => None,
        }
    }
}

/// Reads one value after the other. `None` is malformed input; the reader is of no use then.
#[derive(Clone, Copy)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Begins at the first byte.
    pub fn new(input: &'a [u8]) -> Self {
        Self(input)
    }

    /// What was not read yet.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }

    fn bytes(&mut self, length: u64) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(bytes)
    }

    fn number<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*bytes)
    }

    /// Reads a head, and the string that it announces.
    pub fn item(&mut self) -> Option<Item<'a>> {
        let [first] = self.number::<1>()?;
        let argument = match first & 0x1f {
            small @ 0..24 => u64::from(small),
            24 => u64::from(u8::from_be_bytes(self.number()?)),
            25 => u64::from(u16::from_be_bytes(self.number()?)),
            26 => u64::from(u32::from_be_bytes(self.number()?)),
            27 => u64::from_be_bytes(self.number()?),
            // Reserved, or of indefinite length.
            _ => return None,
        };
        Some(match first >> 5 {
            0 => Item::Unsigned(argument),
            1 => Item::Negative(argument),
            2 => Item::Bytes(self.bytes(argument)?),
            3 => Item::Text(str::from_utf8(self.bytes(argument)?).ok()?),
            4 => Item::Array(argument),
            5 => (argument <= ENTRIES).then_some(Item::Map(argument))?,
            7 => Item::Other,
            // Tags.
            _ => return None,
        })
    }

    /// Reads a map's head; gives how many pairs follow.
    pub fn map(&mut self) -> Option<u64> {
        match self.item()? {
            Item::Map(pairs) => Some(pairs),
            _ => None,
        }
    }

    /// Reads a text string.
    pub fn text(&mut self) -> Option<&'a str> {
        match self.item()? {
            Item::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Reads a byte string.
    pub fn byte_string(&mut self) -> Option<&'a [u8]> {
        match self.item()? {
            Item::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Reads a whole value, with all that is in it; gives its bytes.
    pub fn value(&mut self) -> Option<&'a [u8]> {
        self.nested(DEPTH)
    }

    fn nested(&mut self, depth: u8) -> Option<&'a [u8]> {
        let depth = depth.checked_sub(1)?;
        let start = self.0;
        match self.item()? {
            Item::Array(count) => {
                for _ in 0..count {
                    self.nested(depth)?;
                }
            }
            Item::Map(count) => {
                let mut keys = Vec::new();
                for _ in 0..count {
                    let key = self.nested(depth)?;
                    if keys.contains(&key) {
                        return None;
                    }
                    keys.push(key);
                    self.nested(depth)?;
                }
            }
            _ => {}
        }
        start.get(..start.len() - self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn items(mut bytes: &[u8]) -> Vec<Option<Item<'_>>> {
        let mut items = Vec::new();
        while !bytes.is_empty() {
            let mut reader = Reader::new(bytes);
            items.push(reader.item());
            if items.last() == Some(&None) {
                break;
            }
            bytes = reader.rest();
        }
        items
    }

    /// RFC 8949 appendix A.
    #[test]
    fn the_standards_examples_are_read() {
        for (bytes, item) in [
            (&[0x00][..], Item::Unsigned(0)),
            (&[0x17], Item::Unsigned(23)),
            (&[0x18, 0x18], Item::Unsigned(24)),
            (&[0x19, 0x03, 0xe8], Item::Unsigned(1000)),
            (&[0x1a, 0x00, 0x0f, 0x42, 0x40], Item::Unsigned(1_000_000)),
            (&[0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Item::Unsigned(u64::MAX)),
            (&[0x20], Item::Negative(0)),
            (&[0x39, 0x03, 0xe7], Item::Negative(999)),
            (&[0x44, 1, 2, 3, 4], Item::Bytes(&[1, 2, 3, 4])),
            (&[0x64, 0x49, 0x45, 0x54, 0x46], Item::Text("IETF")),
            (&[0xf5], Item::Other),
            (&[0xfa, 0x47, 0xc3, 0x50, 0x00], Item::Other),
        ] {
            assert_eq!(items(bytes), [Some(item)], "{bytes:02x?}");
        }
        assert_eq!(Reader::new(&[0x39, 0x01, 0x00]).item().and_then(Item::integer), Some(-257));
        let nested = [0xa2, 0x61, 0x61, 0x01, 0x61, 0x62, 0x82, 0x02, 0x03];
        assert_eq!(Reader::new(&nested).value(), Some(&nested[..]));
    }

    #[test]
    fn what_ctap2_does_not_write_is_refused() {
        for (why, bytes) in [
            ("nothing", &[][..]),
            ("cut off", &[0x19, 0x03]),
            ("a string that is cut off", &[0x44, 1, 2, 3]),
            ("a length beyond memory", &[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            ("not UTF-8", &[0x61, 0xff]),
            ("indefinite length", &[0x5f, 0x41, 0x00, 0xff]),
            ("a tag", &[0xc1, 0x00]),
            ("a key twice", &[0xa2, 0x01, 0x02, 0x01, 0x03]),
            ("an array that is cut off", &[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00]),
            ("too many entries", &[0xb8, 65]),
            ("too deep", &[0x81; 9]),
        ] {
            assert_eq!(Reader::new(bytes).value(), None, "{why}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = Reader::new(&bytes);
            if let Some(value) = reader.value() {
                prop_assert_eq!([value, reader.rest()].concat(), bytes);
            }
        }
    }
}
