//! What is said of an app when it is made or changed, and which type of app may have it.

use serde_json::{Map, Value};

use super::{AppType, Origin, RedirectUri};
use crate::api_key::Scope;

/// What is said of an app; `None` leaves a thing as it is.
#[derive(Clone, Default)]
pub struct Details {
    /// What it is called.
    pub name: Option<String>,
    /// Where codes may go.
    pub redirect_uris: Option<Vec<RedirectUri>>,
    /// The pages that may call.
    pub origins: Option<Vec<Origin>>,
    /// What a machine's tokens may do.
    pub scopes: Option<Vec<Scope>>,
    /// The language of its messages; the inner `None` takes it away.
    pub locale: Option<Option<String>>,
    /// What its owner keeps with it.
    pub metadata: Option<Value>,
    /// Its tokens.
    pub tokens: Option<Members>,
    /// Its own rule.
    pub mfa: Option<Members>,
}

/// What is said of an object.
#[derive(Clone)]
pub enum Members {
    /// These members; one that is null is cleared.
    These(Map<String, Value>),
    /// None: all are cleared.
    Cleared,
}

/// What a type of app does not have: the field, and why not.
pub type Misfit = (&'static str, &'static str);

impl Details {
    /// Whether an app of this type can have it all; else what it cannot.
    pub fn fit(&self, kind: AppType) -> Result<(), Misfit> {
        let uris = self.redirect_uris.as_deref().unwrap_or_default();
        let has_origins = self.origins.as_ref().is_some_and(|list| !list.is_empty());
        let has_scopes = self.scopes.as_ref().is_some_and(|list| !list.is_empty());
        match kind {
            AppType::Machine if !uris.is_empty() => {
                Err(("redirect_uris", "a machine app signs nobody in, and has no redirect URIs"))
            }
            AppType::Browser | AppType::Web if uris.iter().any(RedirectUri::is_private_use) => {
                Err(("redirect_uris", "only a native app has a scheme of its own"))
            }
            AppType::Native | AppType::Machine if has_origins => {
                Err(("origins", "only browser and web apps have pages, and origins"))
            }
            AppType::Browser | AppType::Native | AppType::Web if has_scopes => {
                Err(("scopes", "only a machine app has scopes: what people may do is your app's to say"))
            }
            _ => Ok(()),
        }
    }

    /// What an event says, with the language that was given; what the owner keeps with the app is theirs to know.
    pub(super) fn said(&self, mut data: Value) -> Value {
        if let (Some(locale), Some(data)) = (&self.locale, data.as_object_mut()) {
            data.insert("locale".to_owned(), locale.as_deref().into());
        }
        data
    }

    /// The types of app that can have it, as the deciding statement takes them.
    pub(super) fn fitting(&self) -> String {
        let fitting = AppType::ALL.into_iter().filter(|kind| self.fit(*kind).is_ok());
        Value::from(fitting.map(AppType::as_str).collect::<Vec<_>>()).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which types can have what is said.
    fn fitting(details: &Details) -> Vec<AppType> {
        AppType::ALL.into_iter().filter(|kind| details.fit(*kind).is_ok()).collect()
    }

    #[test]
    fn each_type_has_what_is_its_own() {
        use AppType::{Browser, Machine, Native, Web};
        let uris =
            |text: &str| Details { redirect_uris: Some(vec![RedirectUri::parse(text).unwrap()]), ..Details::default() };
        let origins =
            Details { origins: Origin::parse("https://a.example").map(|one| vec![one]), ..Details::default() };
        let scopes = Details { scopes: Some(vec![Scope::UsersRead]), ..Details::default() };
        let none =
            Details { redirect_uris: Some(vec![]), origins: Some(vec![]), scopes: Some(vec![]), ..Details::default() };
        for (details, wanted) in [
            (Details::default(), vec![Browser, Native, Web, Machine]),
            (none, vec![Browser, Native, Web, Machine]),
            (uris("https://a.example/callback"), vec![Browser, Native, Web]),
            (uris("http://localhost/callback"), vec![Browser, Native, Web]),
            (uris("com.example.app:/callback"), vec![Native]),
            (origins, vec![Browser, Web]),
            (scopes, vec![Machine]),
        ] {
            assert_eq!(fitting(&details), wanted);
        }
    }
}
