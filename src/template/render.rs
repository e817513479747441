//! Fills a text in: `{{name}}` becomes its value, once. A value is text: braces in it are not read again. An unknown name
//! is nothing, and braces that open or close nothing stay.

use std::{borrow::Cow, ops::Range};

/// How long a text may be: as it is written, and as an SMS goes out.
pub const MOST: usize = 1600;

/// A text that is filled in.
pub struct Rendered {
    text: String,
    /// The values that are worth nothing in part, by their bytes.
    whole: Vec<Range<usize>>,
}

/// A value.
pub struct Filled<'a> {
    /// What it is.
    pub text: Cow<'a, str>,
    /// Whether it is worth nothing in part: a code, a link.
    pub whole: bool,
}

/// Fills a text in. `value` knows the names; `None`: it does not know this one.
pub fn render<'a>(template: &str, value: impl Fn(&str) -> Option<Filled<'a>>) -> Rendered {
    let mut rendered = Rendered { text: String::with_capacity(template.len() + 64), whole: Vec::new() };
    let mut rest = template;
    while let Some((before, name, after)) = next_name(rest) {
        for part in before {
            rendered.text.push_str(part);
        }
        if let Some(value) = value(name) {
            let start = rendered.text.len();
            rendered.text.push_str(&value.text);
            if value.whole {
                rendered.whole.push(start..rendered.text.len());
            }
        }
        rest = after;
    }
    rendered.text.push_str(rest);
    rendered.text.truncate(rendered.text.trim_end().len());
    rendered
}

/// Every name in a text.
pub fn names(template: &str) -> Vec<&str> {
    let (mut names, mut rest) = (Vec::new(), template);
    while let Some((_, name, after)) = next_name(rest) {
        names.push(name);
        rest = after;
    }
    names
}

/// What stands before the next name, the name, and what comes after it. Of braces that open twice the inner ones count.
fn next_name(text: &str) -> Option<([&str; 3], &str, &str)> {
    let (before, opened) = text.split_once("{{")?;
    let (inner, after) = opened.split_once("}}")?;
    let (skipped, name) = inner.rsplit_once("{{").map_or((None, inner), |(skipped, name)| (Some(skipped), name));
    // Of three braces that open, the two inner ones do.
    let (brace, name) = name.strip_prefix('{').map_or(("", name), |name| ("{", name));
    let braces = if skipped.is_some() { "{{" } else { brace };
    Some(([before, braces, skipped.unwrap_or_default()], name.trim(), after))
}

impl Rendered {
    /// The whole text.
    pub fn into_text(self) -> String {
        self.text
    }

    /// The text with at most so many UTF-16 units, as SMS count; a code is never cut in two, and `must` is in it.
    pub fn cut(self, most: usize, must: Option<&str>) -> String {
        let cut = self.head(most);
        match must {
            Some(must) if !cut.contains(must) => {
                let rest = self.head(most.saturating_sub(must.encode_utf16().count() + 1));
                format!("{must} {rest}").trim_end().to_owned()
            }
            _ => cut.to_owned(),
        }
    }

    fn head(&self, most: usize) -> &str {
        let mut units = 0;
        let over = self.text.char_indices().find(|(_, character)| {
            units += character.len_utf16();
            units > most
        });
        let Some((end, _)) = over else { return &self.text };
        let broken = self.whole.iter().find(|value| value.start < end && end < value.end);
        self.text.get(..broken.map_or(end, |value| value.start)).unwrap_or_default().trim_end()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fill<'a>(template: &str, values: &'a [(&'a str, &'a str)]) -> Rendered {
        render(template, |name| {
            let value = values.iter().find(|(known, _)| *known == name);
            value.map(|(name, value)| Filled { text: (*value).into(), whole: *name == "otp_code" })
        })
    }

    #[test]
    fn names_become_values_once() {
        let values = [("otp_code", "042137"), ("app.name", "{{otp_code}}"), ("nothing", "")];
        for (template, wanted) in [
            ("", ""),
            ("{{otp_code}}", "042137"),
            ("{{ otp_code }} and {{otp_code}}", "042137 and 042137"),
            ("{{\totp_code\n}}", "042137"),
            ("<{{unknown}}>", "<>"),
            ("<{{}}>", "<>"),
            ("<{{OTP_CODE}}>", "<>"),
            // A value is not read again.
            ("{{app.name}}", "{{otp_code}}"),
            // What opens or closes nothing stays.
            ("{{otp_code", "{{otp_code"),
            ("otp_code}} {otp_code}", "otp_code}} {otp_code}"),
            ("{{a {{otp_code}} b}}", "{{a 042137 b}}"),
            ("{{{otp_code}}}", "{042137}"),
            ("{{otp_code}}\n\n{{nothing}}", "042137"),
            ("é{{otp_code}}é", "é042137é"),
        ] {
            assert_eq!(fill(template, &values).into_text(), wanted, "{template}");
        }
        assert_eq!(names("{{a}} {{ b.c }} {{{{d}}"), ["a", "b.c", "d"]);
    }

    #[test]
    fn a_long_text_is_cut_and_its_code_is_whole() {
        let values = [("otp_code", "042137")];
        let cut = |template: &str, most, must| fill(template, &values).cut(most, must);
        assert_eq!(cut("{{otp_code}} abcdef", 10, Some("042137")), "042137 abc");
        assert_eq!(cut("abcdef {{otp_code}}", 10, None), "abcdef");
        assert_eq!(cut("abcdef {{otp_code}}", 10, Some("042137")), "042137 abc");
        assert_eq!(cut("abc {{otp_code}} {{otp_code}}", 15, Some("042137")), "abc 042137");
        // Two units each.
        assert_eq!(cut("😀😀😀", 5, None), "😀😀");
        assert_eq!(cut("no code at all", 1600, Some("042137")), "042137 no code at all");
    }

    proptest! {
        /// Whatever the text and the values: no panic, no more units than allowed, the code whole.
        #[test]
        fn whatever_is_written(template in "(\\PC|[{}\n]|\\{\\{otp_code\\}\\}|\\{\\{app.name\\}\\}){0,60}", name in "(\\PC|[{}]){0,60}", most in 20_usize..80) {
            let values = [("otp_code", "0421379999"), ("app.name", name.as_str())];
            let cut = fill(&template, &values).cut(most, Some("0421379999"));
            prop_assert!(cut.encode_utf16().count() <= most, "{}", cut);
            prop_assert!(cut.contains("0421379999"), "{}", cut);
            let whole = fill(&template, &values).into_text();
            if whole.encode_utf16().count() <= most && whole.contains("0421379999") {
                prop_assert_eq!(cut, whole);
            } else if let Some(end) = cut.strip_prefix("0421379999 ") {
                // No piece of another code is left at the end.
                prop_assert!(!(end.len() > 3 && end.ends_with("042137999")), "{}", end);
            }
        }

        /// A text without braces is what it was.
        #[test]
        fn plain_text_stays(text in "[^{}]{0,80}") {
            prop_assert_eq!(fill(&text, &[]).into_text(), text.trim_end());
        }
    }
}
