"""A feed's own headers and credentials: on the wire where they belong (S11), and nowhere else."""
import json, re, sqlite3
from contextlib import closing
import pytest
from httpd import Httpd, Reply, Tls
from stage import FEED, Play, Stage

KEY, SECRET = "k3y-of-mine", "s3cr3t"
OK = Reply(200, FEED, {"ETag": '"a"'})
BASIC = "Basic dXNlcjpzM2NyM3Q="  # user:s3cr3t


def secret_file(path, text):
    path.touch(0o600)
    path.write_text(text + "\n")
    return str(path)


def to(where, status=302):
    return Reply(status, headers={"Location": where})


def test_headers_are_sent_as_they_are_written(make_stage):
    stage = make_stage({
        "own": Play(OK, headers=f'X-Api-Key: {KEY}, "Accept-Language: es, en;q=0.5", Accept: text/x-feed', user_agent="mine/1"),
        "other": Play(OK)})
    stage.passes(2)
    for request in stage.requests("own"):
        assert request.header("X-Api-Key") == KEY and request.header("Accept-Language") == "es, en;q=0.5"
        assert request.header("Accept") == "text/x-feed" and request.header("User-Agent") == "mine/1"
    assert [r.header("If-None-Match") for r in stage.requests("own")] == [None, '"a"']
    for request in stage.requests("other"):
        assert {n.lower() for n, _ in request.headers} <= {"host", "user-agent", "accept", "accept-encoding", "if-none-match", "a-im"}
        assert request.header("User-Agent").startswith("feedwatch/")


def test_one_address_with_different_headers_is_two_requests(make_stage):
    stage = make_stage({name: Play(OK, path="/shared", host=1, **({"headers": f"X-Api-Key: {name}"} if name != "c" else {}))
                        for name in "abc"})
    stage.passes(1)
    assert sorted(r.header("X-Api-Key") or "-" for r in stage.server.requests()) == ["-", "a", "b"]


@pytest.mark.parametrize("line, sent", [(f"user:{SECRET}", BASIC), (f"Bearer {SECRET}", f"Bearer {SECRET}")])
def test_credentials_are_read_for_each_request(make_stage, tmp_path, line, sent):
    path = secret_file(tmp_path / "login", "user:before")
    stage = make_stage({"a": Play(OK, credentials=path)})
    stage.passes(1)
    secret_file(tmp_path / "login", line)
    stage.passes(1)
    assert [r.header("Authorization") for r in stage.requests("a")] == ["Basic dXNlcjpiZWZvcmU=", sent]
    said = stage.daemon.stderr + "".join(stage.daemon.feedwatch(*words) for words in (["status", "--json"], ["check", "--print"]))
    assert SECRET not in said


def test_s11_a_file_that_others_can_read_is_not_used(make_stage, tmp_path):
    path = secret_file(tmp_path / "login", f"user:{SECRET}")
    stage = make_stage({"a": Play(OK, credentials=path)})
    stage.passes(1)
    (tmp_path / "login").chmod(0o644)
    told = stage.daemon.command("check")
    assert told.returncode == 78 and re.search(r"feedwatch\.conf:\d+:\d+: error: others can read ", told.stderr), told.stderr


@pytest.mark.parametrize("secret", ["headers", "credentials", "bearer"])
@pytest.mark.parametrize("hops", ["host", "host-and-back", "port"])
def test_s11_a_redirect_to_another_origin_takes_no_secret_along(make_stage, tmp_path, secret, hops):
    settings = {"headers": {"headers": f"X-Api-Key: {SECRET}, Authorization: Basic {SECRET}"},
                "credentials": {"credentials": secret_file(tmp_path / "login", f"user:{SECRET}")},
                "bearer": {"credentials": secret_file(tmp_path / "token", f"Bearer {SECRET}")}}[secret]
    with Httpd(1) as elsewhere:
        elsewhere.on("/x", OK)
        where = elsewhere.url("/x") if hops == "port" else "{other/other}"
        stage = make_stage({"a": Play(to("/b"), host=2, also={"/b": [to(where)], "/c": [OK]}, **settings),
                            "other": Play(to("{a/c}") if hops == "host-and-back" else OK, path="/other", enabled="no")})
        stage.passes(2)
        strange = elsewhere.requests() if hops == "port" else stage.requests("other")
        own = [r for r in stage.server.requests() if r.target != "/other"]
    assert len(strange) == 2 and stage.feed("a")["failures"] == 0, stage.feed("a")
    for request in strange:
        assert not [value for _, value in request.headers if SECRET in value]
        assert request.header("X-Api-Key") is request.header("Authorization") is request.header("If-None-Match") is None
    assert len(own) >= 4 and all(r.header("Authorization") for r in own)


def test_s11_headers_do_not_go_from_https_to_http(tmp_path):
    authority = Tls(tmp_path / "tls")
    with Httpd(1) as plain:
        plain.on("/plain", OK)
        plays = {"a": Play(to(plain.url("/plain", 1)), host=1, headers=f"X-Api-Key: {SECRET}")}
        with Stage(tmp_path / "stage", plays, tls=authority, environment={"SSL_CERT_FILE": str(authority.ca)}) as stage:
            stage.passes(1)
            assert [r.header("X-Api-Key") for r in stage.requests("a")] == [SECRET]
            assert [r.header("X-Api-Key") for r in plain.requests()] == [None]


def test_s12_nothing_secret_goes_to_whoever_has_no_right_certificate(tmp_path):
    authority = Tls(tmp_path / "tls", "wrong-host")
    plays = {"a": Play(OK, headers=f"X-Api-Key: {SECRET}", credentials=secret_file(tmp_path / "login", f"user:{SECRET}"))}
    with Stage(tmp_path / "stage", plays, tls=authority, environment={"SSL_CERT_FILE": str(authority.ca)}) as stage:
        stage.passes(2)
        assert not stage.server.requests() and "certificate" in stage.feed("a")["message"].lower()


def test_s11_a_move_takes_no_secret_along(make_stage, tmp_path):
    """A feed that had moved to another site, and was given a password afterwards: it goes where it was given for."""
    stage = make_stage({"a": Play(OK), "b": Play(OK), "other": Play(OK, enabled="no")})
    stage.passes(1)
    with closing(sqlite3.connect(stage.daemon.state / "feedwatch.db")) as database:
        database.execute("UPDATE feed SET moved_url = ?", (stage.url("other"),))
        database.commit()
    stage.sections["feed a"]["credentials"] = secret_file(tmp_path / "login", f"user:{SECRET}")
    stage.daemon.configure(stage.sections)
    stage.daemon.config_path.chmod(0o600)
    stage.server.forget()
    stage.passes(1)
    assert [r.header("Authorization") for r in stage.requests("a")] == [BASIC]
    assert not stage.requests("b")
    assert [r.header("Authorization") for r in stage.requests("other")] == [None]
