//! A hub on paper: the signed feed of a hub with so many visits, made in memory. A phone verifies and takes it like any
//! other; no hub's own work is in what is measured.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use serde::Serialize;
use vestibule_core::cbor;
use vestibule_core::decision::{Decision, Fact, LoggedDecision};
use vestibule_core::directory::{DirectoryRow, OwnRoles, Role};
use vestibule_core::document::Replica;
use vestibule_core::feed::{ChangeRow, Page, PageHeader, Row, RowKind, SaltedRow, Scope, ScopeHead, Statement};
use vestibule_core::feed::{chain, digest};
use vestibule_core::id::{ActorId, ChainHash, HubEpoch, MemberId, OrganisationId};
use vestibule_core::keys::{DeviceSigner as _, KeyEntry, KeySet, KeyUse, SignedKeySet, SoftwareSigner};
use vestibule_core::sync::wire::{
    Challenge, Enrolled, FIRST_PAGE_BYTES, PAGE_BYTES, SyncAnswer, SyncRequest, TokenAnswer,
};
use vestibule_core::sync::{Answer, Call, Transport, TransportError};
use vestibule_hub::organisation::sample;

use crate::visits::{HOST, Visit};

const EPOCH: HubEpoch = HubEpoch([9; 16]);

#[derive(Default)]
struct Feed {
    rows: Vec<SaltedRow>,
    heads: Vec<ChainHash>,
}

/// See the module.
pub struct Paper {
    root: SoftwareSigner,
    feed_key: SoftwareSigner,
    key_set: Vec<u8>,
    feeds: BTreeMap<Scope, Feed>,
}

fn organisation() -> OrganisationId {
    sample::ID.parse().expect("an id of the sample")
}

fn host() -> MemberId {
    HOST.parse().expect("an id of the sample")
}

impl Paper {
    /// A hub with the sample organisation and these visits, as they stand in lists.
    pub fn with<'a>(visits: impl IntoIterator<Item = &'a Visit>) -> Arc<Self> {
        let (root, feed_key) = (SoftwareSigner::from_seed(&[1; 32]), SoftwareSigner::from_seed(&[2; 32]));
        let until = i64::from(u32::MAX);
        let key = KeyEntry { usage: KeyUse::Feed, key: feed_key.public_key(), not_before: 0, not_after: until };
        let set = KeySet {
            organisation: organisation(),
            version: 1,
            root: root.public_key(),
            keys: vec![key],
            issued_at: 0,
            expires_at: until,
        };
        let key_set = SignedKeySet::sign(set, &root).expect("a key in software signs").bytes;
        let scopes = [Scope::Directory, Scope::Roles(host()), Scope::Visits(host()), Scope::MemberNotes(host())];
        let feeds = scopes.into_iter().map(|scope| (scope, Feed::default())).collect();
        let mut paper = Self { root, feed_key, key_set, feeds };
        paper.put_directory();
        for visit in visits {
            paper.put_visit(visit);
        }
        Arc::new(paper)
    }

    fn put_directory(&mut self) {
        let sample = sample::example_ag();
        let mut rows = vec![DirectoryRow::put(1, sample.organisation)];
        rows.extend(sample.sites.into_iter().map(|site| DirectoryRow::put(1, site)));
        rows.extend(sample.spaces.into_iter().map(|space| DirectoryRow::put(1, space)));
        rows.extend(sample.types.into_iter().map(|kind| DirectoryRow::put(1, kind.visitor_type)));
        rows.extend(sample.members.into_iter().map(|member| DirectoryRow::put(1, member.member)));
        let roles = OwnRoles {
            member: host(),
            roles: vec![Role::Host],
            principals: Vec::new(),
            may_add_visitors: true,
            may_change_host: false,
        };
        for row in rows {
            self.put(&Scope::Directory, row.id().as_bytes(), RowKind::Row, row.to_bytes());
        }
        let roles = DirectoryRow::put(1, roles);
        self.put(&Scope::Roles(host()), roles.id().as_bytes(), RowKind::Row, roles.to_bytes());
    }

    fn put_visit(&mut self, visit: &Visit) {
        let scope = Scope::Visits(host());
        let at = visit.start.timestamp() - 86_400;
        let mut actor = [3; 16];
        actor[..4].copy_from_slice(&visit.number.to_le_bytes());
        let change = Replica::empty(visit.visit)
            .write(ActorId(actor), &visit.writes(), at)
            .expect("values the document takes")
            .expect("a first change");
        let id = *visit.visit.as_bytes();
        let row = ChangeRow {
            hash: change.hash,
            chunk: change.bytes.into(),
            author: host(),
            on_behalf_of: None,
            accepted_at: at,
        };
        self.put(&scope, &id, RowKind::Enter, Vec::new());
        self.put(&scope, &id, RowKind::Change, cbor::write(&row));
        let needs_approval = visit.status == "pending";
        let mut facts = vec![Fact::Accepted { number: visit.number.into(), creator: host(), needs_approval }];
        match visit.status {
            "departed" => facts.extend([Fact::Arrived, Fact::Departed]),
            "cancelled" => facts.push(Fact::Cancelled),
            _ => {}
        }
        let mut previous = ChainHash::ORIGIN;
        for (number, fact) in (1..).zip(facts) {
            let decision = Decision { fact, by: None, request: None };
            let logged = LoggedDecision::next(visit.visit, number, previous, at, &decision, actor);
            previous = logged.hash();
            self.put(&scope, &id, RowKind::Decision, cbor::write(&logged));
        }
    }

    fn put(&mut self, scope: &Scope, id: &[u8], kind: RowKind, payload: Vec<u8>) {
        let feed = self.feeds.get_mut(scope).expect("one of the four scopes");
        let index = feed.rows.len() as u64 + 1;
        let row = Row {
            scope: scope.clone(),
            index,
            id: id.to_vec().into(),
            kind: kind.number(),
            payload: payload.into(),
            critical: false,
        };
        let mut salt = [4; 16];
        salt[..8].copy_from_slice(&index.to_le_bytes());
        let bytes = row.to_bytes();
        let head = feed.heads.last().copied().unwrap_or(ChainHash::ORIGIN);
        feed.heads.push(chain(&head, &salt, &bytes));
        feed.rows.push(SaltedRow { salt, row: bytes.into() });
    }

    fn sync(&self, request: &SyncRequest) -> SyncAnswer {
        let time = Utc::now().timestamp();
        let budget = if request.epoch.is_none() { FIRST_PAGE_BYTES } else { PAGE_BYTES };
        let (mut pages, mut remaining, mut budget) = (Vec::new(), 0, budget);
        for (scope, feed) in &self.feeds {
            let held = request.heads.iter().find(|head| head.scope == *scope).map_or(0, |head| head.index);
            let from = usize::try_from(held).expect("no more rows than memory holds");
            let mut to = from;
            while let Some(row) = feed.rows.get(to)
                && (row.row.len() <= budget || (pages.is_empty() && to == from))
            {
                budget = budget.saturating_sub(row.row.len());
                to += 1;
            }
            remaining += (feed.rows.len() - to) as u64;
            if to == from {
                continue;
            }
            let header = PageHeader {
                organisation: organisation(),
                epoch: EPOCH,
                key_set: 1,
                scope: scope.clone(),
                first: from as u64 + 1,
                last: to as u64,
                previous: from.checked_sub(1).map_or(ChainHash::ORIGIN, |last| feed.heads[last]),
                head: feed.heads[to - 1],
                time,
            };
            let header = header.sign(&self.feed_key).expect("a key in software signs").into();
            pages.push(Page { header, rows: feed.rows[from..to].to_vec() });
        }
        let heads: Vec<ScopeHead> = self
            .feeds
            .iter()
            .map(|(scope, feed)| ScopeHead {
                scope: scope.clone(),
                index: feed.rows.len() as u64,
                head: feed.heads.last().copied().unwrap_or(ChainHash::ORIGIN),
            })
            .collect();
        let statement = Statement {
            organisation: organisation(),
            epoch: EPOCH,
            time,
            digest: digest(&heads),
            key_set: 1,
            log: ChainHash::ORIGIN,
        };
        let asked = request.heads.len() == self.feeds.len();
        SyncAnswer {
            statement: statement.sign(&self.feed_key).expect("a key in software signs").into(),
            receipts: None,
            turned_away: Vec::new(),
            pages,
            more: remaining > 0,
            remaining,
            scopes: (!asked).then(|| self.feeds.keys().cloned().collect()),
            key_set: None,
            clock_in_doubt: false,
            restored: None,
        }
    }

    /// What the hub answers at a path.
    pub fn answer(&self, path: &str, body: &[u8]) -> Vec<u8> {
        match path {
            "/v1/devices/challenge" => json(&Challenge { nonce: URL_SAFE_NO_PAD.encode([4; 32]) }),
            "/v1/devices" => json(&Enrolled {
                organisation: organisation(),
                member: host(),
                root: self.root.public_key().thumbprint().expect("a key of ours").to_string(),
                key_set: URL_SAFE_NO_PAD.encode(&self.key_set),
                audience: "http://localhost".into(),
            }),
            "/v1/token" => {
                json(&TokenAnswer { access_token: "paper".into(), token_type: "Bearer".into(), expires_in: 900 })
            }
            _ => cbor::write(&self.sync(&cbor::read_strict(body, "sync request").expect("a phone's request"))),
        }
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("messages of text are JSON")
}

/// The way to a hub on paper, within this process.
pub struct ToPaper(pub Arc<Paper>);

impl Transport for ToPaper {
    fn call<'a>(&'a self, call: Call) -> Pin<Box<dyn Future<Output = Result<Answer, TransportError>> + Send + 'a>> {
        let body = self.0.answer(call.url.path(), &call.body);
        Box::pin(std::future::ready(Ok(Answer { status: 200, retry_after: None, body })))
    }
}
