//! Finds out which number was meant: the plan of its calling code, and the national digits.
//! It reads as libphonenumber does, so that a number typed as at home comes out the same.

use super::prefix::{strip_international, strip_national};
use super::read::Dialled;
use super::table::Plan;
use super::{CallingCode, PhoneError};

/// The international prefix of most countries, also read where it is not the country's own.
const COMMON_PREFIX: &str = "00";

/// A number taken apart.
pub(super) struct Parts {
    pub(super) plan: Plan,
    pub(super) national: String,
}

impl Parts {
    pub(super) fn e164(&self) -> String {
        format!("+{}{}", self.plan.calling_code(), self.national)
    }
}

/// Takes a read number apart; `home` is the calling code of numbers without one.
pub(super) fn resolve(dialled: &Dialled, home: Option<CallingCode>) -> Result<Parts, PhoneError> {
    let digits = dialled.digits.as_str();
    if dialled.plus {
        return international(digits);
    }
    let abroad = digits.strip_prefix(COMMON_PREFIX).map(international);
    let Some(home) = home else {
        return abroad.unwrap_or(Err(PhoneError::NoCallingCode));
    };
    let plan = Plan::of(home.get()).ok_or(PhoneError::UnknownCallingCode)?;
    let at_home = from_home(digits, plan);
    // Someone abroad dials 00 where the home country dials 011, say. It is read so only if the
    // digits cannot be a number as the home country dials them.
    if let Some(Ok(abroad)) = abroad
        && abroad.plan.possible(&abroad.national)
        && !at_home.as_ref().is_ok_and(|parts| parts.plan.possible(&parts.national))
    {
        return Ok(abroad);
    }
    at_home
}

fn international(digits: &str) -> Result<Parts, PhoneError> {
    let (plan, rest) = Plan::split(digits).ok_or(PhoneError::UnknownCallingCode)?;
    Ok(within(rest, plan))
}

/// Digits as dialled in a country: abroad with its international prefix, or its own numbers with
/// or without the calling code.
fn from_home(digits: &str, plan: Plan) -> Result<Parts, PhoneError> {
    if let Some(rest) = strip_international(digits, plan) {
        return international(rest);
    }
    if let Some(rest) = digits.strip_prefix(&plan.calling_code().to_string()) {
        let national = strip_national(rest, plan);
        let too_long = digits.len() > plan.main_lengths().longest();
        if too_long || !plan.general(digits) && plan.general(&national) {
            return Ok(within(&national, plan));
        }
    }
    Ok(within(digits, plan))
}

/// Takes the national prefix off, unless what remains would no longer be a whole number. This
/// also reads `+44 (0)20 …`, which people write though no one can dial it.
fn within(digits: &str, plan: Plan) -> Parts {
    let stripped = strip_national(digits, plan);
    let length = stripped.len();
    let whole = !plan.local_lengths().contains(length)
        && (plan.main_lengths().contains(length) || length > plan.main_lengths().longest());
    let national = if whole { stripped } else { digits.to_owned() };
    Parts { plan, national }
}
