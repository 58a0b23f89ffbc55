-- Up to when retention took what away, by class of data, so that each step of it is told once whichever collector takes it.
CREATE TABLE retained (
    class TEXT PRIMARY KEY,
    before_ms BIGINT NOT NULL
);
CREATE INDEX occurrences_cleared ON occurrences (cleared_ms);
