"""Handshakes of a client whose socket does not block, one for each line "ADDRESS PORT": tells how long each took by its own clock,
how many calls it needed, and whether it failed."""

import json
import select
import socket
import ssl
import sys
import time


def shake(address, port, trusting):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE if trusting else ssl.CERT_REQUIRED
    connection = socket.create_connection((address, port))
    connection.setblocking(False)
    client = context.wrap_socket(connection, do_handshake_on_connect=False)
    calls, failed = 0, False
    began = time.monotonic_ns()
    while True:
        calls += 1
        try:
            client.do_handshake()
            break
        except ssl.SSLWantReadError:
            select.select([client], [], [])
        except ssl.SSLWantWriteError:
            select.select([], [client], [])
        except OSError:
            failed = True
            break
    took = time.monotonic_ns() - began
    client.close()
    return {"tookNs": took, "calls": calls, "failed": failed}


print("ready", flush=True)
for line in sys.stdin:
    address, port, trust = line.split()
    print(json.dumps(shake(address, int(port), trust == "trusting")), flush=True)
