-- Records, first schema. Times are UTC milliseconds; flags 0 or 1; texts UTF-8. Both SQLite and PostgreSQL take it (BLOB is BYTEA there).

CREATE TABLE sites (
    site TEXT PRIMARY KEY,
    grp TEXT,
    edge TEXT,
    name_zh TEXT NOT NULL DEFAULT '',
    name_en TEXT NOT NULL DEFAULT '',
    city TEXT NOT NULL DEFAULT '',
    town TEXT NOT NULL DEFAULT '',
    village TEXT NOT NULL DEFAULT '',
    address TEXT NOT NULL DEFAULT '',
    sector TEXT NOT NULL DEFAULT '',
    risk TEXT NOT NULL DEFAULT 'blue',
    contacts TEXT NOT NULL DEFAULT '[]',
    model TEXT,
    digest TEXT NOT NULL DEFAULT '',
    version TEXT NOT NULL DEFAULT '',
    online BIGINT NOT NULL DEFAULT 0,
    birth_ms BIGINT,
    bd_seq BIGINT,
    since_ms BIGINT,
    last_seen_ms BIGINT
);
CREATE UNIQUE INDEX sites_by_edge ON sites (grp, edge);
CREATE INDEX sites_by_place ON sites (city, town, village);

CREATE TABLE devices (
    site TEXT NOT NULL,
    device TEXT NOT NULL,
    online BIGINT NOT NULL,
    since_ms BIGINT NOT NULL,
    PRIMARY KEY (site, device)
);

-- The newest birth of a node (device '') and of each device, as it came: alias tables are read from it after a restart.
CREATE TABLE births (
    site TEXT NOT NULL,
    device TEXT NOT NULL,
    born_ms BIGINT NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (site, device)
);

-- One incarnation of a gateway's journal. Epochs count from 1 in the order in which the city met them.
CREATE TABLE streams (
    site TEXT NOT NULL,
    stream BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    PRIMARY KEY (site, stream)
);

-- Committed offsets of a stream as closed ranges that neither touch nor overlap.
CREATE TABLE offsets (
    site TEXT NOT NULL,
    stream BIGINT NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (site, stream, first)
);

-- Spans in which the site was not heard. `filled_ms` is set when everything of the span has arrived after all.
CREATE TABLE outages (
    site TEXT NOT NULL,
    from_ms BIGINT NOT NULL,
    to_ms BIGINT,
    filled_ms BIGINT,
    PRIMARY KEY (site, from_ms)
);

-- What the subject of an alarm (a point or a device) is called and where it belongs, from the newest birth.
CREATE TABLE subjects (
    site TEXT NOT NULL,
    subject TEXT NOT NULL,
    is_point BIGINT NOT NULL,
    device TEXT NOT NULL,
    area TEXT NOT NULL,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    unit TEXT NOT NULL,
    PRIMARY KEY (site, subject)
);

-- What to do when an alarm comes, from the newest birth.
CREATE TABLE guidance (
    site TEXT NOT NULL,
    alarm TEXT NOT NULL,
    zh TEXT NOT NULL,
    en TEXT NOT NULL,
    PRIMARY KEY (site, alarm)
);

-- The alarm journal: append-only, one row a transition.
CREATE TABLE transitions (
    site TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    alarm TEXT NOT NULL,
    occurrence BIGINT NOT NULL,
    from_state BIGINT NOT NULL,
    to_state BIGINT NOT NULL,
    cause BIGINT NOT NULL,
    time_ms BIGINT NOT NULL,
    value DOUBLE PRECISION,
    value_cause BIGINT,
    set_point DOUBLE PRECISION,
    priority BIGINT NOT NULL,
    actor TEXT,
    reason TEXT,
    shelved_until_ms BIGINT,
    command TEXT,
    late BIGINT NOT NULL,
    received_ms BIGINT NOT NULL,
    PRIMARY KEY (site, epoch, seq)
);
CREATE INDEX transitions_of_alarm ON transitions (site, alarm, epoch, seq);
CREATE INDEX transitions_by_time ON transitions (time_ms, site, epoch, seq);
CREATE INDEX transitions_of_site_by_time ON transitions (site, time_ms, epoch, seq);

-- The present state of each alarm that ever left NORM, derived from its newest transitions or a birth.
CREATE TABLE alarms (
    site TEXT NOT NULL,
    alarm TEXT NOT NULL,
    -- The point or device: its id without the condition.
    subject TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    state BIGINT NOT NULL,
    active BIGINT NOT NULL,
    latched BIGINT NOT NULL,
    suppressed BIGINT NOT NULL,
    condition TEXT NOT NULL,
    priority BIGINT NOT NULL,
    occurrence BIGINT NOT NULL,
    raised_ms BIGINT,
    changed_ms BIGINT NOT NULL,
    cleared_ms BIGINT,
    acknowledged_ms BIGINT,
    value DOUBLE PRECISION,
    value_cause BIGINT,
    set_point DOUBLE PRECISION,
    actor TEXT,
    reason TEXT,
    shelved_until_ms BIGINT,
    late BIGINT NOT NULL,
    PRIMARY KEY (site, alarm)
);
CREATE INDEX alarms_standing ON alarms (site, priority) WHERE state <> 0;

-- One row an activation, derived from its transitions: what the regulator's questions are asked of.
CREATE TABLE occurrences (
    site TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    alarm TEXT NOT NULL,
    occurrence BIGINT NOT NULL,
    subject TEXT NOT NULL,
    condition TEXT NOT NULL,
    priority BIGINT NOT NULL,
    raised_ms BIGINT NOT NULL,
    cleared_ms BIGINT,
    acknowledged_ms BIGINT,
    acknowledged_by TEXT,
    -- The worst of what its transitions carried, and of the readings seen while it was active.
    carried_peak DOUBLE PRECISION,
    sampled_peak DOUBLE PRECISION,
    set_point DOUBLE PRECISION,
    late BIGINT NOT NULL,
    PRIMARY KEY (site, epoch, alarm, occurrence)
);
CREATE INDEX occurrences_by_time ON occurrences (raised_ms, site, alarm, epoch, occurrence);
CREATE INDEX occurrences_of_site ON occurrences (site, raised_ms, alarm, epoch, occurrence);
CREATE INDEX occurrences_by_priority ON occurrences (priority, raised_ms);
CREATE INDEX occurrences_open ON occurrences (site, cleared_ms, raised_ms);

-- Batches that could not be read, kept whole so that they can be inspected.
CREATE TABLE quarantine (
    id BIGINT PRIMARY KEY,
    topic TEXT NOT NULL,
    received_ms BIGINT NOT NULL,
    why TEXT NOT NULL,
    payload BLOB NOT NULL
);

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    sites TEXT NOT NULL DEFAULT '[]',
    city TEXT NOT NULL DEFAULT '',
    town TEXT NOT NULL DEFAULT '',
    village TEXT NOT NULL DEFAULT '',
    created_ms BIGINT NOT NULL
);

-- Only the SHA-256 of a token is kept: who reads this table cannot log in with it.
CREATE TABLE sessions (
    token_hash TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL
);
CREATE INDEX sessions_of_user ON sessions (user_id);

CREATE TABLE commands (
    id TEXT PRIMARY KEY,
    site TEXT NOT NULL,
    alarm TEXT NOT NULL,
    action TEXT NOT NULL,
    actor TEXT NOT NULL,
    sent_ms BIGINT NOT NULL,
    answered_ms BIGINT,
    outcome TEXT
);
CREATE INDEX commands_open ON commands (sent_ms) WHERE outcome IS NULL;

-- Append-only; each row's hash covers the one before it (see audit.rs).
CREATE TABLE audit (
    seq BIGINT PRIMARY KEY,
    time_ms BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash TEXT NOT NULL
);

-- The chain's end, so that rows taken from it are missed.
CREATE TABLE audit_head (
    id BIGINT PRIMARY KEY,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL
);
INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '');
