//! Which driver carries a channel: the one that a setting names, else a variable, else the first that is complete.
//! And the routes: by country, in an order.

use serde_json::Value;

use super::{
    super::at,
    carrier::{Block, into_text, missing},
    drivers::{Drivers, Wanted},
};
use crate::config::{EmailDriver, Environment, Issue, SmsDriver, Stops, VoiceDriver};

/// The drivers of some countries, in order; those that are incomplete are left out while there is another.
#[derive(Clone)]
pub(super) struct Way<D> {
    countries: Vec<String>,
    drivers: Result<Vec<D>, Issue>,
}

/// What carries a channel.
#[derive(Clone)]
pub(super) struct Ways<D> {
    /// The channel's own driver.
    pub own: Result<D, Issue>,
    routes: Vec<Way<D>>,
    /// What is wrong, though nothing may need it at the moment.
    pub issues: Vec<Issue>,
}

/// A channel's driver by its name.
type Build<'a, D> = &'a dyn Fn(Wanted<'_>) -> Result<D, Issue>;

impl<D: Clone> Ways<D> {
    /// The drivers to a country. A route that names it goes before one for all.
    pub fn to(&self, country: &str) -> Result<Vec<D>, Issue> {
        let names = |wanted: &str| self.routes.iter().find(|way| way.countries.iter().any(|name| name == wanted));
        match names(country).or_else(|| names("*")) {
            Some(way) => way.drivers.clone(),
            None => self.own.clone().map(|driver| vec![driver]),
        }
    }

    /// With the routes of a channel. Who names the null driver wants nothing sent, whatever the routes say.
    fn with_routes(
        own: Result<D, Issue>,
        name: Option<&str>,
        routes: Option<&Value>,
        path: &str,
        build: Build<'_, D>,
    ) -> Self {
        let mut ways = Self { own, routes: Vec::new(), issues: Vec::new() };
        if name == Some("null") {
            return ways;
        }
        for route in routes.and_then(Value::as_array).into_iter().flatten() {
            let texts = |field: &str| {
                route.get(field).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
            };
            let (mut drivers, mut wrong) = (Vec::new(), Vec::new());
            let mut named: Vec<&str> = Vec::new();
            for driver in texts("drivers") {
                // Each is asked once: a second time would end the failover.
                if named.contains(&driver) {
                    continue;
                }
                named.push(driver);
                match build(Wanted { name: driver, own: name == Some(driver), by: path }) {
                    Ok(driver) => drivers.push(driver),
                    Err(issue) => wrong.push(issue),
                }
            }
            let drivers = match (drivers.is_empty(), wrong.first()) {
                (true, Some(issue)) => Err(issue.clone()),
                (true, None) => continue,
                (false, _) => Ok(drivers),
            };
            ways.issues.extend(wrong);
            let countries: Vec<String> = texts("countries").map(str::to_ascii_uppercase).collect();
            let countries = if countries.is_empty() { vec!["*".to_owned()] } else { countries };
            ways.routes.push(Way { countries, drivers });
        }
        // Where the routes carry everything, nobody has to name a driver beside them.
        let everywhere = ways.routes.iter().find(|way| way.countries.iter().any(|country| country == "*"));
        if name.is_none()
            && ways.own.is_err()
            && let Some(first) =
                everywhere.and_then(|way| way.drivers.as_ref().ok()).and_then(|drivers| drivers.first())
        {
            ways.own = Ok(first.clone());
        }
        ways
    }
}

/// What carries SMS.
pub(super) fn sms(drivers: &Drivers<'_>) -> Ways<SmsDriver> {
    let by_setting = drivers.text("sms.driver");
    if let Some(issue) = general(drivers, &[Stops::Sending], by_setting.is_some()) {
        return nothing(issue);
    }
    let by_variable = into_text(drivers.config.value("SMS_DRIVER").cloned());
    let (name, by) = match by_setting {
        Some(name) => (Some(name), "sms.driver"),
        None => (by_variable.as_deref(), "SMS_DRIVER"),
    };
    let own = match name {
        Some(name) => drivers.sms(Wanted { name, own: true, by }),
        None => first_sms(drivers),
    };
    let name = name
        .map(str::to_owned)
        .or_else(|| own.as_ref().ok().map(SmsDriver::name).filter(|name| *name != "null").map(str::to_owned));
    let routes = at(drivers.stored, "sms.routes");
    let ways = Ways::with_routes(own, name.as_deref(), routes, "a driver of sms.routes", &|wanted| drivers.sms(wanted));
    with_own_issue(ways)
}

/// Nobody named a driver of SMS: the first carrier that is complete.
fn first_sms(drivers: &Drivers<'_>) -> Result<SmsDriver, Issue> {
    let by = "the carrier that was begun with";
    let build = |name| drivers.sms(Wanted { name, own: true, by });
    if let Ok(driver) = build("twilio").or_else(|_| build("vonage")) {
        return Ok(driver);
    }
    if drivers.config.environment == Environment::Development {
        return Ok(SmsDriver::Null);
    }
    let begun =
        [("twilio", drivers.twilio), ("vonage", drivers.vonage)].into_iter().find(|(_, block)| block.is_begun());
    match begun {
        Some((name, _)) => build(name),
        None => Err(missing(
            "SMS_DRIVER",
            Stops::Sending,
            "set a carrier's variables, the setting sms.driver, or SMS_DRIVER=null to send nothing in prod",
        )),
    }
}

/// What makes calls: what `voice.driver` names, else the carrier of SMS.
pub(super) fn voice(drivers: &Drivers<'_>, sms: &Ways<SmsDriver>) -> Ways<VoiceDriver> {
    let by_setting = drivers.text("voice.driver");
    let settled = by_setting.is_some() || drivers.text("sms.driver").is_some();
    if let Some(issue) = general(drivers, &[Stops::Sending, Stops::Calls], settled) {
        return nothing(issue);
    }
    let carrier = sms.own.as_ref().map(SmsDriver::name);
    let own = match (by_setting, carrier) {
        (Some(name), _) => drivers.voice(Wanted { name, own: true, by: "voice.driver" }),
        (None, Ok(name)) => drivers.voice(Wanted { name, own: true, by: "the carrier of SMS, which makes calls too," }),
        (None, Err(issue)) => Err(issue.clone()),
    };
    let routes = at(drivers.stored, "voice.routes");
    let name = by_setting.or(carrier.ok().filter(|_| own.is_ok()));
    let ways = Ways::with_routes(own, name, routes, "a driver of voice.routes", &|wanted| drivers.voice(wanted));
    // Nobody has to make calls: what is missing for them is told when one is asked for.
    if by_setting.is_some() { with_own_issue(ways) } else { ways }
}

/// What carries e-mail.
pub(super) fn email(drivers: &Drivers<'_>) -> Ways<EmailDriver> {
    let by_setting = drivers.text("email.driver");
    let name_is_wrong = drivers.config.issue_with("APP_NAME");
    // The name stands in every e-mail; what else stops SMS does not stop e-mail.
    if let Some(issue) = name_is_wrong.or_else(|| general(drivers, &[Stops::Email], by_setting.is_some())) {
        return nothing(issue);
    }
    let by_variable = into_text(drivers.config.value("EMAIL_DRIVER").cloned());
    let (name, by) = match by_setting {
        Some(name) => (Some(name), "email.driver"),
        None => (by_variable.as_deref(), "EMAIL_DRIVER"),
    };
    let (own, is_wanted) = match name {
        Some(name) => (drivers.email(Wanted { name, own: true, by }), true),
        None => first_email(drivers),
    };
    let routes = at(drivers.stored, "email.routes");
    let ways = Ways::with_routes(own, name, routes, "a driver of email.routes", &|wanted| drivers.email(wanted));
    if is_wanted { with_own_issue(ways) } else { ways }
}

/// Nobody named a driver of e-mail: the first carrier that is complete. Who set nothing of it up sends none, and that is
/// no fault of the configuration: the second value tells.
fn first_email(drivers: &Drivers<'_>) -> (Result<EmailDriver, Issue>, bool) {
    let carriers = [("resend", drivers.resend), ("postmark", drivers.postmark), ("webhook", drivers.email_webhook)];
    let build = |name| drivers.email(Wanted { name, own: true, by: "the carrier that was begun with" });
    let nobody = |why| Err(missing("EMAIL_DRIVER", Stops::Email, why));
    let is_begun = |(_, block): &(&'static str, Block<'_>)| block.is_begun();
    let complete = carriers.iter().find_map(|(name, _)| build(name).ok());
    match (complete, carriers.iter().find(|carrier| is_begun(carrier))) {
        (Some(driver), _) => (Ok(driver), true),
        (None, _) if drivers.config.environment == Environment::Development => (Ok(EmailDriver::Null), true),
        (None, Some((name, _))) => (build(name), true),
        (None, None) if drivers.config.is_set("EMAIL_FROM") => {
            (nobody("set a carrier's variables, or EMAIL_DRIVER=null to send nothing in prod"), true)
        }
        (None, None) => (nobody("no driver carries e-mail"), false),
    }
}

/// What stops a channel whatever carries it. While no setting names the driver, also a malformed variable of any carrier:
/// it is never a reason to take another one.
fn general<'a>(drivers: &Drivers<'a>, stops: &[Stops], settled: bool) -> Option<&'a Issue> {
    let blocks = drivers.blocks();
    drivers.config.issues().iter().find(|issue| {
        let of_a_carrier = settled && blocks.iter().any(|block| block.owns(issue.variable));
        let counts = stops.contains(&issue.stops) || issue.stops == Stops::Everything;
        counts && !of_a_carrier && !is_replaced(drivers, issue.variable)
    })
}

/// Whether something stored took a variable's place.
pub(super) fn is_replaced(drivers: &Drivers<'_>, variable: &str) -> bool {
    match variable {
        "SMS_DRIVER" => drivers.text("sms.driver").is_some(),
        "EMAIL_DRIVER" => drivers.text("email.driver").is_some(),
        "EMAIL_FROM" => drivers.text("email.from").is_some(),
        _ => drivers.blocks().iter().any(|block| block.replaces(variable)),
    }
}

fn nothing<D>(issue: &Issue) -> Ways<D> {
    Ways { own: Err(issue.clone()), routes: Vec::new(), issues: Vec::new() }
}

/// Where nothing else carries the channel, what its own driver lacks is wrong now.
fn with_own_issue<D>(mut ways: Ways<D>) -> Ways<D> {
    if let Err(issue) = &ways.own {
        ways.issues.insert(0, issue.clone());
    }
    ways
}
