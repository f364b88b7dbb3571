"""S06 to S12: bombs, endless answers, redirects, private addresses, header injection, secrets, certificates.

Each attack is a feed among good ones, all against one daemon. The victim is a socket that nobody may connect to."""
import ctypes, ctypes.util, os, re, select, socket, stat, struct, subprocess, time, zlib
import pytest
from feedwatchd import wait_for
from httpd import Httpd, Reply, Tls, bomb, conditional
from stage import FEED, Play, Stage, feed

GOOD = conditional(FEED, '"a"')
MIB = 1 << 20
CPU_S_MAX, RSS_KIB_MAX = 5, 128 * 1024  # for one feed
BODY_KIB_MAX = 16 * 1024  # max_size: how many of them are whole at the same moment is up to the machine


class Victim:
    """Listens on every address of this machine; was_touched() says whether anybody came."""

    def __init__(self):
        self.sockets = [socket.socket(socket.AF_INET), socket.socket(socket.AF_INET6)]
        self.sockets[0].bind(("0.0.0.0", 0))
        self.port = self.sockets[0].getsockname()[1]
        self.sockets[1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        self.sockets[1].bind(("::", self.port))
        for sock in self.sockets:
            sock.listen(100)

    def was_touched(self):
        return bool(select.select(self.sockets, [], [], 0)[0])

    def close(self):
        for sock in self.sockets:
            sock.close()


@pytest.fixture(scope="module")
def victim():
    victim = Victim()
    yield victim
    victim.close()


def peak_kib(process):
    """The most memory it had so far (what wait4() says counts the test that started it, too)."""
    try:
        with open(f"/proc/{process.pid}/status") as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read())[1])
    except (OSError, TypeError):
        return 0


def run_once(stage):
    """A pass; returns its CPU seconds and peak memory in KiB."""
    process = stage.daemon.start("--once")
    most_kib, pid = 0, 0
    while pid == 0:
        most_kib = max(most_kib, peak_kib(process))
        time.sleep(.005)
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime, most_kib


# --- S06, S07: too much ---

def gzip_of(megabytes):
    """Blanks: after a full flush each megabyte is the same few bytes, so ten gigabytes cost no time to make."""
    pack = zlib.compressobj(9, wbits=31)
    head = pack.compress(b" ") + pack.flush(zlib.Z_FULL_FLUSH)
    again = pack.compress(b" " * MIB) + pack.flush(zlib.Z_FULL_FLUSH)
    return head + again * megabytes


def zstd_of(megabytes):
    """Blocks of one repeated byte, 128 KiB each (RFC 8878 3.1.1.2)."""
    block = struct.pack("<I", (128 * 1024) << 3 | 1 << 1)[:3] + b" "
    return b"\x28\xb5\x2f\xfd\x00\x38" + block * (8 * megabytes)


def brotli_of(megabytes):
    library = ctypes.util.find_library("brotlienc")
    if not library:
        pytest.skip("no brotli encoder")
    text = b" " * (megabytes * MIB)
    out = ctypes.create_string_buffer(MIB)
    size = ctypes.c_size_t(MIB)
    assert ctypes.CDLL(library).BrotliEncoderCompress(5, 22, 0, ctypes.c_size_t(len(text)), text, ctypes.byref(size), out)
    return out.raw[:size.value]


def encoded(body, names):
    return Reply(200, body, {"Content-Encoding": names})


def padded(size):
    """A feed of exactly so many bytes."""
    return FEED + b" " * (size - len(FEED))


def too_much():
    return {
        "good": Play(GOOD),
        "gzip-17m": Play(encoded(gzip_of(17), "gzip")), "gzip-10g": Play(encoded(gzip_of(10240), "gzip")),
        "zstd-10g": Play(encoded(zstd_of(10240), "zstd")), "brotli-64m": Play(encoded(brotli_of(64), "br")),
        "nested": Play(bomb(64)), "stacked": Play(encoded(b"x", ", ".join(40 * ["gzip"]))),
        "own-cap": Play(Reply(200, padded(5001)), max_size="5000"), "at-cap": Play(Reply(200, padded(5000)), max_size="5000"),
        "own-cap-gzip": Play(Reply(200, padded(5001), encoding="gzip"), max_size="5000"),
        "endless": Play(Reply(200, FEED, endless=b"<item>" * 4096)),
        "endless-chunks": Play(Reply(200, FEED, endless=b"<item>" * 4096, chunked=True)),
        "announced": Play(Reply(200, FEED, {"Content-Length": str(1 << 40)})),
        "slow-enough": Play(Reply(200, FEED, endless=b" " * 100, drip=.05), timeout="2s"),
        "header-10m": Play(Reply(200, FEED, {"X-Long": "a" * (10 * MIB)})),
        "headers-100k": Play(Reply(200, FEED, [(f"X-{n}", "a") for n in range(100_000)])),
        "hints-endless": Play(Reply(raw=b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 20_000)),
        "trailers": Play(Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X-T: a\r\n" * 200_000)),
    }


@pytest.fixture(scope="module")
def flood(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("flood"), too_much()) as stage:
        started = time.monotonic()
        stage.cpu_s, stage.rss_kib = run_once(stage)
        stage.wall_s = time.monotonic() - started
        yield stage


@pytest.mark.parametrize("name", ["gzip-17m", "gzip-10g", "zstd-10g", "brotli-64m", "own-cap", "own-cap-gzip"])
def test_s06_decoded_bytes_are_counted(flood, name):
    state = flood.feed(name)
    assert state["failures"] == 1 and "larger" in state["message"], state["message"]
    assert state["items"] == 0


@pytest.mark.parametrize("name", ["nested", "stacked"])
def test_s06_stacked_encodings(flood, name):
    assert flood.feed(name)["failures"] == 1


def test_s06_a_document_at_the_cap_is_read(flood):
    assert (flood.feed("at-cap")["failures"], flood.feed("at-cap")["items"]) == (0, 1)


@pytest.mark.parametrize("name", ["endless", "endless-chunks", "announced", "slow-enough", "header-10m", "headers-100k",
                                  "hints-endless", "trailers"])
def test_s07_an_answer_without_end_is_aborted(flood, name):
    assert flood.feed(name)["failures"] == 1, flood.feed(name)
    for request in flood.requests(name):
        wait_for(lambda: request.done, "the server sees that we are gone")
        assert request.done - request.at < 20


def test_s07_all_of_it_costs_little_and_delays_nobody(flood):
    """All at once, they cost the time that one of them may, and no more memory than bodies at their limit."""
    print(f"{flood.cpu_s:.1f} s of CPU, {flood.rss_kib // 1024} MiB, {flood.wall_s:.1f} s")
    assert flood.cpu_s <= CPU_S_MAX
    assert flood.rss_kib <= RSS_KIB_MAX + len(flood.plays) * BODY_KIB_MAX
    assert flood.feed("good")["items"] == 1


@pytest.mark.parametrize("name", ["gzip-10g", "brotli-64m", "endless"])
def test_s06_one_bomb_alone(tmp_path, name):
    with Stage(tmp_path, {name: too_much()[name]}) as stage:
        cpu_s, rss_kib = run_once(stage)
        assert stage.feed(name)["failures"] == 1
        assert cpu_s <= CPU_S_MAX and rss_kib <= RSS_KIB_MAX


# --- S08, S09: where we are led ---

PRIVATE = ["127.0.0.1", "127.1", "0x7f.1", "0x7f000001", "2130706433", "017700000001", "0", "0.0.0.0", "localhost", "[::1]",
           "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[::]", "169.254.169.254", "10.0.0.1",
           "172.16.0.1", "172.31.255.254", "192.168.1.1", "100.64.0.1", "[fe80::1]", "[fc00::1]", "[fd12::1]", "LOCALHOST.",
           "a.localhost", "127.0.0.1%2e"]
SCHEMES = ["file:///etc/passwd", "ftp://{v}/", "gopher://{v}/_x", "dict://{v}/d:x", "smb://{v}/a/b", "ldap://{v}/", "tftp://{v}/x",
           "telnet://{v}/", "scp://{v}/x", "javascript:alert(1)", "data:text/xml,x", "http+unix://%2fvar%2frun%2fx/", "//", "http://",
           "http:///etc/passwd", "http://{v}:99999/", "http://a b/", "http://[::1"]


def led(victim):
    own = {f"to-{n}": Play(Reply(302, headers={"Location": f"http://{host}:{victim.port}/"}))
           for n, host in enumerate(PRIVATE)}
    schemes = {f"scheme-{n}": Play(Reply(302, headers={"Location": where.replace("{v}", f"127.0.0.1:{victim.port}")}))
               for n, where in enumerate(SCHEMES)}
    fifty = {f"/{n}": [Reply(302, headers={"Location": f"/{n + 1}"})] for n in range(50)}
    return {**own, **schemes, "good": Play(GOOD), "fifty": Play(Reply(302, headers={"Location": "/0"}), also=fifty),
            "slashes": Play(Reply(302, headers={"Location": f"//127.0.0.1:{victim.port}/"})),
            "backslash": Play(Reply(302, headers={"Location": f"/\\127.0.0.1:{victim.port}/"})),
            "own-origin": Play(Reply(302, headers={"Location": "/real"}), also={"/real": [GOOD]})}


@pytest.fixture(scope="module")
def led_on(tmp_path_factory, victim):
    with Stage(tmp_path_factory.mktemp("led"), led(victim), defaults={"initial": "all"}) as stage:
        run_once(stage)
        yield stage


def test_s08_fifty_hops(led_on):
    assert led_on.feed("fifty")["message"] == "more than 5 redirects"
    assert len([r for r in led_on.server.requests() if r.host == led_on.server.address(led_on.hosts["fifty"])]) == 6


@pytest.mark.parametrize("number", range(len(SCHEMES)), ids=SCHEMES)
def test_s08_only_http_and_https(led_on, number):
    state = led_on.feed(f"scheme-{number}")
    assert state["failures"] == 1 and len(led_on.requests(f"scheme-{number}")) == 1


@pytest.mark.parametrize("name", ["slashes", "backslash"])
def test_s08_a_host_in_disguise(led_on, victim, name):
    assert led_on.feed(name)["failures"] == 1
    assert not victim.was_touched()


def test_s09_a_redirect_within_the_configured_origin(led_on):
    assert led_on.feed("own-origin")["items"] == led_on.feed("good")["items"] == 1


@pytest.mark.parametrize("number", range(len(PRIVATE)), ids=PRIVATE)
def test_s09_a_redirect_to_a_private_address(led_on, victim, number):
    state = led_on.feed(f"to-{number}")
    assert state["failures"] == 1
    is_name = PRIVATE[number].endswith(("localhost", "."))  # some resolvers do not know these at all
    assert "private" in state["message"] or "refused" in state["message"] or is_name, state["message"]
    assert not victim.was_touched()


@pytest.fixture
def names(tmp_path):
    """A resolver that says what the test wants: /etc/hosts of a mount namespace."""
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n")
    enter = ("unshare", "-rm", "sh", "-c", f'mount --bind {hosts} /etc/hosts && exec "$@"', "sh")
    if subprocess.run([*enter, "true"], capture_output=True).returncode != 0:
        pytest.skip("no mount namespaces here")
    return hosts, enter


def test_s09_dns_answers_and_rebinding(tmp_path, names, victim):
    hosts, enter = names
    lines = [f"{address} n{n}.test" for n, address in enumerate(
        ["127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "10.0.0.1", "192.168.0.1", "169.254.169.254", "fe80::1", "fd00::1"])]
    hosts.write_text("\n".join([*lines, "127.0.0.1 both.test", "::1 both.test", "192.0.2.1 rebound.test", ""]))
    plays = {f"n{n}": Play(url=f"http://n{n}.test:{victim.port}/") for n in range(len(lines))}
    plays["both"] = Play(url=f"http://both.test:{victim.port}/")
    plays["rebound"] = Play(url=f"http://rebound.test:{victim.port}/", timeout="1s")
    plays["good"] = Play(GOOD)
    with Stage(tmp_path / "dns", plays, defaults={"initial": "all"}, wrapper=enter) as stage:
        stage.passes(1)
        for name in [*(f"n{n}" for n in range(len(lines))), "both"]:
            assert "private" in stage.feed(name)["message"], (name, stage.feed(name)["message"])
        with open(hosts, "r+") as file:  # in place: the mount shows the same file
            text = file.read().replace("192.0.2.1", "127.0.0.1")
            file.seek(0)
            file.write(text)
            file.truncate()
        stage.passes(1)
        assert "private" in stage.feed("rebound")["message"]
        assert not victim.was_touched()
        assert stage.feed("good")["items"] == 1


def test_s09_a_connection_that_another_feed_opened(tmp_path, names):
    hosts, enter = names
    hosts.write_text("127.0.1.1 shared.test\n")
    with Httpd(1) as server:
        server.on("/allowed", Reply(200, FEED)), server.on("/refused", Reply(200, FEED))
        url = f"http://shared.test:{server.port}"
        plays = {"a-allowed": Play(url=url + "/allowed", allow_private="yes"), "b-refused": Play(url=url + "/refused"),
                 "c-allowed": Play(url=url + "/allowed?", allow_private="yes")}
        with Stage(tmp_path / "shared", plays, defaults={"initial": "all"}, wrapper=enter) as stage:
            stage.passes(1)
            assert len(server.requests("/allowed")) == 1 and not server.requests("/refused")
            assert "private" in stage.feed("b-refused")["message"]


# --- S10: values that would be two ---

EVIL = b"X-Evil: 1"
INJECTIONS = {
    "cr-etag": b'ETag: "a"\rX-Evil: 1', "nul-etag": b'ETag: "a\0b"', "cr-modified": b"Last-Modified: x\rX-Evil: 1",
    "fold": b'ETag: "a"\r\n X-Evil: 1', "esc": b'ETag: "\x1b]0;x\x07"', "long": b'ETag: "' + b"a" * 10_000 + b'"',
    "location": b"Location: /next\rX-Evil: 1", "location-encoded": b"Location: /next%0d%0aX-Evil:%201",
    "cookie": b"Set-Cookie: a=b\r\nSet-Cookie: c=d",
}


def injected(header):
    status = b"302 Found" if header.startswith(b"Location") else b"200 OK"
    body = b"" if header.startswith(b"Location") else FEED
    return Reply(raw=b"HTTP/1.1 " + status + b"\r\n" + header + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


@pytest.fixture(scope="module")
def injections(tmp_path_factory):
    plays = {name: Play(injected(header)) for name, header in INJECTIONS.items()}
    plays["encoded-url"] = Play(GOOD, path="/a%0d%0aX-Evil:%201")
    plays["userinfo"] = Play(GOOD, userinfo="u:p%0d%0aX-Evil:%201")
    with Stage(tmp_path_factory.mktemp("injections"), plays) as stage:
        stage.passes(3)
        yield stage


@pytest.mark.parametrize("name", INJECTIONS)
def test_s10_no_second_header_from_what_a_server_said(injections, name):
    requests = injections.requests(name)
    assert len(requests) == 3
    for request in requests:
        assert not {n.lower() for n, _ in request.headers} & {"x-evil", "cookie"}
        assert re.fullmatch(rb"[\t\r\n -~]*", request.raw) and b"\r" not in request.raw.replace(b"\r\n", b"")
        assert len(request.raw) < 5000


def test_s10_a_configured_url_is_sent_as_it_is(injections):
    assert injections.requests("encoded-url")[0].target == "/a%0d%0aX-Evil:%201"
    assert not injections.requests("userinfo") and "control character" in injections.feed("userinfo")["message"]


@pytest.mark.parametrize("section, setting", [
    ("feedwatch", "user_agent_contact = me\x01you"), ("feedwatch", "user_agent_contact = me\ryou"),
    ("feed a", "user_agent = x\x7fy"), ("feed a", "headers = X-A: b\x01c"), ("feed a", "headers = X-A: b\rX-Evil: 1"),
    ("feed a", "headers = X A: b"), ("feed b", "url = http://a.example/\x01"), ("feed b", "url = http://a.example/\rX")])
def test_s10_control_characters_in_settings_are_refused(daemon, section, setting):
    head = "" if section == "feed a" else f"[{section}]\n"
    daemon.config_path.write_bytes(f"[feed a]\nurl = http://a.example/\n{head}{setting}\n".encode())
    result = daemon.command("check")
    assert result.returncode == 78, result
    assert re.search(r"feedwatch\.conf:\d+:\d+: error: ", result.stderr)


# --- S11: secrets ---

SECRET = "s3cr3t"


def test_s11_secrets_stay_where_they_are(tmp_path):
    plays = {
        "own": Play(Reply(200, FEED), Reply(500), userinfo=f"user:{SECRET}"),
        "away": Play(Reply(302, headers={"Location": "{other}"}), userinfo=f"user:{SECRET}"),
        "loop": Play(Reply(302, headers={"Location": "/loop"}), userinfo=f"user:{SECRET}"),
        "denied": Play(Reply(401, b"no", {"WWW-Authenticate": "Basic"}), userinfo=f"user:{SECRET}"),
        "refused": Play(url=f"http://user:{SECRET}@127.0.0.1:1/"),
        "other": Play(GOOD, path="/other", enabled="no"),
    }
    old = os.umask(0)
    try:
        with Stage(tmp_path / "secrets", plays) as stage:
            stage.passes(2)
            process = stage.start()
            stage.server.wait(1)
            shown = open(f"/proc/{process.pid}/cmdline", "rb").read()
            stage.daemon.stop(process)
            assert SECRET.encode() not in shown
            for name in ("own", "denied"):
                assert stage.requests(name)[0].header("Authorization").startswith("Basic ")
            for request in stage.server.requests():
                assert request.header("Referer") is None and SECRET not in request.target
                assert request.target != "/other" or request.header("Authorization") is None
            said = stage.daemon.stderr + "".join(stage.daemon.feedwatch(*words) for words in (
                ["status"], ["status", "--json"], ["alerts", "--json"], ["check", "--print"]))
            said += stage.daemon.log.read_text()
            assert SECRET not in said
            modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [stage.daemon.state, *stage.daemon.state.rglob("*")]}
            assert all(mode == (0o700 if path.is_dir() else 0o600) for path, mode in modes.items()), modes
    finally:
        os.umask(old)


def test_s11_no_secret_goes_from_https_to_http(tmp_path):
    authority = Tls(tmp_path / "tls")
    with Httpd(1) as plain:
        plain.on("/plain", Reply(200, FEED))
        plays = {"a": Play(Reply(200, FEED, {"ETag": '"a"'}), Reply(302, headers={"Location": plain.url("/plain", 1)}),
                           host=1, userinfo=f"user:{SECRET}")}
        with Stage(tmp_path / "stage", plays, tls=authority, environment={"SSL_CERT_FILE": str(authority.ca)}) as stage:
            stage.passes(2)
            assert [bool(r.header("Authorization")) for r in stage.requests("a")] == [True, True]
            (request,) = plain.requests()
            assert request.header("Authorization") is request.header("If-None-Match") is request.header("Referer") is None


# --- S12: certificates ---

@pytest.mark.parametrize("kind", ["self-signed", "wrong-host", "expired"])
def test_s12_a_bad_certificate_is_refused(tmp_path, kind):
    authority = Tls(tmp_path / "tls", kind)
    with Stage(tmp_path / "stage", {"a": Play(GOOD)}, tls=authority,
               environment={"SSL_CERT_FILE": str(authority.ca)}) as stage:
        stage.passes(1)
        assert not stage.server.requests()
        state = stage.feed("a")
        assert state["failures"] == 1 and "certificate" in state["message"].lower(), state["message"]


def test_s12_a_good_one_is_taken_and_there_is_no_switch(tmp_path):
    authority = Tls(tmp_path / "tls")
    with Stage(tmp_path / "stage", {"a": Play(GOOD)}, tls=authority,
               environment={"SSL_CERT_FILE": str(authority.ca)}) as stage:
        stage.passes(1)
        assert stage.feed("a")["items"] == 1
        printed = stage.daemon.feedwatch("check", "--print")
        assert "url" in printed and not re.search(r"insecure|verify|tls|ssl|certificate", printed, re.IGNORECASE)
