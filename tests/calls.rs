//! Calls from the drivers into the fake carriers: in every language a listener writes down the code that was meant,
//! and hears none while the gate is closed.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic
)]

mod support;

use std::time::Duration;

use postern::{
    crypto::{Code, RsaPrivateKey},
    message::{
        drivers::{
            Outcome,
            call::{Call, Opening},
            twilio, twilio_voice, vonage, vonage_voice,
        },
        speech::{Script, Voice},
    },
    ports::{OutgoingRequest, OutgoingResponse, Signatures},
    secret::Secret,
};
use support::{
    calls::{Called, ncco, twiml},
    carriers::{Carriers, Reply},
    signatures::RingSignatures,
    vars,
};

const NEXT: &str = "https://login.example.com/next";

/// Hands a request to the carriers; they have nothing to complain of.
fn hand_over(carriers: &Carriers, request: &OutgoingRequest) -> (OutgoingResponse, Called) {
    let headers: Vec<(String, String)> =
        request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let path = &request.url["https://carrier".len()..];
    let reply = carriers.handle(request.method, path, &headers, &request.body);
    assert!(carriers.violations().is_empty(), "{:#?}", carriers.violations());
    let Reply::Respond(status, body) = reply else { panic!("no answer") };
    (OutgoingResponse { status, body }, carriers.calls().pop().unwrap())
}

fn twilio() -> twilio_voice::TwilioVoice {
    let settings = twilio::Settings {
        account_sid: Some(vars::ACCOUNT.to_owned()),
        auth_token: Some(Secret::new(vars::TOKEN.to_owned())),
        from_number: Some(vars::SENDER.to_owned()),
        api_base: Some("https://carrier/twilio".to_owned()),
        ..twilio::Settings::default()
    };
    twilio_voice::TwilioVoice::new(settings).unwrap_or_else(|missing| panic!("{missing}"))
}

fn vonage() -> vonage_voice::VonageVoice {
    let settings = vonage::Settings {
        application_id: Some(vars::VONAGE_APPLICATION.to_owned()),
        private_key: RsaPrivateKey::from_pem(&Secret::new(vars::PRIVATE_KEY.to_owned())).ok(),
        from_number: Some(vars::VONAGE_SENDER.to_owned()),
        api_base: Some("https://carrier/vonage".to_owned()),
        ..vonage::Settings::default()
    };
    vonage_voice::VonageVoice::new(settings).unwrap_or_else(|missing| panic!("{missing}"))
}

fn call(opening: Opening<'_>) -> Call<'_> {
    Call { to: "+16471231234", from: None, opening, events: Some(NEXT), timeout: Duration::from_secs(4) }
}

#[tokio::test]
async fn a_listener_writes_the_code_down_in_every_language() {
    let carriers = Carriers::default();
    let signatures = RingSignatures::default();
    for (count, voice) in Voice::all().enumerate() {
        for digits in ["0042", "907513", "1234567890"] {
            let code = Code::parse(digits).unwrap();
            let script = Script::greeting_and_code(voice, "This is A&B <c>.", &code);
            let (answer, heard) = hand_over(&carriers, &twilio().request(&call(Opening::Code(&script))));
            assert_eq!(heard.heard.code().as_deref(), Some(digits), "{}", voice.locale());
            assert_eq!(twilio_voice::outcome(Ok(answer)), accepted(&heard.id));

            let vonage = vonage();
            let input = vonage.signing_input(1_795_341_600, &format!("jti-of-16-letters-{count}-{digits}"));
            let signature = signatures.sign_rs256(vonage.private_key(), input.as_bytes()).await.unwrap();
            let request = vonage.request(&call(Opening::Code(&script)), &input, &signature);
            let (answer, heard) = hand_over(&carriers, &request);
            assert_eq!(heard.heard.code().as_deref(), Some(digits), "{}", voice.locale());
            assert!(heard.heard.words[0].contains("A&B <c>"));
            assert_eq!(vonage_voice::outcome(Ok(answer)), accepted(&heard.id));
        }
    }
}

fn accepted(id: &str) -> Outcome {
    Outcome::Accepted { provider_id: id.to_owned(), segments: None }
}

#[tokio::test]
async fn behind_the_gate_the_code_comes_with_the_key() {
    let carriers = Carriers::default();
    let voice = Voice::of("pt-PT");
    let (greeting, nobody) = (Script::gate(voice, "This is Example."), Script::nobody(voice));
    let opening = || Opening::Gate { greeting: &greeting, nobody: &nobody, next: NEXT };
    let (_, by_twilio) = hand_over(&carriers, &twilio().request(&call(opening())));
    let vonage = vonage();
    let input = vonage.signing_input(1_795_341_600, "jti-of-16-letters");
    let signature = RingSignatures::default().sign_rs256(vonage.private_key(), input.as_bytes()).await.unwrap();
    let (_, by_vonage) = hand_over(&carriers, &vonage.request(&call(opening()), &input, &signature));
    for called in [by_twilio, by_vonage] {
        assert_eq!((called.heard.code(), called.heard.next.as_deref()), (None, Some(NEXT)), "{}", called.carrier);
        assert_eq!(called.heard.language, "pt-PT");
    }
    let script = Script::code(voice, &Code::parse("000123").unwrap());
    assert_eq!(twiml(&twilio_voice::twiml(&script)).unwrap().code().as_deref(), Some("000123"));
    assert_eq!(ncco(&vonage_voice::ncco(&script)).unwrap().code().as_deref(), Some("000123"));
}

#[tokio::test]
async fn vonage_takes_no_call_under_another_key_or_with_a_used_token() {
    let carriers = Carriers::default();
    let script = Script::nobody(Voice::of("en"));
    let vonage = vonage();
    let input = vonage.signing_input(1_795_341_600, "jti-of-16-letters");
    let good = RingSignatures::default().sign_rs256(vonage.private_key(), input.as_bytes()).await.unwrap();
    let mut forged = good.clone();
    forged[0] ^= 1;
    for (signature, wanted) in [(&forged, 401), (&good, 201), (&good, 401)] {
        let request = vonage.request(&call(Opening::Code(&script)), &input, signature);
        let headers: Vec<(String, String)> =
            request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let reply = carriers.handle("POST", "/vonage/v1/calls", &headers, &request.body);
        assert!(matches!(reply, Reply::Respond(status, _) if status == wanted));
    }
}
