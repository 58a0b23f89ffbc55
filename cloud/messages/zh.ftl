settings-unreadable = 无法读取：{ $detail }。对照 docs/cloud.md 改正此行。
settings-zone = 时区须写成偏移量，例如 "+08:00"。
settings-late-after = 迟到阈值须为 1 至 86400 秒。
settings-months = 读数保留月数须为 1 至 1200；永久保留则删去此键。
settings-missing = 缺少此键。
settings-not-embedded = 内嵌代理不用此键；删去它，或改 kind = "external"。
settings-not-external = 外部代理不用此键；删去它，或改 kind = "embedded"。
settings-share = 共享组名不能为空，也不能含 / + #。
