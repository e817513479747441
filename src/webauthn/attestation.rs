//! The attestation object (§6.5): authenticator data, and a statement about the authenticator that was not asked for.

use super::{Step, cbor::Reader};

/// The statement, as far as it is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement<'a> {
    /// `none` (§8.7).
    None,
    /// `packed` without certificates (§8.2): signed with the new key itself. A browser passes it on where "none" was
    /// asked for (§5.1.3), since it tells nothing about the authenticator.
    SelfSigned {
        /// The algorithm it names.
        alg: i64,
        /// The signature over authenticator data and client data's hash.
        sig: &'a [u8],
    },
    /// Any other: nothing that could be trusted without trust anchors.
    Untrusted,
}

/// The object's three fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestationObject<'a> {
    /// The statement.
    pub statement: Statement<'a>,
    /// The authenticator data, which is signed over as it stands.
    pub authenticator_data: &'a [u8],
}

/// Reads an attestation object to the last byte (§7.1 step 13).
pub fn parse(bytes: &[u8]) -> Result<AttestationObject<'_>, Step> {
    let mut reader = Reader::new(bytes);
    let (format, statement, authenticator_data) = fields(&mut reader).ok_or(Step::AttestationObject)?;
    if !reader.rest().is_empty() {
        return Err(Step::AttestationObject);
    }
    // §7.1 step 21.
    let statement = match format {
        "none" => none(statement),
        "packed" => packed(statement),
        _ => Some(Statement::Untrusted),
    };
    Ok(AttestationObject { statement: statement.ok_or(Step::AttestationStatement)?, authenticator_data })
}

fn fields<'a>(reader: &mut Reader<'a>) -> Option<(&'a str, &'a [u8], &'a [u8])> {
    let (mut format, mut statement, mut data) = (None, None, None);
    for _ in 0..reader.map()? {
        let is_repeated = match reader.text()? {
            "fmt" => format.replace(reader.text()?).is_some(),
            "attStmt" => statement.replace(reader.value()?).is_some(),
            "authData" => data.replace(reader.byte_string()?).is_some(),
            _ => return None,
        };
        if is_repeated {
            return None;
        }
    }
    Reader::new(statement?).map()?;
    Some((format?, statement?, data?))
}

/// §8.7: an empty map.
fn none(statement: &[u8]) -> Option<Statement<'_>> {
    (Reader::new(statement).map()? == 0).then_some(Statement::None)
}

/// §8.2: `alg`, `sig`, and `x5c` unless it is self attestation.
fn packed(statement: &[u8]) -> Option<Statement<'_>> {
    let mut reader = Reader::new(statement);
    let (mut alg, mut sig) = (None, None);
    for _ in 0..reader.map()? {
        match reader.text()? {
            "alg" => alg = Some(reader.item()?.integer()?),
            "sig" => sig = Some(reader.byte_string()?),
            "x5c" => return Some(Statement::Untrusted),
            _ => return None,
        }
    }
    Some(Statement::SelfSigned { alg: alg?, sig: sig? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str) -> Vec<u8> {
        [&[0x60 | u8::try_from(text.len()).expect("a short text")], text.as_bytes()].concat()
    }

    fn object(fields: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![0xa0 | u8::try_from(fields.len()).expect("few")];
        for (key, value) in fields {
            bytes.extend(text(key));
            bytes.extend_from_slice(value);
        }
        bytes
    }

    const DATA: (&str, &[u8]) = ("authData", &[0x42, 1, 2]);

    #[test]
    fn three_statements_are_told_apart() {
        let statement = |format: &str, statement: &[u8]| {
            let bytes = object(&[("fmt", &text(format)), ("attStmt", statement), DATA]);
            parse(&bytes).map(|object| {
                assert_eq!(object.authenticator_data, [1, 2]);
                format!("{:?}", object.statement)
            })
        };
        let certified = object(&[("alg", &[0x26]), ("sig", &[0x41, 7]), ("x5c", &[0x81, 0x41, 0])]);
        let own = object(&[("alg", &[0x26]), ("sig", &[0x41, 7])]);
        assert_eq!(statement("none", &[0xa0]).as_deref(), Ok("None"));
        assert_eq!(statement("packed", &own).as_deref(), Ok("SelfSigned { alg: -7, sig: [7] }"));
        assert_eq!(statement("packed", &certified).as_deref(), Ok("Untrusted"));
        assert_eq!(statement("tpm", &own).as_deref(), Ok("Untrusted"));
        // §8.7: "none" says nothing; §8.2: a self attestation is signed.
        assert_eq!(statement("none", &own), Err(Step::AttestationStatement));
        assert_eq!(statement("packed", &[0xa0]), Err(Step::AttestationStatement));
        assert_eq!(statement("packed", &object(&[("alg", &[0x26])])), Err(Step::AttestationStatement));
    }

    #[test]
    fn an_object_has_three_fields_once() {
        let (format, statement) = (("fmt", &[0x64, b'n', b'o', b'n', b'e'][..]), ("attStmt", &[0xa0][..]));
        assert!(parse(&object(&[DATA, statement, format])).is_ok(), "in any order");
        for (why, bytes) in [
            ("nothing", vec![]),
            ("no data", object(&[format, statement])),
            ("no statement", object(&[format, DATA])),
            ("no format", object(&[statement, DATA])),
            ("a field twice", object(&[format, statement, DATA, DATA])),
            ("another field", object(&[format, statement, DATA, ("ep", &[0xf5])])),
            ("a statement that is no map", object(&[format, ("attStmt", &[0x80]), DATA])),
            ("a format that is no text", object(&[("fmt", &[0x01]), statement, DATA])),
            ("data that is no byte string", object(&[format, statement, ("authData", &[0x61, b'a'])])),
            ("a trailing byte", [object(&[format, statement, DATA]), vec![0]].concat()),
        ] {
            assert_eq!(parse(&bytes), Err(Step::AttestationObject), "{why}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn no_change_panics(at: usize, byte: u8, cut: usize) {
            let own = object(&[("alg", &[0x26]), ("sig", &[0x41, 7])]);
            let mut bytes = object(&[("fmt", &text("packed")), ("attStmt", &own), DATA]);
            let length = bytes.len();
            bytes[at % length] = byte;
            bytes.truncate(cut % (length + 1));
            let _ = parse(&bytes);
        }
    }
}
