//! Shapes of JSON objects, as data: what a request may hold, what a response holds, what a setting is.
//! The same tables check input (`check.rs`) and write the OpenAPI document (`http/openapi.rs`).

mod check;
mod form;
mod node;

pub use check::{check, check_query};
pub use form::Form;
pub use node::Node;

/// A field of an object.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub shape: Shape,
    /// Whether it has to be there.
    pub required: bool,
    /// Whether `null` is a value.
    pub nullable: bool,
    /// What it means, in one line.
    pub meaning: &'static str,
    /// A value to show, as JSON.
    pub example: &'static str,
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Text of 1 to so many characters without control characters.
    Text(usize),
    /// The same with line breaks and tabs.
    Prose(usize),
    /// A credential: text of 1 to so many characters, which no answer has. It may have line ends.
    Credential(usize),
    /// An id: this prefix and a ULID.
    Id(&'static str),
    /// A whole number from the first to the second.
    Integer(i64, i64),
    /// A number from 0 to 1 with at most four decimals. Answers have it; nothing is asked for it.
    Share,
    /// `true` or `false`.
    Boolean,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// An RFC 3339 date and time.
    Timestamp,
    /// An object with these fields and no others.
    Object(&'static [Field]),
    /// A list of these with at most so many entries.
    List(&'static Shape, usize),
    /// A free object of texts: at most so many entries, keys of 1 to 40 and values of at most 500 characters.
    Texts(usize),
    /// Any JSON object, as others define it: what a browser writes or reads.
    Anything,
}

/// An optional field.
pub const fn field(name: &'static str, shape: Shape, meaning: &'static str) -> Field {
    Field { name, shape, required: false, nullable: false, meaning, example: "" }
}

impl Field {
    /// It has to be there.
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// `null` is a value.
    pub const fn nullable(self) -> Self {
        Self { nullable: true, ..self }
    }

    /// A value to show, as JSON.
    pub const fn example(self, example: &'static str) -> Self {
        Self { example, ..self }
    }
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field's path: `to.phone`, `scopes.2`.
    pub field: String,
    /// Which of the closed list.
    pub code: FieldCode,
    /// What was wrong and what is wanted. Never what was sent.
    pub detail: String,
}

impl FieldError {
    /// An error of a field.
    pub fn new(field: impl Into<String>, code: FieldCode, detail: impl Into<String>) -> Self {
        Self { field: field.into(), code, detail: detail.into() }
    }
}

/// The closed list of what can be wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldCode {
    /// It has to be there.
    Missing,
    /// There is no such field.
    Unknown,
    /// It is there twice.
    Duplicate,
    /// It is of another JSON type.
    Type,
    /// It is of the right type, and not a value that is wanted.
    Value,
    /// The phone number cannot be used; the detail says why.
    Phone,
    /// The e-mail address cannot be used; the detail says why.
    Email,
    /// The password has too few characters.
    PasswordTooShort,
    /// Many people have the password.
    PasswordCommon,
    /// The password is made of the app's or the person's names.
    PasswordContext,
    /// The password was seen in a breach.
    PasswordBreached,
}

impl FieldCode {
    /// Every code.
    pub const ALL: [Self; 11] = [
        Self::Missing,
        Self::Unknown,
        Self::Duplicate,
        Self::Type,
        Self::Value,
        Self::Phone,
        Self::Email,
        Self::PasswordTooShort,
        Self::PasswordCommon,
        Self::PasswordContext,
        Self::PasswordBreached,
    ];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "form_param_missing",
            Self::Unknown => "form_param_unknown",
            Self::Duplicate => "form_param_duplicate",
            Self::Type => "form_param_type_invalid",
            Self::Value => "form_param_value_invalid",
            Self::Phone => "phone_number_invalid",
            Self::Email => "email_address_invalid",
            Self::PasswordTooShort => "password_too_short",
            Self::PasswordCommon => "password_common",
            Self::PasswordContext => "password_context",
            Self::PasswordBreached => "password_breached",
        }
    }
}
