//! How an e-mail looks: its paragraphs as text and as HTML, which say the same. Nothing comes from another host, and no link
//! is in it but an invitation's; the code is plain text, so that mail programs offer to fill it in.
//! Web mail drops `<html>` and what it says, so the language and the direction stand on an element inside as well. The code and
//! the link go from left to right in every language.

use askama::Template as _;

use crate::template::locale::is_right_to_left;

#[derive(askama::Template)]
#[template(path = "email/message.html")]
struct Page<'a> {
    locale: &'a str,
    dir: &'static str,
    subject: &'a str,
    paragraphs: &'a [Paragraph<'a>],
}

/// One paragraph.
enum Paragraph<'a> {
    /// The code alone.
    Code(&'a str),
    /// The link alone.
    Link(&'a str),
    /// Words.
    Words(&'a str),
}

/// The text and the HTML of an e-mail whose paragraphs stand with empty lines between them. A paragraph that is the code or the
/// link is shown as such.
pub fn lay_out(locale: &str, subject: &str, body: &str, code: Option<&str>, link: Option<&str>) -> (String, String) {
    let body = body.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let paragraphs = body.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    let paragraphs: Vec<Paragraph<'_>> = paragraphs
        .map(|words| match words {
            words if Some(words) == code => Paragraph::Code(words),
            words if Some(words) == link => Paragraph::Link(words),
            words => Paragraph::Words(words),
        })
        .collect();
    let text: Vec<&str> = paragraphs
        .iter()
        .map(|paragraph| match paragraph {
            Paragraph::Code(words) | Paragraph::Link(words) | Paragraph::Words(words) => *words,
        })
        .collect();
    let dir = if is_right_to_left(locale) { "rtl" } else { "ltr" };
    let page = Page { locale, dir, subject, paragraphs: &paragraphs };
    // Writing into a String cannot fail; were it to, the text alone goes out.
    (text.join("\n\n") + "\n", page.render().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        message::{Channel, notice::Change},
        template::{Slug, texts},
    };

    /// What a person reads of the HTML, by paragraphs.
    fn read(html: &str) -> String {
        let body = html.split_once("<main>").expect("a body").1.split_once("</main>").expect("an end").0;
        let body = body.trim().strip_suffix("</div>").expect("an end").split_once('>').expect("a language").1;
        let paragraphs = body.split("</p>").map(str::trim).filter(|paragraph| !paragraph.is_empty());
        let plain = |paragraph: &str| {
            let text = paragraph.split_once('>').expect("a tag").1;
            let inner = ["</a>", "</span>"].into_iter().find_map(|end| text.strip_suffix(end));
            let text = inner.map_or(text, |text| text.split_once('>').expect("a tag").1);
            text.replace("<br>", "\n")
                .replace("&#34;", "\"")
                .replace("&#39;", "'")
                .replace("&#60;", "<")
                .replace("&#62;", ">")
                .replace("&#38;", "&")
        };
        paragraphs.map(plain).collect::<Vec<_>>().join("\n\n") + "\n"
    }

    const LINK: &str = "https://app.example.com/join?a=1&b=%222#invitation=iv_abc";

    #[test]
    fn a_code_and_a_link_are_shown_as_such() {
        // Blank lines may hold spaces, and lines end as they do where the text was written.
        let body = format!(
            "Your A & B <i> code:\r\n\r\n 042137\n  \nOr open:\n\n{LINK}\n\nThat is 042137.\n\n\n\nBye,\nAna.\n"
        );
        let (text, html) = lay_out("en", "A \"subject\"", &body, Some("042137"), Some(LINK));
        assert_eq!(
            text,
            format!("Your A & B <i> code:\n\n042137\n\nOr open:\n\n{LINK}\n\nThat is 042137.\n\nBye,\nAna.\n")
        );
        assert_eq!(read(&html), text);
        assert_eq!(html.matches(r#"<p class="code"><span dir="ltr">042137</span></p>"#).count(), 1);
        let escaped = LINK.replace('&', "&#38;");
        assert_eq!(html.matches(&format!("<p><a dir=\"ltr\" href=\"{escaped}\">{escaped}</a></p>")).count(), 1);
        assert_eq!((html.matches("<a").count(), html.matches("http").count()), (1, 2));
        for loads in ["src=", "url(", "<img", "<link", "<script", "@import"] {
            assert!(!html.contains(loads), "{loads}");
        }
    }

    /// Built-in mails as somebody gets them.
    #[test]
    fn every_language_reads_the_same_as_text_and_goes_its_way() {
        for language in texts::LANGUAGES {
            for slug in Slug::ALL {
                let text = texts::built_in(Channel::Email, slug, language).expect("a mail");
                let body = text.body.replace("{{otp_code}}", "042137").replace("{{link}}", LINK);
                let advice = texts::advice(language, Channel::Email, &Change::Reset);
                let body = body.replace("{{advice}}", advice).replace("{{app.name}}", "A & B");
                let (text, html) = lay_out(language, text.subject, &body, Some("042137"), Some(LINK));
                assert_eq!(read(&html), text, "{language} {slug:?}");
                let way = if language == "ar" { "rtl" } else { "ltr" };
                for element in ["html", "div"] {
                    let marked = format!("<{element} lang=\"{language}\" dir=\"{way}\">");
                    assert!(html.contains(&marked), "{html}");
                }
                let (codes, links) = (usize::from(slug.has_code()), usize::from(slug == Slug::Invitation));
                assert_eq!(html.matches("class=\"code\"").count(), codes);
                assert_eq!((html.matches("<a").count(), html.matches("http").count()), (links, 2 * links));
            }
        }
    }

    proptest! {
        /// No text makes markup, or a paragraph of its own.
        #[test]
        fn words_stay_words(words in "\\PC{1,60}") {
            let (text, html) = lay_out("en", &words, &format!("a\n\n{words}\n\nb"), Some("042137"), None);
            let (_, plain) = lay_out("en", "x", "a\n\nx\n\nb", Some("042137"), None);
            if !words.trim().is_empty() {
                prop_assert_eq!(html.matches('<').count(), plain.matches('<').count());
            }
            prop_assert_eq!(read(&html), text);
        }
    }
}
