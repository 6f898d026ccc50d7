#!/usr/bin/python3
# A journal read by somebody who has engine/JOURNAL.md and nothing else: every leaf, the tree, each checkpoint, what people
# signed, the state as the fold of the effects. `journal.py FILE`; says what it found, or what does not hold and ends with 4.
import base64
import hashlib
import sqlite3
import sys

import ed25519
from values import decode, encode

FIELDS = "tag seq time_us type stream rev actor auth command_id cause body effects content actor_sig".split()


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def must(holds, *what):
    if not holds:
        print("does not hold:", *what)
        sys.exit(4)


# ---- the tree (RFC 9162): complete subtrees from the left, the largest first ----

class Tree:
    def __init__(self):
        self.size, self.edge, self.nodes, self.roots = 0, [], {}, {}

    def add(self, leaf):
        node, level, place = sha256(b"\0", leaf), 0, self.size
        while place & 1:
            node, level, place = sha256(b"\1", self.edge.pop(), node), level + 1, place >> 1
            self.nodes[level, place] = node
        self.edge.append(node)
        self.size += 1

    def root(self):
        node = self.edge[-1]
        for left in reversed(self.edge[:-1]):
            node = sha256(b"\1", left, node)
        return node


# ---- the fold ----

def merged(row, patch):
    row = dict(row) if isinstance(row, dict) else {}
    for key, value in patch.items():
        if value is None:
            row.pop(key, None)
        else:
            row[key] = merged(row.get(key), value) if isinstance(value, dict) else value
    return row


def fold(state, leaf):
    effects, stream = leaf["effects"] or {}, leaf["stream"]
    for key in sorted(effects, key=str.encode):
        if key == "^":
            continue
        name = key or stream
        if effects[key] is None:
            state.pop(name, None)
        else:
            state[name] = merged(state.get(name), effects[key])
    if "" not in effects or effects[""] is not None:
        state.setdefault(stream, {})["rev"] = leaf["rev"]
    for record in effects.get("^", {}):
        if record in state:
            state[record]["last"] = leaf["seq"]


# ---- signatures ----

def signed_note(note, log_key):
    text, lines = note.split("\n\n", 1)
    origin, size, root = text.split("\n")
    for line in lines.splitlines():
        name, signature = line[2:].split(" ")
        raw = base64.b64decode(signature)
        if name == origin and raw[:4] == sha256(name.encode(), b"\n\x01", log_key)[:4]:
            must(ed25519.holds(log_key, (text + "\n").encode(), raw[4:]), "the signature of checkpoint", size)
            return origin, int(size), base64.b64decode(root)
    must(False, "checkpoint", size, "is not signed by the log")


def ssh_message(message):
    parts = b"rota", b"", b"sha512", hashlib.sha512(message).digest()
    return b"SSHSIG" + b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def person_signed(origin, leaf, key):
    body = leaf["body"]
    message = b"rota.command/1\n" + encode([origin] + [leaf[f] for f in ("command_id", "type", "stream")] +
                                           [leaf["rev"] - 1, leaf["actor"], body, leaf["content"]])
    if body.get("sig_format") == "sshsig":
        message = ssh_message(message)
    must(body["key"] == sha256(key), "entry", leaf["seq"], "names another key")
    must(ed25519.holds(key, message, leaf["actor_sig"]), "the signature of entry", leaf["seq"])


def main(path):
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    db.execute("BEGIN")  # one moment of it, also while an engine writes
    tree, state, runs, signed, time_us, revs = Tree(), {}, [], 0, 0, {}
    notes = dict(db.execute("SELECT size, note FROM checkpoint"))
    for seq, raw in db.execute("SELECT seq, entry FROM journal ORDER BY seq"):
        leaf = dict(zip(FIELDS, decode(bytes(raw))))
        must(leaf["tag"] == "rota.leaf/1" and leaf["seq"] == seq == tree.size, "the place of entry", seq)
        must(leaf["time_us"] >= time_us, "the time of entry", seq)
        must(leaf["rev"] == revs.get(leaf["stream"], 0) + 1, "the rev of entry", seq)
        time_us, revs[leaf["stream"]] = leaf["time_us"], leaf["rev"]
        if seq == 0:
            origin, log_key = leaf["body"]["origin"], leaf["body"]["log_key"]
        if leaf["actor_sig"] is not None:
            person_signed(origin, leaf, state["person/" + leaf["actor"]]["sign"])
            signed += 1
        fold(state, leaf)
        tree.add(bytes(raw))
        if not runs or runs[-1][0] != leaf["command_id"]:
            runs.append((leaf["command_id"], seq))
        if tree.size in notes:
            tree.roots[tree.size] = tree.root()
    for size, note in notes.items():
        note = note if isinstance(note, str) else bytes(note).decode()
        must(signed_note(note, log_key) == (origin, size, tree.roots.get(size)), "checkpoint", size)
    nodes = {(level, idx): bytes(h) for level, idx, h in db.execute("SELECT level, idx, hash FROM node")}
    must(nodes == tree.nodes, "table node")
    rows = {key: decode(bytes(row)) for key, row in db.execute("SELECT key, row FROM state")}
    for key in sorted(rows.keys() | state.keys()):
        must(rows.get(key) == state.get(key), "row", key, rows.get(key), "is not the fold", state.get(key))
    ids = b"".join(bytes(ids) for _, ids in db.execute("SELECT block, ids FROM command ORDER BY block"))
    must(ids == b"".join(short(command) + seq.to_bytes(6, "big") for command, seq in runs), "table command")
    contents = 0
    for name, salt, data in db.execute("SELECT hash, salt, data FROM content"):
        must(sha256(b"rota.content/1\n", bytes(salt), bytes(data)) == bytes(name), "content", bytes(name).hex())
        contents += 1
    people = b"".join(encode(state[key]) for key in sorted(state) if key.startswith("person/"))
    must(state["directory"]["whole"] == sha256(b"rota.directory/1\n", people), "the digest of all people")
    for key in state:
        if key.startswith("pack/"):
            files = decode(bytes(db.execute("SELECT data FROM content WHERE hash = ?",
                                            (state[key]["pack"]["content"],)).fetchone()[0]))
            must(sha256(b"rota.pack/1\n", encode([[path, sha256(raw)] for path, raw in files])).hex() == key[5:], key)
    print(f"{tree.size} entries, root {base64.b64encode(tree.root()).decode()}, {len(notes)} checkpoints, "
          f"{signed} signatures of people, {len(rows)} rows, {len(runs)} runs, {contents} contents: all hold")


def short(command_id):
    a, b = (int.from_bytes(half, "big") for half in (command_id[:8], command_id[8:]))
    x = a ^ (b * 0x9E3779B97F4A7C15 & (1 << 64) - 1)
    return (x ^ x >> 29).to_bytes(8, "big")


main(sys.argv[1])
