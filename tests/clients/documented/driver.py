"""Plays scenarios with the code for requests: see documented.rs."""

import json
import os

from client import send

for scenario in json.loads(os.environ["SCENARIOS"]):
    asked = []

    def token(refresh=False, scope=None):
        asked.append("refresh" if refresh else f"scope {scope}" if scope else "token")
        return scenario["refreshed"] if refresh else scenario["scoped"] if scope else scenario["token"]

    response = send(
        scenario["method"], scenario["url"], token, headers=scenario["headers"], data=scenario.get("body")
    )
    print(json.dumps({"name": scenario["name"], "status": response.status_code, "asked": asked}), flush=True)
