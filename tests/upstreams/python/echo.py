"""What all servers use: the address to listen on, and the body of a response."""

import os

HOST = "127.0.0.1"
PORT = int(os.environ.get("PORT", "0"))


def report(**read):
    """The JSON object of a served route. Lists are joined with commas. Values that the server does not know are omitted."""
    return {
        key: ",".join(value) if isinstance(value, list) else str(value)
        for key, value in read.items()
        if value is not None
    }
