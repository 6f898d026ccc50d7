#!/bin/sh
# `rota coverage`: what is proved before anything exists, after some records do, and when a review is late.
set -u
. "$(dirname "$0")/house.inc"

# status GROUP ID: how the item stands, from the answer as JSON.
status() {
    "$python" -c '
import json, sys
for line in map(json.loads, open(sys.argv[1])):
    if line["group"] == sys.argv[2] and line.get("id") == sys.argv[3]:
        print(line["status"], *(r["record"] for r in line["proof"]))' "$out" "$1" "$2"
}
stands() { # stands GROUP ID STATUS [RECORD...]
    found=$(status "$1" "$2")
    shift 2
    case " $found " in " $1 "*) ;; *) wrong "stands '$found', not $*" ;; esac
    case " $found " in *" ${2:-$1} "*) ;; *) wrong "stands '$found', not $*" ;; esac
}
gaps() { # rota coverage --json, which has gaps here
    rota --as ines --json coverage >"$out" 2>"$err"
    [ $? = 1 ] || wrong "coverage with gaps has not status 1"
    is_json "$out" || wrong "coverage --json is no JSON"
}

ends 0 init "$ROTA_DIR" --sample
ends 0 up

# ---- nothing exists: nothing is claimed ----
ends 1 --as ines coverage
says "0 of 27 proved"
says "0 of 17 proved"
says "What is missing"
says_not "What is late"
gaps
[ "$(grep -c '"group":"clauses"' "$out")" = 27 ] || wrong "not 27 clauses"
[ "$(grep -c '"group":"documents"' "$out")" = 4 ] || wrong "not 4 documents"
[ "$(grep -c '"group":"records"' "$out")" = 10 ] || wrong "not 10 records"
[ "$(grep -c '"group":"processes"' "$out")" = 17 ] || wrong "not 17 processes"
[ "$(grep -c '"group":"interactions"' "$out")" = 6 ] || wrong "not 6 interactions"
stands clauses 4.2 nothing
stands processes P1 nothing
stands interactions "Interaction 4" ready

# ---- a draft is in the making; waiting for signatures is said; in force it is proof ----
ends 0 --as ines open --from "$ROTA_DIR/sample/interested_parties.cfg"
gaps
stands documents "Document 4" in_the_making
ends 0 --as ines submit IPR-0001
ends 1 --as ines coverage
says "1 open round"
says "What waits for signatures"
ends 0 --as amara approve IPR-0001
ends 0 --as dmitri do IPR-0001 put_in_force
gaps
stands documents "Document 4" proved IPR-0001@1.0
stands clauses 4.2 proved IPR-0001@1.0

# ---- an interaction is proved by what it opened ----
ends 0 --as ines open --from "$ROTA_DIR/sample/context_issues.cfg"
ends 0 --as ines submit CTX-0001
ends 0 --as amara approve CTX-0001
ends 0 --as dmitri do CTX-0001 put_in_force
ends 0 --as ines open --from "$ROTA_DIR/sample/scope_statement.cfg"
ends 0 --as ines edit SCP-0001 issues_considered=CTX-0001@1.0 requirements_considered=IPR-0001@1.0
ends 0 --as ines submit SCP-0001
ends 0 --as amara approve SCP-0001
ends 0 --as henrik approve SCP-0001
ends 0 --as dmitri do SCP-0001 put_in_force
gaps
stands documents "Document 1" proved SCP-0001@1.0
stands interactions "Interaction 2" proved ACK-0001
# People acknowledge the scope: that shows awareness, and no policy.
stands clauses 7.3 proved ACK-0001
stands clauses 5.2 in_the_making
ends 1 --as ines coverage
says "SCP-0001@1.0 (In force)"

# ---- an end that is reached from a draft alone proves nothing ----
ends 0 --as ines open scope_exclusions --title "Nothing is excluded"
ends 0 --as ines withdraw EXC-0001 --reason "no longer needed"
gaps
stands documents "Document 2" nothing

# ---- the review is late ----
ends 0 clock advance "400 days"
ends 1 --as ines coverage
says "What is late"
says "Next review due"
ends 0 --as ines list interested_parties
says "late "
gaps
tail -n 1 "$out" | grep -q '"late":\[{.*IPR-0001@1.0' || wrong "the summary does not say what is late"

# ---- as Markdown and HTML ----
ends 1 --as ines coverage --format markdown
says "## Clauses of ISO/IEC 27001"
says "| 4.2 |"
ends 1 --as ines coverage --format html
says "<h2>Processes (4.4)</h2>"
says "</html>"
ends 2 --as ines coverage --format pdf
ends 0 down
ends 3 --as ines coverage

told "coverage says what is proved, missing and late"
