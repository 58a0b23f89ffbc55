-- What people did at any plant, by time; silences by their end, and orders by their time, which retention looks for.
CREATE INDEX audit_by_time ON audit (time_ms, subject, seq);
CREATE INDEX outages_by_end ON outages (to_ms);
CREATE INDEX outages_of_site_by_end ON outages (site, to_ms);
CREATE INDEX commands_by_time ON commands (sent_ms);
