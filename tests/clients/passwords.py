"""Python's requests: a user name and a password with `auth=`."""

import os
import time

import requests

URL = f"http://{os.environ['ADDRESS']}/orders/17"
# requests sends a `str` in ISO 8859-1, and bytes as they are.
PASSWORD = os.environ["PASSWORD"].encode()


def ask(auth):
    # A worker does not hash two passwords at once.
    time.sleep(0.05)
    response = requests.get(URL, auth=auth, timeout=30)
    print(response.status_code, response.headers.get("www-authenticate"), response.text)
    return response


allowed = ask(("alice", PASSWORD))
assert allowed.status_code == 200 and allowed.json()["path"] == "/orders/17"

allowed = ask(("jörg".encode(), PASSWORD))
assert allowed.status_code == 200
refused = ask(("jörg", PASSWORD))
assert refused.status_code == 401 and refused.json()["error"] == "invalid_credentials"

bodies = set()
for auth in [("alice", "wrong"), ("nobody", PASSWORD), ("alice", "")]:
    refused = ask(auth)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == 'Basic realm="orders", charset="UTF-8"'
    assert refused.json()["error"] == "invalid_credentials"
    bodies.add(refused.json()["message"])
assert len(bodies) == 1, "an unknown user is not told from a wrong password"
