#!/usr/bin/python3
# mdworker.py - a Majordomo worker as the ZeroMQ Guide has them (MDP 0.1, RFC 7), that knows nothing of this engine:
#     mdworker.py ENDPOINT SERVICE [MILLISECONDS-OF-WORK]
# Echoes each request; prints "task" when it begins one and "done" when it has answered.
import sys, time
import zmq

READY, REQUEST, REPLY, HEARTBEAT, DISCONNECT = b"\1", b"\2", b"\3", b"\4", b"\5"
BEAT_MS, LIVENESS = 300, 3


class Worker:
    def __init__(self, endpoint, service, work_ms):
        self.endpoint, self.service, self.work_ms = endpoint, service.encode(), work_ms
        self.context, self.socket = zmq.Context(), None
        self.connect()

    def connect(self):
        if self.socket is not None:
            self.socket.close(linger=100)
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.connect(self.endpoint)
        self.liveness = LIVENESS
        self.say(READY, self.service)

    def say(self, *frames):
        self.socket.send_multipart([b"", b"MDPW01", *frames])

    def turn(self):
        if not self.socket.poll(BEAT_MS):
            self.liveness -= 1
            if self.liveness == 0:
                self.connect()
            self.say(HEARTBEAT)
            return
        self.liveness = LIVENESS
        _, _, code, *rest = self.socket.recv_multipart()
        if code == REQUEST:
            print("task", flush=True)
            time.sleep(self.work_ms / 1000)
            self.say(REPLY, *rest)
            print("done", flush=True)
        elif code == DISCONNECT:
            self.connect()


worker = Worker(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0)
while True:
    worker.turn()
