"""Python's requests: status, challenge and JSON of refusals, and a token that passes."""

import os

import requests

URL = f"http://{os.environ['ADDRESS']}/orders/17"


def ask(token=None, accept=None, **arguments):
    headers = {"authorization": token and f"Bearer {token}", "accept": accept}
    headers = {name: value for name, value in headers.items() if value}
    response = requests.get(URL, headers=headers, timeout=30, **arguments)
    print(response.status_code, response.headers.get("www-authenticate"), response.text)
    return response


refused = ask()
assert refused.status_code == 401 and refused.reason == "Unauthorized"
assert refused.headers["www-authenticate"] == 'Bearer realm="orders"'
assert refused.headers["content-type"] == "application/json"
assert refused.headers["cache-control"] == "no-store"
assert refused.json()["error"] == "unauthorized" and refused.json()["status"] == 401
assert not refused.history, "a client that is no browser is not sent to the login"
try:
    refused.raise_for_status()
except requests.HTTPError as error:
    assert error.response is refused
else:
    raise AssertionError("raise_for_status does not raise")

browser = ask(accept="text/html,application/xhtml+xml,*/*;q=0.8", allow_redirects=False)
assert browser.status_code == 302 and browser.headers["location"].startswith("https://login.example.com/?return_to=")

problem = ask(accept="application/problem+json")
assert problem.status_code == 401 and problem.headers["content-type"] == "application/problem+json"
assert problem.headers["www-authenticate"] == refused.headers["www-authenticate"]
assert problem.json()["status"] == 401 and problem.json()["title"] == "Unauthorized"

refused = ask(token="a.b")
assert refused.status_code == 401
assert refused.headers["www-authenticate"].startswith('Bearer realm="orders", error="invalid_token"')
assert refused.json()["error"] == "invalid_token"

refused = ask(token=os.environ["WITHOUT_SCOPE"])
assert refused.status_code == 403 and "www-authenticate" not in refused.headers
assert refused.json()["error"] == "insufficient_scope"

allowed = ask(token=os.environ["TOKEN"])
assert allowed.status_code == 200 and allowed.json()["path"] == "/orders/17"
