//! The texts. One language for now; templates by slug, locale and channel come with delivery.

use std::time::Duration;

use crate::{crypto::Code, template::Slug};

/// The locale of the texts there are.
pub const LOCALE: &str = "en";

/// The SMS: the code, for which app, for how long; and, where the origin is https, the last line that binds
/// the code to it (WICG origin-bound one-time codes: `@host #code`, nothing before the `@`).
pub fn render(slug: Slug, code: &Code, app_name: &str, lifetime: Duration, public_url: Option<&str>) -> String {
    let code = code.expose();
    let minutes = lifetime.as_secs().div_ceil(60);
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    let text = match slug {
        Slug::EnrolmentCode => {
            format!("{code} adds this phone to your {app_name} account. It works for {minutes} {unit}.")
        }
        _ => format!("{code} is your {app_name} code. It works for {minutes} {unit}. Tell it to nobody."),
    };
    match public_url.and_then(|url| url.strip_prefix("https://")) {
        // The standard binds to a host; a port has no place in it.
        Some(host) => format!("{text}\n\n@{} #{code}", host.split(':').next().unwrap_or(host)),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::segments;

    #[test]
    fn the_last_line_binds_the_code_to_the_origin() {
        let code = Code::parse("042137").expect("a code");
        let five = Duration::from_mins(5);
        let text = render(Slug::VerificationCode, &code, "Example", five, Some("https://login.example.com:8443"));
        assert_eq!(
            text,
            "042137 is your Example code. It works for 5 minutes. Tell it to nobody.\n\n@login.example.com #042137"
        );
        assert_eq!(segments(&text).1, 1);
        let text = render(Slug::EnrolmentCode, &code, "Example", five, Some("http://localhost:8787"));
        assert_eq!(text, "042137 adds this phone to your Example account. It works for 5 minutes.");
    }
}
