//! Fake carriers: they check every byte they get as the real ones do, keep what was sent, and can be told to
//! answer each class of error, hang, drop the connection, or answer garbage. Native tests call them directly,
//! tests in workerd over loopback.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{
    calls::{self, Called},
    descriptions,
    hook::HookEndpoint,
    mail_providers::MailProviders,
    turnstile::TurnstileService,
    vars,
    verify::VerifyService,
    webhook_sink::WebhookSink,
};

/// How a carrier answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// It takes what is in order.
    Accept,
    /// It answers this.
    Answer(u16, String),
    /// It takes the message and never answers.
    Hang,
    /// It takes the message and drops the connection.
    Drop,
    /// It answers something that is not HTTP.
    NotHttp,
}

impl Behaviour {
    /// What goes back where all is in order, or instead of it.
    fn reply(self, status: u16, body: String) -> Reply {
        match self {
            Self::Accept => Reply::Respond(status, body),
            Self::Answer(status, body) => Reply::Respond(status, body),
            Self::Hang => Reply::Hang,
            Self::Drop => Reply::Drop,
            Self::NotHttp => Reply::NotHttp,
        }
    }
}

/// What goes back over the wire.
pub enum Reply {
    Respond(u16, String),
    Hang,
    Drop,
    NotHttp,
    /// An empty answer, after so long.
    Late(Duration, u16),
}

/// A message that a carrier got.
#[derive(Clone, Debug)]
pub struct Sent {
    pub carrier: &'static str,
    /// As E.164.
    pub to: String,
    pub from: String,
    pub body: String,
    pub fields: Vec<(String, String)>,
    pub accepted: bool,
}

impl Sent {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The code in the text.
    pub fn code(&self) -> String {
        self.body.chars().take_while(char::is_ascii_digit).collect()
    }
}

#[derive(Default)]
struct State {
    sent: Vec<Sent>,
    calls: Vec<Called>,
    /// The ids of tokens that came with calls.
    tokens: BTreeSet<String>,
    /// What no real carrier would have taken.
    violations: Vec<String>,
    behaviour: Option<Behaviour>,
    /// Passwords that were in a breach, and how often somebody asked.
    breached: Vec<String>,
    ranges: usize,
    /// Where they are served, if they are.
    base: Option<String>,
    /// By carrier and number, by number, or by carrier, each stronger than the next and than the general one.
    behaviours: Vec<(String, Behaviour)>,
}

#[derive(Default)]
pub struct Carriers {
    state: Mutex<State>,
    /// Those that carry e-mail.
    pub mail: Arc<MailProviders>,
    /// Who knows whether a browser is behind a page.
    pub turnstile: TurnstileService,
    /// The customer's own endpoint.
    pub hook: HookEndpoint,
    /// Twilio Verify, and what Twilio is told.
    pub verify: VerifyService,
    /// Those who hear events.
    pub events: WebhookSink,
}

impl Carriers {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.state().behaviour = Some(behaviour);
    }

    /// Everything to this number from now on.
    pub fn behave_for(&self, number: &str, behaviour: Behaviour) {
        self.state().behaviours.insert(0, (number.to_owned(), behaviour));
    }

    /// Everything to this carrier from now on, or to a number by it.
    pub fn behave_as(&self, carrier: &str, number: Option<&str>, behaviour: Behaviour) {
        let whom = number.map_or_else(|| carrier.to_owned(), |number| format!("{carrier} {number}"));
        self.behave_for(&whom, behaviour);
    }

    /// Where they are served; `None`: the test calls them directly.
    pub fn base(&self) -> Option<String> {
        self.state().base.clone()
    }

    /// A password that was in a breach.
    pub fn breach(&self, password: &str) {
        self.state().breached.push(password.to_owned());
    }

    /// How many ranges of breached passwords were asked for.
    pub fn ranges(&self) -> usize {
        self.state().ranges
    }

    fn range(&self, prefix: &str, method: &str, padding: Option<&str>, body: &str) -> Reply {
        let mut state = self.state();
        state.ranges += 1;
        let behaviour = state.behaviours.iter().find(|(whom, _)| whom == "breaches").map(|(_, behaviour)| behaviour);
        match behaviour.cloned().unwrap_or(Behaviour::Accept) {
            Behaviour::Accept => match super::breaches::range(prefix, method, padding, body, &state.breached) {
                Ok(body) => Reply::Respond(200, body),
                Err(what) => {
                    state.violations.push(what);
                    Reply::Respond(400, "The hash prefix was not in a valid format".to_owned())
                }
            },
            Behaviour::Answer(status, body) => Reply::Respond(status, body),
            Behaviour::Hang => Reply::Hang,
            Behaviour::Drop => Reply::Drop,
            Behaviour::NotHttp => Reply::NotHttp,
        }
    }

    /// What was sent so far.
    pub fn sent(&self) -> Vec<Sent> {
        self.state().sent.clone()
    }

    /// What was sent last.
    pub fn last_sent(&self) -> Option<Sent> {
        self.state().sent.last().cloned()
    }

    /// What was sent to a number.
    pub fn sent_to(&self, number: &str) -> Vec<Sent> {
        self.sent().into_iter().filter(|sent| sent.to == number).collect()
    }

    /// The calls so far.
    pub fn calls(&self) -> Vec<Called> {
        self.state().calls.clone()
    }

    /// The calls to a number.
    pub fn calls_to(&self, number: &str) -> Vec<Called> {
        self.calls().into_iter().filter(|call| call.to == number).collect()
    }

    /// What a real carrier would have refused as malformed.
    pub fn violations(&self) -> Vec<String> {
        let mut all = self.state().violations.clone();
        all.extend(self.mail.violations());
        all.extend(self.turnstile.violations());
        all.extend(self.hook.violations());
        all.extend(self.events.violations());
        all
    }

    fn violate(&self, what: impl Into<String>) -> Reply {
        self.state().violations.push(what.into());
        Reply::Respond(400, r#"{"code":20001,"message":"malformed","status":400}"#.to_owned())
    }

    /// Answers a request. It and the answer are what the carrier describes, unless a test made the fake misbehave.
    pub fn handle(&self, method: &str, path: &str, headers: &[(String, String)], body: &str) -> Reply {
        if let Err(what) = descriptions::request(method, path, headers, body) {
            return self.violate(what);
        }
        let reply = self.reply(method, path, headers, body);
        let behaves = self.state().behaviour.is_none() && self.state().behaviours.is_empty();
        if let (true, Reply::Respond(status, body)) = (behaves, &reply)
            && let Err(what) = descriptions::answer(path, *status, body)
        {
            return self.violate(what);
        }
        reply
    }

    fn reply(&self, method: &str, path: &str, headers: &[(String, String)], body: &str) -> Reply {
        if HookEndpoint::serves(path) {
            let (reply, asked) = self.hook.handle(method, headers, body);
            // What a call would say has no code at its beginning.
            if let Some(asked) = asked.filter(|asked| asked.kind == "sms.send") {
                let (to, from, body, accepted) = (asked.recipient, String::new(), asked.text, asked.accepted);
                self.state().sent.push(Sent { carrier: "webhook", to, from, body, fields: Vec::new(), accepted });
            }
            return reply;
        }
        if MailProviders::serves(path) {
            return self.mail.handle(method, path, headers, body);
        }
        if WebhookSink::serves(path) {
            return self.events.handle(method, path, headers, body);
        }
        if TurnstileService::serves(path) {
            return self.turnstile.handle(method, path, headers, body);
        }
        let header = |name: &str| {
            headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
        };
        if let Some(prefix) = path.strip_prefix("/pwned/range/") {
            return self.range(prefix, method, header("add-padding"), body);
        }
        if path == "/vonage/v1/calls" && method == "POST" && header("content-type") == Some("application/json") {
            return self.vonage_call(header("authorization"), body);
        }
        if method != "POST" || header("content-type") != Some("application/x-www-form-urlencoded") {
            return self.violate(format!("{method} {path}: not a form POST"));
        }
        let fields: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let mut names: Vec<&String> = fields.iter().map(|(name, _)| name).collect();
        names.sort();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return self.violate(format!("{path}: a field is there twice"));
        }
        match path {
            "/vonage/sms/json" => self.vonage(header("authorization"), &fields),
            path if path == format!("/twilio/2010-04-01/Accounts/{}/Messages.json", vars::ACCOUNT) => {
                self.twilio(header("authorization"), &fields)
            }
            path if path == format!("/twilio/2010-04-01/Accounts/{}/Calls.json", vars::ACCOUNT) => {
                self.twilio_call(header("authorization"), &fields)
            }
            path => self.twilio_hears(path, header("authorization"), &fields),
        }
    }

    /// Verify, and what Twilio is told of messages.
    fn twilio_hears(&self, path: &str, authorization: Option<&str>, fields: &[(String, String)]) -> Reply {
        if authorization != Some(&basic(vars::ACCOUNT, vars::TOKEN)) {
            return Reply::Respond(401, r#"{"code":20003,"message":"Authenticate","status":401}"#.to_owned());
        }
        let verifications = format!("/verify/v2/Services/{}/Verifications", vars::VERIFY_SERVICE);
        let messages = format!("/twilio/2010-04-01/Accounts/{}/Messages/", vars::ACCOUNT);
        let taken = if path == verifications {
            return match self.verify.begin(fields) {
                Ok((Reply::Respond(status @ 201, body), to, code)) => {
                    let from = vars::VERIFY_SERVICE.to_owned();
                    self.answer("twilio_verify", to, from, code, fields.to_vec(), status, body)
                }
                Ok((reply, ..)) => reply,
                Err(what) => self.violate(what),
            };
        } else if let Some(sid) = path.strip_prefix(&verifications).and_then(|rest| rest.strip_prefix('/')) {
            self.verify.report(sid, fields)
        } else if let Some(sid) = path.strip_prefix(&messages).and_then(|rest| rest.strip_suffix("/Feedback.json")) {
            let index = sid.strip_prefix("SM").and_then(|hex| usize::from_str_radix(hex, 16).ok());
            let sent = index.and_then(|index| self.sent().get(index).cloned());
            self.verify.confirm(sid, fields, sent.as_ref().map(|sent| sent.fields.as_slice()))
        } else {
            Err(format!("no carrier has {path}"))
        };
        taken.unwrap_or_else(|what| self.violate(what))
    }

    fn twilio_call(&self, authorization: Option<&str>, fields: &[(String, String)]) -> Reply {
        const KNOWN: [&str; 7] =
            ["To", "From", "Twiml", "Timeout", "TimeLimit", "StatusCallback", "StatusCallbackEvent"];
        let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        if let Some((unknown, _)) = fields.iter().find(|(name, _)| !KNOWN.contains(&name.as_str())) {
            return self.violate(format!("Twilio's calls know no field {unknown}"));
        }
        if authorization != Some(&basic(vars::ACCOUNT, vars::TOKEN)) {
            return Reply::Respond(401, r#"{"code":20003,"message":"Authenticate","status":401}"#.to_owned());
        }
        let (to, from) = (field("To").unwrap_or_default(), field("From").unwrap_or_default());
        let seconds = |name: &str| field(name).and_then(|seconds| seconds.parse::<u32>().ok()).unwrap_or(0);
        if !is_e164(to) || !is_e164(from) || !(5..=600).contains(&seconds("Timeout")) || seconds("TimeLimit") == 0 {
            return self.violate("Twilio: To, From, Timeout or TimeLimit of a call is malformed");
        }
        let events = field("StatusCallback");
        if events.is_some_and(|url| !url.starts_with("https://"))
            || field("StatusCallbackEvent").is_some() != events.is_some()
        {
            return self.violate("Twilio: a call's callback without https, or without its event");
        }
        let heard = match calls::twiml(field("Twiml").unwrap_or_default()) {
            Ok(heard) => heard,
            Err(what) => return self.violate(format!("Twilio: {what}")),
        };
        let id = format!("CA{:032x}", self.state().calls.len());
        let reply = format!(r#"{{"sid":"{id}","status":"queued","direction":"outbound-api","price":null}}"#);
        let (to, from, events) = (to.to_owned(), from.to_owned(), events.map(str::to_owned));
        self.answer_call(Called { carrier: "twilio", to, from, id, heard, events, accepted: false }, reply)
    }

    fn vonage_call(&self, authorization: Option<&str>, body: &str) -> Reply {
        const KNOWN: [&str; 7] = ["to", "from", "ncco", "ringing_timer", "length_timer", "event_url", "event_method"];
        let token = calls::verify_token(authorization, vars::VONAGE_APPLICATION, &mut self.state().tokens);
        if let Err(what) = token {
            self.state().violations.push(format!("Vonage's token: {what}"));
            return Reply::Respond(401, r#"{"type":"UNAUTHORIZED","error_title":"Unauthorized"}"#.to_owned());
        }
        let Ok(body) = serde_json::from_str::<Value>(body) else { return self.violate("Vonage: no JSON") };
        if let Some(unknown) =
            body.as_object().and_then(|body| body.keys().find(|name| !KNOWN.contains(&name.as_str())))
        {
            return self.violate(format!("Vonage's calls know no {unknown}"));
        }
        let phone = |end: &Value| {
            let number = end["number"].as_str().filter(|_| end["type"] == "phone").unwrap_or_default();
            let good = (7..=15).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
            good.then(|| format!("+{number}"))
        };
        let ends = (phone(&body["to"][0]), phone(&body["from"]), body["to"].as_array().map(Vec::len));
        let (Some(to), Some(from), Some(1)) = ends else { return self.violate("Vonage: to or from is malformed") };
        let within = |name: &str, most: u64| body[name].as_u64().is_some_and(|seconds| (1..=most).contains(&seconds));
        let events = body["event_url"][0].as_str().map(str::to_owned);
        if !within("ringing_timer", 120)
            || !within("length_timer", 7200)
            || events.as_ref().is_some_and(|url| !url.starts_with("https://") || body["event_method"] != "POST")
        {
            return self.violate("Vonage: a timer or event_url is malformed");
        }
        let heard = match calls::ncco(&body["ncco"]) {
            Ok(heard) => heard,
            Err(what) => return self.violate(format!("Vonage: {what}")),
        };
        let id = format!("63f61863-4a51-4f6b-86e1-{:012x}", self.state().calls.len());
        let reply =
            format!(r#"{{"uuid":"{id}","status":"started","direction":"outbound","conversation_uuid":"CON-{id}"}}"#);
        self.answer_call(Called { carrier: "vonage", to, from, id, heard, events, accepted: false }, reply)
    }

    fn answer_call(&self, call: Called, reply: String) -> Reply {
        let behaviour = self.behaviour_for(call.carrier, &call.to);
        self.state().calls.push(Called { accepted: behaviour == Behaviour::Accept, ..call });
        behaviour.reply(201, reply)
    }

    fn behaviour_for(&self, carrier: &str, number: &str) -> Behaviour {
        let state = self.state();
        let of = |whom: &str| state.behaviours.iter().find(|(known, _)| known == whom).map(|(_, behaviour)| behaviour);
        let known = of(&format!("{carrier} {number}")).or_else(|| of(number)).or_else(|| of(carrier));
        known.or(state.behaviour.as_ref()).cloned().unwrap_or(Behaviour::Accept)
    }

    fn twilio(&self, authorization: Option<&str>, fields: &[(String, String)]) -> Reply {
        const KNOWN: [&str; 7] =
            ["To", "From", "MessagingServiceSid", "Body", "ValidityPeriod", "StatusCallback", "ProvideFeedback"];
        let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        if let Some((unknown, _)) = fields.iter().find(|(name, _)| !KNOWN.contains(&name.as_str())) {
            return self.violate(format!("Twilio knows no field {unknown}"));
        }
        if authorization != Some(&basic(vars::ACCOUNT, vars::TOKEN)) {
            return Reply::Respond(401, r#"{"code":20003,"message":"Authenticate","status":401}"#.to_owned());
        }
        let (to, body) = (field("To").unwrap_or_default(), field("Body").unwrap_or_default());
        let sender = match (field("From"), field("MessagingServiceSid")) {
            (Some(number), None) => number,
            (None, Some(service)) => service,
            _ => return self.violate("Twilio wants From or MessagingServiceSid, not both"),
        };
        let validity: u32 = field("ValidityPeriod").and_then(|seconds| seconds.parse().ok()).unwrap_or(0);
        if !is_e164(to) || body.is_empty() || body.chars().count() > 1600 || !(1..=36_000).contains(&validity) {
            return self.violate("Twilio: To, Body or ValidityPeriod is malformed");
        }
        if field("StatusCallback").is_some_and(|url| !url.starts_with("https://")) {
            return self.violate("Twilio: a callback without https");
        }
        let count = self.state().sent.len();
        let reply = format!(
            r#"{{"sid":"SM{count:032x}","status":"queued","num_segments":"1","error_code":null,"price":null}}"#
        );
        self.answer("twilio", to.to_owned(), sender.to_owned(), body.to_owned(), fields.to_vec(), 201, reply)
    }

    fn vonage(&self, authorization: Option<&str>, fields: &[(String, String)]) -> Reply {
        const KNOWN: [&str; 7] = ["from", "to", "text", "type", "ttl", "client-ref", "callback"];
        let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        if let Some((unknown, _)) = fields.iter().find(|(name, _)| !KNOWN.contains(&name.as_str())) {
            return self.violate(format!("Vonage knows no field {unknown}"));
        }
        if authorization != Some(&basic(vars::VONAGE_KEY, vars::VONAGE_SECRET)) {
            return Reply::Respond(
                200,
                r#"{"message-count":"1","messages":[{"status":"4","error-text":"Bad Credentials"}]}"#.to_owned(),
            );
        }
        let (to, text) = (field("to").unwrap_or_default(), field("text").unwrap_or_default());
        if !(7..=15).contains(&to.len()) || !to.bytes().all(|byte| byte.is_ascii_digit()) || to.starts_with('0') {
            return self.violate("Vonage: `to` is digits only, 7 to 15, without + and 00");
        }
        let (encoding, _) = postern::message::segments(text);
        let wanted = if encoding == postern::message::Encoding::Ucs2 { "unicode" } else { "text" };
        let ttl: u64 = field("ttl").and_then(|millis| millis.parse().ok()).unwrap_or(0);
        let from = field("from").unwrap_or_default();
        if field("type") != Some(wanted)
            || !(20_000..=604_800_000).contains(&ttl)
            || from.is_empty()
            || from.contains('+')
        {
            return self.violate("Vonage: type, ttl or from is malformed");
        }
        if field("callback").is_some_and(|url| !url.starts_with("https://") || url.len() > 100) {
            return self.violate("Vonage: a callback without https, or of more than 100 characters");
        }
        let count = self.state().sent.len();
        let reply =
            format!(r#"{{"message-count":"1","messages":[{{"to":"{to}","message-id":"M{count}","status":"0"}}]}}"#);
        self.answer("vonage", format!("+{to}"), from.to_owned(), text.to_owned(), fields.to_vec(), 200, reply)
    }

    #[allow(clippy::too_many_arguments)]
    fn answer(
        &self,
        carrier: &'static str,
        to: String,
        from: String,
        body: String,
        fields: Vec<(String, String)>,
        status: u16,
        reply: String,
    ) -> Reply {
        let behaviour = self.behaviour_for(carrier, &to);
        self.state().sent.push(Sent { carrier, to, from, body, fields, accepted: behaviour == Behaviour::Accept });
        behaviour.reply(status, reply)
    }

    /// Serves on a loopback port; gives the base URL. Ends with the runtime.
    pub async fn serve(self: &Arc<Self>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        self.state().base = Some(base.clone());
        let carriers = Arc::clone(self);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(Arc::clone(&carriers), stream));
            }
        });
        base
    }
}

/// One connection, one request: enough of HTTP/1.1 for a carrier.
async fn connection(carriers: Arc<Carriers>, mut stream: TcpStream) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let (head, body) = loop {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-length:").and_then(|n| n.trim().parse().ok())
                })
                .unwrap_or(0);
            if body.len() >= length {
                break (head.to_owned(), body.to_owned());
            }
        }
    };
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, path) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned())))
        .collect();
    match carriers.handle(method, path, &headers, &body) {
        Reply::Respond(status, body) => {
            let answer = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
        Reply::NotHttp => {
            let _ = stream.write_all(b"\x00\x01garbage\xff\xfe").await;
        }
        Reply::Drop => {}
        Reply::Late(after, status) => {
            tokio::time::sleep(after).await;
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
        // Until the caller gives up.
        Reply::Hang => while matches!(stream.read(&mut buffer).await, Ok(count) if count > 0) {},
    }
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

fn is_e164(text: &str) -> bool {
    postern::phone::is_e164_form(text)
}
