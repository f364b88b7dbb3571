"""E21 to E30: silence, redirects, errors, what a document asks for, deltas, encodings."""
import json, socket, time
import pytest
from httpd import Httpd, Reply, Tls, conditional, stored_brotli, stored_zstd
from stage import FEED, HOUR_S, Play, Stage, decided, feed

DAY_S = 24 * HOUR_S
SOON = {"interval": "10m"}
HTML = Reply(200, b"<!DOCTYPE html><html><head><title>Log in</title></head><body>Welcome to the hotel</body></html>",
             {"Content-Type": "text/html", "ETag": '"portal"'})
GOOD = conditional(FEED, '"good"')


def ok(body=FEED, etag='"a"', **headers):
    return Reply(200, body, {"ETag": etag, **{k.replace("_", "-"): v for k, v in headers.items()}})


def to(status, where, **headers):
    return Reply(status, headers={"Location": where, **headers})


# --- in passes of --once ---

CLOSED = socket.socket()  # bound, never listening: refuses connections, and nobody else gets its port
CLOSED.bind(("127.0.0.1", 0))
REFUSED = f"http://127.0.0.1:{CLOSED.getsockname()[1]}/feed"

PASSES = 4
ONCE = {
    "elsewhere": Play(GOOD),
    "e23-302": Play(to(302, "{elsewhere}")),
    "e24-origin": Play(ok(), to(302, "{e24-origin-to}"), to(302, "{e24-origin-to}"), Reply(304), userinfo="user:secret"),
    "e24-origin-to": Play(ok(etag='"foreign"', body=feed(1, 5)), enabled="no"),
    "e24-five": Play(to(302, "/1"), also={f"/{n}": [to(302, f"/{n + 1}")] for n in range(1, 5)} | {"/5": [GOOD]}),
    "e24-six": Play(to(302, "/1"), also={f"/{n}": [to(302, f"/{n + 1}")] for n in range(1, 6)} | {"/6": [GOOD]}),
    "e24-loop": Play(to(301, "/other"), also={"/other": [to(301, "/e24-loop")]}),
    **{f"e24-{name}": Play(to(301, where)) for name, where in {
        "ftp": "ftp://127.0.0.1/feed", "file": "file:///etc/passwd", "gopher": "gopher://127.0.0.1/", "data": "data:,x",
        "empty": "", "javascript": "javascript:alert(1)"}.items()},
    "e25": Play(ok(), Reply(410), ok(feed(1, 2))),
    "e27": Play(ok(), HTML, Reply(304)),
    "e27-redirect": Play(ok(), to(302, "/login"), Reply(304), also={"/login": [HTML]}),
    "e29": Play(ok(feed(1, 2, 3, title="e29")), Reply(226, feed(4, title="e29"), {"ETag": '"b"', "IM": "feed"}),
                Reply(226, feed(5, title="e29"), {"ETag": '"c"', "IM": "feed"}), ok(feed(1, 2, 3, 4, 5, 6, title="e29"))),
    "e29-unasked": Play(Reply(226, feed(9), {"ETag": '"x"', "IM": "feed"})),
    **{f"e30-{name}": Play(Reply(200, feed(1, title=f"e30-{name}"), encoding=name)) for name in ("gzip", "deflate")},
    "e30-br": Play(Reply(200, stored_brotli(feed(1, title="e30-br")), encoding="br")),
    "e30-zstd": Play(Reply(200, stored_zstd(feed(1, title="e30-zstd")), encoding="zstd")),
}


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("once"), ONCE) as stage:
        stage.history = []
        for _ in range(PASSES):
            stage.passes(1)
            stage.history.append(stage.states())
        yield stage


def test_e23_a_temporary_redirect_is_never_saved(once):
    assert len(once.requests("e23-302")) == PASSES
    assert once.state("e23-302")["moved_url"] is once.state("e23-302")["candidate_url"] is None


def test_e24_nothing_secret_goes_to_another_origin(once):
    own, foreign = once.requests("e24-origin"), once.requests("e24-origin-to")
    assert [r.header("Authorization") for r in own] == PASSES * ["Basic dXNlcjpzZWNyZXQ="]
    assert len(foreign) == 2
    for request in foreign:
        assert request.header("Authorization") is request.header("If-None-Match") is request.header("Referer") is None
    # Its validator is nobody's business of the first one, and did not replace what was kept for it.
    assert [r.header("If-None-Match") for r in own][:2] == [None, '"a"']
    assert '"foreign"' not in [r.header("If-None-Match") for r in own]


def test_e24_five_hops_and_no_more(once):
    assert once.feed("e24-five")["failures"] == 0
    assert once.feed("e24-six")["message"] == "more than 5 redirects"
    assert not once.requests("e24-six", "/6") and once.requests("e24-six", "/5")


def test_e24_a_loop_is_an_error(once):
    assert once.feed("e24-loop")["failures"] == PASSES
    assert len(once.requests("e24-loop") + once.requests("e24-loop", "/other")) <= 6 * PASSES


@pytest.mark.parametrize("scheme", ["ftp", "file", "gopher", "data", "javascript"])
def test_e24_http_and_https_only(once, scheme):
    assert "redirect was refused" in once.feed(f"e24-{scheme}")["message"]


def test_e25_410_stops_polling_for_good(once):
    assert len(once.requests("e25")) == 2  # each pass is a restart
    assert once.feed("e25")["health"] == "gone"
    assert once.daemon.stderr.count("feed e25: ") == 1


@pytest.mark.parametrize("name, path", [("e27", None), ("e27-redirect", "/login")])
def test_e27_a_captive_portal_touches_nothing(once, name, path):
    before, behind, after, _ = (states[name] for states in once.history)
    assert behind["failures"] == 1 and "feed" in behind["message"]
    for kept in ("etag", "last_modified", "moved_url", "candidate_url", "n_items_last", "body_hash", "title"):
        assert behind[kept] == before[kept], kept
    assert [r.header("If-None-Match") for r in once.requests(name)] == [None] + 3 * ['"a"']
    assert after["failures"] == 0


def test_e29_a_delta_is_merged(once):
    asked = [(r.header("A-IM"), r.header("If-None-Match")) for r in once.requests("e29")]
    assert asked == [(None, None), ("feed", '"a"'), ("feed", '"b"'), ("feed", '"c"')]
    assert [a.title for a in once.daemon.alerts() if a.feed == "e29"] == [f"Alpha {n}" for n in range(1, 7)]
    gaps = json.loads(once.daemon.feedwatch("status", "--json"))["gaps"]
    assert not [g for g in gaps if g["feed"] == "e29"]


def test_e29_asked_for_only_beside_a_validator(once):
    for request in once.server.requests():
        has_validator = request.header("If-None-Match") or request.header("If-Modified-Since")
        assert (request.header("A-IM") is not None) == bool(has_validator)
    assert once.feed("e29-unasked")["failures"] == PASSES


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_e30_encodings(once, name):
    offered = {e.strip() for e in once.requests("e25")[0].header("Accept-Encoding").split(",")}
    assert name in offered
    assert [a.title for a in once.daemon.alerts() if a.feed == f"e30-{name}"] == ["Alpha 1"]


# --- what is decided, against the real clock ---

def in_days(server_s):
    """Names of today and tomorrow, GMT."""
    return [time.strftime("%A", time.gmtime(server_s + n * DAY_S)) for n in range(2)]


def skips_hours(request):
    hour = time.gmtime(request.wall).tm_hour
    hours = "".join(f"<hour>{(hour + n) % 24}</hour>" for n in range(4))
    return ok(feed(1, extra=f"<skipHours>{hours}</skipHours>"))


def skips_days(request):
    days = "".join(f"<day>{day}</day>" for day in in_days(request.wall))
    return ok(feed(1, extra=f"<skipDays>{days}</skipDays>"))


def period(name, frequency=1):
    text = ('<sy:updatePeriod xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">%s</sy:updatePeriod>'
            '<sy:updateFrequency xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">%d</sy:updateFrequency>')
    return ok(feed(1, extra=text % (name, frequency)))


FAILING = {"403": Reply(403), "404": Reply(404), "500": Reply(500), "502": Reply(502), "timeout": Reply(hang=True),
           "reset": Reply(reset=True), "html": HTML}
SKIPS_ALL = ok(feed(1, extra="<skipHours>" + "".join(f"<hour>{n}</hour>" for n in range(24)) + "</skipHours>"))
STORED = {
    **{f"e26-{name}": Play(reply, timeout="1s", **SOON) for name, reply in FAILING.items()},
    "e26-hourly": Play(Reply(500)),
    "e26-slow": Play(Reply(500), interval="6h"),
    "e26-dns": Play(url="http://nowhere.invalid/feed", **SOON),
    "e26-refused": Play(url=REFUSED, **SOON),
    "e26-tls": Play(**SOON),
    "e26-reset-by-success": Play(Reply(500), Reply(500), ok(), Reply(500), **SOON),
    "e28-ttl": Play(ok(feed(1, extra="<ttl>180</ttl>")), **SOON),
    "e28-ttl-short": Play(ok(feed(1, extra="<ttl>1</ttl>"))),
    "e28-hours": Play(skips_hours, **SOON),
    "e28-hours-all": Play(SKIPS_ALL, **SOON),
    "e28-days": Play(skips_days, **SOON),
    "e28-weekly": Play(period("weekly"), **SOON),
    "e28-often": Play(period("hourly", 60)),
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stored")
    with Httpd(1, Tls(folder / "tls", "self-signed")) as bad:
        plays = {**STORED, "e26-tls": Play(url=bad.url("/feed"), **SOON)}
        with Stage(folder, plays) as stage:
            history = []
            for _ in range(PASSES):
                stage.passes(1, scale=1)
                history.append(stage.states())
            yield history


@pytest.mark.parametrize("name, first_s", [
    *((f"e26-{name}", 900) for name in FAILING), ("e26-hourly", HOUR_S), ("e26-slow", 6 * HOUR_S), ("e26-dns", 120),
    ("e26-refused", 120), ("e26-tls", 900)])
def test_e26_back_off_doubles_with_jitter(stored, name, first_s):
    for n, states in enumerate(stored):
        most_s = min(first_s * 2 ** n, DAY_S)
        decided(states[name], most_s * 9 // 10, most_s)


def test_e26_a_success_resets(stored):
    delays = [states["e26-reset-by-success"] for states in stored]
    decided(delays[1], 1620, 1800)
    decided(delays[2], 540, 600)
    decided(delays[3], 810, 900)


@pytest.mark.parametrize("name, least_s, most_s", [
    ("e28-ttl", 10800, 11101), ("e28-ttl-short", 3240, 3600), ("e28-weekly", 2 * DAY_S, 2 * DAY_S + 301),
    ("e28-often", 3240, 3600), ("e28-hours-all", 540, 600)])
def test_e28_a_document_lengthens_and_never_shortens(stored, name, least_s, most_s):
    decided(stored[0][name], least_s, most_s)


def test_e28_hours_are_skipped(stored):
    state = stored[0]["e28-hours"]
    hours = [(time.gmtime(state["asked_s"]).tm_hour + n) % 24 for n in range(4)]
    assert time.gmtime(state["due_s"]).tm_hour not in hours
    assert state["delay_s"] <= 4 * HOUR_S + 600


def test_e28_days_are_skipped(stored):
    state = stored[0]["e28-days"]
    assert time.strftime("%A", time.gmtime(state["due_s"])) not in in_days(state["asked_s"])
    assert state["delay_s"] <= 2 * DAY_S + 600


# --- hours as seconds: silence for an origin, moves ---

HOURS = 9
WIRE = {
    # Once: each further 429 would be a new silence, and whether b gets its turn between two would be chance.
    "e21-a": Play(ok(), ok(), Reply(429, headers={"Retry-After": "10800"}), ok(), host=1, **SOON),
    "e21-b": Play(GOOD, host=1, **SOON),
    "e21-other": Play(GOOD, host=2, **SOON),
    "e26-for-ever": Play(Reply(500), **SOON),
}


@pytest.fixture(scope="module")
def wire(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("wire"), WIRE) as stage:
        stage.run(hours=HOURS, scale=HOUR_S)
        yield stage


def test_e21_all_of_an_origin_waits(wire):
    refused_at = next(r.done for r in wire.requests("e21-a") if r.status == 429)
    on_its_way = .2 * HOUR_S  # a request of b may have left before a's answer was read
    for name in ("e21-a", "e21-b"):
        since = [(r.at - refused_at) * HOUR_S for r in wire.requests(name)]
        assert not [s for s in since if on_its_way < s < 10800], name
        assert [s for s in since if s >= 10800], name
    assert [r for r in wire.requests("e21-other") if on_its_way < (r.at - refused_at) * HOUR_S < 10800]


def test_e26_never_given_up(wire):
    gaps = wire.gaps_s("e26-for-ever")
    assert len(gaps) >= 4
    assert all(gap >= .9 * least_s for gap, least_s in zip(gaps, (900, 1800, 3600, 7200, 14400)))


# A permanent move is believed after three times in 24 hours: an hour is 1/20 s, and a feed asks every eight hours.
MOVE_SCALE = 20 * HOUR_S
MOVES = {
    **{f"e22-{status}": Play(to(status, "{e22-new}"), interval="8h") for status in (301, 308)},
    "e22-new": Play(GOOD, enabled="no"),
    "e22-html": Play(to(301, "/page"), also={"/page": [HTML]}, interval="8h"),
    **{f"e23-{status}": Play(to(status, "{e22-new}"), interval="8h") for status in (302, 303, 307)},
    "e23-mixed": Play(to(302, "/middle"), also={"/middle": [to(301, "{e22-new}")]}, interval="8h"),
    "e23-changing": Play(*(to(301, where) for _ in range(40) for where in ("/x", "/y")),
                         also={"/x": [GOOD], "/y": [GOOD]}, interval="8h"),
}


@pytest.fixture(scope="module")
def moves(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("moves"), MOVES) as stage:
        for _ in range(2):  # what is believed holds across a restart
            stage.run(hours=60, scale=MOVE_SCALE)
            stage.restarted_at = getattr(stage, "restarted_at", None) or time.monotonic()
        yield stage


@pytest.mark.parametrize("status", [301, 308])
def test_e22_a_permanent_move_is_believed_after_a_day(moves, status):
    name = f"e22-{status}"
    asked = moves.requests(name)
    assert 3 <= len(asked) <= 6
    assert (asked[-1].at - asked[0].at) * MOVE_SCALE >= DAY_S
    assert (asked[1].at - asked[0].at) * MOVE_SCALE < DAY_S
    assert max(r.at for r in asked) < moves.restarted_at
    assert moves.state(name)["moved_url"] == moves.url("e22-new")
    assert f"feed {name} has moved for good" in moves.daemon.stderr
    assert moves.daemon.stderr.count(f"feed {name} has moved for good") == 1
    alerts = map(json.loads, moves.daemon.feedwatch("alerts", "--json").splitlines())
    told = [a["title"] for a in alerts if a["kind"] == "health" and a["feed"] == name]
    assert f"Has moved for good: it is read from {moves.url('e22-new')} now; put that into its url" == "".join(told)


def test_e22_a_move_to_a_page_never(moves):
    assert moves.state("e22-html")["moved_url"] is moves.state("e22-html")["candidate_url"] is None


@pytest.mark.parametrize("name", ["e23-302", "e23-303", "e23-307", "e23-mixed", "e23-changing"])
def test_e23_what_is_not_permanent_is_never_saved(moves, name):
    assert len([r for r in moves.requests(name) if r.at > moves.restarted_at]) >= 2
    assert moves.state(name)["moved_url"] is None
