-- What somebody did at a site, by time: the alarm figures ask who silenced its horn.
CREATE INDEX audit_of_subject ON audit (subject, action, time_ms);
