//! Lists the metadata's example numbers for the tests.
//! One line each: the number in E.164, the country, and the type it is an example of.

use super::protobuf::{TYPE_FIELDS, Territory};

/// The lines of the example file, in the order of the metadata, with a heading.
pub fn lines(territories: &[Territory]) -> String {
    let mut text = "# Example numbers of libphonenumber's metadata (Google, Apache-2.0); made by \
                    `cargo run -p xtask -- phone-table`.\n"
        .to_owned();
    for it in territories {
        for ((_, name), desc) in TYPE_FIELDS.iter().zip(&it.types) {
            if let Some(example) = &desc.example {
                let (code, id) = (it.calling_code, &it.id);
                text.push_str(&format!("+{code}{example}\t{id}\t{name}\n"));
            }
        }
    }
    text
}
