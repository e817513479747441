//! A QR code as SVG: one path on white, with a title for those who cannot see it.

use std::fmt::Write;

use qrcodegen::{QrCode, QrCodeEcc};
use zeroize::Zeroizing;

use crate::secret::Secret;

/// The white border that readers need: four modules (ISO/IEC 18004 §6.3.8).
const QUIET: i32 = 4;

/// How many units one module is wide where nothing else says how large the picture is.
const SCALE: i32 = 4;

/// The QR code of a text, as secret as the text. The title is plain text, and says nothing secret.
/// `None`: the text is too long, above 2331 bytes.
pub fn svg(text: &Secret, title: &str) -> Option<Secret> {
    let code = QrCode::encode_binary(text.expose().as_bytes(), QrCodeEcc::Medium).ok()?;
    let size = code.size() + 2 * QUIET;
    let pixels = size * SCALE;
    let path = path(&code);
    let title = escaped(title);
    Some(Secret::new(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" width=\"{pixels}\" height=\"{pixels}\" \
         role=\"img\" shape-rendering=\"crispEdges\"><title>{title}</title>\
         <rect width=\"{size}\" height=\"{size}\" fill=\"#fff\"/><path fill=\"#000\" d=\"{}\"/></svg>",
        *path
    )))
}

/// Each row's runs of dark modules as rectangles.
fn path(code: &QrCode) -> Zeroizing<String> {
    let mut path = Zeroizing::new(String::new());
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let start = x;
            while x < code.size() && code.get_module(x, y) {
                x += 1;
            }
            let run = x - start;
            if run > 0 {
                // Writing into a text cannot fail.
                let _ = write!(path, "M{} {}h{run}v1h-{run}z", start + QUIET, y + QUIET);
            } else {
                x += 1;
            }
        }
    }
    path
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Draws the SVG as a viewer would, without the crate that made it.
    fn draw(svg: &str) -> (usize, Vec<bool>) {
        let number = |text: &str| text.parse::<usize>().expect(text);
        let between = |from: &str, to: &str| svg.split_once(from).expect(from).1.split_once(to).expect(to).0;
        let size = number(between("viewBox=\"0 0 ", " "));
        let mut modules = vec![false; size * size];
        for rectangle in between(" d=\"M", "z\"").split("zM") {
            let (x, rest) = rectangle.split_once(' ').expect("x");
            let (y, rest) = rest.split_once('h').expect("y");
            let (run, rest) = rest.split_once("v1h-").expect("a run of height one");
            assert_eq!(run, rest);
            for x in number(x)..number(x) + number(run) {
                modules[number(y) * size + x] = true;
            }
        }
        (size, modules)
    }

    /// Takes a picture of it and finds and reads the code there.
    fn read(svg: &str) -> String {
        let (size, modules) = draw(svg);
        let scale = 5;
        let mut picture = rqrr::PreparedImage::prepare_from_bitmap(size * scale, size * scale, |x, y| {
            modules[y / scale * size + x / scale]
        });
        let grids = picture.detect_grids();
        assert_eq!(grids.len(), 1);
        grids[0].decode().expect("it is read").1
    }

    #[test]
    fn it_has_a_role_a_title_and_one_path_and_nothing_runs() {
        let svg = svg(&Secret::new("otpauth://totp/a?secret=MZXW6".to_owned()), "Scan <this> & \"that\"").expect("SVG");
        let svg = svg.expose();
        assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 "));
        assert!(svg.contains(" role=\"img\"") && svg.contains("<title>Scan &lt;this&gt; &amp; \"that\"</title>"));
        assert_eq!(svg.matches("<path").count(), 1);
        for never in ["style", "script", "href", "MZXW6"] {
            assert!(!svg.contains(never), "{never}");
        }
        // The border is white.
        let (size, modules) = draw(svg);
        for (at, dark) in modules.iter().enumerate() {
            let (x, y) = (at % size, at / size);
            assert!(!dark || ((4..size - 4).contains(&x) && (4..size - 4).contains(&y)));
        }
    }

    #[test]
    fn what_is_too_long_is_refused() {
        let text = |length| Secret::new("a".repeat(length));
        assert!(svg(&text(2331), "").is_some());
        assert!(svg(&text(2332), "").is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        /// Another program reads it back.
        #[test]
        fn a_reader_reads_what_was_written(text in "[!-~]{1,300}") {
            let svg = svg(&Secret::new(text.clone()), "QR code").expect("SVG");
            prop_assert_eq!(read(svg.expose()), text);
            // The reader takes mirrored codes, too, which apps do not: the module that is always dark tells.
            let (size, modules) = draw(svg.expose());
            prop_assert!(modules[(size - 12) * size + 12]);
        }
    }
}
