#!/usr/bin/python3
# A worker in Python: pyzmq and MDP 0.1, nothing else. Start it on the engine's socket without keys (`plain` in rotad.cfg):
#     python3 greeter.py tcp://127.0.0.1:5556 demo.greet
# or with CURVE, from the organisation's directory, as a worker that may serve the service (here the sample's):
#     python3 greeter.py ipc://run/front audit.collect keys/collector.key keys/engine.pub
import json
import sys
import time

import zmq
import zmq.auth

READY, REQUEST, REPLY, HEARTBEAT, DISCONNECT = b"\1", b"\2", b"\3", b"\4", b"\5"


def connect(endpoint, service, *keys):
    socket = zmq.Context.instance().socket(zmq.DEALER)
    socket.linger = 0
    if keys:
        socket.curve_publickey, socket.curve_secretkey = zmq.auth.load_certificate(keys[0])
        socket.curve_serverkey, _ = zmq.auth.load_certificate(keys[1])
    socket.connect(endpoint)
    socket.send_multipart([b"", b"MDPW01", READY, service.encode()])
    return socket, time.monotonic()


socket, heard = connect(*sys.argv[1:])
while True:
    kind = None
    if socket.poll(2000):
        _, _, kind, *rest = socket.recv_multipart()
        heard = time.monotonic()
    if kind == REQUEST:  # rest: the lease token, an empty frame, the input
        answer = json.dumps({"greeting": f"{len(rest[2])} bytes of input, thank you"}).encode()
        socket.send_multipart([b"", b"MDPW01", REPLY, rest[0], b"", answer])
    socket.send_multipart([b"", b"MDPW01", HEARTBEAT])
    if kind == DISCONNECT or time.monotonic() - heard > 10:  # the engine is new or silent, or will not have us
        socket.close()
        time.sleep(1)
        socket, heard = connect(*sys.argv[1:])
