//! Law 4, the whole machine: random sequences of right, old and wrong answers, resends, cancels, reads and waiting
//! come to what a simple model of a challenge says, hundreds of times.

use std::time::Duration;

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::Value;

use crate::support::{Response, World};

#[derive(Clone, Debug)]
enum Step {
    Right,
    /// An older code of the same challenge, if there is one.
    Old,
    Wrong,
    Resend,
    Cancel,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Right),
        2 => Just(Step::Old),
        4 => Just(Step::Wrong),
        4 => Just(Step::Resend),
        1 => Just(Step::Cancel),
        6 => prop::sample::select(vec![1, 29, 30, 31, 60, 119, 120, 299, 300]).prop_map(Step::Wait),
    ]
}

/// What a challenge is, in seconds since it was made.
#[derive(Debug)]
struct Model {
    now: u64,
    verified: bool,
    canceled: bool,
    wrong: i64,
    code_dies: u64,
    resend_at: Option<u64>,
    sends: usize,
}

impl Model {
    const LIFE: u64 = 600;

    /// Why nothing can be done with it any more.
    fn over(&self) -> Option<(u16, &'static str)> {
        match () {
            () if self.verified => Some((409, "verification_already_verified")),
            () if self.canceled => Some((422, "verification_canceled")),
            () if self.wrong == 5 => Some((422, "verification_failed")),
            () => None,
        }
    }

    fn answer(&mut self, right: bool) -> (u16, &'static str) {
        if let Some(over) = self.over() {
            return over;
        }
        if self.now >= self.code_dies {
            return (422, "verification_expired");
        }
        if right {
            self.verified = true;
            return (200, "");
        }
        self.wrong += 1;
        (422, "form_code_incorrect")
    }

    fn resend(&mut self) -> (u16, &'static str) {
        if let Some(over) = self.over() {
            return over;
        }
        if self.now >= Self::LIFE {
            return (422, "verification_expired");
        }
        match self.resend_at {
            None => return (422, "resend_exhausted"),
            Some(at) if at > self.now => return (429, "rate_limit_exceeded"),
            Some(_) => {}
        }
        self.resend_at = [60, 120].get(self.sends - 1).map(|cooldown| self.now + cooldown);
        self.sends += 1;
        self.code_dies = (self.now + 300).min(Self::LIFE);
        (200, "")
    }

    fn cancel(&mut self) -> (u16, &'static str) {
        if self.verified {
            return (409, "verification_already_verified");
        }
        // What is over stays what it is; canceling it is no error.
        self.canceled = self.canceled || self.status() == "pending";
        (200, "")
    }

    fn status(&self) -> &'static str {
        match self.over() {
            Some((409, _)) => "verified",
            Some((_, "verification_canceled")) => "canceled",
            Some(_) => "failed",
            None if self.now >= Self::LIFE => "expired",
            None => "pending",
        }
    }
}

fn told(response: &Response) -> (u16, &str) {
    (response.status, response.json["code"].as_str().unwrap_or_default())
}

async fn run(world: &World, sequence: &[Step]) -> Result<(), TestCaseError> {
    let number = world.number();
    let challenge: Value = world.challenge(&number).await;
    let mut codes = vec![world.code(&number).await];
    let mut model =
        Model { now: 0, verified: false, canceled: false, wrong: 0, code_dies: 300, resend_at: Some(30), sends: 1 };
    let path = format!("/v1/challenges/{}", challenge["id"].as_str().unwrap());
    for step in sequence {
        let newest = codes.last().unwrap().clone();
        let (response, expected) = match step {
            Step::Right => (world.answer(&challenge, &newest).await, model.answer(true)),
            Step::Old => {
                // Two codes may be the same by chance; then the old one is right.
                let old = codes.first().unwrap().clone();
                (world.answer(&challenge, &old).await, model.answer(old == newest))
            }
            Step::Wrong => (world.answer(&challenge, &world.wrong(&newest)).await, model.answer(false)),
            Step::Resend => {
                let response = world.request("POST", &format!("{path}/resend")).send().await;
                if response.status == 200 {
                    codes.push(world.code(&number).await);
                }
                (response, model.resend())
            }
            Step::Cancel => (world.request("POST", &format!("{path}/cancel")).send().await, model.cancel()),
            Step::Wait(seconds) => {
                world.here().clock.advance(Duration::from_secs(*seconds));
                model.now += seconds;
                continue;
            }
        };
        prop_assert_eq!(told(&response), expected, "{:?} of {:?} at {:?}", step, sequence, model);
        let read = world.get(&path).await.expect(200);
        let seen = (read["status"].as_str().unwrap(), &read["attempts_left"], &read["sends"]);
        prop_assert_eq!(seen, (model.status(), &Value::from(5 - model.wrong), &Value::from(model.sends)));
    }
    Ok(())
}

#[test]
fn a_challenge_does_what_its_model_does() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let world = World::null();
    let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
    // The same sequences at every run.
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let result = TestRunner::new_with_rng(config, random)
        .run(&prop::collection::vec(step(), 1..24), |sequence| runtime.block_on(run(&world, &sequence)));
    result.unwrap_or_else(|failure| panic!("{failure}"));
}
