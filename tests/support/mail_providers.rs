//! Fake mail providers: Resend, Postmark, the customer's webhook, Cloudflare's binding. They check every byte they get
//! as the real ones do (the MIME with a parser of its own, the webhook's signature with the standard's library), keep
//! what was sent, and can be told to fail in each way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mail_parser::{MessageParser, MimeHeaders};
use postern::ports::{Mailer, MailerError, OutgoingMail, PortFuture};
use serde_json::{Value, json};

use super::{
    carriers::{Behaviour, Reply},
    ports::TestClock,
    vars,
};

/// An e-mail that a provider got.
#[derive(Clone, Debug)]
pub struct SentMail {
    pub provider: &'static str,
    pub to: String,
    pub from: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// Our id of it.
    pub message_id: String,
    pub accepted: bool,
}

impl SentMail {
    /// The code in it: the subject begins with it.
    pub fn code(&self) -> String {
        self.subject.chars().take_while(char::is_ascii_digit).collect()
    }
}

#[derive(Default)]
struct State {
    sent: Vec<SentMail>,
    violations: Vec<String>,
    behaviour: Option<Behaviour>,
    /// By provider and address, by address, or by provider, each stronger than the next and than the general one.
    behaviours: Vec<(String, Behaviour)>,
    refusal: Option<MailerError>,
}

#[derive(Default)]
pub struct MailProviders(Mutex<State>);

impl MailProviders {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.state().behaviour = Some(behaviour);
    }

    /// Everything to this address from now on.
    pub fn behave_for(&self, address: &str, behaviour: Behaviour) {
        self.state().behaviours.insert(0, (address.to_owned(), behaviour));
    }

    /// Everything to this provider from now on, or to an address by it.
    pub fn behave_as(&self, provider: &str, address: Option<&str>, behaviour: Behaviour) {
        let whom = address.map_or_else(|| provider.to_owned(), |address| format!("{provider} {address}"));
        self.behave_for(&whom, behaviour);
    }

    /// What Cloudflare's binding says from now on; `None`: it takes everything.
    pub fn refuse(&self, refusal: Option<MailerError>) {
        self.state().refusal = refusal;
    }

    /// What was sent so far.
    pub fn sent(&self) -> Vec<SentMail> {
        self.state().sent.clone()
    }

    /// What was sent to an address.
    pub fn sent_to(&self, address: &str) -> Vec<SentMail> {
        self.sent().into_iter().filter(|sent| sent.to == address).collect()
    }

    /// What a real provider would have refused as malformed.
    pub fn violations(&self) -> Vec<String> {
        self.state().violations.clone()
    }

    fn violate(&self, what: impl Into<String>) -> Reply {
        self.state().violations.push(what.into());
        Reply::Respond(400, r#"{"name":"validation_error","ErrorCode":402,"Message":"malformed"}"#.to_owned())
    }

    /// Whether a path is one of theirs.
    pub fn serves(path: &str) -> bool {
        ["/resend/", "/postmark/", "/hooks/"].iter().any(|prefix| path.starts_with(prefix))
    }

    pub fn handle(&self, method: &str, path: &str, headers: &[(String, String)], body: &str) -> Reply {
        let header = |name: &str| {
            let mut values = headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
            values.next().filter(|_| values.next().is_none()).map(String::as_str)
        };
        if method != "POST" || header("content-type") != Some("application/json") {
            return self.violate(format!("{method} {path}: not a JSON POST"));
        }
        let Ok(body_json) = serde_json::from_str::<Value>(body) else {
            return self.violate(format!("{path}: not JSON"));
        };
        match path {
            "/resend/emails" => self.resend(header("authorization"), header("idempotency-key"), &body_json),
            "/postmark/email" => self.postmark(header("x-postmark-server-token"), &body_json),
            "/hooks/email" => {
                let signed = [header("webhook-id"), header("webhook-timestamp"), header("webhook-signature")];
                self.webhook(signed, body, &body_json)
            }
            path => self.violate(format!("no mail provider has {path}")),
        }
    }

    fn resend(&self, authorization: Option<&str>, key: Option<&str>, body: &Value) -> Reply {
        const KNOWN: [&str; 7] = ["from", "to", "subject", "text", "html", "headers", "tags"];
        if let Some(unknown) = unknown(body, &KNOWN) {
            return self.violate(format!("Resend knows no field {unknown}"));
        }
        if authorization != Some(&format!("Bearer {}", vars::RESEND_KEY)) {
            let error = json!({"statusCode": 403, "name": "invalid_api_key", "message": "API key is invalid"});
            return Reply::Respond(403, error.to_string());
        }
        let Some(key) = key.filter(|key| (1..=256).contains(&key.len())) else {
            return self.violate("Resend: no Idempotency-Key of 1 to 256 characters");
        };
        if self.state().sent.iter().any(|sent| sent.message_id == key) {
            return self.violate("Resend: an Idempotency-Key came twice");
        }
        let is_tag = |tag: &Value| {
            [&tag["name"], &tag["value"]].iter().all(|part| {
                part.as_str().is_some_and(|text| {
                    (1..=256).contains(&text.len())
                        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
                })
            })
        };
        let tags = body["tags"].as_array().expect("tags");
        if !tags.iter().all(is_tag) || !tags.iter().any(|tag| tag["value"] == key) {
            return self.violate("Resend: tags are malformed");
        }
        if body["headers"] != json!({"Auto-Submitted": "auto-generated"}) {
            return self.violate("Resend: headers");
        }
        let to = body["to"].as_array().filter(|to| to.len() == 1).and_then(|to| to[0].as_str()).unwrap_or_default();
        let mail = sent("resend", to, &body["from"], &body["subject"], &body["text"], &body["html"], key);
        let reply = json!({"id": format!("{:08x}-0ce1-4ea6-ab68-afcd6dc2e794", self.state().sent.len())});
        self.answer(mail, 200, &reply)
    }

    fn postmark(&self, token: Option<&str>, body: &Value) -> Reply {
        const KNOWN: [&str; 11] = [
            "From",
            "To",
            "Subject",
            "TextBody",
            "HtmlBody",
            "Headers",
            "Metadata",
            "Tag",
            "MessageStream",
            "TrackOpens",
            "TrackLinks",
        ];
        if let Some(unknown) = unknown(body, &KNOWN) {
            return self.violate(format!("Postmark knows no field {unknown}"));
        }
        if token != Some(vars::POSTMARK_TOKEN) {
            return Reply::Respond(
                401,
                json!({"ErrorCode": 10, "Message": "Bad or missing server token."}).to_string(),
            );
        }
        if body["MessageStream"] != "outbound" || body["TrackOpens"] != json!(false) || body["TrackLinks"] != "None" {
            return self.violate("Postmark: the stream, or tracking");
        }
        if body["Headers"] != json!([{"Name": "Auto-Submitted", "Value": "auto-generated"}]) {
            return self.violate("Postmark: headers");
        }
        let id = body["Metadata"]["message_id"].as_str().unwrap_or_default();
        if id.is_empty() || id.len() > 80 || body["Tag"].as_str().is_none_or(str::is_empty) {
            return self.violate("Postmark: metadata or tag");
        }
        let to = body["To"].as_str().unwrap_or_default();
        let mail = sent("postmark", to, &body["From"], &body["Subject"], &body["TextBody"], &body["HtmlBody"], id);
        let count = self.state().sent.len();
        let id = format!("{count:08x}-e1cd-480d-b08d-4f48548ff48d");
        self.answer(mail, 200, &json!({"To": to, "MessageID": id, "ErrorCode": 0, "Message": "OK"}))
    }

    fn webhook(&self, signed: [Option<&str>; 3], raw: &str, body: &Value) -> Reply {
        let [Some(id), Some(timestamp), Some(signature)] = signed else {
            return self.violate("webhook: a header of Standard Webhooks is missing");
        };
        let theirs = standardwebhooks::Webhook::new(vars::WEBHOOK_SECRET).unwrap();
        let wanted = timestamp.parse().ok().and_then(|seconds| theirs.sign(id, seconds, raw.as_bytes()).ok());
        if wanted.as_deref() != Some(signature) {
            return Reply::Respond(401, "{}".to_owned());
        }
        let data = &body["data"];
        if body["type"] != "email.send" || data["id"] != id || unknown(body, &["type", "timestamp", "data"]).is_some() {
            return self.violate("webhook: the envelope");
        }
        if let Some(unknown) = unknown(data, &["id", "template", "from", "to", "subject", "text", "html", "code"]) {
            return self.violate(format!("webhook: nobody knows {unknown}"));
        }
        let to = data["to"].as_str().unwrap_or_default();
        let mail = sent("webhook", to, &data["from"]["address"], &data["subject"], &data["text"], &data["html"], id);
        if let Some(code) = data["code"].as_str()
            && mail.as_ref().is_ok_and(|mail| mail.code() != code)
        {
            return self.violate("webhook: the code is not the mail's");
        }
        self.answer(mail, 200, &json!({"id": format!("hook-{}", self.state().sent.len())}))
    }

    fn answer(&self, mail: Result<SentMail, String>, status: u16, reply: &Value) -> Reply {
        let mut mail = match mail {
            Ok(mail) => mail,
            Err(what) => return self.violate(what),
        };
        let mut state = self.state();
        let of = |whom: &str| state.behaviours.iter().find(|(known, _)| known == whom).map(|(_, behaviour)| behaviour);
        let known =
            of(&format!("{} {}", mail.provider, mail.to)).or_else(|| of(&mail.to)).or_else(|| of(mail.provider));
        let behaviour = known.or(state.behaviour.as_ref()).cloned();
        let behaviour = behaviour.unwrap_or(Behaviour::Accept);
        mail.accepted = behaviour == Behaviour::Accept;
        state.sent.push(mail);
        match behaviour {
            Behaviour::Accept => Reply::Respond(status, reply.to_string()),
            Behaviour::Answer(status, body) => Reply::Respond(status, body),
            Behaviour::Hang => Reply::Hang,
            Behaviour::Drop => Reply::Drop,
            Behaviour::NotHttp => Reply::NotHttp,
        }
    }
}

fn unknown<'a>(body: &'a Value, known: &[&str]) -> Option<&'a str> {
    body.as_object()?.keys().map(String::as_str).find(|name| !known.contains(name))
}

/// What every provider asks of a mail, and what we ask of ours.
fn sent(
    provider: &'static str,
    to: &str,
    from: &Value,
    subject: &Value,
    text: &Value,
    html: &Value,
    message_id: &str,
) -> Result<SentMail, String> {
    let field = |name: &str, value: &Value| {
        let text = value.as_str().filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or_else(|| format!("{provider}: {name} is missing"))
    };
    let mail = SentMail {
        provider,
        to: to.to_owned(),
        from: field("from", from)?,
        subject: field("subject", subject)?,
        text: field("text", text)?,
        html: field("html", html)?,
        message_id: message_id.to_owned(),
        accepted: true,
    };
    let is_address = |text: &str| text.matches('@').count() == 1 && !text.contains([' ', ',', '<', '\r', '\n']);
    let address = mail.from.rsplit_once('<').map_or(mail.from.as_str(), |(_, rest)| rest.trim_end_matches('>'));
    if !is_address(&mail.to) || !is_address(address) {
        return Err(format!("{provider}: an address is malformed"));
    }
    if mail.to != mail.to.to_lowercase() {
        return Err(format!("{provider}: the address is not normalised"));
    }
    if mail.subject.contains(['\r', '\n']) || mail.subject.len() > 255 {
        return Err(format!("{provider}: the subject is no line"));
    }
    let code = mail.code();
    let has_it =
        mail.text.contains(&code) && mail.html.rsplit("</title>").next().is_some_and(|html| html.contains(&code));
    if !code.is_empty() && !has_it {
        return Err(format!("{provider}: the parts do not both have the code"));
    }
    // Only an invitation has a link, and only one, which says where it leads.
    let links = u8::from(mail.text.contains("#invitation=iv_"));
    let count = |text: &str, part: &str| u8::try_from(text.matches(part).count()).unwrap();
    let wanted = [("http", links, links * 2), ("<a ", 0, links), ("src=", 0, 0)];
    if wanted.iter().any(|(part, text, html)| count(&mail.text, part) != *text || count(&mail.html, part) != *html) {
        return Err(format!("{provider}: there is a link, or something of another host"));
    }
    Ok(mail)
}

/// Cloudflare's binding: it takes a whole message, and holds its envelope against its headers.
pub struct TestMailer {
    pub providers: Arc<MailProviders>,
    pub clock: TestClock,
}

impl Mailer for TestMailer {
    fn send(&self, mail: OutgoingMail) -> PortFuture<'_, Result<String, MailerError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            match read(&mail, &self.clock) {
                Ok(sent) => {
                    let (refusal, count) = {
                        let mut state = self.providers.state();
                        let refusal = state.refusal.clone();
                        state.sent.push(SentMail { accepted: refusal.is_none(), ..sent });
                        (refusal, state.sent.len())
                    };
                    match refusal {
                        None => Ok(format!("cf-{count}")),
                        Some(MailerError::Timeout) => {
                            self.clock.wait(mail.timeout).await;
                            Err(MailerError::Timeout)
                        }
                        Some(refusal) => Err(refusal),
                    }
                }
                Err(what) => {
                    self.providers.violate(what.clone());
                    Err(MailerError::Refused { code: Some("E_VALIDATION_ERROR".to_owned()), message: what })
                }
            }
        })
    }
}

fn read(mail: &OutgoingMail, clock: &TestClock) -> Result<SentMail, String> {
    let wrong = |what: &str| format!("cloudflare: {what}\n{}", mail.mime);
    let bare = mail.mime.replace("\r\n", "");
    if !mail.mime.is_ascii() || bare.contains(['\r', '\n']) || mail.mime.lines().any(|line| line.len() > 78) {
        return Err(wrong("not clean 7-bit lines"));
    }
    let parsed = MessageParser::default().parse(&mail.mime).ok_or_else(|| wrong("no message"))?;
    for name in ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Auto-Submitted"] {
        if parsed.headers().iter().filter(|header| header.name().eq_ignore_ascii_case(name)).count() != 1 {
            return Err(wrong(&format!("{name} is not there once")));
        }
    }
    if parsed.headers().len() != 8 {
        return Err(wrong("a header that nobody meant"));
    }
    let only = |address: Option<&mail_parser::Address<'_>>| {
        let addresses: Vec<String> = address?.iter().filter_map(|one| one.address().map(str::to_owned)).collect();
        <[String; 1]>::try_from(addresses).ok().map(|[one]| one)
    };
    if only(parsed.from()).as_ref() != Some(&mail.from) || only(parsed.to()).as_ref() != Some(&mail.to) {
        return Err(wrong("the envelope is not the headers"));
    }
    let now = postern::ports::Clock::now(clock).millis() / 1000;
    if parsed.date().is_none_or(|date| (date.to_timestamp() - now).abs() > 60) {
        return Err(wrong("the date is not now"));
    }
    if parsed.content_type().and_then(|kind| kind.subtype()) != Some("alternative") || parsed.parts.len() != 3 {
        return Err(wrong("not two alternatives"));
    }
    let domain = mail.from.split_once('@').map(|(_, domain)| domain.to_lowercase()).unwrap_or_default();
    let id = parsed.message_id().and_then(|id| id.strip_suffix(&format!("@{domain}")));
    let id = id.ok_or_else(|| wrong("Message-ID is not of the sender's domain"))?;
    let text = parsed.body_text(0).map(|text| text.replace("\r\n", "\n"));
    let html = parsed.body_html(0).map(|html| html.replace("\r\n", "\n"));
    sent("cloudflare", &mail.to, &json!(mail.from), &json!(parsed.subject()), &json!(text), &json!(html), id)
}
