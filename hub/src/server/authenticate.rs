//! Who sends a request: the bearer token, and behind it the organisation, the device and the member as they are now.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use rusqlite::Transaction;

use super::Hub;
use super::problem::Refused;
use crate::context::Context;
use crate::issuer::{Access, SignIn, TokenError, claimed_organisation};
use crate::store::devices::{self, Device};
use crate::store::{StoreError, members};

/// The bearer token of a request (RFC 6750, section 2.1).
pub(super) fn bearer(headers: &HeaderMap) -> Result<&str, TokenError> {
    let value = headers.get(header::AUTHORIZATION).ok_or(TokenError::Missing)?;
    let (scheme, token) = value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or(TokenError::Missing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(TokenError::Missing) }
}

impl Hub {
    /// The organisation a token says it is of.
    pub(super) fn organisation_of(&self, token: &str) -> Result<Arc<Context>, TokenError> {
        self.organisations.get(&claimed_organisation(token)?).ok_or(TokenError::OtherOrganisation)
    }

    /// The member who signs in.
    pub(super) async fn signs_in(&self, headers: &HeaderMap) -> Result<(Arc<Context>, SignIn), Refused> {
        let token = bearer(headers)?;
        // `vestibule admin` may have made the organisation a moment ago.
        if self.organisations.get(&claimed_organisation(token)?).is_none()
            && let Err(error) = self.organisations.refresh(&self.database).await
        {
            tracing::error!(%error, "an organisation cannot be opened");
        }
        let context = self.organisation_of(token)?;
        let sign_in = SignIn::verify(&context.issuer(), token, self.clock.read().now)?;
        let (organisation, member) = (context.organisation.clone(), sign_in.member.clone());
        let active = self
            .database
            .read(move |tx| {
                Ok::<_, StoreError>(members::get(tx, &organisation, &member)?.is_some_and(|member| member.active))
            })
            .await?;
        if active { Ok((context, sign_in)) } else { Err(TokenError::SignInAgain.into()) }
    }

    /// The device that syncs, by its token; whether it still may is asked of the database by [`crate::judge::sync`].
    pub(super) fn syncs(&self, headers: &HeaderMap) -> Result<(Arc<Context>, Access), Refused> {
        let token = bearer(headers)?;
        let context = self.organisation_of(token)?;
        let access = Access::verify(&context.issuer(), token, self.clock.read().now)?;
        Ok((context, access))
    }
}

/// The device of a token as it is in this transaction: enrolled to this member, neither of them shut out.
pub(super) fn good_device(tx: &Transaction<'_>, context: &Context, access: &Access) -> Result<Device, Refused> {
    let known = devices::in_use(tx, &context.organisation, &access.device, &access.member)?;
    known.map(|(device, _)| device).ok_or_else(|| TokenError::SignInAgain.into())
}
