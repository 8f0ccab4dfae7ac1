"""A mail server for the tests: takes letters and writes what it understood of them into a folder.

    python server.py PORT FOLDER MODE

MODE is accept, defer (refuses for now, the first two times), reject (refuses for ever), die (takes the letter and dies
before it says so) or auth (wants the user `user` with the password `pass`). It ends with its standard input.
"""

import email
import email.policy
import json
import os
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

port, folder, mode = int(sys.argv[1]), sys.argv[2], sys.argv[3]


def write(envelope):
    message = email.message_from_bytes(envelope.content, policy=email.policy.default)
    parts = [part for part in message.walk() if not part.is_multipart()]
    taken = {
        "from": envelope.mail_from,
        "to": envelope.rcpt_tos,
        "headers": [[name, str(value)] for name, value in message.items()],
        "type": message.get_content_type(),
        "parts": [{"type": part.get_content_type(), "text": part.get_content()} for part in parts],
        "defects": [repr(defect) for part in message.walk() for defect in part.defects],
    }
    name = os.path.join(folder, "%04d" % len(os.listdir(folder)))
    with open(name + ".part", "w") as file:
        json.dump(taken, file)
    os.rename(name + ".part", name + ".json")


class Handler:
    refused = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if mode == "reject":
            return "550 5.1.1 nobody here is called " + address
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if mode == "defer" and Handler.refused < 2:
            Handler.refused += 1
            return "451 4.3.0 come back later"
        write(envelope)
        if mode == "die":
            os._exit(1)
        return "250 2.0.0 Ok: queued as T3ST"


def authenticate(server, session, envelope, mechanism, data):
    return AuthResult(handled=False, success=(data.login, data.password) == (b"user", b"pass"))


settings = {"authenticator": authenticate, "auth_required": True, "auth_require_tls": False} if mode == "auth" else {}
controller = Controller(Handler(), hostname="127.0.0.1", port=port, **settings)
controller.start()
print("ready", flush=True)
sys.stdin.read()
controller.stop()
