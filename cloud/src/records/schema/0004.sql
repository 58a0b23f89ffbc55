-- The end of the audit chain as a collector signed it, the last of each UTC day (audit/head.rs).
CREATE TABLE audit_heads (
    public_key TEXT NOT NULL,
    day BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL,
    made_ms BIGINT NOT NULL,
    signature TEXT NOT NULL,
    PRIMARY KEY (public_key, day)
);

-- Where the audit chain begins: the last row that retention took away.
CREATE TABLE audit_base (
    id BIGINT PRIMARY KEY,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL
);
INSERT INTO audit_base (id, seq, hash) VALUES (1, 0, '');

-- What must be kept whatever retention says, until it is lifted. An empty site means every one, no end for ever.
CREATE TABLE holds (
    id BIGINT PRIMARY KEY,
    site TEXT NOT NULL,
    from_ms BIGINT NOT NULL,
    to_ms BIGINT,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    made_ms BIGINT NOT NULL,
    lifted_ms BIGINT,
    lifted_by TEXT
);

-- What regulators ask: a site's acts by time, people's lines, lines that suppress, late lines, the city's orders.
CREATE INDEX audit_of_subject_by_time ON audit (subject, time_ms, seq);
CREATE INDEX transitions_of_people ON transitions (time_ms, site, epoch, seq) WHERE actor IS NOT NULL;
CREATE INDEX transitions_suppressing ON transitions (site, alarm, epoch, seq) WHERE cause >= 6;
CREATE INDEX transitions_late ON transitions (time_ms, site, epoch, seq) WHERE late = 1;
CREATE INDEX commands_of_site ON commands (site, sent_ms);
