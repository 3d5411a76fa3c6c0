-- The first schema. Ids are 16 bytes, hashes 32; times are Unix seconds. What is sent or decided is kept as the CBOR it
-- travels as; `visit`, `visit_search` and `tab_count` are the read model, and can be built again from the rest.
--
-- The checks say OR, not IN: for a list SQLite makes a table of its values for every row that is written.

-- Single values: identity, key set, epoch, the last envelope's counter and hash, times of syncs, what the last reader knew.
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- One row per visit with a document: the accepted heads (32 bytes each, ascending) and which base they are on.
CREATE TABLE doc (
    id BLOB PRIMARY KEY,
    base INTEGER NOT NULL,
    heads BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- One row per change. `place` counts within the visit, each after what it depends on. Status: local (made here, not yet
-- answered), accepted, superseded (made here, replaced by a replay, kept until its envelope is answered), provisional
-- (from another phone).
CREATE TABLE chunk (
    visit BLOB NOT NULL,
    place INTEGER NOT NULL,
    hash BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind = 'change' OR kind = 'snapshot'),
    status TEXT NOT NULL CHECK (status = 'local' OR status = 'provisional' OR status = 'accepted' OR status = 'superseded'),
    hub_seq INTEGER,
    bytes BLOB NOT NULL,
    envelope INTEGER,
    author TEXT,
    on_behalf_of TEXT,
    accepted_at INTEGER,
    PRIMARY KEY (visit, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX chunk_envelope ON chunk (envelope) WHERE envelope IS NOT NULL;

-- Signed envelopes the hub has not answered yet, each with the hash of the one before. `bytes` is empty where an erasure
-- took them; `rest` then holds what it said of other visits, and is sealed anew when the hub asks for that counter.
CREATE TABLE envelope (
    counter INTEGER PRIMARY KEY,
    hash BLOB NOT NULL,
    previous BLOB NOT NULL,
    bytes BLOB NOT NULL,
    rest BLOB,
    made_at INTEGER NOT NULL,
    -- The hub cannot judge all of it yet: sent again by the next sync, not by this one.
    later INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Envelopes the hub has answered, for 60 days: a hub that is restored from a backup is sent them again, byte for byte. Their
-- chunks stay as long: `chunk.envelope` names one of these or one that waits. `answered_at` is the hub's time.
CREATE TABLE sent (
    counter INTEGER PRIMARY KEY,
    answered_at INTEGER NOT NULL,
    hash BLOB NOT NULL,
    previous BLOB NOT NULL,
    bytes BLOB NOT NULL,
    rest BLOB,
    made_at INTEGER NOT NULL
) STRICT;

-- Intents. `item` is the hash of the change or the id of the request that stands for it now; `payload` the writes of a
-- change key by key with what was there before, or the request: what it can be replayed from. It is empty while a visit's
-- first change, queued, says the same. State: queued, stale (to be replayed after the pull), refused or conflict (kept and
-- shown, with the reason).
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    visit BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind = 'create' OR kind = 'edit' OR kind = 'cancel' OR kind = 'request'),
    item BLOB NOT NULL,
    payload BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state = 'queued' OR state = 'stale' OR state = 'refused' OR state = 'conflict'),
    code TEXT,
    message TEXT,
    field TEXT,
    made_at INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_visit ON outbox (visit);
CREATE INDEX outbox_stale ON outbox (visit) WHERE state = 'stale';

-- Where the phone stands in each scope it may hold.
CREATE TABLE cursor (
    key INTEGER PRIMARY KEY,
    scope TEXT NOT NULL UNIQUE,
    idx INTEGER NOT NULL,
    head BLOB NOT NULL
) STRICT;

-- Which scopes a visit is held by: it goes with the last of them.
CREATE TABLE holding (
    visit BLOB NOT NULL,
    scope INTEGER NOT NULL,
    PRIMARY KEY (visit, scope)
) STRICT, WITHOUT ROWID;

CREATE TABLE decision (
    visit BLOB NOT NULL,
    number INTEGER NOT NULL,
    logged BLOB NOT NULL,
    PRIMARY KEY (visit, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE note (
    visit BLOB NOT NULL,
    id BLOB NOT NULL,
    author TEXT NOT NULL,
    accepted_at INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (visit, id)
) STRICT, WITHOUT ROWID;

-- Which scopes a note is held by: it goes with the last of them. None holds an own note the feed has not brought yet.
CREATE TABLE note_holding (
    visit BLOB NOT NULL,
    scope INTEGER NOT NULL,
    id BLOB NOT NULL,
    PRIMARY KEY (visit, scope, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX note_holding_scope ON note_holding (scope);

-- The directory: hub-owned rows by kind and id.
CREATE TABLE row (
    kind INTEGER NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

-- Feed rows this version does not understand, or only in part, for the version that will: what of them it does not know,
-- and whether what is shown without it is wrong.
CREATE TABLE kept (
    scope INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    visit BLOB,
    what TEXT NOT NULL,
    detail TEXT NOT NULL,
    critical INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (scope, idx)
) STRICT, WITHOUT ROWID;
CREATE INDEX kept_critical ON kept (visit) WHERE critical = 1;

-- What the hub sent and this phone could not take, with a stable code; where a scope is given, as the whole row, so that a
-- later version can try it again.
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY,
    visit BLOB,
    code TEXT NOT NULL,
    bytes BLOB NOT NULL,
    at INTEGER NOT NULL,
    scope INTEGER,
    idx INTEGER,
    critical INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX quarantine_critical ON quarantine (visit) WHERE critical = 1;

-- Erased visits, for ever: no late phone brings them back.
CREATE TABLE tombstone (
    visit BLOB PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The lists. `sort_at` is the start, or the time the visit was made if it has none. `place` is the row of
-- `visit_search`: the minute of `sort_at` and a number within it, so that a search reads rows in order of start and
-- need not sort what it finds. `over_at` is when the visit is over if nobody comes: `tab` is what the hub said, and the
-- clock moves a pending or upcoming visit to the past ones.
CREATE TABLE visit (
    id BLOB PRIMARY KEY,
    place INTEGER NOT NULL UNIQUE,
    sort_at INTEGER NOT NULL,
    start_at INTEGER,
    end_at INTEGER,
    over_at INTEGER,
    schedule TEXT,
    status TEXT NOT NULL,
    tab TEXT NOT NULL,
    queued INTEGER NOT NULL,
    conflict INTEGER NOT NULL,
    problem TEXT,
    attention INTEGER NOT NULL,
    number INTEGER,
    first_name TEXT,
    last_name TEXT,
    company TEXT,
    email TEXT,
    site TEXT,
    space TEXT,
    type TEXT,
    host TEXT,
    host_name TEXT,
    mail TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX visit_tab ON visit (tab, sort_at, id);
CREATE INDEX visit_over ON visit (tab, over_at) WHERE over_at IS NOT NULL;
CREATE INDEX visit_start ON visit (sort_at, id);
CREATE INDEX visit_attention ON visit (sort_at, id) WHERE attention = 1;

-- How many visits each list holds: kept, not counted.
CREATE TABLE tab_count (
    tab TEXT PRIMARY KEY,
    visits INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO tab_count (tab, visits)
VALUES ('queued', 0), ('pending', 0), ('upcoming', 0), ('on_site', 0), ('past', 0), ('attention', 0);
CREATE TRIGGER visit_inserted AFTER INSERT ON visit BEGIN
    UPDATE tab_count SET visits = visits + 1 WHERE tab = new.tab;
    UPDATE tab_count SET visits = visits + new.attention WHERE tab = 'attention' AND new.attention;
END;
CREATE TRIGGER visit_deleted AFTER DELETE ON visit BEGIN
    UPDATE tab_count SET visits = visits - 1 WHERE tab = old.tab;
    UPDATE tab_count SET visits = visits - old.attention WHERE tab = 'attention' AND old.attention;
END;
CREATE TRIGGER visit_updated AFTER UPDATE OF tab, attention ON visit
WHEN old.tab <> new.tab OR old.attention <> new.attention BEGIN
    UPDATE tab_count SET visits = visits - 1 WHERE tab = old.tab;
    UPDATE tab_count SET visits = visits + 1 WHERE tab = new.tab;
    UPDATE tab_count SET visits = visits + new.attention - old.attention WHERE tab = 'attention';
END;

-- Search, over words that are already normalised and cut (`text::index_words`): this tokenizer leaves all but ASCII as it is.
CREATE VIRTUAL TABLE visit_search USING fts5 (
    name, company, email, host,
    detail = none, columnsize = 0, prefix = '2 3', tokenize = "ascii"
);
INSERT INTO visit_search (visit_search, rank) VALUES ('secure-delete', 1);
