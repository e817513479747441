//! An authenticator app: proven with the code that it shows. Its secret is sealed in the factor's row; the step that
//! was accepted last is the row's counter, and one step passes once (RFC 6238 §5.2).

use serde_json::{Map, Value, json};

use super::{
    Begun, Factor, FactorType, Kind, New, Person, ProofOf, ProveError, Verdict, enrol::EnrolError, sealed, unlike,
};
use crate::{
    challenge::{Challenge, Given},
    context::Context,
    crypto::Place,
    ports::{DatabaseError, PortFuture, Row, Rows, Statement},
    statement,
    totp::{self, Algorithm, Digits, PERIOD, Parameters, TotpSecret},
};

/// The type `totp`.
pub(super) struct Totp;

/// Reads what an answer is held against. `?1` the challenge.
const SECRET: &str = "SELECT f.id, f.secret, f.data FROM challenges c JOIN factors f ON f.id = c.factor_id
  WHERE c.id = ?1 AND f.type = 'totp'";

/// Accepts a step that is newer than all before it, for a challenge that has the turn. `?1` factor, `?2` step, `?3` stamp,
/// `?4` challenge.
const ACCEPT: &str = "UPDATE factors SET counter = ?2, stamp = ?3
  WHERE id = ?1 AND (counter IS NULL OR counter < ?2) AND EXISTS (SELECT 1 FROM challenges WHERE id = ?4 AND stamp = ?3)";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[SECRET, ACCEPT];

/// Where the secret of a factor stands.
pub(crate) fn place(factor: &str) -> Place<'_> {
    Place { table: "factors", column: "secret", row: factor }
}

impl Kind for Totp {
    fn begin(&self, context: &Context, person: Option<&Person>, new: &New) -> Result<Begun, EnrolError> {
        let (New::Totp, Some(person)) = (new, person) else { return Err(unlike(new)) };
        let settings = context.settings().totp;
        if !settings.enabled {
            return Err(EnrolError::Disabled(FactorType::Totp));
        }
        let (random, parameters) = (&*context.ports().random, settings.parameters);
        let secret = TotpSecret::new(parameters.algorithm, random);
        let sealed = context.seal().seal(place(person.factor.as_str()), secret.bytes(), random);
        let user = &person.user;
        let account = [&user.email, &user.name, &user.external_id].into_iter().find_map(Option::as_ref);
        let uri = totp::uri(&secret, parameters, &context.config().app_name, account.unwrap_or(&user.id));
        let shown = json!({
            "secret": *secret.base32(),
            "uri": uri.expose(),
            "qr_svg": totp::svg(&uri, "QR code for an authenticator app").as_ref().map(crate::secret::Secret::expose),
        });
        Ok(Begun {
            destination: None,
            secret: Some(sealed.ok_or_else(|| DatabaseError::Other("a secret could not be sealed".to_owned()))?),
            data: data(parameters),
            proof: ProofOf::Held(json!({})),
            replaces: false,
            beside: Vec::new(),
            shown: Map::from_iter([("totp".to_owned(), shown)]),
        })
    }

    fn reads(&self, challenge: &str, given: &Given) -> Vec<Statement> {
        match given {
            Given::Digits(_) => vec![statement!(SECRET, challenge)],
            Given::Recovery(_) | Given::Credential(_) => Vec::new(),
        }
    }

    fn prove<'a>(
        &'a self,
        context: &'a Context,
        challenge: &'a Challenge,
        read: &'a [Rows],
        given: &'a Given,
        stamp: &'a str,
    ) -> PortFuture<'a, Result<Verdict, ProveError>> {
        Box::pin(async move {
            let row = read.first().and_then(|rows| rows.first());
            let (Given::Digits(code), Some(row)) = (given, row) else { return Ok(Verdict::wrong()) };
            let (id, parameters) = (row.text("id")?, parameters(row)?);
            let secret =
                context.seal().open(place(id), row.text("secret")?).map_err(|error| sealed(context, &error))?;
            let window = context.settings().totp.window;
            let step = TotpSecret::from_bytes(secret).matching_step(parameters, code, context.now(), window);
            Ok(match step {
                Some(step) => Verdict {
                    is_right: true,
                    accept: vec![statement!(ACCEPT, id, step.number(), stamp, &challenge.id)],
                    ..Verdict::wrong()
                },
                None => Verdict::wrong(),
            })
        })
    }

    fn shows_once(&self) -> &'static [&'static str] {
        &["totp"]
    }

    fn describe(&self, factor: &Factor) -> Map<String, Value> {
        Map::from_iter([("totp".to_owned(), factor.data.clone())])
    }
}

/// What a factor keeps of what it was made with.
fn data(parameters: Parameters) -> Map<String, Value> {
    Map::from_iter([
        ("algorithm".to_owned(), Value::from(parameters.algorithm.as_str())),
        ("digits".to_owned(), Value::from(parameters.digits.get())),
        ("period".to_owned(), Value::from(PERIOD.as_secs())),
    ])
}

fn parameters(row: &Row) -> Result<Parameters, DatabaseError> {
    let read = || {
        let data: Value = serde_json::from_str(row.opt_text("data")?).ok()?;
        let algorithm = Algorithm::parse(data.get("algorithm")?.as_str()?)?;
        Some(Parameters { algorithm, digits: Digits::new(data.get("digits")?.as_i64()?)? })
    };
    read().ok_or_else(|| DatabaseError::Other("a stored factor is malformed".to_owned()))
}
