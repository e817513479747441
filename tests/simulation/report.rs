//! The part of `docs/fraud.md` that is made: the tables.

use std::fmt::Write as _;

use super::{
    parameters::{Attack, Numbers, Parameters},
    places::{COUNTRIES, HONEST},
    run::{Count, Outcome},
    week::HOUR,
};

/// The modes, in the order of the tables.
pub const MODES: [&str; 3] = ["off", "record_only", "enforce"];

/// A whole number with a comma at each thousand.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let head = digits.len() % 3;
    let mut text = digits[..head].to_owned();
    for group in digits.as_bytes()[head..].chunks(3) {
        if !text.is_empty() {
            text.push(',');
        }
        text += std::str::from_utf8(group).unwrap();
    }
    text
}

/// Millionths of a dollar as dollars.
pub fn dollars(cost: i64) -> String {
    let cents = u64::try_from(cost / 10_000).unwrap();
    format!("${}.{:02}", grouped(cents / 100), cents % 100)
}

/// Parts of a hundred thousand as per cent.
pub fn percent(part: i64) -> String {
    format!("{}.{:02} %", part / 1_000, part % 1_000 / 10)
}

/// A time, as people say it.
fn span(millis: i64) -> String {
    match millis / 1_000 {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", millis / HOUR, millis % HOUR / 60_000),
    }
}

fn found(count: &Count) -> String {
    match (count.first, count.found) {
        (Some(first), Some(found)) => format!("{} ({} messages)", span(found - first), count.unnoticed),
        _ => "–".to_owned(),
    }
}

/// What came of the week in each mode.
pub fn table(names: &[&str], outcomes: &[Outcome]) -> String {
    let mut text = "| | off | `record_only` | `enforce` |\n| --- | ---: | ---: | ---: |\n".to_owned();
    let mut row = |name: String, cell: &dyn Fn(&Outcome) -> String| {
        let cells: Vec<String> = outcomes.iter().map(cell).collect();
        writeln!(text, "| {name} | {} |", cells.join(" | ")).unwrap();
    };
    let unguarded = &outcomes[0];
    row("honest messages asked for".to_owned(), &|it| grouped(it.honest.asked));
    row("… refused, or would have been".to_owned(), &|it| grouped(it.honest.flagged));
    row("… of a hundred".to_owned(), &|it| percent(i64::try_from(it.honest_flagged()).unwrap()));
    for (index, name) in names.iter().enumerate() {
        row(format!("**{name}**: messages that went out"), &|it| grouped(it.attacks[index].sent));
        row("… refused, or would have been".to_owned(), &|it| grouped(it.attacks[index].flagged));
        row("… money lost".to_owned(), &|it| dollars(it.attacks[index].cost));
        row("… of the loss without the guard".to_owned(), &|it| {
            percent(Outcome::part(it.attacks[index].cost, unguarded.attacks[index].cost))
        });
        row("… found after".to_owned(), &|it| found(&it.attacks[index]));
    }
    row("**All attacks**: money lost".to_owned(), &|it| dollars(it.loss()));
    row("… of the loss without the guard".to_owned(), &|it| percent(Outcome::part(it.loss(), unguarded.loss())));
    text
}

/// What the week is made of.
pub fn parameters(parameters: &Parameters) -> String {
    let honest = &parameters.honest;
    let mut text = "| honest traffic | |\n| --- | --- |\n".to_owned();
    let mut row = |name: &str, value: String| writeln!(text, "| {name} | {value} |").unwrap();
    row("seed", parameters.seed.to_string());
    row("days", honest.days.to_string());
    row("codes asked for in a day, on average", grouped(honest.asks_per_day));
    let shares: Vec<String> = HONEST.iter().map(|(code, share)| format!("{code} {share}")).collect();
    row("countries, in a hundred", shares.join(", "));
    row("people who have proven their number before, in a hundred asks", honest.known.to_string());
    let (best, worst) = honest.conversion;
    row("codes that come back, in a hundred", format!("{worst} to {best}, by country"));
    row("asked for a second time, mistyped first, in a hundred", format!("{}, {}", honest.resends, honest.typos));
    row(
        "people in another country than their number; of whom nobody says where they are",
        format!("{}, {}", honest.away, honest.unplaced),
    );
    row("in a mobile network, asks a day from each shared address", format!("{}, {}", honest.mobile, honest.shared_by));
    row("in an office, asks a day from its address", format!("{}, {}", honest.office, honest.office_size));
    let apps: Vec<String> = honest.apps.iter().map(u64::to_string).collect();
    row("apps, in a hundred asks", apps.join(", "));
    if let Some((from, hours, times)) = honest.launch {
        row("a launch", format!("from hour {from}, for {hours} hours {times} times as many new people"));
    }
    text += "\n| attack | numbers | when | asks | at home | sends back | from |\n| --- | --- | --- | ---: | ---: | ---: | --- |\n";
    for attack in &parameters.attacks {
        let Attack { name, begins, hours, asks, home, verifies, operators, .. } = attack;
        writeln!(
            text,
            "| {name} | {} | hour {begins}, for {hours} | {} | {home} % | {verifies} % | another address each time, {operators} networks{} |",
            numbers(&attack.numbers),
            grouped(*asks),
            if attack.app.is_some() { ", through one app" } else { "" },
        )
        .unwrap();
    }
    text
}

fn numbers(numbers: &Numbers) -> String {
    match numbers {
        Numbers::Prefix(country) => format!("10,000 of one prefix ({})", COUNTRIES[*country].code),
        Numbers::Countries(countries, each) => format!("{} countries, {each} prefixes each", countries.len()),
        Numbers::Accounts(countries, each) => format!("{} countries, by {each} accounts", countries.len()),
        Numbers::Few(country, each) => {
            format!("{each} numbers ({}), by an account each time", COUNTRIES[*country].code)
        }
    }
}

/// What is left of each attack's loss when one rule alone is on.
pub fn matrix(rules: &[&str], rows: &[(&str, Vec<i64>)]) -> String {
    let mut text = format!("| | {} |\n| --- |{}\n", rules.join(" | "), " ---: |".repeat(rules.len()));
    for (name, parts) in rows {
        let cells: Vec<String> = parts.iter().map(|part| format!("{} %", (part + 500) / 1_000)).collect();
        writeln!(text, "| {name} | {} |", cells.join(" | ")).unwrap();
    }
    text
}

/// What other weeks come to, in `enforce`: the loss in all, the worst attack's, and honest sends refused.
pub fn others(rows: &[(&str, i64, i64, i64)]) -> String {
    let mut text =
        "| week | loss in all | the worst attack | honest refused |\n| --- | ---: | ---: | ---: |\n".to_owned();
    for (name, loss, worst, honest) in rows {
        writeln!(text, "| {name} | {} | {} | {} |", percent(*loss), percent(*worst), percent(*honest)).unwrap();
    }
    text
}
