#!/bin/sh
# Each worker of workers/examples serves a task of the sample organisation, started as its first lines say.
# A language that this machine does not have is skipped, and said so.
set -u
. "$(dirname "$0")/house.inc"
examples=$PWD/workers/examples
made=${ROTA_DIR%/org}/made
worker=

stop_worker() {
    [ -n "$worker" ] || return 0
    kill -9 "$worker" 2>/dev/null
    wait "$worker" 2>/dev/null
    worker=
}
trap 'stop_worker; leave' EXIT

# An audit that asks for evidence; its name is left in $audit.
begin_audit() {
    ends 0 --as tomas open audit --title "Evidence, by $1" objectives="Does the example serve?" criteria=A.8.8 \
        scope="The platform's build host" auditors=tomas,yuki auditee_owner=pavel cause="A new worker" \
        planned_start="$(in_days 1)" planned_end="$(in_days 5)" collect_from=build01.lumiere-analytics.example
    audit=$(rota --as ines --json list audit | sed -n 's/.*"record":"\([^"]*\)".*/\1/p' | tail -n 1)
    ends 0 --as tomas do "$audit" approve_plan
    ends 0 --as tomas do "$audit" begin
}
is_served() {
    rota --as ines --json log "$audit" 2>/dev/null | grep '"type":"task.done"' | grep '"actor":"collector"' | grep '"greeting"' >/dev/null
}
is_gone() { ! rota --as ines --json workers | grep '"principal":"collector"' >/dev/null; }
# patient SENTENCE TEST: tries for up to 20 seconds.
patient() {
    tries=0
    until $2; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] || { wrong "$1"; return 1; }
        sleep 0.1
    done
}
# serves NAME FOLDER COMMAND...: the command, started in the folder, does the task of an audit begun after that.
serves() {
    name=$1 folder=$2
    shift 2
    (cd "$folder" && exec "$@") >"$made/said" 2>&1 &
    worker=$!
    begin_audit "$name"
    patient "$name did not serve $audit: $(cat "$made/said")" is_served && echo "$name served $audit"
    stop_worker
    patient "the engine still counts on $name" is_gone
}
skipped() { echo "skipped: $1"; }
keyed="ipc://run/front audit.collect keys/collector.key keys/engine.pub"

mkdir "$made"
ends 0 init "$ROTA_DIR" --sample
ends 0 up

# ---- Python ----
if "$python" -c 'import zmq.auth' 2>/dev/null; then
    serves greeter.py "$ROTA_DIR" "$python" "$examples/greeter.py" $keyed
else
    skipped "greeter.py: no python3 with pyzmq"
fi

# ---- Perl ----
if perl -MZMQ::FFI -e 1 2>/dev/null; then
    serves greeter.pl "$ROTA_DIR" perl "$examples/greeter.pl" $keyed
else
    skipped "greeter.pl: no perl with ZMQ::FFI"
fi

# ---- shell, through rota-exec, which here is the sample's collector ----
sed -i 's/"exec-worker"/"collector"/; s/exec-worker\.key/collector.key/' "$ROTA_DIR/workers.cfg"
serves greeter.sh "$examples" rota-exec --dir "$ROTA_DIR" --service audit.collect -- ./greeter.sh

# ---- C, with the library as it is built ----
ln -s "$build/librota.so" "$made/librota.so"
ln -s "$build/librota.so" "$made/librota.so.0"
if ! command -v cc >/dev/null; then
    skipped "greeter.c: no C compiler"
elif cc -Wall -Wextra -Iworkers/sdk "$examples/greeter.c" -L"$made" -lrota -Wl,-rpath,"$made" -o "$made/greeter" >"$out" 2>"$err"; then
    serves greeter.c "$ROTA_DIR" "$made/greeter" $keyed
else
    wrong "greeter.c cannot be compiled"
fi

ends 0 --as ines verify
says "holds"
told "the examples serve"
