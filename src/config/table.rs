//! Every variable of Postern, in one table: it is the start-up check, `.dev.vars.example`
//! and `docs/configuration.md` (`make generate`).

/// What a variable's value has to look like.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `prod`, or a word for development. `production` and `PROD` are refused: they would redirect everything.
    Environment,
    /// Any text of at most so many characters.
    Text(usize),
    /// A credential: any text of 1 to 512 characters.
    Credential,
    /// `true` or `false`.
    Flag,
    /// A whole number from the first to the second.
    Integer(i64, i64),
    /// One of these.
    Choice(&'static [&'static str]),
    /// Any of these, as a list.
    Choices(&'static [&'static str]),
    /// A list of origins, `https://app.example.com`.
    Origins,
    /// A list of host names, `app.example.com`.
    Hostnames,
    /// The origin that Postern is reached at.
    Origin,
    /// A carrier's base URL.
    BaseUrl,
    /// A URL that is called as it stands, query and all.
    Url,
    /// An e-mail address.
    Address,
    /// A sender of e-mails: an address, or a name and an address.
    Mailbox,
    /// `whsec_` and base64: signs what goes to a webhook.
    WebhookSecret,
    /// A number by form only: `+` and 7 to 15 digits.
    E164,
    /// A sender: E.164, a short code of 3 to 8 digits, or up to 11 letters and digits.
    Sender,
    /// A country calling code: `+1`.
    CallingCode,
    /// A carrier's id: these two letters and 32 hexadecimal digits.
    Sid(&'static str),
    /// The first server key: `sk_live_` or `sk_test_` and at least 256 bits.
    ServerKey,
    /// A ring of 256-bit keys with the current one named.
    KeyRing,
    /// An RSA private key, PEM.
    PrivateKey,
}

/// What does not work while a variable is missing or malformed. All else goes on (law 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stops {
    /// Every call of the API.
    Everything,
    /// Sending messages.
    Sending,
    /// Sending e-mails, and nothing else.
    Email,
    /// Calls.
    Calls,
    /// Making and answering challenges.
    Challenges,
    /// Making recovery codes.
    RecoveryCodes,
    /// Deciding which proofs a sign-in needs.
    Policy,
    /// Beginning embedded flows.
    BotCheck,
    /// Setting passwords while `password.breach_check` is on.
    BreachCheck,
    /// Signing in through Postern: flows and tokens.
    SignIn,
    /// Storing the settings of SMS that the variables bring once.
    Storing,
    /// Nothing yet: the variable is checked, and takes effect with the feature it belongs to.
    Nothing,
}

/// One variable.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Another name that means the same, for those who come from elsewhere.
    pub alias: Option<&'static str>,
    /// The heading that it stands under.
    pub group: &'static str,
    /// Its form.
    pub kind: Kind,
    /// Its value when it is not set; `None`: unset stays unset.
    pub default: Option<&'static str>,
    /// Whether it has to be set.
    pub required: bool,
    /// Whether its value is never shown, and belongs into `.dev.vars` or `wrangler secret`.
    pub secret: bool,
    /// What stops when it is bad.
    pub stops: Stops,
    /// What it is for, in one line.
    pub meaning: &'static str,
    /// A value to show.
    pub example: &'static str,
}

const fn variable(name: &'static str, group: &'static str, kind: Kind, meaning: &'static str) -> Variable {
    Variable {
        name,
        alias: None,
        group,
        kind,
        default: None,
        required: false,
        secret: false,
        stops: Stops::Nothing,
        meaning,
        example: "",
    }
}

impl Variable {
    const fn alias(self, alias: &'static str) -> Self {
        Self { alias: Some(alias), ..self }
    }
    const fn default(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }
    const fn required(self) -> Self {
        Self { required: true, ..self }
    }
    const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }
    const fn stops(self, stops: Stops) -> Self {
        Self { stops, ..self }
    }
    const fn example(self, example: &'static str) -> Self {
        Self { example, ..self }
    }
}

const IDENTITY: &str = "Identity";
const SECRETS: &str = "Secrets";
const SMS: &str = "SMS";
const TWILIO: &str = "Twilio";
const VONAGE: &str = "Vonage";
const BASES: &str = "Carriers' base URLs";
const ONCE: &str = "SMS settings that are stored once";
const EMAIL: &str = "E-mail";
const BOTS: &str = "Bot gate";
const POLICY: &str = "MFA policy";
const LIMITS: &str = "Limits and lifetimes";

/// The factors as Melody Auth's variables name them: `otp` is our `totp`, `sms` our `phone`.
const FACTORS: &[&str] = &["email", "otp", "sms"];
const POLICIES: &[&str] = &[
    "sign_in_or_sign_up",
    "change_password",
    "change_email",
    "reset_mfa",
    "manage_passkey",
    "manage_recovery_code",
    "update_info",
];
const DAY: i64 = 86_400;

/// The table.
pub const VARIABLES: &[Variable] = &[
    variable("ENVIRONMENT", IDENTITY, Kind::Environment, "`prod` sends to people; anything else is development and sends to the receivers below")
        .required().stops(Stops::Everything).example("dev"),
    variable("DEV_TOOLS", IDENTITY, Kind::Choice(&["on", "off"]), "`on` opens the status page and the dev inbox: on a loopback host and outside `prod` only")
        .default("off").stops(Stops::Everything).example("on"),
    variable("PUBLIC_URL", IDENTITY, Kind::Origin, "The origin that people reach Postern at, and the issuer of tokens; https makes codes origin-bound and lets carriers report delivery. `make dev` takes http://localhost and its port")
        .stops(Stops::Sending).example("https://login.example.com"),
    variable("APP_NAME", IDENTITY, Kind::Text(60), "The name in messages")
        .default("Postern").stops(Stops::Sending).example("Example"),

    variable("SERVER_API_KEY", SECRETS, Kind::ServerKey, "The first server key, with every scope: `sk_live_` and at least 43 random characters")
        .required().secret().stops(Stops::Everything),
    variable("ENCRYPTION_KEYS", SECRETS, Kind::KeyRing, "The ring that seals secrets at rest: `{\"current\": \"k1\", \"keys\": {\"k1\": \"base64 of 32 bytes\"}}`")
        .required().secret().stops(Stops::Everything),
    variable("CODE_PEPPER", SECRETS, Kind::KeyRing, "The ring that keys the MACs of codes, destinations and passwords; same form. A key stays until no password is under it")
        .required().secret().stops(Stops::Everything),

    variable("SMS_DRIVER", SMS, Kind::Choice(&["null", "twilio", "twilio_verify", "vonage", "webhook"]), "What carries SMS, unless the setting `sms.driver` says otherwise. Unset: Twilio if its variables are complete, else Vonage, else `null`, which `prod` takes only by name")
        .stops(Stops::Sending).example("twilio"),
    variable("DEV_SMS_RECEIVER", SMS, Kind::E164, "The phone that gets every SMS and call outside `prod`")
        .stops(Stops::Sending).example("+16471231234"),
    variable("SMS_WEBHOOK_URL", SMS, Kind::Url, "Your endpoint that sends SMS and calls: it gets each as JSON, signed as Standard Webhooks")
        .stops(Stops::Sending).example("https://app.example.com/hooks/sms"),
    variable("SMS_WEBHOOK_SECRET", SMS, Kind::WebhookSecret, "Signs what goes to the endpoint")
        .secret().stops(Stops::Sending),
    variable("SMS_COUNTRY_CODE", SMS, Kind::CallingCode, "The calling code of numbers typed without one; its countries are allowed by default")
        .default("+1").stops(Stops::Challenges).example("+1"),

    variable("TWILIO_ACCOUNT_ID", TWILIO, Kind::Sid("AC"), "The account's SID")
        .alias("TWILIO_ACCOUNT_SID").stops(Stops::Sending).example("AC00000000000000000000000000000000"),
    variable("TWILIO_AUTH_TOKEN", TWILIO, Kind::Credential, "The account's auth token; delivery reports are signed with it, even when an API key sends")
        .secret().stops(Stops::Sending),
    variable("TWILIO_SENDER_NUMBER", TWILIO, Kind::Sender, "The number that sends, and calls: calls need it even with a Messaging Service")
        .alias("TWILIO_PHONE_NUMBER").stops(Stops::Sending).example("+15005550006"),
    variable("TWILIO_MESSAGING_SERVICE_SID", TWILIO, Kind::Sid("MG"), "A Messaging Service for SMS; with one, SMS ignores the sender number")
        .stops(Stops::Sending).example("MG00000000000000000000000000000000"),
    variable("TWILIO_API_KEY_SID", TWILIO, Kind::Sid("SK"), "An API key to send with instead of the auth token")
        .stops(Stops::Sending).example("SK00000000000000000000000000000000"),
    variable("TWILIO_API_KEY_SECRET", TWILIO, Kind::Credential, "The API key's secret")
        .secret().stops(Stops::Sending),
    variable("TWILIO_VERIFY_SID", TWILIO, Kind::Sid("VA"), "A Verify service, which `twilio_verify` sends through")
        .stops(Stops::Sending).example("VA00000000000000000000000000000000"),

    variable("VONAGE_API_KEY", VONAGE, Kind::Text(64), "The account's API key")
        .stops(Stops::Sending).example("abcd1234"),
    variable("VONAGE_API_SECRET", VONAGE, Kind::Credential, "The account's API secret")
        .secret().stops(Stops::Sending),
    variable("VONAGE_SENDER_NUMBER", VONAGE, Kind::Sender, "The number or name that sends")
        .stops(Stops::Sending).example("+447700900100"),
    variable("VONAGE_SIGNATURE_SECRET", VONAGE, Kind::Credential, "Signs SMS requests (SHA-256) when there is no API secret; with one, the webhooks of calls have to be signed with it")
        .secret().stops(Stops::Sending),
    variable("VONAGE_APPLICATION_ID", VONAGE, Kind::Text(64), "The application that makes calls")
        .stops(Stops::Calls).example("00000000-0000-0000-0000-000000000000"),
    variable("VONAGE_PRIVATE_KEY", VONAGE, Kind::PrivateKey, "The application's private key; line ends may be written as `\\n`")
        .secret().stops(Stops::Calls),

    variable("TWILIO_API_BASE", BASES, Kind::BaseUrl, "Twilio's API, or a regional host of it")
        .default("https://api.twilio.com").stops(Stops::Sending),
    variable("TWILIO_VERIFY_BASE", BASES, Kind::BaseUrl, "Twilio Verify")
        .default("https://verify.twilio.com").stops(Stops::Sending),
    variable("VONAGE_SMS_BASE", BASES, Kind::BaseUrl, "Vonage's SMS API")
        .default("https://rest.nexmo.com").stops(Stops::Sending),
    variable("VONAGE_API_BASE", BASES, Kind::BaseUrl, "Vonage's Voice and Messages API")
        .default("https://api.nexmo.com").stops(Stops::Calls),
    variable("RESEND_API_BASE", BASES, Kind::BaseUrl, "Resend")
        .default("https://api.resend.com").stops(Stops::Email),
    variable("POSTMARK_API_BASE", BASES, Kind::BaseUrl, "Postmark")
        .default("https://api.postmarkapp.com").stops(Stops::Email),
    variable("TURNSTILE_API_BASE", BASES, Kind::BaseUrl, "Turnstile")
        .default("https://challenges.cloudflare.com").stops(Stops::BotCheck),
    variable("BREACH_API_BASE", BASES, Kind::BaseUrl, "Pwned Passwords, or a mirror of its range API; asked when `password.breach_check` is true")
        .default("https://api.pwnedpasswords.com").stops(Stops::BreachCheck),

    variable("AUTHN_SMS_DRIVER", ONCE, Kind::Choice(&["null", "twilio", "vonage"]), "As authn.sh: the driver")
        .stops(Stops::Storing),
    variable("AUTHN_SMS_FROM_NUMBER", ONCE, Kind::Sender, "As authn.sh: the sender")
        .stops(Stops::Storing),
    variable("AUTHN_SMS_TWILIO_ACCOUNT_SID", ONCE, Kind::Sid("AC"), "As authn.sh: Twilio's account")
        .stops(Stops::Storing),
    variable("AUTHN_SMS_TWILIO_AUTH_TOKEN", ONCE, Kind::Credential, "As authn.sh: Twilio's auth token")
        .secret().stops(Stops::Storing),
    variable("AUTHN_SMS_TWILIO_MESSAGING_SERVICE_SID", ONCE, Kind::Sid("MG"), "As authn.sh: a Messaging Service")
        .stops(Stops::Storing),
    variable("AUTHN_SMS_VONAGE_API_KEY", ONCE, Kind::Text(64), "As authn.sh: Vonage's key")
        .stops(Stops::Storing),
    variable("AUTHN_SMS_VONAGE_API_SECRET", ONCE, Kind::Credential, "As authn.sh: Vonage's secret")
        .secret().stops(Stops::Storing),

    variable("EMAIL_DRIVER", EMAIL, Kind::Choice(&["null", "resend", "postmark", "cloudflare", "webhook"]), "What carries e-mail. Unset: Resend if its key is there, else Postmark, else the webhook, else `null` outside `prod`; `cloudflare` only by name, with the binding `EMAIL` in `wrangler.toml`")
        .stops(Stops::Email).example("resend"),
    variable("EMAIL_FROM", EMAIL, Kind::Mailbox, "Who sends e-mails: an address of a domain that the carrier may send from, with a name or without")
        .stops(Stops::Email).example("Example <login@example.com>"),
    variable("DEV_EMAIL_RECEIVER", EMAIL, Kind::Address, "The mailbox that gets every e-mail outside `prod`")
        .stops(Stops::Email).example("dev@example.com"),
    variable("RESEND_API_KEY", EMAIL, Kind::Credential, "Resend's key")
        .secret().stops(Stops::Email),
    variable("POSTMARK_SERVER_TOKEN", EMAIL, Kind::Credential, "Postmark's server token")
        .secret().stops(Stops::Email),
    variable("EMAIL_WEBHOOK_URL", EMAIL, Kind::Url, "Your endpoint that sends e-mails: it gets each as JSON, signed as Standard Webhooks")
        .stops(Stops::Email).example("https://app.example.com/hooks/email"),
    variable("EMAIL_WEBHOOK_SECRET", EMAIL, Kind::WebhookSecret, "Signs what goes to the endpoint")
        .secret().stops(Stops::Email),

    variable("TURNSTILE_SECRET_KEY", BOTS, Kind::Credential, "The secret of a Turnstile widget: with it embedded flows begin only with a good `bot_token`. `prod` takes no testing secret")
        .secret().stops(Stops::BotCheck),
    variable("TURNSTILE_SITE_KEY", BOTS, Kind::Text(64), "The widget's site key, which pages are told; needs the secret")
        .stops(Stops::BotCheck).example("0x4AAAAAAAAAAAAAAAAAAAAA"),
    variable("TURNSTILE_HOSTNAMES", BOTS, Kind::Hostnames, "Hosts whose tokens are taken; unset: those that the widget allows")
        .stops(Stops::BotCheck).example("app.example.com"),
    variable("TURNSTILE_ACTION", BOTS, Kind::Text(32), "The action that a token has to be of; unset: any")
        .stops(Stops::BotCheck).example("sign_in"),

    variable("OTP_MFA_IS_REQUIRED", POLICY, Kind::Flag, "An authenticator app is required at sign-in")
        .default("false").stops(Stops::Policy),
    variable("EMAIL_MFA_IS_REQUIRED", POLICY, Kind::Flag, "An e-mail code is required at sign-in")
        .default("false").stops(Stops::Policy),
    variable("SMS_MFA_IS_REQUIRED", POLICY, Kind::Flag, "A code to the phone is required at sign-in")
        .default("false").stops(Stops::Policy),
    variable("ENFORCE_ONE_MFA_ENROLLMENT", POLICY, Kind::Choices(FACTORS), "With none required: one of these has to be enrolled")
        .default("otp,email").stops(Stops::Policy),
    variable("ALLOW_EMAIL_MFA_AS_BACKUP", POLICY, Kind::Flag, "An e-mail code stands in for a factor that is unavailable")
        .default("true").stops(Stops::Policy),
    variable("ALLOW_PASSKEY_ENROLLMENT", POLICY, Kind::Flag, "Passkeys can be enrolled")
        .default("false").stops(Stops::Policy),
    variable("ENABLE_RECOVERY_CODE", POLICY, Kind::Flag, "Recovery codes can be made; those there are stay usable")
        .default("false").stops(Stops::RecoveryCodes),
    variable("ENABLE_MFA_REMEMBER_DEVICE", POLICY, Kind::Flag, "A device can be remembered for 30 days")
        .default("false").stops(Stops::Policy),
    variable("BLOCKED_POLICIES", POLICY, Kind::Choices(POLICIES), "Policies that `policy=` may not ask for").default(""),
    variable("EMBEDDED_AUTH_ORIGINS", POLICY, Kind::Origins, "Origins of every browser app, beside its own: https, or http on this machine")
        .default("").stops(Stops::SignIn).example("https://app.example.com"),

    variable("MFA_CODE_VERIFY_THRESHOLD", LIMITS, Kind::Integer(1, 100), "Wrong second-factor answers per 30 minutes and person")
        .default("10").stops(Stops::Challenges),
    variable("SMS_MFA_MESSAGE_THRESHOLD", LIMITS, Kind::Integer(1, 100), "SMS per 30 minutes and person, and per number")
        .default("5").stops(Stops::Challenges),
    variable("EMAIL_MFA_EMAIL_THRESHOLD", LIMITS, Kind::Integer(1, 100), "E-mails per 30 minutes and person, and per address")
        .default("10").stops(Stops::Email),
    variable("ACCOUNT_LOCKOUT_THRESHOLD", LIMITS, Kind::Integer(0, 100), "Wrong passwords per person and address; 0 is never")
        .default("5").stops(Stops::Challenges),
    variable("ACCOUNT_LOCKOUT_EXPIRES_IN", LIMITS, Kind::Integer(0, 365 * DAY), "Seconds until a person locked out at an address may try again")
        .default("86400").stops(Stops::Challenges),
    variable("AUTHORIZATION_CODE_EXPIRES_IN", LIMITS, Kind::Integer(30, 600), "Seconds that an authorization code works")
        .default("300").stops(Stops::SignIn),
    variable("SPA_ACCESS_TOKEN_EXPIRES_IN", LIMITS, Kind::Integer(60, DAY), "Seconds that a person's access token works, where its app says nothing")
        .default("1800").stops(Stops::SignIn),
    variable("SPA_REFRESH_TOKEN_EXPIRES_IN", LIMITS, Kind::Integer(60, 365 * DAY), "Seconds that a refresh token works, where its app says nothing")
        .default("604800").stops(Stops::SignIn),
    variable("S2S_ACCESS_TOKEN_EXPIRES_IN", LIMITS, Kind::Integer(60, DAY), "Seconds that a machine's access token works, where it says nothing")
        .default("3600").stops(Stops::SignIn),
    variable("ID_TOKEN_EXPIRES_IN", LIMITS, Kind::Integer(60, DAY), "Seconds that an ID token works, where its app says nothing")
        .default("1800").stops(Stops::SignIn),
    variable("SERVER_SESSION_EXPIRES_IN", LIMITS, Kind::Integer(60, 365 * DAY), "Seconds that a session without a refresh token lives unused, where its app says nothing")
        .default("1800").stops(Stops::SignIn),
];
