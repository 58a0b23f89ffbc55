# Texts of the check's findings. Keys are the codes of problems, the same as in zh.ftl.

type-text = text
type-flag = true or false
type-whole = whole number
type-number = number
type-pair = [low, high]
type-date = date
type-table = table
type-list = list
type-text-list = list of texts
type-table-list = list of tables
type-state-pair = two states, 0 first, 1 second
type-text-or-number = text or number
type-deadband = number from 0 up, or share of the span such as "2 %"
type-host-port = host:port
type-register = register

unreadable = { $why ->
    [not-found] there is no file { $value }
    [permission] no permission to read { $value }
    [encoding] { $value } is not UTF-8 text
    [folder] { $value } is a folder, not a file
   *[other] cannot read { $value }: { $error }
  }
    .help = Check the path, the permissions and the encoding; relative paths start at the site file's folder.
too-large = the file { $value } is larger than { $high } MiB
    .help = Check that it is a site file; split a very large site between gateways.
syntax = this is not TOML: { $what ->
    [duplicate] the key or table stands twice
    [unquoted] a text without quotes, or no value
    [unclosed-string] a text that does not end, or holds what it may not
    [unclosed-bracket] a bracket that is never closed
    [no-value] a key without a value
    [key] this cannot be a key
    [escape] a backslash before what is no escape
    [after-value] something stands after the value
    [number] a number that is not written as numbers are
    [boolean] expected true or false
    [date] there is no such date
    [depth] nested too deeply
   *[other] { $error }
  }
    .help = Line and column show where reading stopped; the cause is often a quote, bracket or equals sign just before. Mend it, then check again for the rest.
schema = this file is of format version { $value }, this Davy reads { $known }
    .help = Write `schema = { $known }`, or use the Davy that this file was written for.
unknown-key = there is no key `{ $name }` here
    .help = { $how ->
        [near] Did you mean `{ $names }`?
        [all] Keys here: { $names }.
       *[nothing] Remove it.
      }
missing-key = `{ $name }` is missing
    .help = Add `{ $name }` ({ $type }).
exclusive = `{ $name }` stands already, and only one of the two may
    .help = Keep one of them.
wrong-type = expected { $type }, found { $found }
    .help = Write here: { $type }.
not-finite = { $value } is no value that anything can be compared with
    .help = Write here: { $type }. What has no limit has no such key: leave it out.
out-of-range = { $value } is outside { $low } to { $high }
    .help = Choose a value from { $low } to { $high }.
empty-text = `{ $name }` is empty
    .help = Write something; neither Chinese nor English may be left out.
empty-list = `{ $name }` is empty
    .help = List at least one, or remove the whole table.
bad-id = `{ $value }` cannot be an id
    .help = Use 1 to 64 letters, digits, `-` and `_`.
duplicate-id = the id `{ $value }` is taken by { $first }
    .help = Give each its own id.
unknown-name = the name `{ $value }` is not known
    .help = { $how ->
        [near] Did you mean `{ $names }`?
        [all] Known names: { $names }.
       *[nothing] There are no names to choose from here.
      }
unknown-reference = nothing in this file is called `{ $value }`
    .help = { $how ->
        [near] Did you mean `{ $names }`?
        [all] There are: { $names }.
       *[nothing] There is none of this kind yet: add it first.
      }
address = `{ $value }` is not an address
    .help = Write `host:port`, for example `192.168.1.20:502` or `[fe80::1]:502`; an address to listen at must be numeric.
register-address = { $value } is no register in this way of counting
    .help = Addresses run from { $low } to { $high }; `numbering` says how the manual counts: zero (from 0), one (from 1), entity (40001 and the like).
register-range = a value at { $value } would reach beyond register 65535
    .help = Check the address, `as`, `count` and `stride`.
encoding = this cannot be held here
    .help = Coils and discrete inputs hold bits (`bool`), registers hold numbers; only coils and u16 holding registers can be written.
not-offered = this profile does not leave `{ $name }` to the site
    .help = Remove it, or use a profile that lists `{ $name }` in `site_chooses`.
bad-profile = the profile `{ $value }` has errors
    .help = They are listed too; docs/profiles.md tells how to write one.
example-differs = these registers read as { $found }, not { $value }
    .help = Correct the signal, its scale, order or status rules; or the example, if the manual says otherwise.
example-hole = `{ $value }` needs the { $table } register at { $address } (from 0), which this example does not hold
    .help = Add the register to the example.
unshown = { $how ->
    [value] no example shows a value of `{ $value }`
   *[other] no example shows `{ $value }` without a value by the rule for { $how }
  }
    .help = Add an [[example]] with the registers that the manual gives for it.
range = this must rise: { $low } to { $high } does not
    .help = Low must be below high; over_range_at and under_range_at may not lie inside the range.
loop-scaling = { $how ->
    [zero] with a scale of 0 the value would never change
    [bands] this signal is no loop current and has no bands
   *[loop] this signal is a loop current: its 4–20 mA span the range already
  }
    .help = A loop current takes `range` and `bands`, any other signal `scale` and `offset`.
limit-outside-range = the limit { $value } of { $name } lies outside the instrument's range { $low } to { $high } and would never alarm
    .help = Correct the limit or the range, or fit an instrument whose range reaches it.
limit-order = { $low } is not below { $high }
    .help = Limits must rise: LL < L < H < HH.
deadband = with a deadband of { $value } the { $name } limit { $limit } could never clear inside the range
    .help = Choose a smaller deadband, so that { $name } can clear inside the range.
alarm-kind = a { $found } point cannot have the alarm { $name }
    .help = Discrete points have ON, all others LL, L, H and HH.
gas-delay = { $name } could take longer than 10 s: on-delay { $value } ms and poll { $period } ms
    .help = Shorten `on_delay_s` or the device's `period_ms`: together at most 10 s (GB 16808).
gas-level-2-delay = { $name } is gas level 2 and may wait at most 2 s, not { $value } ms
    .help = Set `on_delay_s` to 0 to 2.
gas-fault-delay = { $name } would announce a fault after { $value } ms; a gas instrument has 100 s
    .help = Shorten `on_delay_s`, `stale_s` or the device's `period_ms` (GB 16808).
bus-load = the line of bus `{ $bus }` cannot carry the periods set: { $load } % of its time, the longest scan { $scan } s
    .help = Make the periods { $times } times as long, { $baud ->
        [none] say `exchange_ms` if an exchange is known to take less than the 5 ms assumed, or
       *[other] set the line to { $baud } baud, or
    } move devices to another bus. `check --budget` shows it device by device.
slow-response = { $name } could take { $total } s and must not take more than { $response } s: bus `{ $bus }`, period { $period } s, longest scan with one unit silent { $scan } s, on-delay { $delay } s
    .help = Shorten `on_delay_s`, the device's `period_ms` or the bus's `timeout_ms`, make the line faster, move devices to another bus; or say `response_s` where the signal may be slower.
stale-period = a stale time of { $value } ms is shorter than two polls of { $period } ms
    .help = Set `stale_s` to more than two periods of the device; three are usual.
remote-reset = { $name } is gas level 2 and is never reset from afar
    .help = Remove `remote_reset`: somebody on site resets it.
not-signed-off = the preset `{ $value }` does not arm without the site's sign-off
    .help = Have the responsible person check the set-points and add `sign_off` to [site], with `by` and `date`.
sign-off-in-future = signed off on { $value }, a day that has not come
    .help = Write the day on which the responsible person checked the set-points. If that is right, this machine's clock is wrong.
sign-off-ahead = signed off on { $value }, which lies ahead by this machine's clock
    .help = One of the two is wrong. The gateway runs all the same; set the clock, or correct the date.
preset-unit = the preset `{ $value }` is in { $unit }, the point in { $found }
    .help = Choose the preset for the point's unit, or correct the unit.
preset-kind = the preset `{ $value }` is for { $kinds }, this point is { $found }
    .help = Choose the preset for the point's kind, or correct the kind.
preset-limit = { $source } demands an alarm { $name } of { $id }, and leaves its limit to the site
    .help = Add `[point.alarms.{ $name }]` with a `set_point`.
substance = the substance `{ $value }` has no { $figure } figure
    .help = Correct the substance or the point's kind, or set limits of your own in place of the preset.
vote-member = `{ $value }` cannot vote
    .help = Members are limits and states of points. Their faults (BAD, STALE) are counted by the group's `fault`.
same-member = `{ $value }` stands here twice
    .help = Remove one of the two.
vote-safety = a group with gas detectors votes for safety
    .help = Remove `safety`: for gas, a lost detector lowers what a trip needs.
not-discrete = the point `{ $value }` is { $found }, and one that is on or off is needed here
    .help = Name a point of kind `discrete`.
effect-self = the failure of `{ $value }` would switch `{ $value }` itself
    .help = Remove one of the two; a failure may demand another output.
suppress-self = `{ $value }` is what the rule waits for, and the rule would suppress it
    .help = Remove it from `alarms`.
suppress-danger = `{ $value }` is gas level 2, and this rule silences it
    .help = Keep it only if the responsible person has a reason: gas is no less dangerous while the plant stands still.
not-writable = the signal `{ $value }` cannot be written
    .help = { $how ->
        [near] Did you mean `{ $names }`?
        [all] Writable signals of this device: { $names }.
       *[nothing] This device has no writable signal.
      }
same-output = this is the same register as output `{ $first }`
    .help = Two outputs would overwrite each other: correct the signal, or make them one.
pin-hash = this is not an argon2id hash
    .help = Make one with `davy-gateway pin` and paste the whole line.
same-link = this is the same wire as bus `{ $first }`
    .help = One wire is one bus: put the devices on one.
unstable-port = `{ $value }` is whichever adapter was plugged in first: after a restart or a replug it may be another line
    .help = { $how ->
        [known] Write its stable name: `{ $stable }`.
       *[other] Write its stable name, from `ls -l /dev/serial/by-id` or `/dev/serial/by-path` on the gateway.
      }
same-unit = unit { $unit } on this bus is taken by `{ $first }`
    .help = Each device on a bus needs its own unit id.
answer-too-late = the unit thinks for { $answer } ms, and its bus waits { $timeout } ms for an answer
    .help = Set the bus's `timeout_ms` to more, by what the longest frame takes on the line besides.
conflict = `{ $first }` reads the same register in another way
    .help = Check which of the two is right.
laxer = { $value } is laxer than the preset's { $preset } ({ $source })
    .help = Keep it only if the responsible person has a reason.
slow-limit = { $name } waits { $value } ms; HH, LL and every P1 should wait at most 2 s
    .help = Shorten `on_delay_s`, unless the responsible person has a reason.
no-alarm = `{ $value }` has no limit: it is shown and recorded, never alarmed
    .help = Add a preset or `[point.alarms.…]`, if it should alarm.
unarmed = `{ $value }` is not armed: it is judged and recorded, annunciates nothing and switches nothing
    .help = Prove it and arm it on the commissioning pages, or delete `armed = false`.
unproved = `{ $value }` is armed without a proof ({ $by }: { $why })
    .help = Prove it soon, then delete `unproved`.
idle-output = nothing demands the output `{ $value }`
    .help = Name it in an `[[effect]]`.
idle-manual = nothing happens when somebody demands the manual cause `{ $value }`
    .help = Name `{ $cause }` among the causes of an `[[effect]]`.
idle-device = no point or output uses the device `{ $value }`: it is never polled
    .help = Add a point, or remove the device.

key-ack = When a batch counts as delivered: commit (the cloud has it) or none (the broker has it)
key-address = Address: of a bus host:port, of a register its number
key-alarm = Whether what is overdue is alarmed; true unless said
key-alarm-reserve-mb = Of the journal, for alarms' transitions alone, MB
key-alarms = Alarms: of a point or group by condition; of a rule those that it suppresses
key-answer-ms = Longest that the unit thinks before it answers, milliseconds; for the bus budget
key-area = Id of its area
key-armed = Whether it annunciates and acts; true unless said
key-as = How the registers spell the number
key-backfill-bytes-s = Most that backlog may take of the link, bytes a second
key-backup-brokers = Brokers that are tried in turn when the first cannot be reached
key-band = A movement of at most this is none
key-bands = Bands of loop current, instead of the profile's
key-base = Where the device's map begins
key-baud = Speed; of a line behind a converter for the reckoning alone
key-bit = Bit, 0 the least significant
key-broker = MQTT broker, host:port
key-bus = Buses, one wire each; of a device the id of its bus
key-by = Who answers for it
key-calibrate-every-days = Days between two calibrations
key-causes = Causes: any of these alarms demands every output
key-comms = The alarm of the device's silence
key-condition = Which alarm is meant where members are points
key-current-ma = The register holds a loop current with these bands
key-date = The day
key-deadband = Deadband, in the unit or as "2 %" of span
key-decimals = Decimals shown
key-device = Devices; of a point or output the id of its device
key-effect = Cause and effect
key-en = In English
key-exception = Journalled when moved by more than this
key-fail-safe = What the field device takes when nobody writes to it
key-fault = How a faulty member counts: exclude or vote-trip
key-feedback = What shows that the output acts
key-from = What it should be: a number, or a point's id
key-group = Sparkplug group id
key-guidance = What to do, shown beside the alarm
key-heartbeat-s = Journalled at least this often, seconds
key-id = Unique name: letters, digits, - and _
key-is = The state that suppresses; true unless said
key-journal = The journal
key-kind = Kind
key-latching = Stays until reset
key-listen = Where the plant screen is served
key-manual = Manual causes
key-max-mb = Most that the journal may take, MB
key-members = Members of the vote
key-min-run-s = Once on, at least this long, seconds
key-moves = Which way a movement counts
key-name = Name in both languages
key-needed = How many members must trip
key-note = Note
key-numbering = How addresses are counted
key-off-delay-s = Off-delay, seconds
key-offset = Added to the raw number times scale
key-on-delay-s = On-delay, seconds
key-order = Byte and word order
key-output = Outputs
key-outputs = Outputs that are demanded
key-over-range-at = Beyond it a reading is over range
key-parity = Parity
key-password-file = File that holds the password
key-path = Serial port
key-period-ms = Poll period, milliseconds
key-person = Who may act at the plant screen
key-pin = Hash of the PIN, from davy-gateway pin
key-point = Points; of a feedback the point that shows it
key-preset = Preset that brings limits with their source
key-primary-host = Sparkplug host to wait for
key-priority = Priority, 1 the highest
key-profile = Device profile
key-profile-file = A profile of the site's own
key-proof-every-days = Days between two proof tests
key-proving = Intervals of proof tests
key-range = Measuring range: low, high
key-re-alarm-min = Sounds again if it still stands acknowledged, minutes
key-reason = Why
key-register = A register of the point's own
key-registers = What the profile leaves to the site
key-remote-reset = Whether the city may reset it
key-response-s = Longest from the event to the alarm, seconds
key-role = Role
key-safety = A lost member lowers what is needed
key-scale = The raw number is multiplied by it
key-schema = Version of the format, 1
key-screen = The plant screen
key-set-point = Set-point
key-shelve-max-min = Longest shelving, minutes
key-sign-off = Who answers for the set-points; arms presets
key-signal = A signal of the profile
key-site = The site
key-stale-s = Without a reading for this long it is stale, seconds
key-states = What 0 and 1 are called
key-stop-bits = Stop bits
key-substance = Substance: decides LEL and OEL
key-suppress = Suppression by design
key-table = Register table
key-timeout-ms = How long to wait for an answer, milliseconds
key-timeout-s = How long demand and feedback may disagree, seconds
key-turnaround-ms = Extra silence between two frames, milliseconds
key-under-range-at = Below it a reading is under range
key-unit = Engineering unit; of a device its unit id
key-unproved = Armed without a proof: who, when and why
key-uplink = The uplink
key-username = User name
key-vote = Voting groups
key-when = The state that alarms; of a rule the point or alarm it looks at
key-width = How many bits
key-window = Batches on the way and not yet committed
key-window-s = How far back it looks, seconds
key-zh = In Chinese
key-HH = High high
key-H = High
key-L = Low
key-LL = Low low
key-ON = State
key-DEV = Deviation
key-ROC = Rate of change
key-FROZEN = Frozen
key-STEL = Short-term exposure
key-TWA = Time-weighted exposure
key-BAD = Instrument fault
key-STALE = Stale
key-VOTE = The vote trips
key-DEGRADED = A member is lost
key-UNMON = No member is left
key-DISC = Members disagree
key-exchange-ms = What an exchange over the network takes, milliseconds; for the reckoning alone
