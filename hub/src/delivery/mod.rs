//! Stand-in until the deliveries are merged.
use rusqlite::Transaction;
use vestibule_core::decision::{Fact, Told};
use vestibule_core::directory::{Member, Organisation, Site, Space, VisitorType};
use vestibule_core::id::VisitId;
use vestibule_core::visit::VisitValues;

use crate::context::Context;
use crate::effect::Effect;
use crate::moment::Moment;
use crate::store::StoreError;

/// An accepted visit and the directory's rows it names.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "stand-in")]
pub struct Invitation {
    pub visit: VisitId,
    pub number: u64,
    pub values: VisitValues,
    pub organisation: Organisation,
    pub site: Site,
    pub space: Option<Space>,
    pub visitor_type: Option<VisitorType>,
    pub host: Member,
    pub security_address: Option<String>,
    pub category_address: Option<String>,
}

/// Stand-in.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Stand-in.
pub fn carry_out(
    _: &Transaction<'_>,
    _: &Context,
    moment: &mut Moment<'_>,
    _: &Invitation,
    effect: &Effect,
) -> Result<Vec<Fact>, DeliveryError> {
    let minted = Fact::Minted { not_before: moment.unix(), expires: moment.unix() + 3_600 };
    Ok(match effect {
        Effect::Invite => vec![minted, Fact::GuestTold(Told::Invitation)],
        Effect::Update => vec![Fact::Voided, minted, Fact::GuestTold(Told::Change)],
        Effect::Suspend => vec![Fact::Suspended],
        Effect::Revive => vec![Fact::Revived],
        Effect::Void => vec![Fact::Voided],
        Effect::Cancel | Effect::EndDelivery { .. } => vec![Fact::Voided, Fact::GuestTold(Told::Cancellation)],
        _ => vec![],
    })
}
