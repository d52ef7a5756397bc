"""Python's requests: a proof of a password with `auth=HTTPDigestAuth(…)`."""

import os
import re
import time

import requests
from requests.auth import HTTPDigestAuth

PASSWORD = os.environ["PASSWORD"]


def session(password=PASSWORD):
    opened = requests.Session()
    opened.auth = HTTPDigestAuth("alice", password)
    return opened


def ask(opened, listener, method="GET", **arguments):
    """A request. The statuses of the refusals before its response, the response, and the credential that passed."""
    url = f"http://{os.environ[listener]}/orders/17"
    response = opened.request(method, url, timeout=30, params={"a": "b c", "d": "ä,\""}, **arguments)
    refused = [refusal.headers["www-authenticate"] for refusal in response.history]
    print(response.status_code, refused, response.text)
    assert response.status_code in (200, 400, 401)
    if response.status_code != 200 or method == "HEAD":
        return refused, response, None
    [credential] = [value for name, value in response.json()["headers"] if name == "authorization"]
    return refused, response, dict(re.findall(r'(\w+)="?([^",]+)"?', credential))


for listener, algorithm in [("SHA256", "SHA-256"), ("MD5", "MD5")]:
    staff = session()
    nonces = set()
    for count in range(1, 6):
        refused, _, credential = ask(staff, listener)
        assert len(refused) == (1 if count == 1 else 0), "one challenge is enough"
        assert credential["algorithm"] == algorithm and credential["nc"] == f"{count:08x}"
        nonces.add(credential["nonce"])
    assert len(nonces) == 1
    _, response, _ = ask(staff, listener, "POST", data=b"amount=17")
    assert response.json()["body_length"] == 9
    ask(staff, listener, "HEAD")

# It reads the challenges as one, of which the last value of a parameter counts.
_, response, credential = ask(session(), "BOTH")
assert response.status_code == 200 and credential["algorithm"] == "MD5"

# It reads a challenge of Digest behind others.
_, response, _ = ask(session(), "BESIDE")
assert response.status_code == 200

# A nonce expires while the session is used.
staff = session()
refused, _, first = ask(staff, "EXPIRES")
assert len(refused) == 1 and "stale" not in refused[0]
end = time.monotonic() + 60
while True:
    refused, response, credential = ask(staff, "EXPIRES")
    assert response.status_code == 200
    if refused:
        break
    assert time.monotonic() < end, "the nonce does not expire"
    time.sleep(0.2)
assert "stale=true" in refused[0]
assert credential["nonce"] != first["nonce"]

refused, response, _ = ask(session("wrong"), "SHA256")
assert response.status_code == 401 and len(refused) == 1, "a wrong password is tried once"
assert "stale" not in response.headers["www-authenticate"]
assert response.json()["error"] == "invalid_credentials"

# requests sends a name in ISO 8859-1, of which it hashes the UTF-8. The filter reads UTF-8 alone.
outside = requests.Session()
outside.auth = HTTPDigestAuth(os.environ["JASON"], PASSWORD)
refused, response, _ = ask(outside, "SHA256")
assert response.status_code == 400 and response.json()["error"] == "invalid_request"
