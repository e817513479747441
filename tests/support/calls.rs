//! The fake carriers' calls: they read TwiML and NCCO as strictly as the real ones, listen to what is said in the
//! languages there are, verify the caller's token with another library, and keep it all.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::{Request, Response, World, vars};

/// A call that a carrier got.
#[derive(Clone, Debug)]
pub struct Called {
    pub carrier: &'static str,
    /// As E.164.
    pub to: String,
    pub from: String,
    /// The carrier's id of it.
    pub id: String,
    /// What is heard first.
    pub heard: Heard,
    /// Where the carrier tells what becomes of it.
    pub events: Option<String>,
    pub accepted: bool,
}

/// What somebody with the phone at the ear hears.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// What is said, one entry per sentence or word.
    pub words: Vec<String>,
    pub language: String,
    /// Where a key press goes, if one is waited for.
    pub next: Option<String>,
}

/// The digits as a listener knows them, apart from what the Worker has.
const DIGITS: [&str; 8] = [
    "zero one two three four five six seven eight nine",
    "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "zéro un deux trois quatre cinq six sept huit neuf",
    "null eins zwei drei vier fünf sechs sieben acht neun",
    "zero um dois três quatro cinco seis sete oito nove",
    "零 一 二 三 四 五 六 七 八 九",
    "ゼロ いち に さん よん ご ろく なな はち きゅう",
    "صفر واحد اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة",
];

/// Twilio's voices with the languages that they speak.
const VOICES: [(&str, &str); 15] = [
    ("Polly.Joanna", "en-US"),
    ("Polly.Amy", "en-GB"),
    ("Polly.Nicole", "en-AU"),
    ("Polly.Aditi", "en-IN"),
    ("Polly.Lucia", "es-ES"),
    ("Polly.Mia", "es-MX"),
    ("Polly.Penelope", "es-US"),
    ("Polly.Celine", "fr-FR"),
    ("Polly.Chantal", "fr-CA"),
    ("Polly.Vicki", "de-DE"),
    ("Polly.Vitoria", "pt-BR"),
    ("Polly.Ines", "pt-PT"),
    ("Polly.Zhiyu", "cmn-CN"),
    ("Polly.Mizuki", "ja-JP"),
    ("Polly.Zeina", "arb"),
];

/// Where callbacks go; the tests' servers stand behind it.
const PUBLIC: &str = "https://login.example.com";

impl Called {
    fn is_twilios(&self) -> bool {
        self.carrier == "twilio"
    }

    /// Whoever answered presses a key; gives what the carrier is told.
    pub async fn press(&self, world: &World, key: &str) -> Response {
        let next = self.heard.next.as_deref().expect("this call waits for no key");
        let request = if self.is_twilios() {
            let fields = [("CallSid", self.id.as_str()), ("CallStatus", "in-progress"), ("Digits", key)];
            twilio_tells(world, next, &fields)
        } else {
            let dtmf = json!({"digits": key, "timed_out": key.is_empty()});
            let body = json!({"uuid": self.id, "conversation_uuid": "CON-1", "dtmf": dtmf, "speech": {}});
            vonage_tells(world, next, &body)
        };
        request.send().await
    }

    /// Presses a key and listens.
    pub async fn hear(&self, world: &World) -> Heard {
        let answer = self.press(world, "5").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let heard = if self.is_twilios() { twiml(&answer.text) } else { ncco(&answer.json) };
        heard.unwrap_or_else(|what| panic!("{}: {what}", self.carrier))
    }

    /// The carrier tells how the call goes.
    pub async fn report(&self, world: &World, status: &str) -> Response {
        let url = self.events.as_deref().expect("no event was asked for");
        let request = if self.is_twilios() {
            let fields = [("CallSid", self.id.as_str()), ("CallStatus", status), ("CallDuration", "12")];
            twilio_tells(world, url, &fields)
        } else {
            let body = json!({"uuid": self.id, "conversation_uuid": "CON-1", "status": status});
            vonage_tells(world, url, &body)
        };
        request.send().await
    }
}

fn path(url: &str) -> &str {
    url.strip_prefix(PUBLIC).unwrap_or_else(|| panic!("{url} is not ours"))
}

/// A callback of Twilio, signed.
pub fn twilio_tells(world: &World, url: &str, fields: &[(&str, &str)]) -> Request {
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let pairs: String = sorted.iter().flat_map(|(name, value)| [*name, *value]).collect();
    let mut mac = Hmac::<Sha1>::new_from_slice(vars::TOKEN.as_bytes()).unwrap();
    mac.update(format!("{url}{pairs}").as_bytes());
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    world
        .request("POST", path(url))
        .without("authorization")
        .header("x-twilio-signature", &STANDARD.encode(mac.finalize().into_bytes()))
        .raw("application/x-www-form-urlencoded", body.into_bytes())
}

/// A webhook of Vonage, not signed.
pub fn vonage_tells(world: &World, url: &str, body: &Value) -> Request {
    world.request("POST", path(url)).without("authorization").json(body)
}

/// Signs a webhook of Vonage as the account's signature secret does, at a moment.
pub fn signed_by_vonage(request: Request, body: &Value, unix_seconds: i64) -> Request {
    let hash = Sha256::digest(body.to_string()).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let claims = json!({"iat": unix_seconds, "jti": "1", "iss": "Vonage", "payload_hash": hash});
    let key = EncodingKey::from_secret(vars::VONAGE_SIGNATURE.as_bytes());
    let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap();
    request.header("authorization", &format!("Bearer {token}"))
}

impl Heard {
    /// The code that a listener wrote down: digits that were said alone, and twice the same. `None`: no digit.
    pub fn code(&self) -> Option<String> {
        let digit = |word: &String| {
            DIGITS
                .iter()
                .find_map(|line| line.split(' ').position(|known| known == word))
                .map(|digit| digit.to_string())
        };
        let digits: Vec<String> = self.words.iter().filter_map(digit).collect();
        let (first, second) = digits.split_at(digits.len() / 2);
        assert_eq!(first, second, "the code is said twice, and the same");
        (!first.is_empty()).then(|| first.concat())
    }

    /// Everything in one line.
    pub fn text(&self) -> String {
        self.words.join(" ")
    }
}

/// Reads a TwiML document as Twilio does; in words what it would not take.
pub fn twiml(xml: &str) -> Result<Heard, String> {
    if xml.chars().count() > 4000 {
        return Err("TwiML of more than 4000 characters".to_owned());
    }
    let document = roxmltree::Document::parse(xml).map_err(|error| format!("TwiML is no XML: {error}"))?;
    let root = document.root_element();
    if root.tag_name().name() != "Response" || root.attributes().len() > 0 {
        return Err("TwiML begins with Response".to_owned());
    }
    let mut heard = Heard::default();
    for verb in root.children() {
        twiml_verb(verb, &mut heard, false)?;
    }
    Ok(heard)
}

fn twiml_verb(verb: roxmltree::Node<'_, '_>, heard: &mut Heard, nested: bool) -> Result<(), String> {
    let attributes: Vec<(&str, &str)> = verb.attributes().map(|a| (a.name(), a.value())).collect();
    let attribute = |name: &str| verb.attribute(name);
    let only = |known: &[&str]| match attributes.iter().find(|(name, _)| !known.contains(name)) {
        Some((name, _)) => Err(format!("{} has no attribute {name}", verb.tag_name().name())),
        None => Ok(()),
    };
    match verb.tag_name().name() {
        "Say" => {
            only(&["voice", "language"])?;
            let (voice, language) = (attribute("voice").unwrap_or("man"), attribute("language").unwrap_or("en-US"));
            if !VOICES.contains(&(voice, language)) {
                return Err(format!("{voice} does not speak {language}"));
            }
            language.clone_into(&mut heard.language);
            say(verb.text().unwrap_or_default(), heard)
        }
        "Pause" => {
            only(&["length"])?;
            attribute("length")
                .and_then(|length| length.parse::<u8>().ok())
                .map(|_| ())
                .ok_or("Pause.length".to_owned())
        }
        "Gather" if !nested => {
            only(&["input", "numDigits", "finishOnKey", "timeout", "method", "action"])?;
            let seconds = attribute("timeout").and_then(|timeout| timeout.parse::<u8>().ok());
            let is_one_key = attribute("input") == Some("dtmf") && attribute("numDigits") == Some("1");
            let next = attribute("action").filter(|url| url.starts_with("https://")).ok_or("Gather.action")?;
            if !is_one_key || attribute("method") != Some("POST") || seconds.is_none() {
                return Err("Gather is malformed".to_owned());
            }
            if heard.next.as_deref().is_some_and(|known| known != next) {
                return Err("two Gathers go to two places".to_owned());
            }
            heard.next = Some(next.to_owned());
            verb.children().try_for_each(|inner| twiml_verb(inner, heard, true))
        }
        other => Err(format!("TwiML has no {other} here")),
    }
}

/// Reads an NCCO as Vonage does; in words what it would not take.
pub fn ncco(value: &Value) -> Result<Heard, String> {
    let actions = value.as_array().filter(|actions| !actions.is_empty()).ok_or("an NCCO is a list of actions")?;
    let mut heard = Heard::default();
    let mut barge_in = false;
    for action in actions {
        let known: &[&str] = match action["action"].as_str() {
            Some("talk") => &["action", "text", "language", "style", "bargeIn", "loop"],
            Some("input") => &["action", "type", "dtmf", "eventUrl", "eventMethod"],
            other => return Err(format!("no action {other:?}")),
        };
        let object = action.as_object().ok_or("an action is an object")?;
        if let Some(name) = object.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(format!("{} has no {name}", action["action"]));
        }
        if action["action"] == "talk" {
            if barge_in {
                return Err("after bargeIn comes an input".to_owned());
            }
            barge_in = action["bargeIn"] == true;
            let language = action["language"].as_str().ok_or("talk.language")?;
            // Both have the same names but for Arabic.
            let spoken = if language == "ar" { "arb" } else { language };
            if language == "arb" || !VOICES.iter().any(|(_, known)| *known == spoken) || !action["style"].is_u64() {
                return Err(format!("Vonage does not speak {language}"));
            }
            language.clone_into(&mut heard.language);
            ssml(action["text"].as_str().ok_or("talk.text")?, &mut heard)?;
        } else {
            barge_in = false;
            let seconds = action["dtmf"]["timeOut"].as_u64().unwrap_or(3);
            let next =
                action["eventUrl"][0].as_str().filter(|url| url.starts_with("https://")).ok_or("input.eventUrl")?;
            if action["type"] != json!(["dtmf"])
                || action["dtmf"]["maxDigits"] != 1
                || !(1..=10).contains(&seconds)
                || action["eventMethod"] != "POST"
            {
                return Err("input is malformed".to_owned());
            }
            heard.next = Some(next.to_owned());
        }
    }
    if barge_in { Err("after bargeIn comes an input".to_owned()) } else { Ok(heard) }
}

fn ssml(text: &str, heard: &mut Heard) -> Result<(), String> {
    if text.chars().count() > 1500 {
        return Err("a talk of more than 1500 characters".to_owned());
    }
    let document = roxmltree::Document::parse(text).map_err(|error| format!("SSML is no XML: {error}"))?;
    let root = document.root_element();
    if root.tag_name().name() != "speak" {
        return Err("SSML begins with speak".to_owned());
    }
    root.children().try_for_each(|node| match (node.is_text(), node.tag_name().name()) {
        (true, _) => say(node.text().unwrap_or_default().trim(), heard),
        (false, "break") if node.attribute("time").is_some_and(|time| time.ends_with("ms")) => Ok(()),
        (false, other) => Err(format!("SSML has no {other} here")),
    })
}

/// An engine reads 42 as forty-two: no text may have figures, but for an app's name, which the tests have none in.
fn say(text: &str, heard: &mut Heard) -> Result<(), String> {
    if text.is_empty() || text.contains(|character: char| character.is_ascii_digit()) {
        return Err(format!("{text:?} is said"));
    }
    heard.words.push(text.to_owned());
    Ok(())
}

/// Verifies the token of a call to Vonage; in words what is wrong with it. `used` are the ids of earlier ones.
pub fn verify_token(authorization: Option<&str>, application: &str, used: &mut BTreeSet<String>) -> Result<(), String> {
    let token = authorization.and_then(|header| header.strip_prefix("Bearer ")).ok_or("no Bearer token")?;
    let key = DecodingKey::from_rsa_pem(vars::PUBLIC_KEY.as_bytes()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    // The tests' clock is not this process's.
    validation.validate_exp = false;
    validation.set_required_spec_claims(&["exp"]);
    let claims = jsonwebtoken::decode::<Value>(token, &key, &validation).map_err(|error| error.to_string())?.claims;
    let seconds = |name: &str| claims[name].as_i64().ok_or(format!("no {name}"));
    if !(1..=300).contains(&(seconds("exp")? - seconds("iat")?)) {
        return Err("the token lives too long, or not at all".to_owned());
    }
    if claims["application_id"] != application {
        return Err("another application".to_owned());
    }
    let id = claims["jti"].as_str().filter(|id| id.len() >= 16).ok_or("no jti")?;
    if used.insert(id.to_owned()) { Ok(()) } else { Err("the token's jti was used before".to_owned()) }
}
