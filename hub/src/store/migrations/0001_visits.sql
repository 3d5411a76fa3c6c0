-- Organisations, members, devices, visits with their changes and decision logs, the feed, and what was not taken.
-- Every row belongs to an organisation: its id is the first column of every key, so that no id of one organisation can
-- stand in the way of another's. Instants are Unix seconds. Ids of visits and requests are 16 bytes, hashes 32.

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,   -- 'epoch': 16 random bytes, the life of this database
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Lives of this database after its first: each begins with an older state of it than phones had seen.
CREATE TABLE restoration (
    number      INTEGER NOT NULL PRIMARY KEY,
    epoch       BLOB    NOT NULL UNIQUE,
    previous    BLOB    NOT NULL,
    restored_to INTEGER NOT NULL,      -- it remembers everything up to here
    opened_at   INTEGER NOT NULL
) STRICT;

-- The last number of each kind, counted over the whole hub and never reused.
CREATE TABLE sequence (
    kind TEXT    NOT NULL PRIMARY KEY, -- 'organisation', 'site', 'member', 'visit', 'item', 'row'
    last INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE organisation (
    id               TEXT    NOT NULL PRIMARY KEY,
    number           INTEGER NOT NULL UNIQUE,
    version          INTEGER NOT NULL,
    name             TEXT    NOT NULL,
    privacy          TEXT    NOT NULL CHECK (privacy IN ('private', 'reception')),
    qr               INTEGER NOT NULL,
    wallet           INTEGER NOT NULL,
    unscheduled_days INTEGER NOT NULL,
    arrival_minutes  INTEGER NOT NULL,
    security_address TEXT,             -- never in a feed
    log_head         BLOB    NOT NULL  -- the head over all entries of all its visits' logs
) STRICT, WITHOUT ROWID;

CREATE TABLE key_set (
    organisation TEXT    NOT NULL REFERENCES organisation (id),
    version      INTEGER NOT NULL,
    bytes        BLOB    NOT NULL,
    expires_at   INTEGER NOT NULL,
    PRIMARY KEY (organisation, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE site (
    organisation TEXT    NOT NULL REFERENCES organisation (id),
    id           TEXT    NOT NULL,
    number       INTEGER NOT NULL UNIQUE,
    version      INTEGER NOT NULL,
    name         TEXT    NOT NULL,
    zone         TEXT    NOT NULL,
    zone_tables  TEXT    NOT NULL,     -- the version of the time zone tables the rules are from: '2026f'
    zone_rules   BLOB    NOT NULL,     -- TZif (RFC 9636), cut to the years around now
    retimed_to   INTEGER,              -- the rules have changed: visits up to this number are computed anew
    address      TEXT    NOT NULL,
    directions   TEXT    NOT NULL,
    latitude     INTEGER,              -- millionths of a degree
    longitude    INTEGER,
    opens        INTEGER NOT NULL,     -- minutes after midnight
    closes       INTEGER NOT NULL,
    PRIMARY KEY (organisation, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE space (
    organisation TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    site         TEXT    NOT NULL,
    version      INTEGER NOT NULL,
    name         TEXT    NOT NULL,
    PRIMARY KEY (organisation, id),
    FOREIGN KEY (organisation, site) REFERENCES site (organisation, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE visitor_type (
    organisation   TEXT    NOT NULL REFERENCES organisation (id),
    id             TEXT    NOT NULL,
    version        INTEGER NOT NULL,
    name           TEXT    NOT NULL,
    needs_approval INTEGER NOT NULL,
    address        TEXT,               -- told of every invitation of the category; never in a feed
    PRIMARY KEY (organisation, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE member (
    organisation     TEXT    NOT NULL REFERENCES organisation (id),
    id               TEXT    NOT NULL,
    number           INTEGER NOT NULL UNIQUE,
    version          INTEGER NOT NULL,
    name             TEXT    NOT NULL,
    email            TEXT    NOT NULL,
    site             TEXT,
    active           INTEGER NOT NULL,
    issuer           TEXT    NOT NULL, -- a member is known by (issuer, subject), never by address
    subject          TEXT    NOT NULL,
    may_add_visitors INTEGER NOT NULL,
    may_change_host  INTEGER NOT NULL,
    PRIMARY KEY (organisation, id),
    UNIQUE (organisation, issuer, subject),
    FOREIGN KEY (organisation, site) REFERENCES site (organisation, id)
) STRICT, WITHOUT ROWID;

-- One row for each role and what it is for; an empty scope is no restriction.
CREATE TABLE member_role (
    organisation TEXT NOT NULL,
    member       TEXT NOT NULL,
    role         TEXT NOT NULL CHECK (role IN ('host', 'delegate', 'approver', 'reception', 'administrator', 'api_client')),
    principal    TEXT NOT NULL DEFAULT '', -- of a delegate: whose
    site         TEXT NOT NULL DEFAULT '', -- of approver, reception, API client
    type         TEXT NOT NULL DEFAULT '', -- of an approver
    PRIMARY KEY (organisation, member, role, principal, site, type),
    FOREIGN KEY (organisation, member) REFERENCES member (organisation, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX member_role_principal ON member_role (organisation, principal) WHERE principal <> '';

CREATE TABLE device (
    organisation TEXT    NOT NULL,
    thumbprint   BLOB    NOT NULL,
    member       TEXT    NOT NULL,
    key          BLOB    NOT NULL,     -- CBOR of the public key with its algorithm
    enrolled_at  INTEGER NOT NULL,
    revoked_at   INTEGER,
    predecessor  BLOB,                 -- the key that has vouched for this one; none where a person signed in
    PRIMARY KEY (organisation, thumbprint),
    FOREIGN KEY (organisation, member) REFERENCES member (organisation, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX device_member ON device (organisation, member);
CREATE INDEX device_predecessor ON device (organisation, predecessor) WHERE predecessor IS NOT NULL;

-- Envelopes of which at least one item was accepted.
CREATE TABLE envelope (
    organisation TEXT    NOT NULL,
    device       BLOB    NOT NULL,
    counter      INTEGER NOT NULL,
    hash         BLOB    NOT NULL,
    bytes        BLOB    NOT NULL,
    received_at  INTEGER NOT NULL,
    PRIMARY KEY (organisation, device, counter),
    FOREIGN KEY (organisation, device) REFERENCES device (organisation, thumbprint)
) STRICT;

CREATE TABLE visit (
    organisation TEXT    NOT NULL REFERENCES organisation (id),
    id           BLOB    NOT NULL,
    number       INTEGER NOT NULL UNIQUE,
    creator      TEXT    NOT NULL,
    accepted_at  INTEGER NOT NULL,
    base         INTEGER NOT NULL,     -- counts the fresh bases of the document
    site         TEXT    NOT NULL,     -- as the document has them now, for lists
    host         TEXT    NOT NULL,
    last_entry   INTEGER NOT NULL,
    log_head     BLOB    NOT NULL,
    window_ends  INTEGER,              -- when a visitor who is still expected is expected no more
    type         TEXT,                 -- as the document has it now
    decided      INTEGER NOT NULL DEFAULT 0, -- it needs or had a decision
    -- The days it is good for by the site's calendar, counted from 1970; a visitor on site is there until they leave.
    first_day    INTEGER NOT NULL DEFAULT 0,
    last_day     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (organisation, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX visit_window ON visit (organisation, window_ends) WHERE window_ends IS NOT NULL;
CREATE INDEX visit_host ON visit (organisation, host);
CREATE INDEX visit_site ON visit (organisation, site, last_day);

-- Accepted changes. Those of the visit's present base, in the order of their sequence, are its document.
CREATE TABLE change (
    organisation TEXT    NOT NULL,
    visit        BLOB    NOT NULL,
    hash         BLOB    NOT NULL,
    seq          INTEGER NOT NULL UNIQUE, -- the hub's sequence of accepted items
    base         INTEGER NOT NULL,
    actor        BLOB    NOT NULL,
    actor_seq    INTEGER NOT NULL,
    bytes        BLOB    NOT NULL,
    author       TEXT    NOT NULL,
    on_behalf_of TEXT,
    device       BLOB    NOT NULL,
    counter      INTEGER,              -- of the envelope; none for what the hub wrote itself
    accepted_at  INTEGER NOT NULL,
    PRIMARY KEY (organisation, visit, hash),
    FOREIGN KEY (organisation, visit) REFERENCES visit (organisation, id)
) STRICT;

CREATE INDEX change_order ON change (organisation, visit, base, seq);
CREATE UNIQUE INDEX change_actor ON change (organisation, visit, actor, actor_seq);

-- Accepted requests.
CREATE TABLE request (
    organisation TEXT    NOT NULL,
    id           BLOB    NOT NULL,
    seq          INTEGER NOT NULL UNIQUE,
    visit        BLOB    NOT NULL,
    kind         TEXT    NOT NULL,
    author       TEXT    NOT NULL,
    device       BLOB    NOT NULL,
    counter      INTEGER NOT NULL,
    accepted_at  INTEGER NOT NULL,
    PRIMARY KEY (organisation, id),
    FOREIGN KEY (organisation, visit) REFERENCES visit (organisation, id)
) STRICT, WITHOUT ROWID;

-- The decision log. Erasure deletes payload and salt; the chain over the entries still verifies.
CREATE TABLE log_entry (
    organisation TEXT    NOT NULL,
    visit        BLOB    NOT NULL,
    number       INTEGER NOT NULL,
    bytes        BLOB    NOT NULL,
    at           INTEGER NOT NULL,
    PRIMARY KEY (organisation, visit, number),
    FOREIGN KEY (organisation, visit) REFERENCES visit (organisation, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE log_payload (
    organisation TEXT    NOT NULL,
    visit        BLOB    NOT NULL,
    number       INTEGER NOT NULL,
    salt         BLOB    NOT NULL,
    bytes        BLOB    NOT NULL,
    PRIMARY KEY (organisation, visit, number),
    FOREIGN KEY (organisation, visit, number) REFERENCES log_entry (organisation, visit, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE note (
    organisation TEXT    NOT NULL,
    request      BLOB    NOT NULL,
    visit        BLOB    NOT NULL,
    author       TEXT    NOT NULL,
    text         TEXT    NOT NULL,
    accepted_at  INTEGER NOT NULL,
    PRIMARY KEY (organisation, request),
    FOREIGN KEY (organisation, visit) REFERENCES visit (organisation, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX note_visit ON note (organisation, visit, accepted_at);

CREATE TABLE feed_scope (
    organisation TEXT    NOT NULL REFERENCES organisation (id),
    scope        TEXT    NOT NULL,
    last         INTEGER NOT NULL,
    head         BLOB    NOT NULL,
    -- Of a scope whose window moves: the site's day it was last moved to. -1 of any that is still being filled.
    day          INTEGER,
    PRIMARY KEY (organisation, scope)
) STRICT, WITHOUT ROWID;

CREATE INDEX feed_scope_day ON feed_scope (organisation) WHERE day IS NOT NULL;

CREATE TABLE feed_row (
    organisation TEXT    NOT NULL,
    scope        TEXT    NOT NULL,
    idx          INTEGER NOT NULL,
    salt         BLOB    NOT NULL,
    bytes        BLOB    NOT NULL,
    head         BLOB    NOT NULL,     -- of the chain after this row: what a phone that stands here holds
    PRIMARY KEY (organisation, scope, idx),
    FOREIGN KEY (organisation, scope) REFERENCES feed_scope (organisation, scope)
) STRICT;

-- Which scopes a visit is in, to know what enters and what leaves.
CREATE TABLE visit_scope (
    organisation TEXT NOT NULL,
    visit        BLOB NOT NULL,
    scope        TEXT NOT NULL,
    PRIMARY KEY (organisation, visit, scope),
    FOREIGN KEY (organisation, visit) REFERENCES visit (organisation, id)
) STRICT, WITHOUT ROWID;

-- What was signed and not accepted. The row stays, so that a refusal is final and the device's counter is known; the
-- bytes go after 30 days, or when the device has more than 1 MB here. Never in the feed.
CREATE TABLE quarantine (
    place        INTEGER NOT NULL PRIMARY KEY,
    organisation TEXT    NOT NULL,
    device       BLOB    NOT NULL,
    counter      INTEGER NOT NULL,
    envelope     BLOB    NOT NULL,     -- the envelope's hash
    -- 'item': judged; 'again': pushed again in a later envelope; 'envelope': turned away; 'evidence': a copy
    kind         TEXT    NOT NULL CHECK (kind IN ('item', 'again', 'envelope', 'evidence')),
    item         BLOB    NOT NULL,     -- CBOR of the item's id; empty for a whole envelope
    visit        BLOB,                 -- what the item is about
    reason       TEXT    NOT NULL,     -- a stable code
    verdict      BLOB,                 -- CBOR of the verdict of an item
    bytes        BLOB,
    at           INTEGER NOT NULL
) STRICT;

-- By device: nobody makes another's change refused by pushing it first.
CREATE UNIQUE INDEX quarantine_item ON quarantine (organisation, device, item) WHERE kind = 'item';
CREATE UNIQUE INDEX quarantine_copy ON quarantine (organisation, device, envelope, item)
    WHERE kind IN ('again', 'envelope', 'evidence');
-- Each for one question that is asked of every envelope or item: what a device has had refused must not slow it down.
CREATE INDEX quarantine_counter ON quarantine (organisation, device, counter) WHERE kind IN ('item', 'again');
CREATE INDEX quarantine_visit ON quarantine (organisation, device, visit) WHERE kind = 'item';
CREATE INDEX quarantine_kept ON quarantine (organisation, device) WHERE bytes IS NOT NULL;
CREATE INDEX quarantine_any ON quarantine (organisation, item) WHERE kind = 'item';

-- What each device and each member has sent, by the hour, for a day: who sends more than his share sends the rest later,
-- also after a restart.
CREATE TABLE usage (
    organisation TEXT    NOT NULL,
    kind         TEXT    NOT NULL CHECK (kind IN ('device', 'member')),
    id           TEXT    NOT NULL,     -- the device's thumbprint, hexadecimal, or the member's id
    hour         INTEGER NOT NULL,     -- hours since 1970
    visits       INTEGER NOT NULL,
    changes      INTEGER NOT NULL,
    bytes        INTEGER NOT NULL,
    PRIMARY KEY (organisation, kind, id, hour)
) STRICT, WITHOUT ROWID;
