//! What a flow is worth: AAL (SP 800-63B-4 §2), `amr` (RFC 8176) and `acr`, derived from the proofs each time and
//! stored nowhere by themselves.

use super::{
    facts::{ExternalKind, Proof, Situation},
    kind::Kind,
};
use crate::message::Channel;

/// What a flow is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assurance {
    /// The authenticator assurance level, 1 or 2. Postern claims no AAL3: it cannot know that a key is in hardware.
    pub aal: u8,
    /// The authentication context class.
    pub acr: Acr,
    /// The methods, in a fixed order.
    pub amr: Vec<&'static str>,
}

/// The authentication context class: a closed, ordered list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Acr {
    /// Anything that was proven.
    Aal1,
    /// Two factors.
    Aal2,
    /// Two factors, at least one of which no phisher can pass on.
    Aal2PhishingResistant,
}

impl Acr {
    /// The methods in the order that `amr` has them. `email` and `recovery` are words of ours: RFC 8176 registers none for
    /// them. They stand beside `otp`, which both are, so that neither is taken for an authenticator app.
    pub const METHODS: [&'static str; 10] =
        ["pwd", "otp", "sms", "tel", "email", "recovery", "hwk", "swk", "user", "mfa"];

    /// Every value, for the contract. URNs, because OIDC Core §2 wants absolute URIs or registered names.
    pub const NAMES: [&'static str; 3] =
        ["urn:postern:acr:aal1", "urn:postern:acr:aal2", "urn:postern:acr:aal2-phishing-resistant"];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aal1 => "urn:postern:acr:aal1",
            Self::Aal2 => "urn:postern:acr:aal2",
            Self::Aal2PhishingResistant => "urn:postern:acr:aal2-phishing-resistant",
        }
    }
}

/// What one proof adds.
#[derive(Clone, Copy, Default)]
struct Worth {
    /// Something the user knows.
    knowledge: bool,
    /// Something the user has. A mailbox is no such thing (§3.1.3.1).
    possession: bool,
    /// Both at once.
    both: bool,
    /// Its values of `amr`.
    amr: &'static [&'static str],
}

fn worth(proof: &Proof) -> Worth {
    let has = |amr| Worth { possession: true, amr, ..Worth::default() };
    match (proof.kind, proof.channel) {
        (Kind::Password, _) => Worth { knowledge: true, amr: &["pwd"], ..Worth::default() },
        (Kind::Totp, _) => has(&["otp"]),
        (Kind::Phone, Some(Channel::Voice)) => has(&["tel"]),
        (Kind::Phone, _) => has(&["sms"]),
        (Kind::Email, _) => Worth { amr: &["otp", "email"], ..Worth::default() },
        // A look-up secret (§3.1.2): something one has.
        (Kind::RecoveryCodes, _) => has(&["otp", "recovery"]),
        (Kind::Passkey, _) => Worth {
            both: proof.user_verified,
            ..has(if proof.is_synced { &["swk", "user"] } else { &["hwk", "user"] })
        },
    }
}

fn worth_of_external(kind: ExternalKind) -> Worth {
    match kind {
        ExternalKind::Password => Worth { knowledge: true, amr: &["pwd"], ..Worth::default() },
        // Which channel it took is not told.
        ExternalKind::Phone => Worth { possession: true, amr: &["otp"], ..Worth::default() },
        ExternalKind::Email => Worth { amr: &["otp", "email"], ..Worth::default() },
        // What was proven there is not known here.
        ExternalKind::Federated | ExternalKind::Other => Worth::default(),
    }
}

/// What the proofs that count are worth together. AAL2 is a passkey that verified the user, or a password and
/// something the user has (§2.2.1); e-mail never adds to it, however often.
pub(super) fn assurance(situation: &Situation) -> Assurance {
    let mut sum = Worth::default();
    let mut amr: Vec<&str> = Vec::new();
    let own = situation.proofs.iter().filter(|proof| situation.counts(proof)).map(worth);
    for worth in own.chain(situation.login().into_iter().map(|external| worth_of_external(external.kind))) {
        sum.knowledge |= worth.knowledge;
        sum.possession |= worth.possession;
        sum.both |= worth.both;
        amr.extend(worth.amr);
    }
    let two = sum.both || (sum.knowledge && sum.possession);
    amr.extend(two.then_some("mfa"));
    // Of all proofs, a passkey's is the one that no phisher can pass on (§3.2.5).
    let acr = match (two, amr.contains(&"user")) {
        (false, _) => Acr::Aal1,
        (true, false) => Acr::Aal2,
        (true, true) => Acr::Aal2PhishingResistant,
    };
    Assurance {
        aal: if two { 2 } else { 1 },
        acr,
        amr: Acr::METHODS.into_iter().filter(|method| amr.contains(method)).collect(),
    }
}
