-- What a guest holds: a credential (how to get in), a delivery (who was told, and by which tokens), mails on their way.

-- One row with several presentations: the PIN, looked up by its keyed hash, and the QR token, made from the row.
CREATE TABLE credential (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organisation TEXT    NOT NULL,
    visit        BLOB    NOT NULL,
    site         TEXT    NOT NULL,
    not_before   INTEGER NOT NULL,
    expires      INTEGER NOT NULL CHECK (expires > not_before),
    -- The hours of the day it is good in (minutes after midnight, site's clock); absent where the window says it all.
    opens        INTEGER,
    closes       INTEGER,
    state        TEXT    NOT NULL CHECK (state IN ('live', 'suspended', 'void', 'spent')),
    -- HMAC-SHA-256 of organisation, site and PIN under a key that is in no database; wiped when it can open nothing more.
    pin_hash     BLOB    CHECK (pin_hash IS NULL OR state IN ('live', 'suspended')),
    minted_at    INTEGER NOT NULL,
    ended_at     INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX credential_one_of_a_visit ON credential (organisation, visit) WHERE state IN ('live', 'suspended');
CREATE UNIQUE INDEX credential_pin ON credential (pin_hash) WHERE pin_hash IS NOT NULL;
CREATE INDEX credential_of_a_site ON credential (organisation, site, expires) WHERE pin_hash IS NOT NULL;
CREATE INDEX credential_of_a_visit ON credential (organisation, visit, minted_at);

-- Guesses that failed, by the minute.
CREATE TABLE failed_guess (
    organisation TEXT    NOT NULL,
    site         TEXT    NOT NULL,
    desk         TEXT    NOT NULL,
    minute       INTEGER NOT NULL,
    count        INTEGER NOT NULL,
    PRIMARY KEY (organisation, site, desk, minute)
) STRICT, WITHOUT ROWID;

-- A visit at one recipient's address. The address itself is not here: it is found by a keyed hash.
CREATE TABLE delivery (
    id            BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organisation  TEXT    NOT NULL,
    visit         BLOB    NOT NULL,
    address_key   BLOB    NOT NULL,
    serial        TEXT    NOT NULL UNIQUE,
    -- The hub's name and the sender when it began: UID, ORGANIZER and Message-IDs are made of them for as long as it lives.
    domain        TEXT    NOT NULL,
    organizer     TEXT    NOT NULL,
    page_hash     BLOB    NOT NULL UNIQUE,
    state         TEXT    NOT NULL CHECK (state IN ('live', 'ended')),
    -- iCalendar SEQUENCE of the entry sent last.
    sequence      INTEGER NOT NULL DEFAULT 0,
    -- The times that entry had, for its cancellation.
    told_start    INTEGER,
    told_end      INTEGER,
    told_zone     TEXT,
    -- Mails sent or on their way.
    mails         INTEGER NOT NULL DEFAULT 0,
    begun_at      INTEGER NOT NULL,
    -- When what pass and page show changed last; rises with every change, 0 before there is anything to show.
    changed_at    INTEGER NOT NULL,
    -- What the recipient was last told, for the passes; sealed by a key that is in no database.
    shown         BLOB,
    -- What the recipient was told at the end.
    farewell      TEXT    CHECK (farewell IS NULL OR (state = 'ended' AND farewell IN ('cancelled', 'moved')))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX delivery_one_of_a_visit ON delivery (organisation, visit) WHERE state = 'live';
CREATE INDEX delivery_of_a_visit ON delivery (organisation, visit, begun_at);

-- "Review invitation" links: the token is in the mail only.
CREATE TABLE review_link (
    hash         BLOB    NOT NULL PRIMARY KEY,
    organisation TEXT    NOT NULL,
    visit        BLOB    NOT NULL,
    expires      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX review_link_of_a_visit ON review_link (organisation, visit);

-- Mails in the order they are to be sent. Address and bytes are sealed by a key that is in no database.
CREATE TABLE outbox (
    number        INTEGER PRIMARY KEY AUTOINCREMENT,
    id            BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    organisation  TEXT    NOT NULL,
    visit         BLOB    NOT NULL,
    delivery      BLOB,
    kind          TEXT    NOT NULL,
    -- The member whose doing it is, for the quota; absent for what the hub tells members.
    host          TEXT,
    recipient_key BLOB    NOT NULL,
    -- Names the recipient's domain in the same way.
    domain_key    BLOB    NOT NULL,
    state         TEXT    NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'failed', 'withdrawn')),
    -- The server may have it although nobody said so.
    uncertain     INTEGER NOT NULL DEFAULT 0,
    -- A failed mail keeps its bytes while it is of use to anybody, so that it can be tried again.
    sealed        BLOB    CHECK (sealed IS NOT NULL OR state IN ('sent', 'failed', 'withdrawn')),
    attempts      INTEGER NOT NULL DEFAULT 0,
    -- Those of the attempts that failed for a reason of this mail's own, and not of the mail server's.
    deferrals     INTEGER NOT NULL DEFAULT 0,
    -- The visit's log says that it is late.
    reported_late INTEGER NOT NULL DEFAULT 0,
    -- Why the last attempt failed, and the server's answer.
    error_class   TEXT,
    error_code    INTEGER,
    -- Its place in the quotas: when it may go out at the earliest.
    slot_at       INTEGER NOT NULL,
    next_at       INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    ended_at      INTEGER,
    CHECK (sealed IS NULL OR state IN ('waiting', 'sending', 'failed'))
) STRICT;
CREATE INDEX outbox_to_send ON outbox (organisation, next_at, number) WHERE state = 'waiting';
CREATE INDEX outbox_ended ON outbox (organisation, ended_at) WHERE sealed IS NULL;
CREATE INDEX outbox_failed ON outbox (organisation, number) WHERE state = 'failed';
CREATE INDEX outbox_of_a_recipient ON outbox (organisation, recipient_key, visit, slot_at) WHERE state <> 'withdrawn';
CREATE INDEX outbox_of_a_host ON outbox (organisation, host, slot_at) WHERE state <> 'withdrawn';
CREATE INDEX outbox_of_a_delivery ON outbox (delivery) WHERE delivery IS NOT NULL;
CREATE INDEX outbox_of_a_visit ON outbox (organisation, visit);

-- What was to follow for a visit and could not be done: shown to its host and to administrators, and tried again when the
-- hub starts and by hand.
CREATE TABLE effect_failed (
    organisation TEXT    NOT NULL,
    visit        BLOB    NOT NULL,
    effect       TEXT    NOT NULL,     -- its name
    detail       TEXT,                 -- what more it needs: an address, a reason
    code         TEXT    NOT NULL,     -- why not
    attempts     INTEGER NOT NULL,
    since        INTEGER NOT NULL,
    tried_at     INTEGER NOT NULL,
    PRIMARY KEY (organisation, visit, effect)
) STRICT, WITHOUT ROWID;
