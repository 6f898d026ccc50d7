"""A mail server for the tests: prints its port, keeps what it accepts in the folder that is named.

refused@... gets 550, later@... gets 451; everything else is accepted and written to <n>.eml as it came.
It ends when its standard input does."""
import socket
import sys

from aiosmtpd.controller import Controller


class Keeper:
    def __init__(self, folder):
        self.folder, self.count = folder, 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused@"):
            return "550 5.1.1 no such user"
        if address.startswith("later@"):
            return "451 4.2.0 try again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        with open(f"{self.folder}/{self.count}.eml", "wb") as out:
            out.write(f"X-Rcpt: {','.join(envelope.rcpt_tos)}\r\n".encode() + envelope.content)
        return "250 OK"


with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
controller = Controller(Keeper(sys.argv[1]), hostname="127.0.0.1", port=port)
controller.start()
sys.stdout.write(f"{port}\n")
sys.stdout.flush()
sys.stdin.read()
controller.stop()
