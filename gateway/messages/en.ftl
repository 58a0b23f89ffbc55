cli = Davy's edge gateway: reads the sensors, judges the alarms, drives the outputs, keeps the record.
cli-run = Runs a site until it is asked to stop.
cli-run-site = The site file.
cli-run-data = Folder of the journal; made if it is missing.
cli-run-commission = Where the site file does not exist yet, starts as a blank gateway that serves only the commissioning pages; takes the address to listen on, 127.0.0.1:8080 unless given. Does nothing where the file exists.
cli-run-log-format = How the log is written to standard error.
cli-check = Checks a site file without touching a device: every problem at once. Exit code 0 if it may run, 1 if not.
cli-check-site = The site file.
cli-check-format = How problems are printed.
cli-check-matrix = Prints the cause-and-effect table instead: which alarms demand which outputs.
cli-check-budget = Prints the bus budget instead: load, longest scan and tightest alarm of every bus.
cli-check-diff = Prints what the file changes of another instead, what protects less first; a gateway's data folder stands for the file that it runs.
cli-check-schema = Prints the JSON Schema (draft 2020-12) of site files, for editors; takes no file.
cli-check-profile = A profile to check instead of a site file: its examples are held against the decoder.
cli-scan = Find and identify what answers on a serial line or at TCP addresses; it reads and never writes. Exit code 0 if anything is found, else 1. A serial port that a running gateway holds cannot be scanned.
cli-scan-serial = Serial port, such as /dev/serial/by-id/….
cli-scan-tcp = Modbus TCP addresses: HOST, HOST:PORT, 192.168.1.10-40 or 192.168.1.0/28, at most 256 hosts.
cli-scan-rtu-over-tcp = The same for converters that pass RTU frames on over TCP.
cli-scan-baud = Try this speed alone, with every parity.
cli-scan-units = Ask these unit ids alone, such as 5 or 1-32; if left out, 1-16 first and the others where one answers.
cli-scan-thorough = Try every speed and parity and ask every unit id; slow.
cli-scan-timeout-ms = How long to wait for each answer, milliseconds.
cli-scan-draft = Write what was found as a draft site file; a file that exists is never written over.
cli-scan-json = Print one line of JSON.
cli-probe = Read a range of one unit's registers and show every plausible decoding side by side; * marks those that look like a physical signal. It reads and never writes.
cli-probe-serial = Serial port.
cli-probe-tcp = Modbus TCP address, HOST or HOST:PORT.
cli-probe-rtu-over-tcp = Address of a converter that passes RTU frames on over TCP.
cli-probe-baud = Speed.
cli-probe-parity = Parity.
cli-probe-stop-bits = Stop bits.
cli-probe-unit = Unit id.
cli-probe-table = Table of registers.
cli-probe-start = First address, counted from 0, as on the wire.
cli-probe-count = How many.
cli-probe-timeout-ms = How long to wait for the answer, milliseconds.
cli-probe-all = Also show decodings that do not look physical.
cli-probe-json = Print one JSON object for each address.
cli-replay = Judges recorded or hand-written events by a site file, with no device and no clock: prints every transition, refusal and change of an output as JSON lines. Exit code 2 if a line cannot be read.
cli-replay-site-file = The site file.
cli-replay-events = The events, one JSON object a line; - reads standard input.
cli-replay-journal = A gateway's journal or data folder, read without touching it, also of one that runs: judges what it recorded instead of events.
cli-replay-from = From when, RFC 3339 or milliseconds since 1970; otherwise from the journal's beginning.
cli-replay-to = Until when; otherwise to the journal's end.
cli-replay-site = The site file to judge a journal by, the gateway's own or another.
cli-status = Tells how the running gateway does: alarms, silent devices, links, journal, proofs due. Exit code 0 if all is well, 1 if somebody should look, 2 if it cannot be reached or does not judge alarms.
cli-status-site = The site file, for the address of the screen; 127.0.0.1:8080 if left out.
cli-status-gateway = Address of the gateway, such as http://127.0.0.1:8080.
cli-reload = Has the running gateway take over its changed site file, and tells what that changed or why it was refused. Exit code 0 if what the file says runs now, else 1.
cli-reload-site = The site file that the gateway was started with.
cli-reload-person = Id of a maintenance person.
cli-reload-pin-file = File whose first line is their PIN; otherwise it is read from a pipe or asked for.
cli-reload-gateway = Address of the gateway; otherwise from the site file.
cli-pin = Makes the hash of a person's PIN for the site file.
cli-pin-pin-file = File whose first line is the PIN; otherwise it is read from a pipe or asked for.

check-sound = { $file }: may run. { $points } { $points ->
        [1] point
       *[other] points
    }, { $alarms } { $alarms ->
        [1] alarm
       *[other] alarms
    }, { $outputs } { $outputs ->
        [1] output
       *[other] outputs
    } on { $buses } { $buses ->
        [1] bus
       *[other] buses
    }.
check-warnings = { $count } { $count ->
        [1] warning
       *[other] warnings
    }.
check-refused = { $file }: must not run. { $errors } { $errors ->
        [1] error
       *[other] errors
    }, { $warnings } { $warnings ->
        [1] warning
       *[other] warnings
    }.
check-profile-sound = { $file }: may be used. { $warnings } { $warnings ->
        [1] warning
       *[other] warnings
    }.
check-profile-refused = { $file }: must not be used. { $errors } { $errors ->
        [1] error
       *[other] errors
    }, { $warnings } { $warnings ->
        [1] warning
       *[other] warnings
    }.
check-error = error
check-warning = warning
check-help = help

pin-prompt = PIN:{" "}
pin-again = Once more:{" "}
pin-differ = The two differ.
pin-short = A PIN has 4 to 32 characters.

commission-blank = New gateway
commission-head = Written by the commissioning pages. The file that it replaced stands beside it as .previous; comments are not kept.
commission-code = No site file yet: nothing is monitored. Open http://{ $listen }/commissioning; the first installer types this code: { $code }
commission-open = No site file yet: nothing is monitored. Go on at http://{ $listen }/commissioning.

run-refused = The site file has errors; nothing was started.

replay-refused = The site file has errors; nothing was judged.
replay-line = line { $line }: { $why }
replay-line-json = cannot be read: { $what }
replay-line-long = is longer than { $what } bytes
replay-line-point = names the point “{ $what }”, which the site file does not have
replay-line-role = names the role “{ $what }”; there are operator and maintenance
replay-line-range = gives the reason “{ $what }”; the two that count are over-range and under-range
replay-line-missing = lacks “{ $what }”
replay-line-together = has what does not go together: { $what }
replay-read = The events cannot be read: { $error }
replay-write = The lines cannot be written: { $error }
replay-journal-read = The journal cannot be read: { $error }
replay-earlier = line { $line }: its time is earlier than one before it; { $count } such lines were handled at the latest time.
replay-unknown-reason = line { $line }: “{ $reason }” is no reason that Davy knows; it counts as bad, as every reason does.
replay-nothing = The journal holds nothing of this time.
replay-span = { $from } – { $to }: { $readings } { $readings ->
        [1] reading
       *[other] readings
    }, { $acts } { $acts ->
        [1] act
       *[other] acts
    }, { $starts } { $starts ->
        [1] start
       *[other] starts
    }.
replay-missing = { $count } batches of this time are not in the journal: lost, or only those with alarms were kept.
replay-set-back = The wall clock was set back { $count } { $count ->
        [1] time
       *[other] times
    }; time goes on here as if it had not been.
replay-unknown = In the journal and not in the site file: { $ids }.
replay-own-site = The site file is the one that the journal was last written under.
replay-other-site = The site file is another than the one that the journal was last written under.
replay-transitions = { $recorded } transitions were recorded, { $here } happen here; { $refused } acts are refused here.
replay-same = Every alarm is raised and every output switched on as often as it was.
replay-alarm-differs = { $id }: recorded { $recorded } { $recorded ->
        [1] time
       *[other] times
    } (first { $recordedfirst }), here { $here } { $here ->
        [1] time
       *[other] times
    } (first { $herefirst }).
replay-output-differs = Output { $id }: switched on { $recorded } { $recorded ->
        [1] time
       *[other] times
    } (first { $recordedfirst }), here { $here } { $here ->
        [1] time
       *[other] times
    } (first { $herefirst }).

target-address = “{ $at }” is no address: write HOST, HOST:PORT, 192.168.1.10-40 or 192.168.1.0/28, with :PORT behind it if it is not 502.
target-too-many = “{ $at }” names more than 256 hosts: name the ones that are yours.
scan-draft-exists = { $path } exists; a draft never writes over a file.
probe-one-host = One host at a time is read.
scan-found = { $at }, unit { $unit }: answers.
scan-found-any = { $at }: answers, to any unit id (a device of its own).
scan-says = says that it is: { $identity }
scan-profiles = profiles that fit, likeliest first: { $profiles }
scan-no-profile = no profile fits: look at its registers with davy-gateway probe, or write a profile (docs/profiles.md).
scan-garbled = { $at }: units { $units } answer with broken frames: other settings, two devices of one number, or another master on the line.
scan-closed = cannot open { $reason }
scan-nothing = Nothing was found: look at wires A and B, power, termination and unit ids; --thorough tries every setting.
probe-legend = Address (counted from 0), raw word, and the decodings that look like a physical signal (*); the line of your choice goes into a point.

budget-bus = Bus
budget-line = Line
budget-load = Load
budget-scan = Longest scan
budget-silence = With one unit silent
budget-tightest = Tightest alarm
budget-worst = At worst
budget-required = Required
budget-device = Device
budget-unit = Unit
budget-reads = Reads
budget-poll = One poll
budget-period = Period
budget-legend = At worst = period + longest scan with one unit silent + on-delay. On TCP an exchange takes exchange_ms (5 unless said); behind a converter the line's speed (9600 unless said, 11 bits a character) and the same and 2 ms besides.
diff-none = No difference.
diff-weaker = { $count } { $count ->
        [1] that loosens an alarm or removes
       *[other] that loosen an alarm or remove
    } protection:
diff-others = { $count } { $count ->
        [1] other
       *[other] others
    }:
diff-added = added
diff-removed = removed
diff-absent = (none)
diff-part-site = site
diff-part-person = person
diff-part-area = area
diff-part-bus = bus
diff-part-device = device
diff-part-point = point
diff-part-alarm = alarm
diff-part-output = output
diff-part-vote = vote
diff-part-manual = manual cause
diff-part-suppress = suppression
status-site = { $name } ({ $site }), version { $version }
status-ok = The gateway is well.
status-degraded = Alarms are judged, but not all is well:
status-failed = Alarms are NOT being judged:
status-down = The gateway does not answer: it does not run, or is elsewhere.
status-no-address = The site file has errors, so the address of its gateway is not known: say it with --gateway.
status-alarms = Alarms: { $active } active, { $open } unacknowledged, { $suppressed } suppressed.
status-more =   { $count } more.
status-devices = Devices: all { $count } answer.
status-silent = Devices: of { $count } these are silent: { $silent }.
status-links = Broker: { $broker }. Cloud: { $cloud }, { $backlog } batches wait.
status-link-up = up
status-link-behind = up, and falling behind
status-link-down = down
status-link-off = not configured
status-journal = Journal: { $used } of { $max } MB.
status-journal-lost = Journal: { $used } of { $max } MB; { $lost } batches were lost.
status-journal-failed = Journal: it cannot be written ({ $failed }).
status-proofs = Proof tests: none is due; { $never } were never proved.
status-proofs-due = Proof tests: { $due } are due: { $ids }; { $never } were never proved.
reload-taken = The file is taken over.
reload-unchanged = What the file says runs already.
reload-refused = Not taken over; what ran runs on.
reload-restart = Not taken over: only a restart changes { $keys }.
reload-demanded = Not taken over: the file would switch off, or let go of, outputs that are on: { $outputs }.
reload-not-allowed = Only maintenance may.
reload-busy = The gateway is busy with other changes, or ends; try again.
matrix-cause = Cause
matrix-priority = Priority
matrix-limit = Set-point
matrix-delay = After
matrix-horn = any unacknowledged alarm
matrix-legend = L: on until reset. X: on while the alarm is active (at least the minimum run). Out of service, a cause demands nothing; shelved, it still does.
matrix-output = Output
matrix-kind = Kind
matrix-latch = Latches
matrix-min-run = Minimum run
matrix-name = Name
matrix-yes = yes

screen-not-built = This program was built without the screens: run npm ci and npm run build in the folder web, then build it again. Alarms are judged and the interface works.
matrix-means = What it is
matrix-fail-safe = Fail-safe
matrix-fail-safe-on = on
matrix-fail-safe-off = off
matrix-fail-safe-hold = as last written
matrix-fail-safe-unsaid = not said
matrix-feedback = Feedback
matrix-read-back = its register
matrix-timeout = Fails after
condition-hh = high-high
condition-h = high
condition-l = low
condition-ll = low-low
condition-on = state
condition-dev = deviation
condition-roc = rate of change
condition-frozen = does not move
condition-stel = short-term exposure
condition-twa = shift exposure
condition-bad = instrument fault
condition-stale = not updated
condition-comms = communication lost
condition-vote = voted trip
condition-degraded = group degraded
condition-unmon = group unmonitored
condition-disc = members disagree
condition-failed = output failed
condition-manual = demanded by hand

condition-proof = proof test overdue
prove-reason = proof test
prove-idle = nobody went on with it for two hours
report-title = Proof test report
report-claim = Monitoring, recording and supplementary alarm. This report is no certificate of calibration and does not replace a certified gas controller or safety system.
report-site = Site
report-number = Report
report-made = Made
report-clock = Clock
report-clock-synchronised = synchronised
report-clock-unknown = not known to be synchronised
report-made-by = Made by
report-site-file = Site file (SHA-256)
report-fingerprint = Gateway key
report-overview = Overview
report-last = Last
report-tables = Tables of this report (SHA-256)
report-how-to-verify = Signed with the gateway key named on every page. Check with: davy-gateway prove verify FILE. The signed list (.sig) belongs beside the files.
report-sign-tester = Tested by (name, date):
report-sign-witness = Witnessed by (name, date):
report-yes = yes
report-no = no
report-not-seen = not seen
report-came = came on
report-went = went off
report-missing = missing
report-unexpected = should be off
report-run-on-off = on and off
report-run-demand = Demanded for
report-run-on = Feedback on after
report-run-off = Feedback off after
report-run-timeout = At most
report-due-never = –
report-due-now = now
report-state-unproved = unproved
report-state-skipped = skipped
report-state-failed = failed
report-state-changed = changed since
report-state-overdue = overdue
report-state-proved = proved
report-state-clock-doubtful = clock doubtful
report-verdict-pass = pass
report-verdict-fail = fail
report-verdict-skipped = skipped
report-verdict-abandoned = abandoned
report-kind-loop = loop test
report-kind-bump = bump test
report-kind-calibration = calibration
report-kind-output = output test
report-kind-none = not tested
report-step-zero = Zero
report-step-limit = Limit
report-step-span = Span
report-step-clean = Clean air
report-step-gas = Gas
report-step-return = Back to normal
report-step-rest = Resting state
report-step-alarm = Alarm state
report-column-row = row
report-column-id = Id
report-column-name = Name
report-column-area = Area
report-column-state = State
report-column-proof-due = Test due
report-column-calibration-due = Calibration due
report-column-number = No.
report-column-kind = Kind
report-column-verdict = Verdict
report-column-by = By
report-column-ended = Ended
report-column-clock = Clock
report-column-gas = Gas or injector
report-column-instrument = Instrument
report-column-under-test = Alarms out of service
report-column-step = Step
report-column-expected = Expected
report-column-tolerance = Tolerance
report-column-unit = Unit
report-column-found = As found
report-column-left = As left
report-column-alarms-on = Alarms on
report-column-good = Good
report-column-reason = Reason

cli-prove = Proof tests: what is due, a guided test, a signed report, and whether a report is as it was signed.
cli-prove-list = Every point and output, how it stands and when its next test is due. Exit code 1 if any is not proved.
cli-prove-list-gateway = Address of the gateway's screen.
cli-prove-test = A guided proof of one point or output. Exit code 0 if it passes.
cli-prove-test-id = Id of the point or output.
cli-prove-test-gateway = Address of the gateway's screen.
cli-prove-test-person = Id of the person who tests: role maintenance.
cli-prove-test-pin-file = File whose first line is the PIN; otherwise it is read from a pipe or asked for.
cli-prove-test-kind = loop, bump, calibration or output; asked for if there is a choice.
cli-prove-skip = Records that it is not tested now, and why.
cli-prove-skip-id = Id of the point or output.
cli-prove-skip-gateway = Address of the gateway's screen.
cli-prove-skip-person = Id of the person who decides: role maintenance.
cli-prove-skip-pin-file = File whose first line is the PIN; otherwise it is read from a pipe or asked for.
cli-prove-skip-reason = Why.
cli-prove-report = Makes a signed report, PDF and CSV in both languages, and fetches its files.
cli-prove-report-gateway = Address of the gateway's screen.
cli-prove-report-person = Id of the person who asks for it: role maintenance.
cli-prove-report-pin-file = File whose first line is the PIN; otherwise it is read from a pipe or asked for.
cli-prove-report-into = Folder for the files.
cli-prove-verify = Whether a report is as it was signed. Exit code 1 if anything was altered.
cli-prove-verify-file = Any file of the report; the signed list (.sig) lies beside it.
cli-prove-verify-fingerprint = The fingerprint of the gateway's key, from the plant's own papers.
prove-skipped = Recorded.
prove-clock-doubtful = The gateway's clock is behind its own proofs: what is due cannot be said.
prove-key = Gateway key: { $key }
prove-unknown = No point or output is called `{ $id }`.
prove-goes-on = A proof is under way; going on with it.
prove-ended = Recorded: { $verdict }
prove-ask-kind = How ({ $kinds })?
prove-ask-seconds = On for how many seconds (1 to 60)?
prove-ask-confirm = The output will really work. Is everybody clear of it (y/n)?
prove-ask-gas = Gas and cylinder, or signal source:
prove-ask-instrument = Reference instrument:
prove-ask-under-test = Put its alarms out of service meanwhile (y/n)? They are judged and recorded all the same.
prove-step = { $step }: apply { $expected } ± { $tolerance } { $unit }
prove-ask-step = Enter when applied, another value if it is another, or `-` and a reason to leave it out:
prove-seen = Seen: { $value }
prove-off = Seen { $value }: not good. Alarms missing: { $missing }; that should be off: { $unexpected }
prove-ask-adjusted = Adjust it and take it again (y/n)?
prove-run = Feedback on after { $on }, off after { $off }
prove-no-more = No more answers.
verify-whole = as signed
verify-altered = ALTERED
verify-missing = not here
verify-signed = The list is signed with the key { $key }
verify-unsigned = The list was ALTERED or is not signed by the key that it names, { $key }
verify-compare = Compare this key with the one that the plant's own papers name.
verify-other-key = This is NOT the key that was asked for.

cli-node = Davy's own nodes: find, show and configure them and read their events, over a bus that no running gateway holds.
cli-node-find = Find nodes on a serial line or at TCP addresses; it reads and never writes. Exit code 0 if any is found, else 1.
cli-node-show = Show what a node says of itself, its channels, alarms and relays.
cli-node-config = Write a configuration file (docs/node.md) into a node that was unlocked at its key: staged, read back, compared, committed, looked at again. Exit code 0 if the node runs it.
cli-node-update = Send other firmware (an update file of cargo xtask firmware) to a node that was unlocked at its key, and watch until the node has confirmed it or gone back from it. Begun again it goes on where it stopped. Exit code 0 if the node runs it for good.
cli-node-update-file = The update file.
cli-node-config-file = The configuration, TOML.
cli-node-events = Print the events that a node still holds, one line of JSON each.
cli-node-events-from = From this number on.
cli-node-show-json = Print one line of JSON.
cli-node-find-to-unit = Ask unit ids 1 to this one.
cli-node-find-baud = Try this speed alone.
node-found = { $at }  unit { $unit }  { $name }  firmware { $firmware }, configuration { $version }
node-none = No node found.
node-firmware = Firmware { $version }
node-config = Configuration { $version }, CRC { $crc }
node-reset = Last start: { $cause }; start { $boots } since power came, { $up } s ago
node-reset-1 = power
node-reset-2 = watchdog
node-reset-3 = panic
node-reset-4 = processor fault
node-reset-5 = asked for
node-tests-well = Self-tests: all passed
node-tests-failed = Self-tests FAILED: { $failed }
node-test-0 = RAM pattern
node-test-1 = flash CRC
node-test-2 = relay feedback
node-test-3 = stack
node-test-4 = analog reference
node-test-5 = configuration banks
node-test-6 = alarm state banks
node-test-other = self-test { $bit }
node-is-locked = Configuration locked
node-is-unlocked = Configuration UNLOCKED for another { $seconds } s
node-no-clock = No wall clock: no gateway has set it since it started
node-clock = Wall clock { $time }
node-hears = Hears a gateway, last { $seconds } s ago
node-alone = The gateway is SILENT, for { $seconds } s: the relays' policy for that holds
node-ring = Events { $oldest } up to { $next } (not included) are held
node-channel = Channel { $channel }: { $value }
node-channel-1 = not yet read
node-channel-2 = front end silent
node-channel-7 = over-range
node-channel-8 = under-range
node-channel-9 = sensor fault
node-channel-10 = broken loop
node-channel-11 = inhibit
node-channel-12 = calibration
node-channel-13 = warm-up
node-alarm = Alarm { $alarm }: { $state }
node-alarm-1 = active, not acknowledged
node-alarm-2 = active, acknowledged
node-alarm-3 = returned, not acknowledged
node-alarm-4 = latched, not acknowledged
node-alarm-5 = latched, acknowledged
node-alarm-6 = shelved
node-alarm-7 = suppressed by design
node-alarm-8 = out of service
node-relays = Relays demanded: { $relays }
node-no-relay = No relay is demanded.
node-config-same = The node runs this already: configuration { $version }, CRC { $crc }. Nothing was written.
node-config-done = As found: configuration { $found }, CRC { $found_crc }. As left: configuration { $version }, CRC { $crc }, read back and in force. Prove its loops and outputs again.
node-config-locked = The node is locked, and nothing was written: it runs configuration { $version } as before. Hold the key at the node for three seconds and let go; then it can be written for ten minutes.
node-config-differs = What was read back differs from what was written, first at word { $word }: nothing was committed. Look at the line, then try again.
node-config-refused = The node refused the configuration: { $why } (word { $word }). It runs what it ran before.
node-config-not-in-force = The node took the commit and says that it runs configuration { $version }, CRC { $crc }, which is not what was written. Do not rely on it: look at it with `node show` and write it again.
node-refusal-0 = for no reason that it tells
node-refusal-1 = it is locked
node-refusal-2 = the CRC is wrong
node-refusal-3 = the block is not valid
node-refusal-4 = its flash failed
node-refusal-5 = no such alarm
node-refusal-6 = another occurrence
node-refusal-7 = nothing to acknowledge
node-refusal-8 = an alarm is active
node-refusal-9 = this board takes no update
node-refusal-10 = it is no image of ours
node-refusal-11 = the image is another board's
node-refusal-12 = the image is linked for another slot
node-refusal-13 = the image is older than one that was confirmed
node-refusal-14 = the image is too long
node-refusal-15 = a block came out of order
node-refusal-16 = a block differs from what was received
node-refusal-17 = the image is not whole yet
node-refusal-18 = the firmware that runs is still on trial
node-why-0 = for no reason that it tells
node-why-1 = its CRC is wrong
node-why-2 = its signature is nobody's that this node believes
node-why-3 = its head is wrong
node-why-4 = it hung, and the watchdog reset it
node-why-5 = it panicked
node-why-6 = it met a processor fault
node-why-7 = the power went before it had proved itself
node-why-8 = it was reset before it had proved itself
node-why-9 = a self-test failed that held before
node-why-10 = no master asked it anything in time
node-why-11 = its flash did not take the record of it
node-update-no-file = { $file }: this is no update file, or it is cut short. `cargo xtask firmware --key FILE` makes one.
node-update-progress = { $has } of { $of } bytes
node-update-same = The node runs firmware { $version } already, and has confirmed it. Nothing was written.
node-update-not-taken = This node takes no updates: it has no boot stage, or its boot stage believes nobody's signature.
node-update-not-for-it = The file has no image for this node: it wants one of board { $board }, linked for { $address }.
node-update-locked = The node is locked; it runs what it ran before. Hold the key at the node for three seconds and let go; then it can be written for ten minutes.
node-update-refused = The node refused: { $why }. It runs what it ran before; what it received is kept, and the same command goes on from there.
node-update-wrong-sum = What the node received is not what was built: its CRC is wrong. It runs what it ran before. Try again.
node-update-done = The node runs firmware { $version } and has confirmed it. For the change it was silent for { $silent } ms at most; its relays were not driven meanwhile. Prove its loops and outputs again.
node-update-gone-back = The node has gone back to the firmware that it ran before: { $why }.
node-update-unknown = The node does not say what came of it. It runs the firmware that has proved itself; look at it with `node show`.
node-events-lost = events { $from } to { $to } are no longer held: newer ones took their place, or they went with the node's power
cli-node-show-serial = Serial port.
cli-node-show-tcp = Modbus TCP address, HOST or HOST:PORT.
cli-node-show-rtu-over-tcp = Address of a converter that passes RTU frames on over TCP.
cli-node-show-baud = Speed.
cli-node-show-parity = Parity.
cli-node-show-stop-bits = Stop bits.
cli-node-show-unit = Unit id.
cli-node-show-timeout-ms = How long to wait for the answer, milliseconds.
cli-node-config-serial = Serial port.
cli-node-config-tcp = Modbus TCP address, HOST or HOST:PORT.
cli-node-config-rtu-over-tcp = Address of a converter that passes RTU frames on over TCP.
cli-node-config-baud = Speed.
cli-node-config-parity = Parity.
cli-node-config-stop-bits = Stop bits.
cli-node-config-unit = Unit id.
cli-node-config-timeout-ms = How long to wait for the answer, milliseconds.
cli-node-update-serial = Serial port.
cli-node-update-tcp = Modbus TCP address, HOST or HOST:PORT.
cli-node-update-rtu-over-tcp = Address of a converter that passes RTU frames on over TCP.
cli-node-update-baud = Speed.
cli-node-update-parity = Parity.
cli-node-update-stop-bits = Stop bits.
cli-node-update-unit = Unit id.
cli-node-update-timeout-ms = How long to wait for the answer, milliseconds.
cli-node-events-serial = Serial port.
cli-node-events-tcp = Modbus TCP address, HOST or HOST:PORT.
cli-node-events-rtu-over-tcp = Address of a converter that passes RTU frames on over TCP.
cli-node-events-baud = Speed.
cli-node-events-parity = Parity.
cli-node-events-stop-bits = Stop bits.
cli-node-events-unit = Unit id.
cli-node-events-timeout-ms = How long to wait for the answer, milliseconds.
cli-node-find-serial = Serial port, such as /dev/serial/by-id/….
cli-node-find-tcp = Modbus TCP addresses: HOST, HOST:PORT, 192.168.1.10-40 or 192.168.1.0/28, at most 256 hosts.
cli-node-find-rtu-over-tcp = The same for converters that pass RTU frames on over TCP.
cli-node-find-timeout-ms = How long to wait for each answer, milliseconds.
