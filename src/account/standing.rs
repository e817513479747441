//! What a change of the account is decided from: one batch reads the person, their factors, and the newest proof of this
//! session that would allow it. The statement that changes something holds the proof once more, and uses it up.

use super::{AccountError, Owner};
use crate::{
    context::Context,
    factor::{
        self, Authority, Factor, FactorType,
        enrol::{self, Enrol, EnrolError, Enrolled, PROOF_LIFETIME},
        remove::{self, Removed},
    },
    flow::FlowError,
    ids::{ChallengeId, FactorId},
    message::Channel,
    policy::Acr,
    ports::DatabaseError,
    statement,
    user::{self, User},
};

/// A person, with what would allow a change.
pub struct Standing {
    /// The person.
    pub user: User,
    /// Their factors, pending ones too.
    pub factors: Vec<Factor>,
    /// A proof, or nothing: which is enough where they have no factor yet.
    pub authority: Authority,
}

impl Standing {
    /// Reads it: one round trip.
    pub async fn read(context: &Context, owner: &Owner) -> Result<Self, DatabaseError> {
        let since = context.now().before(PROOF_LIFETIME).millis();
        let proof = factor::store::NEWEST_PROOF;
        let batch = vec![
            user::change::read(context, &owner.user),
            statement!(factor::store::LIST, &owner.user),
            statement!(proof, &owner.session, &owner.user, since, context.credential().is_test),
        ];
        let answer = context.decide(batch).await?;
        let [users, factors, proofs] = answer.as_slice() else { return Err(too_little()) };
        let user = users.first().map(User::read).transpose()?.ok_or_else(too_little)?;
        let proof = proofs.first().and_then(|row| row.opt_text("id")).and_then(ChallengeId::parse);
        Ok(Self {
            user,
            factors: factors.iter().map(Factor::read).collect::<Result<_, _>>()?,
            authority: proof.map_or(Authority::None, Authority::Proof),
        })
    }

    /// What a step-up has to reach for a change: a second factor, where the person has one that is more than a mailbox.
    pub fn wanted(&self) -> Acr {
        let is_strong = |factor: &Factor| {
            factor.is_active() && matches!(factor.kind, FactorType::Phone | FactorType::Totp | FactorType::Passkey)
        };
        if self.factors.iter().any(is_strong) { Acr::Aal2 } else { Acr::Aal1 }
    }
}

/// Adds a factor, or makes another password or other recovery codes.
pub async fn enrol(context: &Context, owner: &Owner, new: NewFactor) -> Result<Enrolled, AccountError> {
    let standing = Standing::read(context, owner).await?;
    let wanted = standing.wanted();
    let command = Enrol {
        user: owner.user.clone(),
        new: new.new,
        name: new.name,
        authority: standing.authority,
        locale: new.locale,
        app: None,
        reservation: None,
    };
    enrol::enrol_of(context, command, Some((standing.user, standing.factors))).await.map_err(|error| match error {
        EnrolError::ProofRequired | EnrolError::ProofInvalid => AccountError::StepUp(wanted),
        error => error.into(),
    })
}

/// A factor to add.
pub struct NewFactor {
    /// What it is made of.
    pub new: factor::New,
    /// What it is called.
    pub name: Option<String>,
    /// The language asked for.
    pub locale: Option<String>,
}

/// Removes a factor. One that was never proven needs no proof.
pub async fn remove(context: &Context, owner: &Owner, id: &FactorId) -> Result<(), AccountError> {
    let standing = Standing::read(context, owner).await?;
    let is_active = standing.factors.iter().any(|factor| factor.id == *id && factor.is_active());
    let authority = if is_active { standing.authority.clone() } else { Authority::None };
    match remove::one(context, &owner.user, id, &authority).await? {
        Removed::Done => Ok(()),
        Removed::NotFound => Err(FlowError::Create(crate::challenge::create::CreateError::FactorNotFound).into()),
        Removed::ProofRequired | Removed::ProofInvalid => Err(AccountError::StepUp(standing.wanted())),
    }
}

/// Has another code for a pending factor sent.
pub async fn challenge(
    context: &Context,
    owner: &Owner,
    factor: FactorId,
    channel: Option<Channel>,
    locale: Option<String>,
) -> Result<crate::challenge::create::Created, AccountError> {
    Ok(enrol::challenge(context, owner.user.clone(), factor, channel, locale, None).await?)
}

fn too_little() -> DatabaseError {
    DatabaseError::Other("a batch answered too little".to_owned())
}
