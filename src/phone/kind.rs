//! What a number is for: mobile, fixed line, toll-free and so on.
//! The kinds are libphonenumber's, with satellite phones told apart.

use super::PhoneError;
use super::table::Plan;

/// What a number is for, as far as the numbering plan tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NumberKind {
    /// A mobile phone.
    Mobile,
    /// A fixed line.
    FixedLine,
    /// One of the two, where the plan does not tell them apart, as in North America.
    FixedLineOrMobile,
    /// Free for the caller.
    TollFree,
    /// The caller pays more than for a call.
    PremiumRate,
    /// The caller and the called share the cost.
    SharedCost,
    /// Reached over the internet.
    Voip,
    /// Follows a person from line to line.
    PersonalNumber,
    /// A pager.
    Pager,
    /// A company's one number for all its places ("universal access number").
    Uan,
    /// A mailbox for voice messages.
    Voicemail,
    /// A satellite phone. libphonenumber calls these mobile, `VoIP` or unknown; here they are
    /// all numbers of Inmarsat (+870) and of the mobile satellite systems (+881), and of the two
    /// satellite networks among the international networks, EMSAT (+882 13) and Thuraya (+882 16).
    /// +883 has no satellite network. A country's own ranges for satellite phones are not told
    /// apart by the metadata and stay what it calls them.
    Satellite,
    /// In no range known to be assigned.
    Unknown,
}

impl NumberKind {
    /// The kind of a national number under a calling code.
    pub(super) fn of(plan: Plan, national: &str) -> Self {
        match plan.calling_code() {
            870 | 881 => return Self::Satellite,
            882 if national.starts_with("13") || national.starts_with("16") => {
                return Self::Satellite;
            }
            _ => {}
        }
        match plan.verdict(national).map(|verdict| verdict.kind) {
            Some(1) => Self::FixedLine,
            Some(2) => Self::Mobile,
            Some(3) => Self::FixedLineOrMobile,
            Some(4) => Self::PremiumRate,
            Some(5) => Self::TollFree,
            Some(6) => Self::SharedCost,
            Some(7) => Self::Voip,
            Some(8) => Self::PersonalNumber,
            Some(9) => Self::Pager,
            Some(10) => Self::Uan,
            Some(11) => Self::Voicemail,
            _ => Self::Unknown,
        }
    }

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::FixedLine => "fixed_line",
            Self::FixedLineOrMobile => "fixed_line_or_mobile",
            Self::TollFree => "toll_free",
            Self::PremiumRate => "premium_rate",
            Self::SharedCost => "shared_cost",
            Self::Voip => "voip",
            Self::PersonalNumber => "personal_number",
            Self::Pager => "pager",
            Self::Uan => "uan",
            Self::Voicemail => "voicemail",
            Self::Satellite => "satellite",
            Self::Unknown => "unknown",
        }
    }

    /// The reason why no message is ever sent to numbers of this kind, if there is one.
    ///
    /// A call to a premium-rate, shared-cost or satellite number can cost someone dearly, and a
    /// pager gets no text. Universal access numbers, mailboxes and toll-free numbers pass: a
    /// message to one costs no more than any other and at worst does not arrive.
    pub(super) fn refusal(self) -> Option<PhoneError> {
        match self {
            Self::PremiumRate => Some(PhoneError::PremiumRate),
            Self::SharedCost => Some(PhoneError::SharedCost),
            Self::Pager => Some(PhoneError::Pager),
            Self::Satellite => Some(PhoneError::Satellite),
            _ => None,
        }
    }
}
