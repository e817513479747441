//! The table of limits.

use crate::message::Channel;

/// Whom a limit counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// One challenge; kept in the challenge's own row.
    Challenge,
    /// The user, else the destination's MAC.
    Subject,
    /// The user.
    User,
    /// The destination's MAC.
    Destination,
    /// The user, at one client address (/64 for IPv6).
    UserAndAddress,
    /// One client address (/64 for IPv6), whomever it tries.
    Address,
    /// One app.
    App,
    /// One server key, or machine app.
    Key,
    /// One country.
    Country,
    /// All together.
    Instance,
    /// The destination's MAC, while it is not the proven factor of the user who is asked.
    NewDestination,
}

/// How long a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// As long as what it counts for lives.
    Life,
    /// So many seconds from the first count, then from zero.
    Seconds(i64),
    /// A bucket: so many at once, and one more each time so many seconds have passed.
    Refill(i64),
    /// Until it is cleared; for a destination, which nobody can unlock, until a day without a failure.
    UntilCleared,
    /// As `password.lockout_seconds` says, from the last count.
    Lockout,
    /// A day from the last count; the wait grows with each one beyond the limit (`lockout.rs`).
    Growing,
}

/// One limit.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// Its name, which is its setting's name under `limits.` and the beginning of its counter's key.
    pub name: &'static str,
    /// Whom it counts for.
    pub per: Per,
    /// How many pass. 0: any number.
    pub default: i64,
    /// The largest value its setting takes.
    pub most: i64,
    /// For how long.
    pub window: Window,
    /// The binding that sets the default.
    pub binding: Option<&'static str>,
    /// What clears it before time does.
    pub cleared_by: &'static str,
    /// What it counts.
    pub meaning: &'static str,
    /// Whether a message that did not go out, by a fault that is not the person's, is given back.
    pub refunded: bool,
    /// Which messages it counts; none: answers.
    pub channels: &'static [Channel],
}

/// The most of those limits that may be none.
const MANY: i64 = 1_000_000;

impl Limit {
    /// The least value that its setting takes. As with Melody Auth, a lockout after no wrong password is none; and who sends
    /// need not be limited.
    pub fn least(&self) -> i64 {
        i64::from(self.window != Window::Lockout && self.most != MANY)
    }

    /// Whether a message that goes this way counts.
    pub fn holds(&self, channel: Option<Channel>) -> bool {
        channel.is_some_and(|channel| self.channels.contains(&channel))
    }
}

const PHONES: &[Channel] = &[Channel::Sms, Channel::Voice];
const MAILBOXES: &[Channel] = &[Channel::Email];
const EVERYWHERE: &[Channel] = &[Channel::Sms, Channel::Voice, Channel::Email];

const HALF_HOUR: Window = Window::Seconds(1800);
const HOUR: Window = Window::Seconds(3600);

/// Wrong answers to one challenge.
pub const WRONG_ANSWERS: Limit = Limit {
    name: "wrong_answers",
    per: Per::Challenge,
    default: 5,
    most: 10,
    window: Window::Life,
    binding: None,
    cleared_by: "nothing: the challenge is dead",
    meaning: "Wrong answers to one challenge",
    refunded: false,
    channels: &[],
};

/// Codes sent for one challenge.
pub const SENDS: Limit = Limit {
    name: "sends_per_challenge",
    per: Per::Challenge,
    default: 4,
    most: 4,
    window: Window::Life,
    binding: None,
    cleared_by: "nothing; the waits between are 30, 60 and 120 seconds",
    meaning: "Codes sent for one challenge",
    refunded: false,
    channels: &[],
};

/// Wrong second-factor answers of one person, over all challenges, factors, channels and addresses.
pub const SECOND_FACTOR_FAILURES: Limit = Limit {
    name: "second_factor_failures",
    per: Per::Subject,
    default: 10,
    most: 100,
    window: HALF_HOUR,
    binding: Some("MFA_CODE_VERIFY_THRESHOLD"),
    cleared_by: "a proven second factor, or unlock",
    meaning: "Wrong second-factor answers, over all challenges",
    refunded: false,
    channels: &[],
};

/// The same in a row, however slowly: SP 800-63B-4 §3.2.2 allows 100.
pub const SECOND_FACTOR_FAILURES_IN_A_ROW: Limit = Limit {
    name: "second_factor_failures_in_a_row",
    per: Per::Subject,
    default: 100,
    most: 100,
    window: Window::UntilCleared,
    binding: None,
    cleared_by: "a proven second factor, or unlock; for a destination also a day without a failure",
    meaning: "Wrong second-factor answers in a row, however slowly",
    refunded: false,
    channels: &[],
};

/// Wrong passwords of one user from one address.
pub const PASSWORD_FAILURES: Limit = Limit {
    name: "password_failures",
    per: Per::UserAndAddress,
    default: 5,
    most: 100,
    window: Window::Lockout,
    binding: Some("ACCOUNT_LOCKOUT_THRESHOLD"),
    cleared_by: "the right password from there, a new password, or unlock",
    meaning: "Wrong passwords from one address, or on one remembered device; 0 is never",
    refunded: false,
    channels: &[],
};

/// The same over all addresses: who changes theirs is slowed down.
pub const PASSWORD_FAILURES_EVERYWHERE: Limit = Limit {
    name: "password_failures_everywhere",
    per: Per::User,
    default: 5,
    most: 100,
    window: Window::Growing,
    binding: None,
    cleared_by: "the right password, a new password, or unlock",
    meaning: "Wrong passwords over all addresses, before each further one has to wait",
    refunded: false,
    channels: &[],
};

/// Wrong passwords from one address, whosever they are.
pub const SIGN_IN_FAILURES_ADDRESS: Limit = Limit {
    name: "sign_in_failures_per_address",
    per: Per::Address,
    default: 100,
    most: 10_000,
    window: Window::Seconds(86_400),
    binding: None,
    cleared_by: "time",
    meaning: "Wrong passwords from one address, whomever they are tried for; not from remembered devices",
    refunded: false,
    channels: &[],
};

/// Sign-ups from one address.
pub const SIGN_UPS_ADDRESS: Limit = Limit {
    name: "sign_ups_per_address",
    per: Per::Address,
    default: 50,
    most: 10_000,
    window: Window::Seconds(60),
    binding: None,
    cleared_by: "time",
    meaning: "Sign-ups that are begun from one address in a minute",
    refunded: false,
    channels: &[],
};

const fn messages(name: &'static str, per: Per, window: Window, meaning: &'static str) -> Limit {
    let (default, binding) = match window {
        Window::Seconds(1800) => (5, Some("SMS_MFA_MESSAGE_THRESHOLD")),
        _ => (10, None),
    };
    Limit {
        name,
        per,
        default,
        most: 100,
        window,
        binding,
        cleared_by: "time",
        meaning,
        refunded: true,
        channels: PHONES,
    }
}

/// Messages to one user in half an hour.
pub const MESSAGES_USER_HALF_HOUR: Limit =
    messages("messages_per_user_half_hour", Per::User, HALF_HOUR, "SMS and calls to one user in 30 minutes");
/// Messages to one user in an hour.
pub const MESSAGES_USER_HOUR: Limit =
    messages("messages_per_user_hour", Per::User, HOUR, "SMS and calls to one user in an hour");
/// Messages to one number in half an hour.
pub const MESSAGES_DESTINATION_HALF_HOUR: Limit = messages(
    "messages_per_destination_half_hour",
    Per::Destination,
    HALF_HOUR,
    "SMS and calls to one number in 30 minutes",
);
/// Messages to one number in an hour.
pub const MESSAGES_DESTINATION_HOUR: Limit =
    messages("messages_per_destination_hour", Per::Destination, HOUR, "SMS and calls to one number in an hour");

const fn senders(name: &'static str, per: Per, default: i64, meaning: &'static str) -> Limit {
    Limit {
        name,
        per,
        default,
        most: MANY,
        window: HOUR,
        binding: None,
        cleared_by: "time",
        meaning,
        refunded: true,
        channels: PHONES,
    }
}

/// Messages that one client address asks for. A company, or a mobile carrier, has hundreds of people behind one. It may be
/// 0, no limit, as those below.
pub const MESSAGES_ADDRESS: Limit = senders(
    "messages_per_address_hour",
    Per::Address,
    300,
    "SMS and calls asked for from one client address in an hour; 0: any number",
);
/// Messages through one app. What is many for one is few for another: whoever knows sets it.
pub const MESSAGES_APP: Limit =
    senders("messages_per_app_hour", Per::App, 0, "SMS and calls through one app in an hour; 0: any number");
/// Messages by one server key.
pub const MESSAGES_KEY: Limit = senders(
    "messages_per_key_hour",
    Per::Key,
    0,
    "SMS and calls by one server key, or machine app, in an hour; 0: any number",
);
/// Messages to one country.
pub const MESSAGES_COUNTRY: Limit =
    senders("messages_per_country_hour", Per::Country, 0, "SMS and calls to one country in an hour; 0: any number");
/// Messages of the instance.
pub const MESSAGES_INSTANCE: Limit =
    senders("messages_per_instance_hour", Per::Instance, 0, "SMS and calls in an hour, all together; 0: any number");

/// Tries to send to one number in half an hour, whatever became of them: a carrier that refuses is not asked without end.
pub const TRIES_DESTINATION_HALF_HOUR: Limit = Limit {
    name: "tries_per_destination_half_hour",
    per: Per::Destination,
    default: 20,
    most: 100,
    window: HALF_HOUR,
    binding: None,
    cleared_by: "time",
    meaning: "Tries to send to one number or address in 30 minutes, failed ones too",
    refunded: false,
    channels: EVERYWHERE,
};

/// Challenges by e-mail or authenticator app of one user in five minutes.
pub const REQUESTS_USER_FIVE_MINUTES: Limit = Limit {
    name: "requests_per_user_five_minutes",
    per: Per::User,
    default: 5,
    most: 100,
    window: Window::Seconds(300),
    binding: None,
    cleared_by: "time",
    meaning: "E-mail and TOTP challenges of one user in 5 minutes",
    refunded: true,
    channels: MAILBOXES,
};

const fn emails(name: &'static str, per: Per, meaning: &'static str) -> Limit {
    Limit {
        name,
        per,
        default: 10,
        most: 100,
        window: HALF_HOUR,
        binding: Some("EMAIL_MFA_EMAIL_THRESHOLD"),
        cleared_by: "time",
        meaning,
        refunded: true,
        channels: MAILBOXES,
    }
}

/// E-mails to one user in half an hour.
pub const EMAILS_USER_HALF_HOUR: Limit =
    emails("emails_per_user_half_hour", Per::User, "E-mails to one user in 30 minutes");
/// E-mails to one address in half an hour.
pub const EMAILS_DESTINATION_HALF_HOUR: Limit =
    emails("emails_per_destination_half_hour", Per::Destination, "E-mails to one address in 30 minutes");

/// Notices to one user in an hour: whoever adds and removes factors without end bombs nobody.
pub const NOTICES_USER_HOUR: Limit = Limit {
    name: "notices_per_user_hour",
    per: Per::User,
    default: 10,
    most: 100,
    window: HOUR,
    binding: None,
    cleared_by: "time",
    meaning: "Notices to one user in an hour; further ones are dropped",
    refunded: true,
    // Counted where notices are written.
    channels: &[],
};

/// Notices of sign-ups that were tried with a user's address: anybody can make one, so they are few, and take no room
/// from the others.
pub const SIGN_UP_NOTICES_USER_DAY: Limit = Limit {
    name: "sign_up_notices_per_user_day",
    default: 3,
    window: Window::Seconds(86_400),
    meaning: "Notices to one user in a day that somebody tried to sign up with their address; further ones are dropped",
    ..NOTICES_USER_HOUR
};

/// Calls to a number that nobody has proven yet: a burst, then one an hour. Calls cost most, and to numbers that
/// somebody types they are what fraud is made of.
pub const CALLS_NEW_DESTINATION: Limit = Limit {
    name: "calls_per_new_destination",
    per: Per::NewDestination,
    default: 5,
    most: 100,
    window: Window::Refill(3600),
    binding: None,
    cleared_by: "time: one an hour",
    meaning: "Calls at once to a number not proven yet, then 1 an hour",
    refunded: true,
    channels: &[Channel::Voice],
};

/// Every limit.
pub const LIMITS: [Limit; 24] = [
    WRONG_ANSWERS,
    SENDS,
    SECOND_FACTOR_FAILURES,
    SECOND_FACTOR_FAILURES_IN_A_ROW,
    MESSAGES_USER_HALF_HOUR,
    MESSAGES_USER_HOUR,
    MESSAGES_DESTINATION_HALF_HOUR,
    MESSAGES_DESTINATION_HOUR,
    CALLS_NEW_DESTINATION,
    MESSAGES_ADDRESS,
    MESSAGES_APP,
    MESSAGES_KEY,
    MESSAGES_COUNTRY,
    MESSAGES_INSTANCE,
    TRIES_DESTINATION_HALF_HOUR,
    REQUESTS_USER_FIVE_MINUTES,
    EMAILS_USER_HALF_HOUR,
    EMAILS_DESTINATION_HALF_HOUR,
    NOTICES_USER_HOUR,
    SIGN_UP_NOTICES_USER_DAY,
    PASSWORD_FAILURES,
    PASSWORD_FAILURES_EVERYWHERE,
    SIGN_IN_FAILURES_ADDRESS,
    SIGN_UPS_ADDRESS,
];
