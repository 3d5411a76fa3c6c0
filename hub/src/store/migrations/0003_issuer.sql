-- Assertions that were used, until nobody believes them any more: each is good once.

CREATE TABLE spent_assertion (
    organisation TEXT    NOT NULL REFERENCES organisation (id),
    device       BLOB    NOT NULL,
    jti          TEXT    NOT NULL,
    forgotten_at INTEGER NOT NULL,
    PRIMARY KEY (organisation, device, jti)
) STRICT, WITHOUT ROWID;

CREATE INDEX spent_assertion_age ON spent_assertion (forgotten_at);
