#!/usr/bin/env python3
"""curl, as far as the pages use it: `make test` needs rustup and Python 3 and nothing else. `make test-all` uses the real one.

Prints what curl prints. An option that is not known is an error.
"""

import base64
import hashlib
import os
import re
import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

WITH_VALUE = {
    "-X": "method", "--request": "method", "-H": "header", "--header": "header", "-d": "data", "--data": "data",
    "-u": "user", "--user": "user", "-o": "output", "--output": "output", "-w": "format", "--write-out": "format",
}
FLAGS = {
    "-i": "include", "--include": "include", "-s": "silent", "--silent": "silent", "-S": "show", "--show-error": "show",
    "-I": "head", "--head": "head", "--digest": "digest", "--basic": "basic", "--path-as-is": "as_is",
    "-f": "fail", "--fail": "fail",
}
REALM = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')


def main():
    options, headers, urls = {}, [], []
    # `-si` is `-s -i`.
    apart = ([f"-{letter}" for letter in own[1:]] if re.fullmatch("-[a-zA-Z]{2,}", own) else [own] for own in sys.argv[1:])
    arguments = iter([argument for parts in apart for argument in parts])
    for argument in arguments:
        if argument in WITH_VALUE:
            name, value = WITH_VALUE[argument], next(arguments)
            headers.append(value) if name == "header" else options.__setitem__(name, value)
        elif argument in FLAGS:
            options[FLAGS[argument]] = True
        elif argument.startswith("-"):
            sys.exit(f"tests/envoy/docs/curl.py does not know the option {argument}")
        else:
            urls.append(argument)
    for url in urls:
        fetch(url, options, headers)


def fetch(url, options, headers):
    target = urlsplit(url if "://" in url else "http://" + url)
    path = re.sub(r"^\w+://[^/?#]*", "", url).split("#")[0] or "/"
    if not options.get("as_is"):
        path = without_dot_segments(path)
    data = options.get("data")
    if data and data.startswith("@"):
        with open(data[1:]) as file:
            data = file.read().replace("\n", "")
    method = options.get("method") or ("HEAD" if options.get("head") else "POST" if data is not None else "GET")
    sent = {"Host": target.netloc, "User-Agent": "curl/8.0.0", "Accept": "*/*"}
    if data is not None:
        sent |= {"Content-Length": str(len(data.encode())), "Content-Type": "application/x-www-form-urlencoded"}
    user = options.get("user")
    if user and not options.get("digest"):
        sent["Authorization"] = "Basic " + base64.b64encode(user.encode()).decode()
    fields = [(name, value) for name, value in sent.items() if not named(headers, name)]
    fields += [(name, value) for name, value in map(field, headers) if value]
    response, head, content = exchange(target, method, path, fields, data)
    if user and options.get("digest") and response.status == 401:
        if options.get("include"):
            write(head)
        challenge = next(value for value in response.headers.get_all("www-authenticate") if value.startswith("Digest "))
        fields.append(("Authorization", digest(challenge, user, method, path)))
        response, head, content = exchange(target, method, path, fields, data)
    if options.get("include") or options.get("head"):
        write(head)
    if options.get("fail") and response.status >= 400:
        sys.exit(22)
    if "output" in options:
        with open(options["output"], "wb") as file:
            file.write(content)
    else:
        write(content)
    if "format" in options:
        code = options["format"].replace("%{http_code}", str(response.status)).replace("%{response_code}", str(response.status))
        write(code.replace("\\n", "\n").encode())


def exchange(target, method, path, fields, data):
    connection = HTTPConnection(target.hostname, target.port, timeout=60)
    # http.client rejects paths that curl sends.
    connection._validate_path = lambda _: None
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in fields:
        connection.putheader(name, value)
    connection.endheaders(data.encode() if data is not None else None)
    response = connection.getresponse()
    content = response.read()
    lines = [f"HTTP/1.1 {response.status} {response.reason}"] + [f"{name}: {value}" for name, value in response.getheaders()]
    return response, "".join(line + "\r\n" for line in lines + [""]).encode(), content


def digest(challenge, user, method, path):
    """The credential of RFC 7616 for a challenge with `qop=auth`."""
    fields = {name: quoted or plain for name, quoted, plain in REALM.findall(challenge)}
    algorithm = fields.get("algorithm", "MD5")
    function = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]
    hashed = lambda text: function(text.encode()).hexdigest()
    name, password = user.split(":", 1)
    cnonce = base64.b64encode(os.urandom(18)).decode()
    first, second = hashed(f"{name}:{fields['realm']}:{password}"), hashed(f"{method}:{path}")
    response = hashed(f"{first}:{fields['nonce']}:00000001:{cnonce}:auth:{second}")
    own = f'username="{name}", realm="{fields["realm"]}", nonce="{fields["nonce"]}", uri="{path}", cnonce="{cnonce}", nc=00000001'
    own += f', qop=auth, response="{response}", algorithm={algorithm}'
    return "Digest " + own + (f', opaque="{fields["opaque"]}"' if "opaque" in fields else "")


def without_dot_segments(path):
    """The path as RFC 3986 §5.2.4 has it, and its query."""
    path, mark, query = path.partition("?")
    kept = []
    segments = path.split("/")[1:]
    for number, segment in enumerate(segments):
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
        if segment in (".", "..") and number == len(segments) - 1:
            kept.append("")
    return "/" + "/".join(kept) + mark + query


def named(headers, name):
    return any(field(header)[0].lower() == name.lower() for header in headers)


def field(header):
    """The name and the value. `name;` sends an empty value, `name:` no header."""
    if ":" not in header and header.endswith(";"):
        return header[:-1], " "
    name, _, value = header.partition(":")
    return name, value.strip()


def write(content):
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
