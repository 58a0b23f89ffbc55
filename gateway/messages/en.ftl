cli = Davy's edge gateway: reads the sensors, judges the alarms, drives the outputs, keeps the record.
cli-run = Runs a site until it is asked to stop.
cli-run-site = The site file.
cli-run-data = Folder of the journal; made if it is missing.
cli-run-log-format = How the log is written to standard error.
cli-check = Checks a site file without touching a device: every problem at once. Exit code 0 if it may run, 1 if not.
cli-check-site = The site file.
cli-check-format = How problems are printed.
cli-replay = Judges recorded or hand-written events by a site file, with no device and no clock: prints every transition, refusal and change of an output as JSON lines. Exit code 2 if a line cannot be read.
cli-replay-site-file = The site file.
cli-replay-events = The events, one JSON object a line; - reads standard input.
cli-pin = Makes the hash of a person's PIN for the site file.
cli-pin-pin-file = File whose first line is the PIN; otherwise it is read from a pipe or asked for.

check-sound = { $file }: may run. { $points } points, { $alarms } alarms, { $outputs } outputs on { $buses } buses.
check-warnings = { $count } warnings.
check-refused = { $file }: must not run. { $errors } errors, { $warnings } warnings.
check-error = error
check-warning = warning
check-help = help

pin-prompt = PIN:{" "}
pin-again = Once more:{" "}
pin-differ = The two differ.
pin-short = A PIN has 4 to 32 characters.

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

screen-not-built = This program was built without the screens: run npm ci and npm run build in the folder web, then build it again. Alarms are judged and the interface works.
