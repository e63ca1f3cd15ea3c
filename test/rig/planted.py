# SPDX-License-Identifier: Apache-2.0
"""A hundred secrets of ten kinds, the forms in which others show them, a search for pieces of them in whatever
encoding, and the servers that show them to whoever asks. For the suite `secrets`."""
import base64
import html
import http.server
import json
import os
import random
import re
import shlex
import socketserver
import string
import threading
import urllib.parse

DICE = random.Random(20261125)
PIECE = 8  # bytes of a secret in a row that count as found
HARD = "\"\\'%&<>/+ _*#[]`~|$:;=?\u00e9\u20ac\U0001f511"  # what somebody escapes
LETTERS = string.ascii_letters + string.digits


def word(length, letters=LETTERS):
    return "".join(DICE.choice(letters) for _ in range(length))


def lines(count, width=64):
    return [word(width, LETTERS + "+/") for _ in range(count)]


class Secret:
    """`value` is planted; each of `cores` is what nobody must see of it (the rest is known to everybody)."""

    def __init__(self, number, kind, name, value, cores=None):
        self.number, self.kind, self.name, self.value = number, kind, name, value
        self.cores = cores or [value]
        self.met = 0


def plant():
    secrets = []

    def add(kind, name, value, cores=None):
        secrets.append(Secret(len(secrets), kind, name, value, cores))

    for i in range(10):  # of the user's commands, by their names
        name = ("DB_PASSWORD", "AWS_SECRET_ACCESS_KEY", "NPM_TOKEN", "SIGNING_SECRET", "VAULT_TOKEN", "SMTP_PASS",
                "ENCRYPTION_KEY", "SENTRY_DSN", "SLACK_WEBHOOK", "OF_NO_KNOWN_NAME")[i]
        add("environment", name, word(20 + i))
    for i in range(10):  # ours alone: named by token-env and state-key-env
        add("token-env", f"OUR_{i}_TOKEN", word(24) + "._-~"[i % 4] + word(8))
    for i in range(10):  # in files
        add("token file", f"FILE_{i}_TOKEN_FILE", word(32) if i % 2 else word(30) + "\n")
    for i in range(10):  # in a header of a check
        add("header", f"HEADER_{i}_API_KEY", word(22) + DICE.choice("-.~") + word(6))
    for i in range(10):  # user and password in an address
        password = word(18)
        shown = (f"https://svc:{password}@backend.example.invalid/", f"postgres://app:{password}@db.example.invalid/shop",
                 f"amqp://u{i}:{password}@mq.example.invalid")[i % 3]
        add("address", f"BACKEND_{i}_URL", shown, [password])
    for i in range(10):  # a query of a check
        add("query", f"QUERY_{i}_TOKEN", word(26))
    for i in range(10):  # of many lines
        body = lines(4 + i % 3)
        value = "\n".join(["-----BEGIN PRIVATE KEY-----", *body, "-----END PRIVATE KEY-----"]) + "\n" if i % 2 else \
            "\n".join(body)
        add("many lines", f"SIGNER_{i}_PRIVATE_KEY", value, body)
    for i in range(10):  # short
        add("short", f"PIN_{i}_TOKEN", word(4 + i % 4, "QXZKVJ" + string.digits) + "!@^"[i % 3])
    for i in range(10):  # with everything that is escaped somewhere
        add("special", f"SPECIAL_{i}_SECRET", "".join(DICE.sample(HARD, len(HARD))) + word(6))
    shapes = (lambda: "ghp_" + word(36), lambda: "glpat-" + word(20), lambda: "xoxb-" + word(24),
              lambda: "AKIA" + word(16, string.ascii_uppercase + string.digits), lambda: "hooks.slack.com/services/" + word(24))
    for shape in shapes:  # told to nobody: known by their shape
        value = shape()
        add("shape", None, value, [value[-16:]])
    parts = [base64.urlsafe_b64encode(json.dumps({k: word(20)}).encode()).decode().strip("=") for k in ("alg", "sub")]
    add("shape", None, ".".join(parts + [word(30)]), [parts[1][-20:]])
    secret = word(20)
    add("shape", None, f"Authorization: Bearer {secret}", [secret])
    secret = word(20)
    add("shape", None, '{"user": "x", "password": "%s"}' % secret, [secret])
    secret = word(20)
    add("shape", None, f"mysql://root:{secret}@10.0.0.1/x", [secret])
    secret = word(20)
    add("shape", None, f"refresh_token={secret}", [secret])
    assert len(secrets) == 100 and len({s.kind for s in secrets}) == 10
    return secrets


# --- how others write a secret --------------------------------------------------------------------------------------
def wrapped(value):
    return base64.encodebytes(value.encode()).decode().strip()


FORMS = (
    ("raw", lambda v: v), ("quoted", lambda v: f"token '{v}' is bad"), ("JSON", json.dumps),
    ("raw JSON", lambda v: json.dumps(v, ensure_ascii=False).replace("/", "\\/")),
    ("JSON in JSON", lambda v: json.dumps({"m": json.dumps({"t": v})})), ("URL", urllib.parse.quote_plus),
    ("URL, all", lambda v: "".join(f"%{b:02x}" for b in v.encode())), ("HTML", html.escape), ("shell", shlex.quote),
    ("base64", lambda v: base64.b64encode(v.encode()).decode()),
    ("base64 of user and it", lambda v: base64.b64encode(f"user:{v}".encode()).decode()),
    ("base64 for URLs", lambda v: base64.urlsafe_b64encode(f"x{v}".encode()).decode()), ("base64, broken", wrapped),
    ("hex", lambda v: v.encode().hex()), ("HEX", lambda v: v.encode().hex().upper()), ("C", lambda v: repr(v)[1:-1]),
    ("cut", lambda v: "x" * (297 - len(v) * 2 // 3) + " " + v), ("after a lot", lambda v: "y" * 70000 + "\n" + v),
)


def shown(secret, turn):
    """The output of a command that shows the secret; which form it takes differs from run to run."""
    name, form = FORMS[(secret.number + turn) % len(FORMS)]
    if secret.kind == "shape" and name not in ("raw", "quoted", "cut", "after a lot"):
        return f"said: {secret.value}"  # nobody knows an encoded one by its shape
    return form(secret.value)


# --- looking for them -----------------------------------------------------------------------------------------------
def views(data):
    """A text in all the ways in which a reader may take it."""
    text = data.decode("utf-8", "surrogateescape")
    yield text
    flat = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text)
    flat = re.sub(r"\\x([0-9a-fA-F]{2})", lambda m: chr(int(m[1], 16)), flat)
    flat = flat.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    for letter, meant in (("n", "\n"), ("r", "\r"), ("t", "\t")):
        flat = flat.replace("\\" + letter, meant)
    flat = flat.replace("\u200b", "")
    yield flat
    bare = html.unescape(re.sub(r"\\+", "", flat))
    yield bare
    yield urllib.parse.unquote(text)
    yield urllib.parse.unquote_plus(bare)
    for run in re.findall(r"[A-Za-z0-9+/_-]{8,}", text):
        for skip in range(4):
            piece = run[skip:].replace("-", "+").replace("_", "/")
            piece = piece[:len(piece) // 4 * 4]
            yield base64.b64decode(piece + "===").decode("latin-1")
    for run in re.findall(r"[0-9a-fA-F]{16,}", text):
        for skip in (0, 1):
            piece = run[skip:][:(len(run) - skip) // 2 * 2]
            yield bytes.fromhex(piece).decode("latin-1")


class Search:
    def __init__(self, secrets):
        self.pieces = {}
        self.whole = []
        for secret in secrets:
            for core in secret.cores:
                for text in {core, core.encode().decode("latin-1")}:
                    if len(text) < PIECE + 1:
                        self.whole.append((text, secret))
                    for at in range(len(text) - PIECE + 1):
                        self.pieces.setdefault(text[at:at + PIECE], secret)

    def found(self, data):
        """(secret, what stands there) of all that is in these bytes."""
        found = {}
        for view in views(data):
            for text, secret in self.whole:
                at = view.find(text)
                if at >= 0:
                    found.setdefault(secret.number, view[max(0, at - 40):at + 40])
            for at in range(len(view) - PIECE + 1):
                secret = self.pieces.get(view[at:at + PIECE])
                if secret is not None:
                    found.setdefault(secret.number, view[max(0, at - 40):at + 60])
        return found


# --- those who show them --------------------------------------------------------------------------------------------
class Echo(http.server.BaseHTTPRequestHandler):
    """Gives back whatever it is asked: headers, query, and the secret of the path."""

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path)
        self.server.asked.append(self.path + "\n" + str(self.headers))
        number = re.search(r"/(\d+)$", path.path)
        said = shown(self.server.secrets[int(number[1])], self.server.turn) if number else ""
        status, body, headers = 500, f"{said} asked with {self.path} and {self.headers}", {}
        if path.path.startswith("/redirect"):
            status, headers = 302, {"Location": f"/next?code={urllib.parse.quote(said[:300])}&{path.query}"}
        elif path.path.startswith("/json"):
            status, body = 200, json.dumps({"echo": said, "headers": dict(self.headers), "query": self.path})
        elif path.path.startswith("/api/v1/query"):
            status, body = 422, json.dumps({"status": "error", "errorType": "bad_data", "error": f"no: {said} {self.headers}"})
        elif path.path.startswith("/cookie"):
            status, headers = 200, {"Set-Cookie": "sid=" + urllib.parse.quote(said[:200]), "X-Said": said.split("\n")[0][:400]
                                    .encode("ascii", "replace").decode()}
        data = body.encode("utf-8", "replace")
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


class Balancer(socketserver.BaseRequestHandler):
    """A load balancer that answers with secrets."""

    def handle(self):
        self.request.recv(65536)
        secret = self.server.secrets[self.server.turn % 100]
        said = shown(secret, self.server.turn)[:5000]
        self.request.sendall(("x" * (self.server.turn * 7 % 60) + said + "\n").encode("utf-8", "replace"))


class Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Who asked may be gone: it was killed."""


class Servers:
    def __init__(self, folder, secrets):
        self.http = Quiet(("127.0.0.1", 0), Echo)
        self.balancer = socketserver.ThreadingUnixStreamServer(os.path.join(folder, "balancer.sock"), Balancer)
        self.http.asked = []
        for server in (self.http, self.balancer):
            server.secrets, server.turn = secrets, 0
            threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = "http://127.0.0.1:%d" % self.http.server_port

    def turn(self, number):
        self.http.turn = self.balancer.turn = number

    def close(self):
        for server in (self.http, self.balancer):
            server.shutdown()
            server.server_close()
