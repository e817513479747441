//! A whole message for who takes one as it is: headers of RFC 5322, the text and the HTML as
//! `multipart/alternative` (RFC 2046 §5.1.4), both quoted-printable (RFC 2045 §6.7).

use std::fmt::Write as _;

use base64::{Engine, engine::general_purpose::STANDARD};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

use super::Mailbox;
use crate::time::Timestamp;

/// The longest line of a quoted-printable body, without its end.
const LINE: usize = 76;
/// The longest header value that stands as it is, on one line of 78 with its name.
pub(super) const PLAIN_HEADER: usize = 66;
/// How many octets of UTF-8 one encoded word takes, so that its line stays within 76 characters (RFC 2047 §2).
const WORD_OCTETS: usize = 39;

/// A message.
pub struct Mime<'a> {
    /// Who sends.
    pub from: &'a Mailbox,
    /// To whom: an address.
    pub to: &'a str,
    /// The subject.
    pub subject: &'a str,
    /// The part for programs that show text.
    pub text: &'a str,
    /// The part for all others.
    pub html: &'a str,
    /// Our id of it: `Message-ID` begins with it.
    pub id: &'a str,
    /// When it was made.
    pub date: Timestamp,
}

impl Mime<'_> {
    /// The message, lines ended by CRLF. `=_` stands in no quoted-printable body, so the boundary does not either.
    pub fn write(&self) -> String {
        let date = OffsetDateTime::from_unix_timestamp(self.date.millis() / 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let boundary = format!("=_{}", self.id);
        let mut message = String::with_capacity(self.text.len() + 2 * self.html.len() + 1024);
        for (name, value) in [
            ("From", self.from.header()),
            ("To", format!("<{}>", one_line(self.to))),
            ("Subject", unstructured(self.subject)),
            ("Date", date.format(&Rfc2822).unwrap_or_default()),
            ("Message-ID", format!("<{}@{}>", self.id, self.from.address().domain())),
            // No holiday notice has to come back (RFC 3834 §5).
            ("Auto-Submitted", "auto-generated".to_owned()),
            ("MIME-Version", "1.0".to_owned()),
            ("Content-Type", format!("multipart/alternative;\r\n boundary=\"{boundary}\"")),
        ] {
            let _ = write!(message, "{name}: {value}\r\n");
        }
        for (media, body) in [("text/plain", self.text), ("text/html", self.html)] {
            let _ = write!(
                message,
                "\r\n--{boundary}\r\nContent-Type: {media}; charset=utf-8\r\n\
                 Content-Transfer-Encoding: quoted-printable\r\n\r\n{}",
                quoted_printable(body)
            );
        }
        let _ = write!(message, "\r\n--{boundary}--\r\n");
        message
    }
}

/// A header's value without line ends or other control characters: nothing that is put in makes a header of its own.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// A header's free text: as it is, or as encoded words.
fn unstructured(text: &str) -> String {
    let text = one_line(text);
    if text.is_ascii() && text.len() <= PLAIN_HEADER && !text.contains("=?") { text } else { encoded(&text) }
}

/// Encoded words (RFC 2047), each of whole characters, one a line.
pub(super) fn encoded(text: &str) -> String {
    let mut words: Vec<String> = vec![String::new()];
    for character in one_line(text).chars() {
        match words.last_mut() {
            Some(word) if word.len() + character.len_utf8() <= WORD_OCTETS => word.push(character),
            _ => words.push(character.to_string()),
        }
    }
    let words: Vec<String> = words.iter().map(|word| format!("=?UTF-8?B?{}?=", STANDARD.encode(word))).collect();
    words.join("\r\n ")
}

/// Quoted-printable: what is printable ASCII stays, so that the message can be read as it is.
fn quoted_printable(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let last = line.len().saturating_sub(1);
        let mut written = String::new();
        let mut width = 0;
        for (at, byte) in line.bytes().enumerate() {
            let token = match byte {
                b'=' => "=3D".to_owned(),
                b' ' | b'\t' if at == last => format!("={byte:02X}"),
                b' '..=b'~' | b'\t' => char::from(byte).to_string(),
                _ => format!("={byte:02X}"),
            };
            // One place is the soft line break's, where more follows.
            if width + token.len() > LINE - usize::from(at != last) {
                written.push_str("=\r\n");
                width = 0;
            }
            width += token.len();
            written.push_str(&token);
        }
        lines.push(written);
    }
    lines.join("\r\n")
}

#[cfg(test)]
mod tests {
    use mail_parser::{MessageParser, MimeHeaders};

    use super::*;

    fn message(from: &str, subject: &str, text: &str, html: &str) -> String {
        let from = Mailbox::parse(from).unwrap_or_else(|error| panic!("{error}"));
        let date = Timestamp::from_millis(1_795_310_876_042);
        Mime { from: &from, to: "ana@example.com", subject, text, html, id: "msg_01", date }.write()
    }

    #[test]
    fn format_unchanged() {
        let text = "042137 is your code.\n\nA line that is longer than seventy-six characters has to be broken in two, softly. ";
        assert_eq!(
            message("Example <no-reply@Example.com>", "042137 is your Example code", text, "<p>caf\u{e9} = 1</p>\n"),
            "From: Example <no-reply@Example.com>\r\n\
             To: <ana@example.com>\r\n\
             Subject: 042137 is your Example code\r\n\
             Date: Sun, 22 Nov 2026 01:27:56 +0000\r\n\
             Message-ID: <msg_01@example.com>\r\n\
             Auto-Submitted: auto-generated\r\n\
             MIME-Version: 1.0\r\n\
             Content-Type: multipart/alternative;\r\n\x20\
             boundary=\"=_msg_01\"\r\n\
             \r\n\
             --=_msg_01\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\
             Content-Transfer-Encoding: quoted-printable\r\n\
             \r\n\
             042137 is your code.\r\n\
             \r\n\
             A line that is longer than seventy-six characters has to be broken in two, =\r\n\
             softly.=20\r\n\
             --=_msg_01\r\n\
             Content-Type: text/html; charset=utf-8\r\n\
             Content-Transfer-Encoding: quoted-printable\r\n\
             \r\n\
             <p>caf=C3=A9 =3D 1</p>\r\n\
             --=_msg_01--\r\n"
        );
    }

    #[test]
    fn another_parser_reads_what_was_meant() {
        let text =
            "Grüße: 042137 = 424242\n\n.\nFrom here =_msg_01 --=_msg_01\n".repeat(9) + &"日本語 ".repeat(60) + "\t";
        let html = format!("<p>{}</p>", "ü€𝄞 \u{2022}".repeat(100));
        for (from, name) in [
            ("Example <a@b.example>", "Example"),
            (
                "Bücher & Söhne, the shop with a name that needs two words 日本 <a@b.example>",
                "Bücher & Söhne, the shop with a name that needs two words 日本",
            ),
            ("\"Example, \\\"Inc.\\\"\" <a@b.example>", "Example, \"Inc.\""),
        ] {
            for subject in ["042137 is your Bücher code", "=?x?= 1", &"long ".repeat(30), "日本語".repeat(30).as_str()]
            {
                let raw = message(from, subject, &text, &html);
                assert!(raw.is_ascii(), "no 8-bit octet");
                assert!(raw.lines().all(|line| line.len() <= 78), "a line is too long: {raw}");
                assert!(!raw.replace("\r\n", "").contains(['\r', '\n']), "a bare line end");
                let parsed = MessageParser::default().parse(&raw).expect("a message");
                assert_eq!(parsed.subject().map(str::trim_end), Some(subject.trim_end()));
                let sender = parsed.from().and_then(|from| from.first()).expect("a sender");
                assert_eq!((sender.name(), sender.address()), (Some(name), Some("a@b.example")));
                assert_eq!(parsed.message_id(), Some("msg_01@b.example"));
                assert_eq!(parsed.date().map(mail_parser::DateTime::to_timestamp), Some(1_795_310_876));
                assert_eq!(parsed.text_body.len(), 1);
                let read = |part: Option<std::borrow::Cow<'_, str>>| part.map(|part| part.replace("\r\n", "\n"));
                assert_eq!(read(parsed.body_text(0)).as_deref(), Some(text.as_str()));
                assert_eq!(read(parsed.body_html(0)).as_deref(), Some(html.as_str()));
                assert_eq!(parsed.content_type().and_then(|kind| kind.subtype()), Some("alternative"));
            }
        }
    }

    #[test]
    fn nothing_that_is_put_in_makes_a_header() {
        let raw = message("A <a@b.example>", "code\r\nBcc: eve@example.com\r\n\r\nbody", "t", "h");
        let parsed = MessageParser::default().parse(&raw).expect("a message");
        assert!(parsed.bcc().is_none());
        assert_eq!(parsed.subject(), Some("code  Bcc: eve@example.com    body"));
    }
}
