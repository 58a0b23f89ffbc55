-- The lines of one occurrence: an alarm of many years must not cost its next transition a look at all of them.
CREATE INDEX transitions_of_occurrence ON transitions (site, alarm, epoch, occurrence, seq);
