#!/bin/sh
# A record of each kind, from tests/pack/records: opened from its file, shown as text, Markdown and HTML, listed. And a
# template of each kind that can be filled in.
set -u
. "$(dirname "$0")/house.inc"
work=${ROTA_DIR%/org}

# Somebody who may open this kind: for "anyone" and for what only the engine opens, the ISMS manager tries.
opener() {
    "$python" - "$1" "$work/kinds" "$work/people" <<'PY'
import json, sys
kind = next(k for k in map(json.loads, open(sys.argv[2])) if k["name"] == sys.argv[1])
by = [w for e in kind["events"] if e["creates"] for w in e["by"]]
people = [p for p in map(json.loads, open(sys.argv[3])) if p["kind"] == "person"]
may = [p["name"] for p in people for r in p.get("roles", []) if r in by]
print("ines" if "ines" in may or not may else may[0], "engine" if by == ["system"] else "person")
PY
}
# A page of HTML: every tag closed in its order, nothing fetched, nothing run.
is_page() {
    "$python" - "$out" <<'PY' 2>"$err"
import html.parser, sys
class Page(html.parser.HTMLParser):
    open, bad, seen = [], [], set()
    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        if tag not in ("meta", "br"): self.open.append(tag)
        if tag in ("script", "link", "img", "iframe") or any(a in ("src", "href") or a.startswith("on") for a, _ in attrs):
            self.bad.append(tag)
    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag: self.bad.append("/" + tag)
page = Page(); page.feed(open(sys.argv[1], encoding="utf-8").read()); page.close()
missing = {"html", "head", "title", "style", "body", "h1", "h2", "table"} - page.seen
sys.exit(f"bad {page.bad} open {page.open} missing {missing}" if page.bad or page.open or missing else 0)
PY
}

ends 0 init "$ROTA_DIR" --sample
ends 0 up
rota --as ines --json people >"$work/people" && rota --as ines --json open >"$work/kinds" || wrong "who is here, and which kinds?"
opened=0
# What others name comes first: a reference to what is not there is refused.
first="context_issues interested_parties scope_statement controlled_document controlled_document risk_assessment policy metric audit finding control_implementation scope_exclusions"
others=$(for file in tests/pack/records/*.json; do
    kind=$(basename "$file" .json)
    case " $first " in *" $kind "*) ;; *) echo "$kind" ;; esac
done)
for kind in $first $others; do
    file=tests/pack/records/$kind.json
    set -- $(opener "$kind")
    [ "$2" = person ] || continue
    ends 0 --as "$1" --json open --from "$file"
    id=$(sed -n 's/.*"record":"\([A-Z]*-[0-9]*[@0-9.]*\)".*/\1/p' "$out" | head -1)
    [ -n "$id" ] || { wrong "$kind: no record"; continue; }
    opened=$((opened + 1))
    ends 0 --as "$1" show "$id"
    says "$id"
    says "You may"
    ends 0 --as "$1" show "$id" --format markdown
    says "# $id"
    says "## History"
    ends 0 --as "$1" show "$id" --format html
    says "<h1>$id"
    is_page || wrong "$kind as HTML: $(cat "$err")"
    ends 0 --as "$1" list "$kind"
    says "$id"
    json --as "$1" show "$id"
    cp "$out" "$work/record.json"
    ends 0 eval "record.kind == '$kind' && has(record.title)" --kind "$kind" --with "$work/record.json"
done
[ "$opened" -ge 4 ] || wrong "only $opened kinds were opened"

# ---- templates: what is written there is what can be read ----
for kind in $(sed -n 's/.*"name":"\([a-z_]*\)","owner":.*/\1/p' "$work/kinds"); do
    ends 0 --as ines open "$kind" --template
    says "kind  = \"$kind\";"
    "$python" - "$out" >"$work/filled.cfg" <<'PY'
import re, sys
for line in open(sys.argv[1], encoding="utf-8"):   # the first of the values, a date, a name: as a person would
    line = re.sub(r'= "";( +# .*one of: ([^,;]+))', r'= "\2";\1', line)
    line = re.sub(r'= \[ \];( +# .*one of: ([^,;]+))', r'= ["\2"];\1', line)
    line = re.sub(r'= "";( +# .*"YYYY-MM-DD")', r'= "2027-03-01";\1', line)
    line = re.sub(r'= "";( +# .*"YYYY-MM-DDTHH:MM:SSZ")', r'= "2027-03-01T10:00:00Z";\1', line)
    line = re.sub(r'= "";( +# .*"30 days)', r'= "30 days";\1', line)
    line = re.sub(r'= "";( +# .*name of a person)', r'= "ines";\1', line)
    line = re.sub(r'= "";( +# .*role)', r'= "employee";\1', line)
    line = re.sub(r'= "";( +# .*(long )?text)', r'= "x";\1', line)
    line = re.sub(r'^( +)(\w+ = "";.*(id of|@path).*)', r'\1# \2', line)
    print(line.replace('title = "";', 'title = "Filled in";'), end="")
PY
    set -- $(opener "$kind")
    [ "$2" = person ] || continue
    ends 0 --as "$1" open --from "$work/filled.cfg"
done
ends 0 --as ines open finding --template
cp "$out" "$work/empty.cfg"
ends 4 --as ines open --from "$work/empty.cfg"
complains "empty.cfg:"

# ---- no character of a record becomes markup ----
ends 0 --as ines --json open action --title '<script>alert("1")</script> | *b* &amp;' task='a|b
# c
- d <i>' assignee=pavel due=2027-01-31
id=$(sed -n 's/.*"record":"\(ACT-[0-9]*\)".*/\1/p' "$out" | head -1)
ends 0 --as ines show "$id" --format html
says '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; | *b* &amp;amp;'
says '&lt;i&gt;'
is_page || wrong "an evil title: $(cat "$err")"
ends 0 --as ines show "$id" --format markdown
says '\<script\>alert("1")\</script\> \| \*b\* \&amp;'
says_not '<i>'
says 'a\|b'
ends 2 --as ines show "$id" --format pdf
ends 0 down

told "every kind is opened, shown and listed"
