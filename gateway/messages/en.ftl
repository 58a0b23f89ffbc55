cli = Davy's edge gateway: reads the sensors, judges the alarms, drives the outputs, keeps the record.
cli-run = Runs a site until it is asked to stop.
cli-run-site = The site file.
cli-run-data = Folder of the journal; made if it is missing.
cli-run-log-format = How the log is written to standard error.
cli-check = Checks a site file without touching a device: every problem at once. Exit code 0 if it may run, 1 if not.
cli-check-site = The site file.
cli-check-format = How problems are printed.
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

screen-not-built = This program was built without the screens: run npm ci and npm run build in the folder web, then build it again. Alarms are judged and the interface works.
