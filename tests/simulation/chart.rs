//! The picture of `docs/fraud.md`: a week by hour, and what it has cost, without the guard and with it.

use std::fmt::Write as _;

use super::{report::dollars, run::Outcome};

const LEFT: i64 = 70;
const WIDTH: i64 = 860;
const HEIGHT: i64 = 190;
/// Where the two pictures begin.
const TOPS: [i64; 2] = [56, 316];

/// Readable on a light page and on a dark one.
const STYLE: &str = "<style>
  text { font: 13px system-ui, sans-serif; fill: #24292f } .h { font-weight: 600 } .axis { stroke: #57606a } .grid { stroke: #d0d7de }
  .honest { fill: #6cb27f } .a0 { fill: #d9822b } .a1 { fill: #8e6bbf } .a2 { fill: #c7406b } .paper { fill: #ffffff }
  .off { fill: none; stroke: #c7406b; stroke-width: 2.5 } .on { fill: none; stroke: #2f81f7; stroke-width: 2.5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .axis { stroke: #8b949e } .grid { stroke: #30363d } .paper { fill: #0d1117 } .off { stroke: #ff7b9c }
  }
</style>";

/// The chart of the weeks without the guard and with it.
pub fn chart(names: &[&str], off: &Outcome, on: &Outcome) -> String {
    let hours = i64::try_from(off.hours.len() - 1).unwrap();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 960 570\" role=\"img\" aria-label=\"A week of messages, and what attacks cost without the guard and with it\">\n{STYLE}\n<rect class=\"paper\" width=\"960\" height=\"570\"/>\n"
    );
    // Messages per hour, without the guard: honest ones, and each attack on top of them.
    let stack = |hour: usize, level: usize| {
        let hour = &off.hours[hour];
        hour.honest + hour.sent.iter().take(level).sum::<u64>()
    };
    // What comes in a burst is cut off: its hour would make the rest a line.
    let mut levels: Vec<u64> = (0..off.hours.len()).map(|hour| stack(hour, names.len())).collect();
    levels.sort_unstable();
    let most = i64::try_from(levels[levels.len() * 97 / 100]).unwrap().max(1) * 5 / 4;
    frame(
        &mut svg,
        TOPS[0],
        hours,
        "Messages an hour without the guard",
        &grid(most, &|value| value.to_string()),
        most,
    );
    for level in (0..=names.len()).rev() {
        let mut path = format!("M{LEFT} {}", TOPS[0] + HEIGHT);
        for hour in 0..off.hours.len() - 1 {
            let count = i64::try_from(stack(hour, level)).unwrap().min(most);
            let at = i64::try_from(hour).unwrap();
            let y = TOPS[0] + HEIGHT - count * HEIGHT / most;
            write!(path, "L{} {y}H{}", x(at, hours), x(at + 1, hours)).unwrap();
        }
        let class = if level == 0 { "honest".to_owned() } else { format!("a{}", level - 1) };
        writeln!(svg, "<path class=\"{class}\" d=\"{path}V{}z\"/>", TOPS[0] + HEIGHT).unwrap();
    }
    let mut legend = vec![("honest".to_owned(), "honest")];
    legend.extend(names.iter().enumerate().map(|(index, name)| (format!("a{index}"), *name)));
    for (index, (class, name)) in legend.iter().enumerate() {
        let left = 400 + 150 * i64::try_from(index).unwrap() - if index == 0 { 0 } else { 60 };
        writeln!(svg, "<rect class=\"{class}\" x=\"{left}\" y=\"25\" width=\"12\" height=\"12\"/><text x=\"{}\" y=\"36\">{name}</text>", left + 17).unwrap();
    }
    // What attacks have cost so far.
    let most = off.loss().max(1);
    let top = TOPS[1];
    frame(&mut svg, top, hours, "What the attacks have cost so far", &grid(most, &dollars), most);
    for (class, outcome) in [("off", off), ("on", on)] {
        let mut sum = 0;
        let mut path = format!("M{LEFT} {}", top + HEIGHT);
        for (hour, costs) in outcome.hours.iter().enumerate() {
            sum += costs.costs.iter().sum::<i64>();
            let at = i64::try_from(hour).unwrap() + 1;
            write!(path, "L{} {}", x(at.min(hours), hours), top + HEIGHT - sum * HEIGHT / most).unwrap();
        }
        writeln!(svg, "<path class=\"{class}\" d=\"{path}\"/>").unwrap();
    }
    let texts = [
        ("off", format!("off: {}", dollars(off.loss())), 560),
        ("on", format!("enforce: {}", dollars(on.loss())), 740),
    ];
    for (class, text, left) in texts {
        writeln!(
            svg,
            "<path class=\"{class}\" d=\"M{left} 296h24\"/><text x=\"{}\" y=\"301\">{text}</text>",
            left + 31
        )
        .unwrap();
    }
    writeln!(svg, "<text x=\"{}\" y=\"550\" text-anchor=\"middle\">hours since the week began; an hour that is cut off has more</text>\n</svg>", LEFT + WIDTH / 2).unwrap();
    svg
}

fn x(hour: i64, hours: i64) -> i64 {
    LEFT + WIDTH * hour / hours
}

/// Four lines, and what they stand for.
fn grid(most: i64, name: &dyn Fn(i64) -> String) -> Vec<(i64, String)> {
    (0..=4).map(|line| (most * line / 4, name(most * line / 4))).collect()
}

fn frame(svg: &mut String, top: i64, hours: i64, title: &str, grid: &[(i64, String)], most: i64) {
    writeln!(svg, "<text class=\"h\" x=\"{LEFT}\" y=\"{}\">{title}</text>", top - 20).unwrap();
    for (value, name) in grid {
        let y = top + HEIGHT - value * HEIGHT / most;
        writeln!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {y}h{WIDTH}\"/><text x=\"{}\" y=\"{}\" text-anchor=\"end\">{name}</text>",
            LEFT - 6,
            y + 4
        )
        .unwrap();
    }
    for day in 0..=hours / 24 {
        let x = x(day * 24, hours);
        writeln!(
            svg,
            "<path class=\"axis\" d=\"M{x} {}v6\"/><text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            top + HEIGHT,
            top + HEIGHT + 20,
            day * 24
        )
        .unwrap();
    }
    writeln!(svg, "<path class=\"axis\" d=\"M{LEFT} {}h{WIDTH}\"/>", top + HEIGHT).unwrap();
}
