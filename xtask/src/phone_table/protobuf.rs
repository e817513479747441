//! Reads libphonenumber's built metadata, a protobuf `PhoneMetadataCollection`.
//! Only the two wire types and the few fields the table needs are understood.

/// One field of a message: its number, and its value.
type Field<'a> = (u64, Value<'a>);

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// What one number type (or the general description) says in one territory.
#[derive(Clone, Debug, Default)]
pub struct Desc {
    /// A regular expression over national digits, to be matched in full; `None` when the
    /// territory has no number of the type.
    pub pattern: Option<String>,
    /// Lengths in digits a national number may have; empty means "as the general description".
    pub lengths: Vec<u32>,
    /// Lengths in digits that can be dialled only within an area.
    pub local_lengths: Vec<u32>,
    /// A number the metadata gives as an example, national digits.
    pub example: Option<String>,
}

/// One territory of the metadata, in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Territory {
    /// ISO 3166-1 alpha-2 code, or `001` for a calling code without a country.
    pub id: String,
    /// The calling code, 1 to 999.
    pub calling_code: u32,
    /// Whether this is the main territory of a shared calling code.
    pub main: bool,
    /// Pattern for the digits that lead a number of this territory, if they alone tell it.
    pub leading_digits: Option<String>,
    /// Pattern for the digits dialled before a foreign number.
    pub international_prefix: Option<String>,
    /// Pattern for what may precede a national number when dialled at home.
    pub national_prefix: Option<String>,
    /// What replaces that prefix, `$1` and so on standing for its groups.
    pub national_transform: Option<String>,
    /// Whether fixed-line and mobile numbers cannot be told apart.
    pub same_mobile_and_fixed: bool,
    /// What every number of the territory matches.
    pub general: Desc,
    /// The descriptions by type, in the order of [`TYPE_FIELDS`].
    pub types: Vec<Desc>,
}

/// Field numbers of the types within `PhoneMetadata`, in the order libphonenumber asks them,
/// with the names used in the example file.
pub const TYPE_FIELDS: [(u64, &str); 10] = [
    (5, "premium_rate"),
    (4, "toll_free"),
    (6, "shared_cost"),
    (8, "voip"),
    (7, "personal_number"),
    (21, "pager"),
    (25, "uan"),
    (28, "voicemail"),
    (2, "fixed_line"),
    (3, "mobile"),
];

/// Decodes the whole collection.
pub fn territories(bytes: &[u8]) -> Result<Vec<Territory>, String> {
    let mut all = Vec::new();
    for (number, value) in fields(bytes)? {
        if number == 1 {
            all.push(territory(message(&value)?)?);
        }
    }
    if all.is_empty() {
        return Err("the metadata names no territory".to_owned());
    }
    Ok(all)
}

fn territory(bytes: &[u8]) -> Result<Territory, String> {
    let mut it = Territory { types: vec![Desc::default(); TYPE_FIELDS.len()], ..Territory::default() };
    for (number, value) in fields(bytes)? {
        match number {
            1 => it.general = desc(message(&value)?)?,
            9 => it.id = text(&value)?,
            10 => it.calling_code = integer(&value)?,
            11 => it.international_prefix = Some(bare(&text(&value)?)),
            15 => it.national_prefix = Some(bare(&text(&value)?)),
            16 => it.national_transform = Some(text(&value)?),
            18 => it.same_mobile_and_fixed = integer(&value)? != 0,
            22 => it.main = integer(&value)? != 0,
            23 => it.leading_digits = Some(bare(&text(&value)?)),
            _ => {
                if let Some(at) = TYPE_FIELDS.iter().position(|(field, _)| *field == number) {
                    it.types[at] = desc(message(&value)?)?;
                }
            }
        }
    }
    Ok(it)
}

fn desc(bytes: &[u8]) -> Result<Desc, String> {
    let mut it = Desc::default();
    for (number, value) in fields(bytes)? {
        match number {
            2 => it.pattern = Some(bare(&text(&value)?)).filter(|pattern| !pattern.is_empty()),
            6 => it.example = Some(text(&value)?),
            9 => it.lengths.extend(integers(&value)?),
            10 => it.local_lengths.extend(integers(&value)?),
            _ => {}
        }
    }
    Ok(it)
}

/// Takes off the `^(?:` and `)$` that this build of the metadata puts around each pattern;
/// the patterns as Google publishes them have neither.
fn bare(pattern: &str) -> String {
    pattern.strip_prefix("^(?:").and_then(|rest| rest.strip_suffix(")$")).unwrap_or(pattern).to_owned()
}

fn fields(bytes: &[u8]) -> Result<Vec<Field<'_>>, String> {
    let mut rest = bytes;
    let mut all = Vec::new();
    while !rest.is_empty() {
        let key = varint(&mut rest)?;
        let value = match key & 7 {
            0 => Value::Number(varint(&mut rest)?),
            2 => {
                let length = usize::try_from(varint(&mut rest)?).map_err(|why| why.to_string())?;
                let (head, tail) = rest.split_at_checked(length).ok_or("the metadata ends in the middle of a field")?;
                rest = tail;
                Value::Bytes(head)
            }
            other => return Err(format!("the metadata uses wire type {other}")),
        };
        all.push((key >> 3, value));
    }
    Ok(all)
}

fn varint(rest: &mut &[u8]) -> Result<u64, String> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, tail) = rest.split_first().ok_or("the metadata ends in the middle of a number")?;
        *rest = tail;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err("the metadata holds a number of more than 64 bits".to_owned())
}

fn message<'a>(value: &Value<'a>) -> Result<&'a [u8], String> {
    match value {
        Value::Bytes(bytes) => Ok(bytes),
        Value::Number(_) => Err("the metadata has a number where text belongs".to_owned()),
    }
}

fn text(value: &Value<'_>) -> Result<String, String> {
    String::from_utf8(message(value)?.to_vec()).map_err(|why| why.to_string())
}

fn integer(value: &Value<'_>) -> Result<u32, String> {
    match value {
        Value::Number(number) => u32::try_from(*number).map_err(|why| why.to_string()),
        Value::Bytes(_) => Err("the metadata has text where a number belongs".to_owned()),
    }
}

/// A repeated number, packed or not. Minus one ("no such number") is left out.
fn integers(value: &Value<'_>) -> Result<Vec<u32>, String> {
    let mut raw = Vec::new();
    match value {
        Value::Number(number) => raw.push(*number),
        Value::Bytes(bytes) => {
            let mut rest = *bytes;
            while !rest.is_empty() {
                raw.push(varint(&mut rest)?);
            }
        }
    }
    Ok(raw.into_iter().filter(|&number| number < 64).map(|number| number as u32).collect())
}
