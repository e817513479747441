//! Sign-ins as a whole: random steps, legal and illegal ones, of several flows that are played in turns by several
//! people, against a model of them. A code comes when the model says that the policy is met, and never otherwise.

mod model;
mod people;
mod play;

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

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
    let config = Config { cases: 300, failure_persistence: None, ..Config::default() };
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
