#!/usr/bin/python3
# Workers and a client written from engine/PROTOCOL.md against the sample organisation: each promise of the page, asked for.
# Needs workers `one` and `two` in the directory that may serve audit.collect, and sdk_lease_ms = 6000.
import datetime
import hashlib
import os
import time

import zmq
from peer import Client, Worker, Worker02, Worker02Empty, connected

ines, tomas, amara = map(Client, ("ines", "tomas", "amara"))
OURS = {"name": "outsider", "version": "1", "credit": 1, "envelope": True}


def day(n):
    return (datetime.date.fromisoformat(ines.query("info")["today"]) + datetime.timedelta(n)).isoformat()


def audit():
    """An audit whose beginning asks for a task of audit.collect."""
    fields = {"objectives": "Does it serve?", "criteria": ["A.8.8"], "scope": "A host", "auditors": ["tomas", "yuki"],
              "auditee_owner": "pavel", "cause": "A new worker", "planned_start": day(1), "planned_end": day(5),
              "collect_from": "build01.lumiere-analytics.example"}
    record = tomas.done("open", args={"kind": "audit", "title": "Evidence", "fields": fields})["record"]
    tomas.done("approve_plan", record=record)
    tomas.done("begin", record=record)
    return record


def collecting(record, **more):
    return ines.query("tasks", record=record, service="audit.collect", **more)


def outcome(record):
    """What one of our workers gave for the record's task, as the journal has it."""
    done = [entry for entry in ines.query("log", record=record)["entries"] if entry["type"] == "task.done"]
    return [entry["body"]["out"] for entry in done if entry["actor"] in ("one", "two")]


def a_plain_worker_serves():
    for dialect in Worker, Worker02, Worker02Empty:
        worker = dialect("one", "audit.collect")
        record = audit()
        token, header, given = worker.task()
        assert header is None and given["host"] == "build01.lumiere-analytics.example", given
        assert [task["worker"] for task in collecting(record, state="leased")] == ["one"]
        assert collecting(record, state="open") == []
        worker.answer(token, {"by": dialect.__name__})
        while collecting(record):
            worker.hear(100)
        assert outcome(record) == [{"by": dialect.__name__}]
        worker.leave()


def options_say_more():
    for dialect in Worker, Worker02, Worker02Empty:
        worker = dialect("one", "audit.collect", OURS)
        record = audit()
        token, header, _ = worker.task()
        assert (header["record"], header["service"], header["attempt"]) == (record, "audit.collect", 1), header
        key = header["key"]
        if dialect.version == 2:
            worker.say("PARTIAL", token.encode(), b"", b'{"v":1,"progress":40,"note":"page 4 of 10"}')
        worker.answer(token, status=503, message="quota", retry_ms=100)
        assert [task["failures"] for task in collecting(record)] == [0], "busy is no failure"
        token, header, _ = worker.task()
        assert header["key"] == key
        worker.answer(token, status=500, message="broke")
        assert [(task["failures"], task["note"]) for task in collecting(record)] == [(1, "broke")]
        token, header, _ = worker.task()
        worker.answer(token, status=422, message="no such host")
        assert [(task["state"], task["note"]) for task in collecting(record)] == [("parked", "no such host")]
        worker.leave()


def a_lease_is_renewed_or_runs_out():
    one = Worker("one", "audit.collect", OURS)
    record = audit()
    token, header, _ = one.task()
    end = time.monotonic() + 1.5 * header["lease_ms"] / 1000
    while time.monotonic() < end:  # longer than the lease, and renewed
        one.beat(running=[token])
        one.hear(500)
    assert [task["worker"] for task in collecting(record, state="leased")] == ["one"] and not one.cancelled
    late, (token, _, _) = token, one.task()  # no heartbeat names it any more
    assert late in one.cancelled and token != late
    one.say("REPLY", late.encode(), b"", b'{"v":1,"status":200}', b'{"late":true}')
    two = Worker("two", "audit.collect", OURS)
    one.leave()  # it goes to the other, and is not held against the one
    token, header, _ = two.task()
    assert [task["failures"] for task in collecting(record)] == [1]
    two.answer(token, {"by": "two"}, status=200)
    assert outcome(record) == [{"by": "two"}]
    two.leave()


def what_is_handed_over_waits():
    worker = Worker("one", "audit.collect", OURS)
    record = audit()
    token, _, _ = worker.task()
    worker.answer(token, status=202, until=ines.query("info")["now_ms"] + 3600000)
    assert len(collecting(record, state="handed_over")) == 1
    ines.done("task.cancel", args={"task": collecting(record)[0]["task"], "reason": said(ines, b"Enough")})
    worker.leave()


def an_output_that_cannot_be_kept_is_no_success():
    worker = Worker("one", "audit.collect")
    for output, why in ({"ratio": 0.5}, "fraction"), ({"text": "x" * 17000}, "bytes"):
        record = audit()
        token, _, _ = worker.task()
        worker.answer(token, output)
        while not collecting(record, state="parked"):
            worker.hear(100)
        assert why in collecting(record)[0]["note"], collecting(record)
    worker.leave()


def who_may_not_serve_is_disconnected():
    worker = Worker("one", "communication.deliver")
    worker.until(lambda name, _: name == "DISCONNECT")
    worker.socket.close()


def said(client, text):
    """A text put up, as it is named in arguments."""
    salt = os.urandom(16)
    out = client.done("content.put", args={"data": text, "salt": salt})
    assert out == {"content": hashlib.sha256(b"rota.content/1\n" + salt + text).digest(), "size": len(text)}
    return out


def commands():
    open_it = {"kind": "finding", "title": "Door left open", "fields": {}}
    id = tomas.new_id()
    status, first = tomas.command("open", id, args=open_it)
    assert status == 200 and first["id"] == id and len(first["hash"]) == 32, first
    status, again = tomas.command("open", id, args=open_it)
    assert status == 200 and again.pop("duplicate") is True and again == first
    record = first["out"]["record"]
    for want, code, keys in (
        (409, "id-reused", dict(command="open", id=id, args=dict(open_it, title="Another"))),
        (400, "unknown-key", dict(command="open", args=open_it, recrod=record)),
        (409, "revision-mismatch", dict(command="edit", record=record, if_revision=7, args={"title": "New"})),
        (504, "deadline-passed", dict(command="edit", record=record, deadline=1000, args={"title": "New"})),
        (404, "no-record", dict(command="edit", record="FND-0999", args={"title": "New"})),
        (405, "unknown-command", dict(command="nothing", record=record)),
        (400, "malformed", dict(command="edit", id="short", record=record, args={"title": "New"})),
        (403, "not-allowed", dict(command="dismiss", record=record, args={"reason": said(amara, b"No")}, as_=amara)),
        (426, "version", dict(command="edit", record=record, v=2)),
    ):
        status, answer = keys.pop("as_", tomas).command(**keys)
        assert (status, answer["code"]) == (want, code), (keys, answer)
    assert tomas.command("edit", record=record, args={"title": "New"}, trace="t", **{"x-mine": 1})[0] == 200
    assert tomas.query("show", record=record)["title"] == "New"
    assert tomas.ask("mmi.service", b"rota.nobody") == (404, None)
    assert tomas.ask("mmi.service", b"communication.deliver") == (200, None)
    assert tomas.ask("mmi.other", b"")[0] == 501
    assert tomas.ask("communication.deliver", {"v": 1})[0] == 403
    halves = os.urandom(700), os.urandom(600)
    salt = os.urandom(16)
    assert tomas.command("content.put", args={"upload": "u", "part": 0, "data": halves[0]})[0] == 202
    whole = tomas.done("content.put", args={"upload": "u", "part": 1, "data": halves[1], "salt": salt, "last": True})
    assert whole["content"] == hashlib.sha256(b"rota.content/1\n" + salt + b"".join(halves)).digest()


def a_decision_is_signed():
    with open(os.environ["PARTIES"]) as file:
        record = file.read().strip()
    assert ines.done("submit", record=record)["round"] == 1
    status, refused = ines.decide("approve", record)
    assert (status, refused["code"]) == (403, "separation-of-duties"), refused
    status, answer = amara.decide("approve", record, reason=said(amara, b"As discussed"))
    assert status == 200 and answer["out"]["state"] == "approved", answer
    vote, granted = [entry for entry in ines.query("log", record=record)["entries"] if entry["type"] == "record.approve"]
    assert vote["actor"] == "amara" and vote["signed"] and vote["seq"] == answer["seq"]
    assert granted["actor"] == "engine" and granted["cause"] == vote["seq"]


def events_are_followed():
    feed = connected(zmq.SUB, "tomas", "feed")
    feed.setsockopt(zmq.SUBSCRIBE, b"")
    assert feed.poll(60000) and feed.recv_multipart()[0].startswith(b"_welcome/")
    record = tomas.done("open", args={"kind": "finding", "title": "Heard", "fields": {}})["record"]
    topic = b""
    while not topic.startswith(f"record/finding/{record}/open/".encode()):
        assert feed.poll(60000)
        topic, *rest = feed.recv_multipart()
    heard = int.from_bytes(rest[0], "big")
    seen, start = [], 0
    while not seen or seen[-1]["sequence"] < heard:
        page = tomas.events(start, max=7)
        seen, start = seen + page["events"], page["next"]
    assert [event["sequence"] for event in seen[: heard + 1]] == list(range(heard + 1)), "replay misses nothing"
    before = {}
    for event in seen:
        name = event["type"].split(".")[1]
        assert event["prev"] == before.get(name, -1), event
        before[name] = event["sequence"]
    assert seen[heard]["type"] == "rota.record.open" and seen[heard]["data"]["record"] == record
    only = tomas.events(0, filter="record/finding/")["events"]
    assert only and all(event["type"].startswith("rota.record.") for event in only)
    page = {"events": [None], "next": start}
    while page["events"]:  # until there is nothing for a moment: then the answer waits, and comes empty
        start = page["next"]
        page = tomas.events(start, wait_ms=200)
    assert page["next"] == start == page["head"] + 1, page



for promise in (commands, a_decision_is_signed, events_are_followed, a_plain_worker_serves, options_say_more,
                a_lease_is_renewed_or_runs_out, what_is_handed_over_waits, an_output_that_cannot_be_kept_is_no_success,
                who_may_not_serve_is_disconnected):
    promise()
    print(promise.__name__.replace("_", " "))
