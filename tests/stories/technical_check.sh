#!/bin/sh
# A check on a schedule, as workflows/README.md tells it: a timer asks for it, rota-audit runs the tool (a script stands for Lynis), and
# what it found is raised as findings; a week later the same again; and a week in which the tool brings nothing is told.
set -u
. "$(dirname "$0")/house.inc"
work=${ROTA_DIR%/org}

# ---- an organisation with the README's example, and a worker that may enter results ----
mkdir -p "$work/share"
cp -R workflows config "$work/share"
awk '/^### /{is_it = /A check that a program does every week/} is_it && /^```$/{exit} is_it && is_in {print} is_it && /^```cfg/{is_in = 1}' \
    workflows/README.md >"$work/share/workflows/technical_check.cfg"
grep -q '"technical_check"' "$work/share/workflows/technical_check.cfg" || wrong "the README has no such example"
sed -i 's/serves = \["audit\.\*"\];/serves = ["audit.*"]; roles = ["checker"];/' "$work/share/config/sample/directory.cfg"
# The script takes the tool's arguments; what it writes is what stands in `found` that week.
cat >"$work/lynis" <<LYNIS
#!/bin/sh
[ "\$1 \$2" = "audit system" ] || exit 64
while [ \$# -gt 1 ]; do [ "\$1" = --report-file ] && report=\$2; shift; done
cat "$work/found" >"\$report"
exit 78 # as Lynis does when it warns
LYNIS
chmod +x "$work/lynis"
# finds DAY LINES...: what the next run will report.
finds() {
    day=$1
    shift
    {
        printf 'report_version_major=1\nreport_datetime_start=%s 03:00:00\nhostname=build01\nlynis_version=3.0.8\n' "$day"
        printf '%s\n' "$@"
        printf 'lynis_tests_done=3\nfinish=true\nreport_datetime_end=%s 03:10:00\n' "$day"
    } >"$work/found"
}
count() { rota --as ines --json log TCK-0001 --limit 1000 2>"$err" | grep -c "\"type\":\"$1\""; }
# until_count TYPE N: entries of that type that concern the check (bounded).
until_count() {
    tries=0
    while [ "$(count "$1")" -lt "$2" ]; do
        tries=$((tries + 1))
        [ $tries -lt 150 ] || { wrong "$(count "$1") of $2 $1"; return; }
        sleep 0.1
    done
    [ "$(count "$1")" -eq "$2" ] || wrong "$(count "$1") $1, not $2"
}

ROTA_SHARE=$work/share
. "$(dirname "$0")/worked.inc"
sed -i "s|keys/audit-worker.key\";|& lynis = \"$work/lynis\";|" "$ROTA_DIR/workers.cfg"
grep -qF "$work/lynis" "$ROTA_DIR/workers.cfg" || wrong "workers.cfg has no section for rota-audit"
ends 0 down
ends 0 up
[ "$bad" = 0 ] || exit 1

# ---- the first week ----
finds 2026-11-20 'warning[]=FIRE-4512|iptables module(s) loaded, but no rules active|-|-|' \
    'suggestion[]=HRDN-7230|Harden the system by installing at least one malware scanner|-|Install a tool|'
ends 0 --as omar open technical_check --title "Build host" first_on="$(in_days 1)"
says TCK-0001
ends 0 --as omar do TCK-0001 start
[ "$(count record.check)" = 0 ] || wrong "the check begins before its day"
ends 0 --as ines clock advance "2 days"
until_count record.check 1
until_count task.done 1
until_count record.import 1
ends 0 --as tomas list finding
says FND-0001
says FND-0002
says_not FND-0003
ends 0 --as tomas show FND-0001
says TCK-0001
rota --as ines --json log TCK-0001 2>"$err" | grep '"type":"record.import"' | grep -q '"actor":"audit-worker"' ||
    wrong "the results are not entered by the worker in its own name"

# ---- the next: one is seen again, one is new, one is gone ----
finds 2026-11-27 'warning[]=FIRE-4512|iptables module(s) loaded, but no rules active|-|-|' \
    'warning[]=PKGS-7392|Found one or more vulnerable packages.|-|-|'
ends 0 --as ines clock advance "7 days"
until_count record.check 2
until_count task.done 2
until_count record.import 2
ends 0 --as tomas list finding
says FND-0003
says_not FND-0004
[ "$(field_of "$(newest finding iptables)" occurrences)" = 2 ] || wrong "what is seen again is not counted"

# ---- and one without a report: it is tried again, parked, and told ----
echo nonsense >"$work/found"
ends 0 --as ines clock advance "7 days"
until_count record.check 3
until_count task.parked 1
until_count record.miss 1
ends 0 --as ines tasks --state parked
says audit.run
[ "$(count record.import)" = 2 ] || wrong "nonsense was imported"
must_be TCK-0001 repeated

# ---- a person may ask for it too, and end it ----
finds 2026-12-05 'warning[]=PKGS-7392|Found one or more vulnerable packages.|-|-|'
ends 0 --as omar do TCK-0001 check
until_count record.import 3
ends 1 --as bo do TCK-0001 check
ends 0 --as omar do TCK-0001 end --reason "The host is gone."
verified

told "a scheduled check becomes findings"
