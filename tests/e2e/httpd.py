#!/usr/bin/env python3
"""httpd - a scripted HTTP server that plays a publisher, well-behaved or not.

Python's standard library only (and the openssl command where TLS is wanted). It listens on one port of 127.0.0.1 and of
127.0.1.1 .. 127.0.1.N (hosts=N), a thread for each connection, keep-alive by default, and writes down every request.

    with Httpd() as server:
        server.on("/feed", Reply(200, RSS, {"ETag": '"a"'}), Reply(304))    # first, second and all further requests
        server.on("/cond", conditional(RSS, etag='"a"'))                   # 304 where the validators match, else 200
        server.on("/odd", lambda request: Reply(200 if request.header("cookie") is None else 500))
        server.on("/feed", Reply(500), host=2)                              # only on 127.0.1.2; host=0 is 127.0.0.1
        run_the_client(server.url("/feed"), server.url("/feed", host=2))
        server.wait(2, "/feed")                                             # until two were answered, or AssertionError
        [first, second] = server.requests("/feed")
        assert first.header("If-None-Match") is None

The path is compared with its query; `server.fallback` (404) answers what has no script. A function gets the Request and
returns a Reply; it runs on the connection's thread.

Reply(status, body, headers, ...) - headers is a dict or a list of pairs; Content-Length is added. All further settings:
    delay=S             waits before the first byte              hang=True           accepts, never answers
    drip=S              S seconds before each piece of the body  piece=N             ... of N bytes (default 1)
    chunked=True        Transfer-Encoding: chunked               reset=True          TCP RST instead of an answer
    encoding="gzip"     also "deflate", "br"/"zstd" (the body is then taken as already encoded)
    cut=N               closes after N bytes of the body         close=True          Connection: close
    raw=bytes           sent as they are, then closed            endless=bytes       after the body, over and over
    version="HTTP/1.0"

Request: method, target, headers (pairs), header(name) -> the only value, joined by ", " or None; raw (the head's bytes),
body, host (local address), connection (number from 1), at (time.monotonic()), wall (time.time()), status (answered with,
None while under way), done (monotonic or None).
Httpd: on, url, requests(target=None, host=None), wait(n, target=None, timeout=10), forget(), port,
most_in_flight(host=None), connections (opened so far).
conditional(body, etag, last_modified, headers, ...) and bomb(megabytes) make replies; stored_brotli(body) and
stored_zstd(body) such encodings without a library.
TLS: Httpd(tls=Tls(DIR)) makes an authority DIR/ca.pem and serves with a certificate of it; Tls(DIR, "expired"),
"wrong-host" and "self-signed" are the bad ones.

As a program it takes one JSON object a line on standard input and answers one line each; the first line out is
{"port": N}. {"on": PATH, "host": n, "replies": [{"status": 200, "body": "…" | "body_base64": "…" | "body_repeat": [TEXT, N],
"headers": [[NAME, VALUE]], …as above, raw_base64, endless as text}]} and {"conditional": PATH, "body", "etag", "last_modified", "headers"};
{"bomb": PATH, "megabytes": N};
{"requests": PATH|null} lists them; {"wait": N, "path": PATH|null}; {"forget": true}. It ends with its standard input.
Options: --hosts N, --tls DIR [--certificate good|expired|wrong-host|self-signed].
"""
import argparse, base64, gzip, json, os, select, socket, ssl, struct, subprocess, sys, threading, time, zlib
from pathlib import Path

HEAD_MAX = 1 << 20
REASONS = {200: "OK", 226: "IM Used", 301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified",
           307: "Temporary Redirect", 308: "Permanent Redirect", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
           410: "Gone", 429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable"}


class Reply:
    def __init__(self, status=200, body=b"", headers=(), *, delay=0, hang=False, drip=0, piece=1, chunked=False,
                 reset=False, encoding=None, cut=None, close=False, raw=None, endless=None, version="HTTP/1.1"):
        self.status, self.version = status, version
        self.body = body.encode() if isinstance(body, str) else bytes(body)
        self.headers = list(headers.items()) if isinstance(headers, dict) else [tuple(h) for h in headers]
        self.delay, self.hang, self.drip, self.piece, self.chunked = delay, hang, drip, piece, chunked
        self.reset, self.encoding, self.cut, self.close, self.raw, self.endless = reset, encoding, cut, close, raw, endless

    def encoded(self):
        if self.encoding == "gzip":
            return gzip.compress(self.body, mtime=0)
        if self.encoding == "deflate":
            return zlib.compress(self.body)
        return self.body

    def head(self, length):
        lines = [f"{self.version} {self.status} {REASONS.get(self.status, 'Whatever')}"]
        names = {name.lower() for name, _ in self.headers}
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.encoding and "content-encoding" not in names:
            lines.append(f"Content-Encoding: {self.encoding}")
        if self.chunked:
            lines.append("Transfer-Encoding: chunked")
        elif self.endless is None and self.status != 304 and "content-length" not in names:
            lines.append(f"Content-Length: {length}")
        if self.ends_connection():
            lines.append("Connection: close")
        return "\r\n".join(lines).encode("latin-1", "surrogateescape") + b"\r\n\r\n"

    def ends_connection(self):
        return self.close or self.cut is not None or (self.endless is not None and not self.chunked)


def conditional(body, etag=None, last_modified=None, headers=(), **settings):
    """A script that answers 304 where If-None-Match (or else If-Modified-Since) repeats the validator."""
    mine = list(headers.items()) if isinstance(headers, dict) else list(headers)
    mine += [("ETag", etag)] if etag else []
    mine += [("Last-Modified", last_modified)] if last_modified else []

    def answer(request):
        match, since = request.header("If-None-Match"), request.header("If-Modified-Since")
        known = match == etag if match is not None else since is not None and since == last_modified
        return Reply(304, b"", mine) if known else Reply(200, body, mine, **settings)
    return answer


def stored_brotli(body):
    """At most 64 KiB as one uncompressed meta-block of brotli (RFC 7932 9.2) and the empty last one."""
    return struct.pack("<I", (len(body) - 1) << 4 | 1 << 20)[:3] + body + b"\x03"


def stored_zstd(body):
    """At most 128 KiB as one raw block of Zstandard (RFC 8878 3.1.1), with a window of as much."""
    return b"\x28\xb5\x2f\xfd\x00\x38" + struct.pack("<I", len(body) << 3 | 1)[:3] + body


def bomb(megabytes):
    """So many MB of blanks as gzip within gzip: a few kB on the wire."""
    pack = zlib.compressobj(9, wbits=31)
    once = b"".join(pack.compress(b" " * (1 << 20)) for _ in range(megabytes)) + pack.flush()
    return Reply(200, gzip.compress(once, mtime=0), {"Content-Encoding": "gzip, gzip"})


class Request:
    def __init__(self, raw, host, connection):
        self.raw, self.host, self.connection = raw, host, connection
        lines = raw.decode("latin-1").split("\r\n")
        self.method, self.target = (lines[0].split(" ") + ["", ""])[:2]
        self.headers = [(n, v.strip(" \t")) for n, c, v in (line.partition(":") for line in lines[1:]) if c]
        self.body, self.status, self.done = b"", None, None
        self.at, self.wall = time.monotonic(), time.time()

    def header(self, name):
        values = [v for n, v in self.headers if n.lower() == name.lower()]
        return ", ".join(values) if values else None

    def as_json(self):
        return {"method": self.method, "target": self.target, "headers": self.headers, "host": self.host,
                "connection": self.connection, "at": self.at, "status": self.status, "done": self.done,
                "raw": self.raw.decode("latin-1"), "body": self.body.decode("latin-1")}


class Tls:
    """An authority and one certificate, made with openssl. kind: good, expired, wrong-host, self-signed."""

    def __init__(self, folder, kind="good"):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ca = self.folder / "ca.pem"
        if not self.ca.exists():
            self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                          "-subj", "/CN=feedwatch test authority", "-keyout", "ca.key", "-out", "ca.pem")
        self.key, self.certificate = self.folder / f"{kind}.key", self.folder / f"{kind}.pem"
        if not self.certificate.exists():
            self._issue(kind)

    def _openssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    def _issue(self, kind):
        names = "DNS:elsewhere.example" if kind == "wrong-host" else \
            "DNS:localhost,IP:127.0.0.1," + ",".join(f"IP:127.0.1.{i}" for i in range(1, 65))
        new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={kind}",
               "-keyout", self.key.name]
        if kind == "self-signed":
            self._openssl(*new, "-x509", "-days", "30", "-addext", f"subjectAltName={names}", "-out", self.certificate.name)
            return
        (self.folder / "index.txt").write_text("")
        (self.folder / "serial").write_text(os.urandom(8).hex() + "\n")
        (self.folder / "ca.conf").write_text(
            "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ncertificate=ca.pem\nprivate_key=ca.key\n"
            f"default_md=sha256\npolicy=p\nx509_extensions=x\n[p]\ncommonName=supplied\n[x]\nsubjectAltName={names}\n"
            "basicConstraints=CA:FALSE\n")
        self._openssl(*new, "-out", "request.pem")
        dates = ["-startdate", "20200101000000Z", "-enddate", "20210101000000Z"] if kind == "expired" else ["-days", "30"]
        self._openssl("ca", "-batch", "-notext", "-config", "ca.conf", *dates, "-in", "request.pem", "-out", self.certificate.name)

    def context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        context.set_alpn_protocols(["http/1.1"])
        return context


class Httpd:
    def __init__(self, hosts=4, tls=None):
        self.fallback = Reply(404, b"no script for this path")
        self.connections = 0
        self._tls = tls.context() if tls else None
        self._scheme = "https" if tls else "http"
        self._lock = threading.Condition()
        self._scripts, self._log, self._open, self._flights = {}, [], set(), []
        self._flying, self._most = {}, {}
        self._stopping = threading.Event()
        self._listeners = self._listen(["127.0.0.1"] + [f"127.0.1.{i}" for i in range(1, hosts + 1)])
        for listener in self._listeners:
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # --- for tests ---

    def url(self, path, host=0):
        return f"{self._scheme}://{self.address(host)}:{self.port}{path}"

    @staticmethod
    def address(host):
        return f"127.0.1.{host}" if host else "127.0.0.1"

    def on(self, path, *replies, host=None):
        with self._lock:
            self._scripts[path, None if host is None else self.address(host)] = list(replies)

    def requests(self, target=None, host=None):
        with self._lock:
            return [r for r in self._log if (target is None or r.target == target)
                    and (host is None or r.host == self.address(host))]

    def wait(self, n, target=None, timeout=10):
        def answered():
            return sum(1 for r in self._log if r.status is not None and (target is None or r.target == target))
        with self._lock:
            if not self._lock.wait_for(lambda: answered() >= n, timeout):
                raise AssertionError(f"{answered()} of {n} requests for {target or 'anything'} within {timeout} s")

    def forget(self):
        with self._lock:
            self._log.clear()
            self._most.clear()

    def most_in_flight(self, host=None):
        with self._lock:
            key = None if host is None else self.address(host)
            return self._most.get(key, 0)

    def stop(self):
        self._stopping.set()
        with self._lock:
            doomed = self._listeners + list(self._open)
        for sock in doomed:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()

    # --- the server ---

    def _listen(self, addresses):
        for _ in range(20):
            made = []
            try:
                self.port = 0
                for address in addresses:
                    sock = socket.socket()
                    made.append(sock)
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    sock.bind((address, self.port))
                    sock.listen(1024)
                    self.port = sock.getsockname()[1]
                return made
            except OSError:
                for sock in made:
                    sock.close()
        raise OSError("no port is free on all addresses")

    def _accept(self, listener):
        while not self._stopping.is_set():
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                number = self.connections
            threading.Thread(target=self._serve, args=(sock, number), daemon=True).start()

    def _serve(self, sock, number):
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            host = sock.getsockname()[0]
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True)
            with self._lock:
                self._open.add(sock)
            pending = b""
            while not self._stopping.is_set():
                request, pending = self._read(sock, pending, host, number)
                if request is None or not self._answer(sock, request):
                    break
        except (OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._open.discard(sock)
            sock.close()

    def _read(self, sock, pending, host, number):
        while b"\r\n\r\n" not in pending:
            more = sock.recv(65536)
            if not more or len(pending) > HEAD_MAX:
                return None, b""
            pending += more
        raw, _, pending = pending.partition(b"\r\n\r\n")
        request = Request(raw, host, number)
        length = int(request.header("Content-Length") or 0)
        while len(pending) < length:
            more = sock.recv(65536)
            if not more:
                return None, b""
            pending += more
        request.body, pending = pending[:length], pending[length:]
        return request, pending

    def _answer(self, sock, request):
        with self._lock:
            self._log.append(request)
            self._flights.append(request)
            for key in (None, request.host):
                self._flying[key] = self._flying.get(key, 0) + 1
                self._most[key] = max(self._most.get(key, 0), self._flying[key])
            script = self._scripts.get((request.target, request.host), self._scripts.get((request.target, None)))
            reply = self.fallback
            if script:
                reply = script.pop(0) if len(script) > 1 else script[0]
        reply = reply(request) if callable(reply) else reply
        try:
            return self._send(sock, reply, request)
        finally:
            self._land(request)
            with self._lock:
                request.done, request.status = time.monotonic(), reply.status
                self._lock.notify_all()

    def _pause(self, seconds):
        if self._stopping.wait(seconds):
            raise OSError("stopping")

    def _land(self, request):
        """No longer in flight: said before the last bytes leave, since the client's next request may overtake us."""
        with self._lock:
            if request in self._flights:
                self._flights.remove(request)
                for key in (None, request.host):
                    self._flying[key] -= 1

    def _hang(self, sock):
        while not select.select([sock], [], [], .1)[0]:
            self._pause(0)
        raise OSError("the client went away")

    def _send(self, sock, reply, request):
        if reply.delay:
            self._pause(reply.delay)
        if reply.hang:
            self._hang(sock)
        if reply.reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if reply.raw is not None:
            self._land(request)
            sock.sendall(reply.raw)
            return False
        body = b"" if request.method == "HEAD" or reply.status == 304 else reply.encoded()
        head, cut = reply.head(len(body)), body if reply.cut is None else body[:reply.cut]
        if not (reply.drip or reply.chunked or reply.endless):
            self._land(request)
            sock.sendall(head + cut)
        else:
            sock.sendall(head)
            self._send_pieces(sock, reply, cut, request)
        return not reply.ends_connection()

    def _send_pieces(self, sock, reply, body, request):
        def send(data):
            if reply.drip:
                self._pause(reply.drip)
            sock.sendall(b"%x\r\n%b\r\n" % (len(data), data) if reply.chunked else data)
        size = reply.piece if reply.drip else max(reply.piece, 16384)
        for start in range(0, len(body), size):
            if start + size >= len(body) and not reply.endless:
                self._land(request)
            send(body[start:start + size])
        while reply.endless:
            send(reply.endless)
        if reply.chunked and reply.cut is None:
            sock.sendall(b"0\r\n\r\n")


# --- as a program ---


def reply_from_json(fields):
    fields = dict(fields)
    if "body_base64" in fields:
        fields["body"] = base64.b64decode(fields.pop("body_base64"))
    if "body_repeat" in fields:
        text, times = fields.pop("body_repeat")
        fields["body"] = text.encode() * times
    if "raw_base64" in fields:
        fields["raw"] = base64.b64decode(fields.pop("raw_base64"))
    for name in ("raw", "endless"):
        if isinstance(fields.get(name), str):
            fields[name] = fields[name].encode("latin-1")
    return Reply(**fields)


def obey(server, order):
    if "on" in order:
        server.on(order["on"], *map(reply_from_json, order["replies"]), host=order.get("host"))
    elif "conditional" in order:
        server.on(order.pop("conditional"), conditional(**order))
    elif "bomb" in order:
        server.on(order["bomb"], bomb(order["megabytes"]))
    elif "requests" in order:
        return [r.as_json() for r in server.requests(order["requests"])]
    elif "wait" in order:
        server.wait(order["wait"], order.get("path"))
    elif "forget" in order:
        server.forget()
    else:
        raise ValueError("no such order")
    return {"connections": server.connections, "most": server.most_in_flight()}


def main():
    parser = argparse.ArgumentParser(description="a scripted HTTP server for tests; see the source's docstring")
    parser.add_argument("--hosts", type=int, default=4)
    parser.add_argument("--tls", metavar="DIR")
    parser.add_argument("--certificate", default="good")
    options = parser.parse_args()
    with Httpd(options.hosts, Tls(options.tls, options.certificate) if options.tls else None) as server:
        print(json.dumps({"port": server.port}), flush=True)
        for line in sys.stdin:
            try:
                answer = obey(server, json.loads(line))
            except (AssertionError, KeyError, TypeError, ValueError) as error:
                answer = {"error": str(error)}
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
