//! Sign-ins as a whole: random steps, legal and illegal ones, of several flows that are played in turns by several
//! people, against a model of them. A code comes when the model says that the policy is met, and never otherwise.

mod at_once;
mod model;
mod people;
mod play;

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use std::{cell::RefCell, collections::BTreeMap};

use at_once::{Client, Crowd};
use people::Stage;
use play::{Op, Play, Turn};

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => Just(Op::Identify),
        3 => (any::<bool>(), any::<bool>()).prop_map(|(right, named)| Op::Password { right, named }),
        1 => Just(Op::PasskeyOptions),
        1 => any::<bool>().prop_map(|right| Op::Passkey { right }),
        2 => Just(Op::Challenge),
        2 => any::<bool>().prop_map(|right| Op::Answer { right }),
        1 => Just(Op::AnswerElsewhere),
        2 => any::<bool>().prop_map(|right| Op::Recovery { right }),
        3 => Just(Op::Enrol),
        2 => any::<bool>().prop_map(|right| Op::Activate { right }),
        1 => Just(Op::ActivateEarlier),
        1 => Just(Op::Skip),
        2 => Just(Op::Read),
        1 => Just(Op::Abandon),
        1 => Just(Op::OthersToken),
        1 => Just(Op::OtherPage),
        3 => prop::sample::select(vec![1, 30, 30, 30, 60, 300, 599, 600, 1800]).prop_map(Op::Wait),
    ]
}

fn turn() -> impl Strategy<Value = Turn> {
    let op = prop_oneof![5 => Just(None), 2 => op().prop_map(Some)];
    (0..3usize, op, any::<usize>(), 0..5usize, 0..3usize, 0..16usize, any::<bool>())
        .prop_map(|(slot, any, dice, who, app, pick, remember)| Turn { slot, any, dice, who, app, pick, remember })
}

/// So many runs, and so many times as many where `FLOW_RUNS` says so.
fn runs(many: u32) -> u32 {
    let times = std::env::var("FLOW_RUNS").ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    many * times
}

async fn run(stage: &Stage, turns: &[Turn]) -> Result<(), TestCaseError> {
    let mut play = Play::new(stage);
    for turn in turns {
        play.turn(*turn).await?;
    }
    Ok(())
}

#[test]
fn sign_ins_do_what_their_model_does() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let stage = runtime.block_on(Stage::new());
    let config = Config { cases: runs(150), max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
    // The same turns at every run.
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let result = TestRunner::new_with_rng(config, random)
        .run(&prop::collection::vec(turn(), 1..40), |turns| runtime.block_on(run(&stage, &turns)));
    result.unwrap_or_else(|failure| panic!("{failure}"));
    // A model that is never asked proves nothing.
    let outcomes = stage.outcomes();
    for rare in [
        "Activate { right: true } Step(\"complete\")",
        "ActivateEarlier Refused(403, \"proof_required\")",
        "Answer { right: false } Refused(429, \"user_locked\")",
        "Answer { right: true } Step(\"complete\")",
        "Answer { right: true } Step(\"needs_enrolment\")",
        "Passkey { right: true } Step(\"complete\")",
        "Recovery { right: true } Step(\"complete\")",
    ] {
        assert!(outcomes.contains_key(rare), "{rare} never came: {outcomes:#?}");
    }
}

async fn crowd(
    stage: &Stage,
    clients: &[Client],
    rounds: &[u64],
    ended: &RefCell<BTreeMap<String, usize>>,
) -> Result<(), TestCaseError> {
    let mut crowd = Crowd::new(stage, clients).await;
    for round in rounds {
        crowd.round(*round).await?;
    }
    for kind in crowd.ended() {
        *ended.borrow_mut().entry(kind).or_default() += 1;
    }
    Ok(())
}

#[test]
fn what_many_flows_at_once_end_in_has_been_proven() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let stage = runtime.block_on(Stage::new());
    let config = Config { cases: runs(40), max_shrink_iters: 60, failure_persistence: None, ..Config::default() };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let client = (0..3usize, 0..3usize, 0..5usize, any::<u64>()).prop_map(|(kind, app, who, dice)| {
        // Most who sign up are nobody yet.
        let who = if kind == 1 && !dice.is_multiple_of(4) { 4 } else { who };
        Client { kind, app, who, dice }
    });
    let ended = RefCell::default();
    let crowds = (prop::collection::vec(client, 2..6), prop::collection::vec(any::<u64>(), 4..9));
    let result = TestRunner::new_with_rng(config, random)
        .run(&crowds, |(clients, rounds)| runtime.block_on(crowd(&stage, &clients, &rounds, &ended)));
    result.unwrap_or_else(|failure| panic!("{failure}"));
    // Crowds in which nobody gets anywhere prove nothing.
    let ended = ended.into_inner();
    for kind in ["sign_in", "sign_up", "password_reset"] {
        assert!(ended.get(kind).is_some_and(|many| *many > 5), "{ended:?}");
    }
}
