#!/usr/bin/env python3
"""An upstream that shows what reached it: answers every request with its method, path, header fields and length as JSON;
a WebSocket says the same as its first message.

    upstream.py [PORT] [--host ADDRESS]     PORT 0, the default, takes a free one; the port is printed on stdout

Names and values of header fields are ISO 8859-1, one character a byte; order and repeats are kept.
"""

import argparse
import base64
import hashlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def answer(self):
        length = self.discard_body()
        shown = {
            "method": self.command, "path": self.path, "headers": self.headers.items(), "body_length": length,
        }
        content = json.dumps(shown).encode("ascii")
        if self.headers.get("upgrade", "").lower() == "websocket":
            self.open_socket(content)
            return
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.send_header("x-upstream", "echo")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def open_socket(self, content):
        """A WebSocket that says the content in one message and closes (RFC 6455 4.2.2, 5.2)."""
        key = self.headers.get("sec-websocket-key", "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("upgrade", "websocket")
        self.send_header("connection", "Upgrade")
        self.send_header("sec-websocket-accept", base64.b64encode(hashlib.sha1(key.encode("latin-1")).digest()).decode())
        self.send_header("x-upstream", "echo")
        self.end_headers()
        self.wfile.write(b"\x81\x7e" + len(content).to_bytes(2, "big") + content + b"\x88\x00")
        self.close_connection = True

    def discard_body(self):
        """Reads the content; its length."""
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return len(self.rfile.read(int(self.headers.get("content-length", 0))))
        length = 0
        while size := int(self.rfile.readline().split(b";")[0], 16):
            length += len(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return length

    def log_message(self, *_):
        """Silent: the path may hold a token."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    parser = argparse.ArgumentParser(description="An upstream that shows what reached it.")
    parser.add_argument("port", nargs="?", type=int, default=0)
    parser.add_argument("--host", default="127.0.0.1")
    arguments = parser.parse_args()
    server = Server((arguments.host, arguments.port), Echo)
    print(server.server_address[1], flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
