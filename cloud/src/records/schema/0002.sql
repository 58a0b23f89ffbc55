-- Quarantined messages that somebody asked to be put through again; the next collector that looks does so and takes the row out.
CREATE TABLE replays (
    id BIGINT PRIMARY KEY,
    actor TEXT NOT NULL,
    asked_ms BIGINT NOT NULL,
    by_present_birth BIGINT NOT NULL
);
