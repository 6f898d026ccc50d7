#!/usr/bin/python3
# A user's own worker: collects evidence for an audit. pyzmq and the Majordomo protocol (MDP 0.1), nothing else.
#     collector.py ENDPOINT KEY-FILE ENGINE-PUBLIC-KEY-FILE [SECONDS-OF-WORK]
import hashlib, json, platform, sys, time
import zmq, zmq.auth

READY, REQUEST, REPLY, HEARTBEAT, DISCONNECT = b"\1", b"\2", b"\3", b"\4", b"\5"


def connect(endpoint, key, engine):
    socket = zmq.Context.instance().socket(zmq.DEALER)
    socket.linger = 0
    socket.curve_publickey, socket.curve_secretkey = zmq.auth.load_certificate(key)
    socket.curve_serverkey, _ = zmq.auth.load_certificate(engine)
    socket.connect(endpoint)
    socket.send_multipart([b"", b"MDPW01", READY, b"audit.collect"])
    return socket


def collect(task, seconds):
    time.sleep(seconds)  # the work
    facts = f"{task['host']} {platform.system()} {platform.release()}"
    return {"host": task["host"], "sha256": hashlib.sha256(facts.encode()).hexdigest()}


arguments, seconds = sys.argv[1:4], float(sys.argv[4]) if len(sys.argv) > 4 else 0
socket = connect(*arguments)
while True:
    if not socket.poll(2000):
        socket.send_multipart([b"", b"MDPW01", HEARTBEAT])
        continue
    _, _, kind, *rest = socket.recv_multipart()
    if kind == REQUEST:  # rest: the lease token (echoed untouched), an empty frame, the input
        answer = json.dumps(collect(json.loads(rest[2]), seconds)).encode()
        socket.send_multipart([b"", b"MDPW01", REPLY, rest[0], b"", answer])
    elif kind == DISCONNECT:  # the engine is new: say again who we are
        socket.close()
        time.sleep(0.5)
        socket = connect(*arguments)
