//! `docs/flows.md`, written from the table of transitions.

use std::fmt::Write;

use super::{
    FlowType,
    state::{TRANSITIONS, Transition},
};

const HEAD: &str = "# Flows

Generated from the code's own table of transitions (`src/flow/state.rs`, `make generate`); the tests hold what the routes do
against the same table. A flow keeps facts and no state: where it stands is worked out at each call from what was
proven in it and from the policy (`docs/policy.md`). A refused call leads nowhere. Every flow lives ten minutes; after
that, and when it was given up, it is `abandoned`.
";

/// The page.
pub fn markdown() -> String {
    let mut page = HEAD.to_owned();
    for (kind, title) in [
        (FlowType::SignIn, "Sign-in: `/v1/client/sign-ins`"),
        (FlowType::SignUp, "Sign-up: `/v1/client/sign-ups`"),
        (FlowType::PasswordReset, "Password reset: `/v1/client/password-resets`"),
    ] {
        let _ = write!(page, "\n## {title}\n\n```mermaid\nstateDiagram-v2\n  [*] --> needs_identifier\n");
        for (from, to, by) in edges(TRANSITIONS.iter().filter(|row| row.of.contains(&kind))) {
            let _ = writeln!(page, "  {from} --> {to}: {by}");
        }
        page.push_str("  complete --> [*]\n  abandoned --> [*]\n```\n");
    }
    page
}

/// The edges, each once, with all the actions that lead along it.
fn edges<'a>(rows: impl Iterator<Item = &'a Transition>) -> Vec<(&'static str, &'static str, String)> {
    let mut edges: Vec<(&'static str, &'static str, String)> = Vec::new();
    for row in rows {
        for to in row.to {
            match edges.iter_mut().find(|(from, known, _)| *from == row.from && known == to) {
                Some((_, _, by)) => {
                    let _ = write!(by, ", {}", row.by.as_str());
                }
                None => edges.push((row.from, to, row.by.as_str().to_owned())),
            }
        }
    }
    edges
}
