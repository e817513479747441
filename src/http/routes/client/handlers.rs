//! The calls of the embedded API: what came is read into what the flow's actions take.

use super::{
    super::{
        challenges::refused,
        factors::new,
        parts::{channel, found_by, given, locale},
        passwords::password as typed_password,
        view::enrolled,
    },
    view,
};
use crate::{
    bot,
    challenge::{Given, answer::Answered},
    crypto::{RecoveryCode, token_hash},
    device::Token,
    factor::FactorType,
    flow::{
        Access, FlowType, act,
        begin::{Begin, begin as begin_flow, scope},
        settle::Settled,
    },
    http::{
        Call, Code, Problem, Reply,
        input::wrong,
        reply::{Answer, Failure},
    },
    ids::{AppId, ChallengeId, FactorId, FlowId},
    message::Destination,
};

/// Which flows a path is of.
fn kind(call: &Call) -> FlowType {
    match call.incoming.path.split('/').nth(3) {
        Some("sign-ups") => FlowType::SignUp,
        Some("password-resets") => FlowType::PasswordReset,
        _ => FlowType::SignIn,
    }
}

fn origin(call: &Call) -> Option<String> {
    call.incoming.header("origin").map(str::to_owned)
}

/// What the call brings to be let into its flow.
fn access(call: &Call) -> Result<Access, Problem> {
    let invalid = || Problem::new(Code::FlowTokenInvalid, "send the flow's token: `Authorization: Bearer flw_…`");
    let bearer = call.incoming.bearer().filter(|token| token.starts_with("flw_")).ok_or_else(invalid)?;
    let id = FlowId::parse(call.param("id")).ok_or_else(invalid)?;
    let reads = matches!(call.incoming.method.as_str(), "GET" | "HEAD");
    Ok(Access::new(id, kind(call), bearer, origin(call), reads))
}

fn identifier(call: &Call) -> Result<Option<Destination>, Problem> {
    let typed = call.form.text("identifier").map(|typed| found_by(&call.context, "identifier", typed)).transpose()?;
    match (&typed, kind(call)) {
        // A number is lent, lost and given to the next: it opens no account by itself.
        (Some(Destination::Phone(_)), FlowType::PasswordReset) => {
            Err(wrong("identifier", "a reset begins with the e-mail address of the account"))
        }
        _ => Ok(typed),
    }
}

/// A flow's answer. Its page may read it: it has shown that it is the flow's.
fn flow(call: &Call, settled: &Settled) -> Reply {
    call.incoming.readable.set();
    Reply::json(200, &view::flow(settled, None, call.context.now()))
}

fn answered(call: &Call, answered: Result<Settled, Answered>) -> Answer {
    match answered {
        Ok(settled) => Ok(flow(call, &settled)),
        Err(refusal) => {
            // The call was let into its flow, so that its page may read why not.
            call.incoming.readable.set();
            let mut problem = refused(&refusal);
            // Why a passkey was refused is for servers.
            problem.members.remove("failed_step");
            Err(problem.into())
        }
    }
}

pub(super) async fn begin(call: Call) -> Answer {
    let form = &call.form;
    let challenge = form.text("code_challenge").unwrap_or_default();
    let is_digest = challenge.len() == 43
        && challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if !is_digest {
        return Err(wrong("code_challenge", "43 characters are wanted: BASE64URL(SHA256(code_verifier))").into());
    }
    let typed = identifier(&call)?;
    let app = Call::form_id(form, "client_id", AppId::parse)?;
    let command = Begin {
        kind: kind(&call),
        app: app.ok_or_else(|| wrong("client_id", "the app's id is wanted"))?,
        origin: origin(&call),
        code_challenge: challenge.to_owned(),
        redirect_uri: form.text("redirect_uri").map(str::to_owned),
        scope: scope(form.text("scope").unwrap_or("openid")),
        nonce: form.text("nonce").map(str::to_owned),
        locale: locale(form)?,
        device: form.text("device").and_then(Token::parse),
        invitation: form.text("invitation").map(token_hash),
    };
    bot::check(&call.context, form.text("bot_token")).await?;
    let (begun, token) = begin_flow(&call.context, &command).await?;
    let access = Access::new(begun.id.clone(), command.kind, token.expose(), command.origin.clone(), false);
    // An invitation has named the address.
    let is_invited = command.kind == FlowType::SignUp && command.invitation.is_some();
    let settled = match typed.filter(|_| !is_invited) {
        Some(typed) => act::identify(&call.context, &access, &typed).await?,
        None => Settled::begun(begun, call.context.now()),
    };
    call.incoming.readable.set();
    Ok(Reply::json(201, &view::flow(&settled, Some(&token), call.context.now())))
}

pub(super) async fn get(call: Call) -> Answer {
    let settled = act::get(&call.context, &access(&call)?).await?;
    Ok(flow(&call, &settled))
}

pub(super) async fn abandon(call: Call) -> Answer {
    act::abandon(&call.context, &access(&call)?).await?;
    call.incoming.readable.set();
    Ok(Reply::nothing())
}

pub(super) async fn identify(call: Call) -> Answer {
    let typed = identifier(&call)?.ok_or_else(|| wrong("identifier", "an address or a number is wanted"))?;
    let settled = act::identify(&call.context, &access(&call)?, &typed).await?;
    Ok(flow(&call, &settled))
}

pub(super) async fn password(call: Call) -> Answer {
    let typed = identifier(&call)?;
    let password = typed_password(call.form.text("password").unwrap_or_default())?;
    let settled = act::password(&call.context, &access(&call)?, typed.as_ref(), password).await?;
    Ok(flow(&call, &settled))
}

pub(super) async fn passkey_options(call: Call) -> Answer {
    let created = act::passkey_options(&call.context, &access(&call)?).await?;
    call.incoming.readable.set();
    Ok(Reply::json(201, &view::created(&created, call.context.now())))
}

pub(super) async fn passkey(call: Call) -> Answer {
    let Given::Credential(credential) = given(&call.form)? else {
        return Err(wrong("credential", "what the passkey gave is wanted").into());
    };
    let settled = act::passkey(&call.context, &access(&call)?, credential, call.form.text("name")).await?;
    answered(&call, settled)
}

pub(super) async fn recovery_code(call: Call) -> Answer {
    let code = call.form.text("code").and_then(RecoveryCode::parse);
    let code = code.ok_or_else(|| wrong("code", "the 16 characters of a recovery code are wanted"))?;
    let settled = act::recovery_code(&call.context, &access(&call)?, code).await?;
    answered(&call, settled)
}

pub(super) async fn challenge(call: Call) -> Answer {
    let wanted = act::Wanted {
        factor: Call::form_id(&call.form, "factor_id", FactorId::parse)?,
        kind: call.form.text("type").and_then(FactorType::parse),
        channel: channel(&call.form),
    };
    let created = act::challenge(&call.context, &access(&call)?, &wanted).await?;
    call.incoming.readable.set();
    Ok(Reply::json(201, &view::created(&created, call.context.now())))
}

fn challenge_id(call: &Call) -> Result<ChallengeId, Failure> {
    Ok(call.id("cid", ChallengeId::parse, "challenge")?)
}

fn remembers(call: &Call) -> bool {
    call.form.flag("remember_device").unwrap_or(false)
}

pub(super) async fn answer(call: Call) -> Answer {
    let (id, given) = (challenge_id(&call)?, given(&call.form)?);
    let settled = act::answer(&call.context, &access(&call)?, &id, &given, remembers(&call)).await?;
    answered(&call, settled)
}

pub(super) async fn resend(call: Call) -> Answer {
    let id = challenge_id(&call)?;
    let created = act::resend(&call.context, &access(&call)?, &id, channel(&call.form)).await?;
    call.incoming.readable.set();
    Ok(Reply::json(200, &view::created(&created, call.context.now())))
}

pub(super) async fn enrol(call: Call) -> Answer {
    let new = new(&call.context, &call.form)?;
    let name = call.form.text("name").map(str::to_owned);
    let made = act::enrol(&call.context, &access(&call)?, new, name).await?;
    call.incoming.readable.set();
    Ok(Reply::json(201, &enrolled(&made, call.context.now())))
}

pub(super) async fn activate(call: Call) -> Answer {
    let factor = call.id("fid", FactorId::parse, "factor")?;
    let given = given(&call.form)?;
    let settled = act::activate(&call.context, &access(&call)?, &factor, &given, remembers(&call)).await?;
    answered(&call, settled)
}

pub(super) async fn new_password(call: Call) -> Answer {
    let password = typed_password(call.form.text("password").unwrap_or_default())?;
    let settled = act::new_password(&call.context, &access(&call)?, password).await?;
    Ok(flow(&call, &settled))
}

pub(super) async fn skip(call: Call) -> Answer {
    let settled = act::skip(&call.context, &access(&call)?).await?;
    Ok(flow(&call, &settled))
}
