settings-unreadable = Cannot be read: { $detail }. Mend this line by docs/cloud.md.
settings-zone = The zone is an offset such as "+08:00".
settings-late-after = The threshold for late records is 1 to 86400 seconds.
settings-months = Readings are kept for 1 to 1200 months; leave the key out to keep them for ever.
settings-missing = This key is missing.
settings-not-embedded = The embedded broker has no such key; take it out, or set kind = "external".
settings-not-external = An external broker has no such key; take it out, or set kind = "embedded".
settings-share = A share group's name is not empty and has none of / + #.
