//! Sign-in and tokens: `POST /v1/devices/challenge`, `POST /v1/devices`, `POST /v1/token`, and what issuers publish.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::Transaction;
use serde_json::Value;
use vestibule_core::clock::{HubTime, asked};
use vestibule_core::keys::DeviceSigner as _;
use vestibule_core::sync::wire::{Challenge, Enrolled, Enrolment, TokenAnswer};

use super::authenticate::{bearer, good_device};
use super::problem::Refused;
use super::{Hub, body};
use crate::clock::Reading;
use crate::context::Context;
use crate::issuer::{self, ACCESS_LIFE, Access, Assertion, JWT_BEARER, TokenError};
use crate::organisation::{OrganisationError, key_set};
use crate::store::devices::{self, Device};
use crate::store::{assertions, members, organisations};

/// Gives the bearer of a sign-in token a nonce to sign.
pub async fn challenge(State(hub): State<Arc<Hub>>, headers: HeaderMap) -> Result<Response, Refused> {
    let (context, sign_in) = hub.signs_in(&headers).await?;
    let nonce = issuer::challenge(&context.issuer(), &sign_in, hub.clock.read().now);
    Ok(unstored(&Challenge { nonce: URL_SAFE_NO_PAD.encode(nonce) }))
}

/// Enrols a device of the member who bears the token. The same key enrolled again by the same member changes nothing.
pub async fn enrol(State(hub): State<Arc<Hub>>, request: Request) -> Result<Response, Refused> {
    let (context, sign_in) = hub.signs_in(request.headers()).await?;
    let enrolment: Enrolment = body::json(request).await?;
    let time = hub.clock.read();
    let (key, thumbprint) = issuer::proven_key(&context.issuer(), &sign_in, &enrolment, time.now)?;
    let device = Device {
        thumbprint,
        organisation: context.organisation.clone(),
        member: sign_in.member,
        key,
        enrolled_at: time.now.timestamp(),
        revoked_at: None,
    };
    Ok(unstored(&hub.enrolled(context, device, None).await?))
}

/// Enrols another key of a device that has found out that it shares its own with another phone, on the word of that key:
/// its access token.
pub async fn succeed(State(hub): State<Arc<Hub>>, request: Request) -> Result<Response, Refused> {
    let (context, access) = hub.syncs(request.headers())?;
    let token = bearer(request.headers())?.to_owned();
    let enrolment: Enrolment = body::json(request).await?;
    let (key, thumbprint) = issuer::proven_successor(&context.issuer(), &token, &enrolment)?;
    let device = Device {
        thumbprint,
        organisation: context.organisation.clone(),
        member: access.member.clone(),
        key,
        enrolled_at: hub.clock.read().now.timestamp(),
        revoked_at: None,
    };
    Ok(unstored(&hub.enrolled(context, device, Some(access)).await?))
}

impl Hub {
    /// Enrols a device whose key has proven itself, on the word of `predecessor` if that is given.
    async fn enrolled(
        &self,
        context: Arc<Context>,
        device: Device,
        predecessor: Option<Access>,
    ) -> Result<Enrolled, Refused> {
        let (time, mut rng) = (self.clock.read(), self.surroundings.rng());
        let work = move |tx: &Transaction<'_>| {
            if let Some(predecessor) = &predecessor {
                good_device(tx, &context, predecessor)?;
            }
            let active = members::get(tx, &device.organisation, &device.member)?.is_some_and(|member| member.active);
            if !active {
                return Err(TokenError::SignInAgain.into());
            }
            match devices::find(tx, &device.thumbprint)? {
                None => devices::insert(tx, &device, predecessor.as_ref().map(|access| &access.device))?,
                Some(known) if known.organisation != device.organisation || known.member != device.member => {
                    return Err(TokenError::OtherMember.into());
                }
                // A key that was shut out stays out: the phone makes a new one.
                Some(known) if known.revoked_at.is_some() => return Err(TokenError::SignInAgain.into()),
                Some(_) => {}
            }
            let root = context.keys.root.thumbprint().expect("a key made from a seed is a good point");
            Ok::<_, Refused>(Enrolled {
                organisation: device.organisation,
                member: device.member,
                root: root.to_string(),
                key_set: URL_SAFE_NO_PAD.encode(key_set(tx, &context, &time.moment(&mut rng))?),
                audience: context.issuer().audience(),
            })
        };
        self.database.write(work).await
    }
}

/// Gives a device an access token for an assertion of its key (RFC 7523).
pub async fn token(State(hub): State<Arc<Hub>>, request: Request) -> Result<Response, Refused> {
    let fields = body::form(request).await?;
    // RFC 6749, section 3.2: a parameter stands there once.
    let field = |name: &str| {
        let mut values = fields.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str());
        if let (Some(value), None) = (values.next(), values.next()) {
            return Ok(value);
        }
        let detail = format!("The form needs one `{name}`.");
        Err(Refused::new(StatusCode::BAD_REQUEST, "invalid_request", detail))
    };
    if field("grant_type")? != JWT_BEARER {
        let detail = format!("The only grant type here is {JWT_BEARER}.");
        return Err(Refused::new(StatusCode::BAD_REQUEST, "unsupported_grant_type", detail));
    }
    let assertion = field("assertion")?.to_owned();
    let claimed = issuer::claimed_device(&assertion)?;
    let mut rng = hub.surroundings.rng();

    // The key is looked up and the signature checked before anything is written: strangers do not wait for the writer.
    let device = hub.database.read(move |tx| devices::find(tx, &claimed)).await?.ok_or(TokenError::SignInAgain)?;
    let context = hub.organisations.get(&device.organisation).ok_or(TokenError::SignInAgain)?;
    let time = hub.clock.read();
    let signed = Assertion::read(&context.issuer(), &assertion, &device.thumbprint, &device.key)?;
    hub.rates.token(device.thumbprint)?;
    if !time.is_certain() {
        hub.clock.witness(device.thumbprint, signed.made_at);
    }
    // While the clock is in doubt a phone may be right with either time.
    if !time.times().any(|now| signed.is_in_time(now)) {
        hub.clock.told(device.thumbprint);
        return Err(hub.untimely(&context, time, &assertion).await?);
    }
    let access_token = hub
        .database
        .write(move |tx| {
            let access = Access { member: device.member, device: device.thumbprint };
            let device = good_device(tx, &context, &access)?;
            if !assertions::spend(tx, &device, &signed.jti, signed.forgotten_at, time.now.timestamp())? {
                return Err(TokenError::Replayed.into());
            }
            Ok::<_, Refused>(access.issue(&context.issuer(), &mut time.moment(&mut rng)))
        })
        .await?;
    let expires_in = ACCESS_LIFE.unsigned_abs();
    Ok(unstored(&TokenAnswer { access_token, token_type: "Bearer".into(), expires_in }))
}

impl Hub {
    /// The refusal of an assertion that was not made now: it says, signed, what the time is.
    async fn untimely(&self, context: &Arc<Context>, time: Reading, assertion: &str) -> Result<Refused, Refused> {
        let organisation = context.organisation.clone();
        let key_set = self
            .database
            .read(move |tx| organisations::current_key_set(tx, &organisation))
            .await?
            .map(|(_, bytes)| bytes);
        let signed = HubTime {
            organisation: context.organisation.clone(),
            time: time.now.timestamp_millis(),
            certain: time.is_certain(),
            asked: asked(assertion),
        };
        let signed = signed.sign(&context.keys.feed).map_err(OrganisationError::from)?;
        Ok(Refused::from(TokenError::AssertionTime).with_time(&signed, key_set.as_deref()))
    }
}

/// The keys of all issuers.
pub async fn jwks(State(hub): State<Arc<Hub>>) -> Json<Value> {
    let all = hub.organisations.all();
    Json(issuer::jwks(all.iter().map(|context| context.issuer())))
}

/// The hub as an authorization server (RFC 8414).
pub async fn metadata(State(hub): State<Arc<Hub>>) -> Json<Value> {
    Json(issuer::metadata(&hub.config.public_url))
}

/// JSON that no cache keeps (RFC 6749, section 5.1).
fn unstored(answer: &impl serde::Serialize) -> Response {
    let mut response = Json(answer).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
