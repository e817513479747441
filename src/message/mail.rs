//! What an e-mail says: the subject, the text and the HTML, which say the same. Plain words, no link but an invitation's,
//! and nothing from another host; the code is plain text, and the subject begins with it, so that mail programs offer to fill it in.

use std::time::Duration;

use askama::Template as _;

use super::notice::Change;
use crate::{crypto::Code, time::Timestamp};

/// The slug that the messages of invitations have.
pub const INVITATION: &str = "invitation";

/// What an e-mail is about.
#[derive(Clone, Copy)]
pub enum About<'a> {
    /// A code at sign-in, or to check an address; and how long it works.
    Verification(&'a Code, Duration),
    /// A code that proves a new address; and how long it works.
    Enrolment(&'a Code, Duration),
    /// Something changed about how the person signs in; and when.
    Notice(&'a Change, Timestamp),
    /// Somebody is invited to sign up by this link; and until when.
    Invitation(&'a str, Timestamp),
}

/// An e-mail's words. They hold a code, so there is no `Debug`.
#[derive(Clone)]
pub struct Words {
    /// The subject.
    pub subject: String,
    /// The part for programs that show text.
    pub text: String,
    /// The part for all others.
    pub html: String,
}

#[derive(askama::Template)]
#[template(path = "email/message.html")]
struct Page<'a> {
    locale: &'static str,
    subject: &'a str,
    lead: &'a str,
    code: Option<&'a str>,
    link: Option<&'a str>,
    paragraphs: &'a [String],
}

/// Writes an e-mail of an app.
pub fn render(about: About<'_>, app_name: &str) -> Words {
    let (subject, lead, code, paragraphs) = match about {
        About::Verification(code, lifetime) => (
            format!("{} is your {app_name} code", code.expose()),
            format!("Your {app_name} code:"),
            Some(code.expose()),
            vec![
                how_long(lifetime),
                format!("Tell it to nobody: nobody from {app_name} will ask you for it."),
                "If you did not ask for it, you can ignore this e-mail: the code is of no use to anyone who does not see it.".to_owned(),
            ],
        ),
        About::Enrolment(code, lifetime) => (
            format!("{} is your {app_name} code to add this address", code.expose()),
            format!("Your code to add this address to your {app_name} account:"),
            Some(code.expose()),
            vec![
                how_long(lifetime),
                format!("Tell it to nobody: nobody from {app_name} will ask you for it."),
                "If you did not ask for it, you can ignore this e-mail: without the code your address is not added.".to_owned(),
            ],
        ),
        About::Notice(change @ Change::SignUpTried, when) => (
            change.headline(app_name),
            format!("{} The time was {}.", change.sentence(app_name), in_words(when)),
            None,
            vec![
                format!("If this was you: you have an account already. Open {app_name} and sign in, or reset your password there."),
                "If it was not you, there is nothing to do: nobody got in, and nothing was changed.".to_owned(),
            ],
        ),
        About::Notice(change, when) => (
            change.headline(app_name),
            format!("{} The time was {}.", change.sentence(app_name), in_words(when)),
            None,
            vec![
                "If this was you, there is nothing to do.".to_owned(),
                format!("If it was not you, somebody else may have got into your account: open {app_name} as you always do, undo the change in your security settings, and tell its support."),
                format!("This e-mail has no link on purpose. Reach {app_name} by yourself, never through a message."),
            ],
        ),
        About::Invitation(_, until) => (
            format!("You are invited to {app_name}"),
            format!("You are invited to create your {app_name} account. Open this link:"),
            None,
            vec![
                format!("It works once, until {}. It proves that this address is yours: pass it on to nobody.", in_words(until)),
                "If you did not expect it, you can ignore this e-mail: no account is made.".to_owned(),
            ],
        ),
    };
    let link = match about {
        About::Invitation(link, _) => Some(link),
        _ => None,
    };
    let locale = super::template::LOCALE;
    let page = Page { locale, subject: &subject, lead: &lead, code, link, paragraphs: &paragraphs };
    // Writing into a String cannot fail; were it to, the text alone goes out.
    let html = page.render().unwrap_or_default();
    let mut text: Vec<&str> = vec![&lead];
    text.extend(code);
    text.extend(link);
    text.extend(paragraphs.iter().map(String::as_str));
    Words { text: text.join("\n\n") + "\n", html, subject }
}

fn how_long(lifetime: Duration) -> String {
    let minutes = lifetime.as_secs().div_ceil(60);
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    format!("It works for {minutes} {unit}. Enter it where you were asked for it.")
}

/// `22 November 2026, 01:27 UTC`.
fn in_words(when: Timestamp) -> String {
    let moment =
        time::OffsetDateTime::from_unix_timestamp(when.millis() / 1000).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    format!("{} {} {}, {:02}:{:02} UTC", moment.day(), moment.month(), moment.year(), moment.hour(), moment.minute())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code() -> Code {
        Code::parse("042137").expect("a code")
    }

    fn verification(app_name: &str) -> Words {
        render(About::Verification(&code(), Duration::from_mins(5)), app_name)
    }

    /// What a person reads of the HTML, by paragraphs.
    fn read(html: &str) -> String {
        let body = html.split_once("<main>").expect("a body").1.split_once("</main>").expect("an end").0;
        let paragraphs = body.split("</p>").map(str::trim).filter(|paragraph| !paragraph.is_empty());
        let plain = |paragraph: &str| {
            let text = paragraph.split_once('>').expect("a tag").1;
            text.replace("&#34;", "\"")
                .replace("&#39;", "'")
                .replace("&#60;", "<")
                .replace("&#62;", ">")
                .replace("&#38;", "&")
        };
        paragraphs.map(plain).collect::<Vec<_>>().join("\n\n") + "\n"
    }

    #[test]
    fn words_unchanged() {
        let words = verification("Example");
        assert_eq!(words.subject, "042137 is your Example code");
        assert_eq!(
            words.text,
            "Your Example code:\n\n042137\n\nIt works for 5 minutes. Enter it where you were asked for it.\n\n\
             Tell it to nobody: nobody from Example will ask you for it.\n\n\
             If you did not ask for it, you can ignore this e-mail: the code is of no use to anyone who does not see it.\n"
        );
        let words = render(About::Enrolment(&code(), Duration::from_secs(30)), "Example");
        assert_eq!(words.subject, "042137 is your Example code to add this address");
        assert!(words.text.contains("It works for 1 minute."), "{}", words.text);
        let change = Change::Added { factor: "passkey".to_owned(), name: Some("Ana's laptop".to_owned()) };
        let words = render(About::Notice(&change, Timestamp::from_millis(1_795_310_876_042)), "Example");
        assert_eq!(words.subject, "A passkey was added to your Example account");
        assert_eq!(
            words.text,
            "A passkey (\u{201c}Ana's laptop\u{201d}) was added to your Example account. The time was 22 November 2026, 01:27 UTC.\n\n\
             If this was you, there is nothing to do.\n\n\
             If it was not you, somebody else may have got into your account: open Example as you always do, undo the \
             change in your security settings, and tell its support.\n\n\
             This e-mail has no link on purpose. Reach Example by yourself, never through a message.\n"
        );
    }

    #[test]
    fn an_invitation_has_its_link_and_no_other() {
        let link = "https://app.example.com/join?a=1&b=%222#invitation=iv_abc";
        let words = render(About::Invitation(link, Timestamp::from_millis(1_795_310_876_042)), "A & B");
        assert_eq!(words.subject, "You are invited to A & B");
        assert_eq!(
            words.text,
            format!(
                "You are invited to create your A & B account. Open this link:\n\n{link}\n\n\
                 It works once, until 22 November 2026, 01:27 UTC. It proves that this address is yours: pass it on to nobody.\n\n\
                 If you did not expect it, you can ignore this e-mail: no account is made.\n"
            )
        );
        let escaped = link.replace('&', "&#38;");
        assert_eq!(words.html.matches(&format!("<a href=\"{escaped}\">{escaped}</a>")).count(), 1);
        assert_eq!((words.html.matches("<a").count(), words.html.matches("http").count()), (1, 2));
    }

    #[test]
    fn both_parts_say_the_same_and_load_nothing() {
        let change = Change::Removed { factor: "phone".to_owned(), name: None };
        for words in [verification("A & B <i>"), render(About::Notice(&change, Timestamp::from_millis(0)), "Example")] {
            assert_eq!(read(&words.html), words.text);
            for loads in ["http", "<a", "src=", "url(", "<img", "<link", "<script", "@import"] {
                assert!(!words.html.contains(loads), "{loads}");
            }
            assert!(!words.text.contains("http"));
        }
        assert_eq!(verification("Example").html.matches(">042137</p>").count(), 1);
    }

    proptest! {
        /// Neither the app's name nor what a person calls a factor makes markup, a line or a header of its own.
        #[test]
        fn names_stay_words(app_name in "\\PC{0,60}", name in ".{0,60}") {
            let change = Change::Added { factor: "passkey".to_owned(), name: Some(name) };
            let words = render(About::Notice(&change, Timestamp::from_millis(0)), &app_name);
            let plain = Change::Added { factor: "passkey".to_owned(), name: None };
            let plain = render(About::Notice(&plain, Timestamp::from_millis(0)), "Example");
            prop_assert_eq!(words.html.matches('<').count(), plain.html.matches('<').count());
            prop_assert_eq!(words.text.lines().count(), plain.text.lines().count());
            prop_assert_eq!(words.subject.lines().count(), 1);
        }
    }
}
