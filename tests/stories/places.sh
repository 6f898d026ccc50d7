#!/bin/sh
# Where an organisation stands and how its programs are called matters to nobody: a directory whose name has to be quoted, a
# copy beside the original, a directory that was moved while its engine ran, standard streams that the parent closed.
set -u
. "$(dirname "$0")/house.inc"
top=${ROTA_DIR%/org}
ROTA_DIR="$top/größe 'b c'"

# ---- what is printed can be typed ----
ends 0 init "$ROTA_DIR" --sample
grep '^  export ROTA_DIR=' "$out" >"$top/line"
[ "$(. "$top/line"; printf %s "$ROTA_DIR")" = "$ROTA_DIR" ] || wrong "cannot be typed: $(cat "$top/line")"
ends 3 status
complains "rota up '$top/größe '\''b c'\'''"

# ---- nothing to read from or write to: it starts, and nothing is written where it does not belong ----
timeout 60 "$build/rota" up <&- >&- 2>&-
[ $? = 5 ] || wrong "up without standard streams: exit $?, not 5"
ends 0 status
says "health        ok"
printf '%s\n' "$(cat "$ROTA_DIR/run/rotad.pid")" | cmp -s - "$ROTA_DIR/lock" || wrong "the lock says: $(cat "$ROTA_DIR/lock")"

ends 0 backup "$top/kept.db"
cp "$top/kept.db" "$top/kept.as.it.was"
"$build/rota-verify" "$top/kept.db" --vkey "@$ROTA_DIR/keys/log.vkey" <&- >&- 2>&-
[ $? = 2 ] || wrong "rota-verify that nobody hears: exit $?, not 2"
cmp -s "$top/kept.db" "$top/kept.as.it.was" || wrong "rota-verify wrote into what it was to check"

# ---- a reader who has enough is no news; a disk that is full is ----
"$python" -c '
import os, signal, subprocess, sys
reads, writes = os.pipe()
os.close(reads)
done = subprocess.run(["rota", "--as", "ines", "people"], stdout=writes, stderr=subprocess.PIPE)
sys.exit(0 if (done.returncode, done.stderr) == (-signal.SIGPIPE, b"") else "%s %s" % (done.returncode, done.stderr))' 2>"$err" ||
    wrong "a pipe that nobody reads: $(cat "$err")"
if [ -c /dev/full ]; then
    rota --as ines people >/dev/full 2>"$err"
    [ $? = 5 ] || wrong "what cannot be written: exit $?, not 5"
    complains "cannot be written"
fi

# ---- a copy is another organisation's directory, whatever its files say ----
cp -R "$ROTA_DIR" "$top/copy"
ends 0 down "$top/copy"
says "nothing was running"
ends 0 status
ends 0 up "$top/copy"
says "3 of 3"
ends 0 -C "$top/copy" --json status
cp "$out" "$top/of_copy"
ends 0 --json status
cmp -s "$out" "$top/of_copy" && wrong "one engine answers for two directories"
for name in rota-approval rota-communication rota-audit; do
    cmp -s "$ROTA_DIR/run/$name.pid" "$top/copy/run/$name.pid" && wrong "the copy has no $name of its own"
done
ends 0 down "$top/copy"
says "stopped"
ends 0 status
says "rota-audit           process"

# ---- moved while it runs: still its own ----
mv "$ROTA_DIR" "$top/moved"
ROTA_DIR="$top/moved"
ends 0 down
says "stopped"
ends 3 status

# ---- no place for a log: it says so ----
mv "$ROTA_DIR/log" "$ROTA_DIR/log.kept"
ends 5 up
complains "log/rotad.log: "
mv "$ROTA_DIR/log.kept" "$ROTA_DIR/log"

# ---- a pipe where a file should be keeps nobody waiting ----
ends 0 up
ends 0 --as ines open --from "$ROTA_DIR/sample/scope_statement.cfg"
mkfifo "$top/pipe"
timeout 60 "$build/rota" --as ines attach SCP-0001 "$top/pipe" 2>"$err"
[ $? = 4 ] || wrong "a pipe was attached, or waited for"
complains "not a regular file"

# ---- a title cannot turn the direction of the sentence that is signed ----
ends 0 --as ines edit SCP-0001 --title "שלום $(printf '\342\200\256')drawrof"
ends 0 --as ines show SCP-0001
says "שלום"
says_not "$(printf '\342\200\256')"

told "where it stands, and how it is called, matters to nobody"
