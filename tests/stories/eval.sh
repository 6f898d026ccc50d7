#!/bin/sh
# `rota eval`: conditions tried without an engine and without an organisation.
set -u
. "$(dirname "$0")/house.inc"
names="${ROTA_DIR%/org}/names.json"
gives() { # gives JSON ARGUMENTS...
    wanted=$1
    shift
    ends 0 eval "$@"
    [ "$(cat "$out")" = "$wanted" ] || wrong "rota eval $*: gives $(cat "$out"), not $wanted"
}

# ---- a few of the cases of tests/definition/cel, the way a person or another implementation would run them ----
gives 7 '1 + 2 * 3'
gives '"né"' "'n' + '\\u00e9'"
gives '[20,30]' '[1, 2, 3].map(e, e > 1, e * 10)'
gives true '[7][9] == 7 || true'
gives '"2026-01-31T10:00:00Z"' "timestamp('2026-01-31T12:00:00+02:00')"
ends 4 eval '[7][9] == 7 || false'
complains "column 4: the list has no item 9"
ends 4 eval '9223372036854775807 + 1'
complains "out of range"

# ---- names from a file, of unknown type ----
printf '{"level": 3, "who": {"name": "amara"}, "due": "2026-01-30"}' >"$names"
gives true 'level > 2 && !has(who.manager)' --with "$names"
gives '"2026-02-02"' 'due + workdays(1)' --with "$names"
ends 4 eval 'who.manager' --with "$names"
complains "column 5: there is no 'manager'"
ends 4 eval 'levle > 2' --with "$names"
complains "did you mean 'level'?"
complains "    ^"
printf 'level = 4; who = { name = "bo"; };\n' >"$names"
gives '"bo"' 'who.name' --with "$names"
ends 4 eval 'x' --with "$names.missing"

# ---- checked as in the pack ----
printf '{"kind": "finding", "title": "Door", "fields": {"classification": "major_nc"}}' >"$names"
gives true "classification == 'major_nc' && record.title == 'Door'" --kind finding --with "$names" --pack workflows
ends 4 eval "classification == 'major'" --kind finding --with "$names" --pack workflows
complains "'major' is none of its values"
ends 4 eval "clasification == ''" --kind finding --with "$names" --pack workflows
complains "did you mean 'classification'?"
printf '{"record": {"clasification": "x"}}' >"$names"
ends 4 eval "true" --kind finding --with "$names" --pack workflows
complains "a finding has no field 'clasification'; did you mean 'classification'?"
printf '{"now": "2026-03-01T10:00:00Z", "actor": {"name": "amara", "roles": ["employee"]}, "links": {"finding": [{"state": "closed"}]}}' >"$names"
gives true "today == date('2026-03-01') && 'employee' in actor.roles && links.finding.all(f, f.state == 'closed')" \
    --kind audit --with "$names" --pack workflows
ends 2 eval "true" --kind fnding --pack workflows
complains "did you mean 'finding'?"
ends 4 eval "true" --kind finding --pack "${ROTA_DIR%/org}/nowhere"

# ---- for programs ----
json eval '{"a": [1]}'
has type value
rota --json eval '1 +' >"$out" 2>"$err"
[ $? = 4 ] || wrong "an error has not status 4"
has error found_in column

told "conditions are tried without an engine"
