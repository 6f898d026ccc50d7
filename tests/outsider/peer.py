# Workers and a client as engine/PROTOCOL.md describes them, with pyzmq and the standard library.
import hashlib
import json
import os
import time

import ed25519
import zmq
import zmq.auth
from values import encode, from_json, to_json

HOME = os.environ["ROTA_DIR"]
PATIENCE_S = 60


def packed(value):
    return json.dumps(to_json(value)).encode()


def connected(kind, name, where):
    """A socket of the person or worker `name`, with the key in the organisation's directory."""
    socket = zmq.Context.instance().socket(kind)
    socket.linger = 1000
    socket.curve_serverkey, _ = zmq.auth.load_certificate(f"{HOME}/keys/engine.pub")
    socket.curve_publickey, socket.curve_secretkey = zmq.auth.load_certificate(f"{HOME}/keys/{name}.key")
    socket.connect(f"ipc://{HOME}/run/{where}")
    return socket


# ---- workers ----

class Worker:
    """MDP 0.1: an empty frame in front, and the codes of RFC 7."""

    front, version = [b"", b"MDPW01"], 1
    verbs = {"READY": 1, "REQUEST": 2, "REPLY": 3, "HEARTBEAT": 4, "DISCONNECT": 5}

    def __init__(self, name, service, options=None):
        self.options, self.acked, self.cancelled = options, set(), set()
        self.socket = connected(zmq.DEALER, name, "front")
        self.say("READY", service.encode(), *([packed(dict(options, v=1))] if options else []))

    def say(self, verb, *frames):
        self.socket.send_multipart([*self.front, bytes([self.verbs[verb]]), *frames])

    def beat(self, **what):
        self.say("HEARTBEAT", *([packed(dict(what, v=1))] if self.options else []))

    def hear(self, wait_ms):
        if not self.socket.poll(wait_ms):
            return None, []
        frames = self.socket.recv_multipart()
        assert frames[: len(self.front)] == self.front, frames
        verb, rest = frames[len(self.front)], frames[len(self.front) + 1 :]
        name = next(name for name, code in self.verbs.items() if code == verb[0])
        if name == "HEARTBEAT":
            said = json.loads(rest[0]) if self.options else None
            assert self.options or not rest, "a plain worker is sent nothing beyond Majordomo"
            if said:
                self.acked |= set(said.get("ack", []))
                self.cancelled |= set(said.get("cancel", []))
        return name, rest

    def task(self, running=()):
        """The next task: its token, header (None for a plain worker) and input."""
        return self.until(lambda name, rest: name == "REQUEST", running)

    def until(self, is_it, running=()):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            name, rest = self.hear(500)
            if name and is_it(name, rest):
                token, *bodies = [rest[0].decode(), *map(json.loads, rest[2:])] if name == "REQUEST" else [None]
                return (token, bodies[0] if len(bodies) == 2 else None, bodies[-1] if bodies else None)
            self.beat(running=list(running))
        raise AssertionError("the engine did not say it")

    def answer(self, token, output=None, **header):
        """Gives the result; one with a header is kept until the engine has it on the disk."""
        frames = ([packed(dict(header, v=1))] if header else []) + [packed(output or {})]
        self.say("REPLY" if self.version == 1 else "FINAL", token.encode(), b"", *frames)
        if self.options:
            self.until(lambda *_: token in self.acked)

    def leave(self):
        self.say("DISCONNECT")
        self.socket.close()


class Worker02(Worker):
    """MDP 0.2 as RFC 18 has it: no empty frame."""

    front, version = [b"MDPW02"], 2
    verbs = {"READY": 1, "REQUEST": 2, "PARTIAL": 3, "FINAL": 4, "HEARTBEAT": 5, "DISCONNECT": 6}


class Worker02Empty(Worker02):
    """The same behind an empty frame."""

    front = [b"", b"MDPW02"]


# ---- a client ----

class Client:
    def __init__(self, name):
        self.name, self.socket, self.number = name, connected(zmq.REQ, name, "front"), 0

    def ask(self, service, body):
        self.socket.send_multipart([b"MDPC01", service.encode(), body if isinstance(body, bytes) else packed(body)])
        assert self.socket.poll(PATIENCE_S * 1000), f"no answer of {service}"
        protocol, echoed, status, *rest = self.socket.recv_multipart()
        assert (protocol, echoed) == (b"MDPC01", service.encode())
        return int(status), from_json(json.loads(rest[0])) if rest else None

    def new_id(self):
        self.number += 1
        return f"outsider.{os.getpid()}.{self.name}.{self.number}"

    def command(self, command, id=None, **keys):
        return self.ask("rota.command.v1", {"v": 1, "id": id or self.new_id(), "command": command, **keys})

    def done(self, command, **keys):
        status, said = self.command(command, **keys)
        assert status == 200, said
        return said["out"]

    def query(self, query, **args):
        status, said = self.ask("rota.query.v1", {"v": 1, "query": query, "args": args})
        assert status == 200, said
        return said["out"]

    def events(self, start, **how):
        status, said = self.ask("rota.events.v1", {"v": 1, "from": start, **how})
        assert status == 200, said
        return said["out"]

    def key(self, which):
        with open(f"{HOME}/keys/{self.name}.key") as file:
            return next(bytes.fromhex(line.split('"')[1]) for line in file if which in line)

    def decide(self, event, record, **more):
        """A signed event; `more` into the arguments, before they are signed."""
        asked = self.query("prepare", record=record, event=event)
        args = {key: asked[key] for key in ("meaning", "digest", "round", "under") if key in asked}
        args["key"] = hashlib.sha256(self.key("ed25519-public")).digest()
        args["statement"] = hashlib.sha256(asked["statement"].encode()).digest()
        args.update(more)
        id = self.new_id()
        command_id = hashlib.sha256(b"rota.id/1\n" + encode([self.name, id])).digest()[:16]
        content = args["reason"]["content"] if "reason" in args else None
        signed = [asked["origin"], command_id, asked["type"], asked["stream"], asked["rev"], self.name, args, content]
        signature = ed25519.sign(self.key("ed25519-seed"), b"rota.command/1\n" + encode(signed))
        return self.command(event, id, record=record, args=args, signature=signature)
