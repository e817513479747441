//! A strict reader of Prometheus' text format, version 0.0.4: written from the format's description, apart from the Worker's
//! own code. What a scraper would stumble over fails the test.

use std::collections::{BTreeMap, BTreeSet};

/// A family as it was read.
#[derive(Debug, Default)]
pub struct Family {
    pub kind: String,
    pub help: String,
    /// Name, labels and value of each line.
    pub samples: Vec<(String, BTreeMap<String, String>, f64)>,
}

impl Family {
    /// The value of the one sample with this name's ending and these labels among its own.
    pub fn value(&self, ending: &str, labels: &[(&str, &str)]) -> f64 {
        let fits = |(name, all, _): &&(String, BTreeMap<String, String>, f64)| {
            name.ends_with(ending)
                && labels.iter().all(|(label, value)| all.get(*label).map(String::as_str) == Some(*value))
        };
        let found: Vec<_> = self.samples.iter().filter(fits).collect();
        assert_eq!(found.len(), 1, "{ending} {labels:?}: {found:?}");
        found[0].2
    }
}

fn is_name(text: &str, colons: bool) -> bool {
    let plain = |character: char| character.is_ascii_alphabetic() || character == '_' || (colons && character == ':');
    text.chars().next().is_some_and(plain) && text.chars().all(|one| plain(one) || one.is_ascii_digit())
}

fn number(text: &str) -> f64 {
    match text {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        "NaN" => f64::NAN,
        _ => {
            assert!(text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)), "{text} is no number");
            text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
        }
    }
}

/// `{name="value",…}`: the labels, and what comes behind.
fn labels(text: &str) -> (BTreeMap<String, String>, &str) {
    let mut all = BTreeMap::new();
    let mut rest = text;
    while let Some((name, quoted)) = rest.split_once("=\"") {
        assert!(is_name(name, false), "{name} is no label");
        let (mut value, mut characters) = (String::new(), quoted.char_indices());
        let end = loop {
            match characters.next().expect("a label ends") {
                (at, '"') => break at + 1,
                (_, '\\') => value.push(match characters.next().expect("an escape ends").1 {
                    'n' => '\n',
                    known @ ('\\' | '"') => known,
                    other => panic!("\\{other} is no escape"),
                }),
                (_, other) => value.push(other),
            }
        };
        assert!(all.insert(name.to_owned(), value).is_none(), "{name} is there twice");
        rest = &quoted[end..];
        match rest.strip_prefix(',') {
            Some(further) => rest = further,
            None => break,
        }
    }
    (all, rest.strip_prefix('}').unwrap_or_else(|| panic!("no end of labels: {text}")))
}

/// Reads a whole exposition.
pub fn parse(text: &str) -> BTreeMap<String, Family> {
    assert!(text.ends_with('\n'), "the last line ends too");
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let (mut current, mut seen) = (String::new(), BTreeSet::new());
    for line in text.lines() {
        assert!(!line.is_empty() && line == line.trim(), "{line:?}");
        if let Some(comment) = line.strip_prefix("# ") {
            let mut parts = comment.splitn(3, ' ');
            let (what, name, rest) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
            assert!(is_name(name, true), "{line}");
            if what == "HELP" {
                assert!(!families.contains_key(name), "{name} stands in two places");
                name.clone_into(&mut current);
                families.entry(current.clone()).or_default().help.push_str(rest);
            } else {
                assert!(
                    what == "TYPE" && name == current && ["counter", "gauge", "histogram"].contains(&rest),
                    "{line}"
                );
                let family = families.get_mut(name).unwrap();
                assert!(family.kind.is_empty() && family.samples.is_empty(), "{line}");
                rest.clone_into(&mut family.kind);
            }
            continue;
        }
        let end = line.find(['{', ' ']).expect(line);
        let (name, rest) = line.split_at(end);
        let (labels, rest) = match rest.strip_prefix('{') {
            Some(rest) => labels(rest),
            None => (BTreeMap::new(), rest),
        };
        let value = number(rest.strip_prefix(' ').unwrap_or_else(|| panic!("{line}")));
        let family = families.get_mut(&current).unwrap_or_else(|| panic!("{line} is of no family"));
        let endings: &[&str] = if family.kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
        let fits = endings.iter().any(|ending| name.strip_suffix(ending) == Some(&current));
        assert!(is_name(name, true) && fits, "{line} stands under {current}");
        assert!(family.kind != "counter" || (value >= 0.0 && name.ends_with("_total")), "{line}");
        assert!(seen.insert((name.to_owned(), labels.clone())), "{line} is there twice");
        family.samples.push((name.to_owned(), labels, value));
    }
    families.values().filter(|family| family.kind == "histogram").for_each(histogram);
    families
}

/// Classes rise, count what is below them too, and end with all.
fn histogram(family: &Family) {
    let mut series: BTreeMap<BTreeMap<String, String>, Vec<(f64, f64)>> = BTreeMap::new();
    for (name, labels, value) in &family.samples {
        if name.ends_with("_bucket") {
            let mut labels = labels.clone();
            let bound = number(&labels.remove("le").expect("a bound"));
            series.entry(labels).or_default().push((bound, *value));
        }
    }
    assert!(!series.is_empty());
    for (labels, classes) in series {
        assert!(classes.windows(2).all(|two| two[0].0 < two[1].0 && two[0].1 <= two[1].1), "{labels:?} {classes:?}");
        let (bound, all) = *classes.last().unwrap();
        let exactly = |ending: &str| {
            let same = family.samples.iter().filter(|(name, own, _)| name.ends_with(ending) && *own == labels);
            same.map(|(_, _, value)| *value).collect::<Vec<_>>()
        };
        assert_eq!((bound, exactly("_count")), (f64::INFINITY, vec![all]), "{labels:?}");
        assert_eq!(exactly("_sum").len(), 1, "{labels:?}");
    }
}
