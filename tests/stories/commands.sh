#!/bin/sh
# Every command of `rota`, from the program's own list, so that a new one cannot be forgotten: its help fits a terminal, the
# manual has it and its options, and with --json each of its forms says nothing but JSON. What is missing here is named.
set -u
. "$(dirname "$0")/house.inc"
work=${ROTA_DIR%/org}
manual=$build/rota.1 # with what `rota help --man` says

ends 0 help --json
is_json "$out" || wrong "rota help --json: not JSON"
cp "$out" "$work/commands"

# ---- help: whole sentences, no line over the edge, the manual agrees ----
cat >"$work/walk.py" <<'WALK'
import json, os, re, struct, subprocess, sys
commands, manual, columns = sys.argv[1], open(sys.argv[2]).read(), int(sys.argv[3])
try:
    import fcntl, pty, termios
    pty.openpty()
except OSError:
    pty = None
bad = []

def at_terminal(words):
    """What the program says in a terminal of so many columns."""
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        os.execvp(words[0], words)
    said = b""
    while True:
        try:
            piece = os.read(fd, 65536)
        except OSError:
            break
        if not piece:
            break
        said += piece
    os.waitpid(pid, 0)
    return said.decode().replace("\r\n", "\n")

def fits(words):
    if pty is None:
        return
    for line in at_terminal(words).split("\n"):
        if len(line) > columns or line.endswith(" "):
            bad.append("%s: %r" % (" ".join(words), line))

fits(["rota", "help"])
for program in ("rotad", "rota-verify", "rota-approval", "rota-communication", "rota-audit", "rota-exec"):
    fits([program, "--help"])
for line in open(commands):
    command = json.loads(line)
    name = command["command"]
    fits(["rota", name, "--help"])
    fits(["rota", name, "--no-such-option"])
    if not re.search(r"^\.It Cm %s( |$)" % name, manual, re.M):
        bad.append("rota.1 does not have %s" % name)
    if not command["summary"] or not command["group"]:
        bad.append("%s: no summary, or in no group" % name)
    for option in command["options"]:
        if not option["help"]:
            bad.append("%s %s: no help" % (name, option["name"]))
    alone = subprocess.run(["rota", "--json", name, "--help"], capture_output=True, text=True)
    if alone.returncode != 0 or alone.stderr or json.loads(alone.stdout) != command:
        bad.append("rota %s --help: exit %d" % (name, alone.returncode))
print("\n".join(bad))
sys.exit(bool(bad))
WALK
"$python" "$work/walk.py" "$work/commands" "$manual" 80 >"$out" 2>"$err" || wrong "help and manual"

if command -v mandoc >/dev/null; then
    mandoc -T lint -W warning "$manual" $(find engine workers tools -name '*.1' ! -name rota.1) >"$out" 2>"$err" || wrong "manuals"
fi

# ---- --json: every form of every command ----
# A form is named by its command and the small word it begins with: "key new". row FORM STATUS ARGUMENTS...
row() {
    form=$1 status=$2
    shift 2
    echo "$form" >>"$work/rows"
    ends "$status" --json "$@"
    { echo "# rota --json $*"; cat "$out"; } >>"$work/said"
}
# The same, and something must be said.
says_row() {
    row "$@"
    shift 2
    [ -s "$out" ] || wrong "rota --json $*: says nothing"
}
sign() { ends 0 --as "$@"; }

says_row init 0 init "$ROTA_DIR" --sample
sample=$ROTA_DIR/sample
says_row up 0 up
says_row status 0 status
export ROTA_AS=ines
says_row open 0 open
says_row open 0 open finding --template
says_row open 0 open --from "$sample/interested_parties.cfg"
says_row edit 0 edit IPR-0001 --title "Parties"
says_row attach 0 attach IPR-0001 "$sample/annex.txt"
says_row submit 0 submit IPR-0001
says_row inbox 0 --as amara inbox
says_row return 0 --as amara return IPR-0001 --reason "Not yet"
sign ines submit IPR-0001
says_row refuse 0 --as henrik refuse IPR-0001 --reason "Begin anew"
sign ines open --from "$sample/interested_parties.cfg"
sign ines submit IPR-0002
says_row approve 0 --as amara approve IPR-0002
says_row break-glass 0 --as nina break-glass IPR-0002 put_in_force --reason "Dmitri is on a plane"
says_row proposals 0 proposals
says_row "proposals end" 0 proposals end 1 --reason "He has landed"
says_row do 0 --as dmitri do IPR-0002 put_in_force
says_row show 0 show IPR-0002
says_row log 0 log IPR-0002
says_row list 0 list
says_row find 0 find parties
says_row diff 0 diff IPR-0002 IPR-0001
says_row why 0 why IPR-0002 start_review
says_row watch 0 watch --from 0 --count 2
says_row draw 0 draw finding
says_row draw 0 draw IPR-0002 --format mermaid
says_row draw 0 draw --map -o "$work/map.svg"
says_row check 0 check
says_row eval 0 eval "1 + 1"
says_row simulate 0 simulate "$sample/scenarios/three_years.cfg" --until "1 month" --quiet
says_row coverage 1 coverage
says_row workers 0 workers
says_row services 0 services
row tasks 0 tasks
says_row people 0 people
says_row "person list" 0 person list

# ---- the scope, its staff who are told, an audit ----
sign ines open --from "$sample/scope_statement.cfg"
sign ines edit SCP-0001 requirements_considered=IPR-0002@1.0 "effective_from=$(in_days 7)"
sign ines submit SCP-0001
sign amara approve SCP-0001
sign henrik approve SCP-0001
says_row "clock advance" 0 clock advance "8 days"
says_row ack 0 --as bo ack ACK-0001
until_says parked --as ines tasks
task=$(rota tasks --json | sed -n '1s/.*"task":\([0-9]*\).*/\1/p')
says_row "task redrive" 0 task redrive "$task" --reason "The name is mended"
until_says parked --as ines tasks
says_row "task cancel" 0 task cancel "$task" --reason "They have left"
sign tomas open audit --title "Hosts" objectives="O" criteria=A.8.8 scope="S" auditors=tomas,yuki auditee_owner=pavel \
    cause="Yearly" "planned_start=$(in_days 1)" "planned_end=$(in_days 2)"
sign tomas do AUD-0001 approve_plan
sign tomas do AUD-0001 begin
says_row "import lynis" 0 --as tomas import lynis "$sample/lynis-report.dat" --audit AUD-0001
says_row hand-over 0 hand-over IPR-0002 --to sofia --reason "She knows them"
says_row withdraw 0 --as amara withdraw SCP-0001 --reason "Merged"

# ---- people and keys ----
says_row delegate 0 delegate sofia --reason "On leave"
says_row "delegate list" 0 delegate list
says_row "delegate end" 0 delegate end DEL-0001
sign ines open --from "$sample/context_issues.cfg"
says_row waive 0 --as amara waive CTX-0001 SOD-1 --for ines --reason "Nobody else" --check "Read by counsel"
says_row waivers 0 waivers
says_row waive 0 --as amara waive CTX-0001 --end 1 --reason "Somebody else can"
says_row "key list" 0 key list
says_row "key roots" 0 key roots
says_row "key new" 0 key new new --unsealed
printf 'a passphrase\n' >"$work/passphrase"
ROTA_PASSPHRASE_FILE=$work/passphrase says_row "key seal" 0 key seal new
says_row "key root" 0 key root third --to "$work" --unsealed
says_row "key request" 0 key request nina --key "$ROTA_DIR/keys/new.pub" --to "$work/nina.enrolment"
says_row "key endorse" 0 key endorse "$work/nina.enrolment" --with "$ROTA_DIR/keys/nina.key"
says_row "key enrol" 0 key enrol "$work/nina.enrolment"
says_row "key rotate" 0 --as yuki key rotate --unsealed
says_row "key revoke" 0 key revoke yuki --reason "Lost"
says_row "worker new" 0 worker new helper --service exec.helper

# ---- workflows and operation ----
sed 's/every = "12 months"/every = "6 months"/' "$ROTA_DIR/pack/documents/interested_parties.cfg" >"$work/changed"
mv "$work/changed" "$ROTA_DIR/pack/documents/interested_parties.cfg"
says_row "pack install" 0 pack install --reason "Twice a year"
says_row agree 0 --as marta agree 2
says_row pack 0 pack
says_row "pack list" 0 pack list
says_row migrate 0 migrate IPR-0002 --reason "As the others"
says_row reload 0 reload
says_row checkpoint 0 checkpoint
says_row backup 0 backup "$work/copy.db"
says_row verify 0 verify "$work/copy.db"
says_row drain 0 drain
says_row resume 0 resume
says_row "completion bash" 0 completion bash
says_row help 0 help
says_row help 0 help show
says_row stop 0 stop
says_row down 0 down
says_row salvage 0 salvage
cp "$ROTA_DIR/journal.db" "$work/copy.db"
says_row restore 0 restore "$work/copy.db"
echo "completion words" >>"$work/rows" # lines for the shell: completion.sh

"$python" - "$work/commands" "$work/rows" "$work/said" <<'END' >"$out" 2>"$err" || wrong "no object a line, or forms that nobody tried with --json"
import json, sys
bad, asked = 0, ""
for line in open(sys.argv[3]):
    if line.startswith("# "):
        asked = line.strip()
        continue
    try:
        bad += not isinstance(json.loads(line), dict) and not print(asked, line)
    except ValueError:
        bad += not print(asked, "is not JSON:", line)
tried = set(open(sys.argv[2]).read().split("\n"))
forms = set()
for line in open(sys.argv[1]):
    command = json.loads(line)
    for usage in command["usage"]:
        word = usage.strip("[").split(" ")[0].strip("]")
        forms.add((command["command"] + " " + (word if word.isalpha() and word.islower() else "")).strip())
left = sorted(forms - tried)
print("\n".join(left))
sys.exit(bool(left or bad))
END
told "every command has help, a manual and JSON"
