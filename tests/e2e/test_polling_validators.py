"""E01 to E10: the first contact, and validators as one value from one response."""
import pytest
from httpd import Reply
from stage import FEED, Play, Stage, feed

ODD = 'W/"a b-gzip"'
DATE = "Thu, 1 Jan 2026 0:00:00 +0000"
OTHER = feed(1, 2)
CUT = feed(1, 2, 3, title="e09-broken-xml")[:-60]  # the connection ends well, the document does not


def ok(body=FEED, etag=None, modified=None, **more):
    return Reply(200, body, {k: v for k, v in (("ETag", etag), ("Last-Modified", modified)) if v}, **more)


BAD = {
    "429": Reply(429, headers={"Retry-After": "1", "ETag": '"bad"'}), "500": Reply(500, b"oops", {"ETag": '"bad"'}),
    "reset": Reply(reset=True), "timeout": Reply(hang=True), "short": Reply(200, OTHER, {"ETag": '"bad"'}, cut=100),
    "broken-xml": ok(CUT, '"bad"'), "no-feed": ok(b"<html><body>hello</body></html>", '"bad"'), "empty": ok(b"", '"bad"'),
    "bad-gzip": Reply(200, OTHER, {"ETag": '"bad"', "Content-Encoding": "gzip"}), "204": Reply(204, b"", {"ETag": '"bad"'}),
}
PLAYS = {
    "e01": Play(ok(), path="/%7Euser/A/../b;c=1/?q=%20+x&y=&utm_source=rss"),
    "e02": Play(Reply(200, FEED, [("Set-Cookie", "id=1; Path=/"), ("Set-Cookie", "b=2"), ("ETag", '"a"')]), Reply(304)),
    "e03": Play(ok(etag=ODD), Reply(304)),
    "e04": Play(ok(modified=DATE), Reply(304)),
    "e04-none": Play(ok()),
    "e05": Play(ok(etag=ODD, modified=DATE), Reply(304)),
    "e06": Play(ok(etag='"a"', modified=DATE), ok(etag='"b"', modified="later"), Reply(304)),
    "e07": Play(ok(etag='"a"'), ok(OTHER), ok(FEED)),
    "e07-same-body": Play(ok(etag='"a"'), ok()),
    "e07-other-half": Play(ok(etag='"a"', modified=DATE), ok(OTHER, modified="x"), Reply(304)),
    "e08": Play(ok(etag='"a"', modified=DATE), Reply(304), Reply(304, headers={"ETag": '"b"'}), Reply(304)),
    **{f"e09-{name}": Play(ok(feed(1, title=f"e09-{name}"), '"a"', DATE), reply, Reply(304), timeout="1s") for name, reply in BAD.items()},
    "e09-redirect-to-bad": Play(ok(etag='"a"'), Reply(302, headers={"Location": "/bad"}), Reply(304),
                                also={"/bad": [Reply(500, headers={"ETag": '"bad"'})]}),
    "e10": Play(ok(etag='"a"'), Reply(500), Reply(304)),
    "e10-body": Play(ok(etag='"a"'), Reply(raw=b'HTTP/1.1 304 Not Modified\r\nContent-Type: application/rss+xml\r\n\r\n'
                                                + feed(7))),
}
PASSES = 4


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("stage"), PLAYS) as stage:
        stage.history = []
        for _ in range(PASSES):
            stage.passes(1)
            stage.history.append(stage.feed("e10"))
        yield stage


def validators(request):
    return request.header("If-None-Match"), request.header("If-Modified-Since")


def sent(played, name):
    """The pair that each request carried."""
    return [validators(r) for r in played.requests(name)]


def test_e01_first_contact(played):
    first = played.requests("e01")[0]
    assert (first.method, first.target) == ("GET", PLAYS["e01"].path)
    assert {n.lower() for n, _ in first.headers} == {"host", "user-agent", "accept", "accept-encoding"}
    assert first.body == b""
    assert len(played.requests("e01")) == PASSES
    assert all(r.method == "GET" for r in played.server.requests())


def test_e02_cookies(played):
    assert len(played.requests("e02")) == PASSES
    assert all(r.header("Cookie") is None for r in played.server.requests())


def test_e03_etag(played):
    assert sent(played, "e03") == [(None, None)] + 3 * [(ODD, None)]
    assert f"If-None-Match: {ODD}\r\n".encode() in played.requests("e03")[1].raw + b"\r\n"


def test_e04_last_modified(played):
    assert sent(played, "e04") == [(None, None)] + 3 * [(None, DATE)]


def test_e04_never_made_up(played):
    assert sent(played, "e04-none") == 4 * [(None, None)]


def test_e05_both(played):
    assert sent(played, "e05") == [(None, None)] + 3 * [(ODD, DATE)]


def test_e06_a_new_pair_with_the_same_body(played):
    assert sent(played, "e06") == [(None, None), ('"a"', DATE), ('"b"', "later"), ('"b"', "later")]


@pytest.mark.parametrize("name, pairs", [
    ("e07", [(None, None), ('"a"', None), (None, None), (None, None)]),
    ("e07-same-body", [(None, None), ('"a"', None), (None, None), (None, None)]),
    ("e07-other-half", [(None, None), ('"a"', DATE), (None, "x"), (None, "x")])])
def test_e07_one_value_from_one_response(played, name, pairs):
    assert sent(played, name) == pairs


def test_e08_a_304_keeps_or_replaces_the_pair(played):
    assert sent(played, "e08") == [(None, None), ('"a"', DATE), ('"a"', DATE), ('"b"', None)]


@pytest.mark.parametrize("name", BAD)
def test_e09_a_failure_keeps_the_pair(played, name):
    assert sent(played, f"e09-{name}") == [(None, None)] + 3 * [('"a"', DATE)]


def test_e09_a_failure_behind_a_redirect_keeps_the_pair(played):
    assert sent(played, "e09-redirect-to-bad") == [(None, None)] + 3 * [('"a"', None)]


def test_e09_a_failure_changes_no_item(played):
    for name in BAD:
        assert played.feed(f"e09-{name}")["items"] == (3 if name == "broken-xml" else 1)


def test_e09_what_a_broken_document_shows_is_told_once(played):
    titles = [a.title for a in played.daemon.alerts() if a.feed == "e09-broken-xml"]
    assert titles == ["Alpha 1", "Alpha 2", "Alpha 3"]


def test_e10_a_304_is_a_look(played):
    first, failed, looked, _ = played.history
    assert (failed["failures"], failed["health"], failed["last_look"]) == (1, "failing", first["last_look"])
    assert (looked["failures"], looked["message"], looked["failing_since"]) == (0, None, None)
    assert looked["last_look"] > first["last_look"]
    assert looked["last_news"] == first["last_news"]


def test_e10_the_body_of_a_304_is_not_read(played):
    assert played.feed("e10-body")["items"] == 1
    assert played.feed("e10-body")["failures"] == 0
