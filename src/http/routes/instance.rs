//! `/v1/instance`: settings. What decides holds at once everywhere: each batch is guarded by their version.

use serde_json::{Value, json};

use super::Run;
use crate::{
    api_key::Scope,
    event::{self, Event, EventType, When},
    http::{
        Call, Code, Incoming, Problem, Reply,
        contract::{Auth, Gives, Operation, operation, shapes},
        reply::Answer,
    },
    ports::Level,
    schema::{FieldError, Form, Node, check},
    settings::{self, SETTINGS, Settings},
};

const TAG: &str = "Instance";
const ONE: Gives = Gives::One("Instance", shapes::INSTANCE);

pub(super) const ROUTES: &[(Operation, Run)] = &[
    (
        Operation {
            auth: Auth::Key(Scope::InstanceRead),
            gives: ONE,
            ..operation("GET", "/v1/instance", "getInstance", TAG, "Read the settings")
        },
        Run::Keyed(|call| Box::pin(get(call))),
    ),
    (
        Operation {
            description: "A value is stored and wins; `\"inherit\"` or `null` goes back to the binding or default (`null` as a `driver` is the driver that sends nothing). What is left out stays. Credentials are write-only: `auth_token_set` tells whether there is one.",
            auth: Auth::Key(Scope::InstanceWrite),
            body: Some(SETTINGS),
            inherits: true,
            example: r#"{"sms": {"enabled": true}, "countries": {"sms": {"allowed": ["US", "CA", "GB"]}}}"#,
            gives: ONE,
            ..operation("PATCH", "/v1/instance", "updateInstance", TAG, "Change the settings")
        },
        Run::Keyed(|call| Box::pin(update(call))),
    ),
];

async fn get(call: Call) -> Answer {
    // The guard alone: what the isolate remembers is current, or it is read again.
    call.context.decide(vec![settings::current()]).await?;
    let snapshot = call.context.snapshot();
    Ok(Reply::json(200, &view(&call, snapshot.version, &snapshot.stored, &snapshot.settings)))
}

async fn update(call: Call) -> Answer {
    let context = &call.context;
    let config = context.config();
    let mut stored = context.snapshot().stored.clone();
    let mut change = call.form.0.to_value();
    settings::name_null_drivers(&mut change);
    let mut errors = settings::check_values(&change, config);
    // From here on credentials are sealed, in what is stored and in what is checked.
    if !settings::seal_credentials(&mut change, context.seal(), &*context.ports().random) {
        return Err(Problem::new(Code::ConfigurationInvalid, "ENCRYPTION_KEYS cannot seal").into());
    }
    settings::keep_replaced(&mut stored, &change, context.now());
    settings::merge(&mut stored, &change);
    settings::prune(&mut stored);
    errors.extend(settings::check(&stored, &change, config, context.now()));
    if errors.is_empty() {
        errors = settings::check_complete(&stored, &change, config);
    }
    if !errors.is_empty() {
        return Err(Problem::form(errors).into());
    }
    let of_sms = change.get("sms").is_some();
    let shown = settings::told(&change);
    let changed: Vec<String> = settings::paths(&change, "");
    let event = Event::new(EventType::InstanceUpdated, "instance").data(json!({"settings": changed, "change": shown}));
    context
        .decide(vec![
            settings::store(&stored, of_sms, context.now()),
            event::store::write(context, event, When::Always),
        ])
        .await?;
    context.log(Level::Info, &format!("settings changed: {}", changed.join(", ")));
    let settings = Settings::effective(&stored, config);
    Ok(Reply::json(200, &view(&call, context.snapshot().version + 1, &stored, &settings)))
}

fn view(call: &Call, version: i64, stored: &Value, settings: &Settings) -> Value {
    let context = &call.context;
    json!({
        "version": version,
        "settings": settings.to_json(context.now(), context.config().is_production(), context.dev_tools()),
        "stored": settings::redact(stored),
    })
}

impl Incoming {
    /// The body of `PATCH /v1/instance`: `"inherit"` stands in every place, so it is taken out before the check.
    pub(in crate::http) fn settings_form(node: Node) -> Result<Form, Vec<FieldError>> {
        let errors = check(SETTINGS, &without_inherit(&node));
        if errors.is_empty() { Ok(Form::checked(node)) } else { Err(errors) }
    }
}

fn without_inherit(node: &Node) -> Node {
    match node {
        Node::Object(entries) => Node::Object(
            entries
                .iter()
                .map(|(name, node)| match node {
                    Node::Text(text) if text == "inherit" => (name.clone(), Node::Null),
                    node => (name.clone(), without_inherit(node)),
                })
                .collect(),
        ),
        node => node.clone(),
    }
}
