"""feedwatch poll: polls by hand, as polite as all others, and what comes of them."""
import json, signal, sqlite3, stat, threading, time
import pytest
from feeds import item, rss
from feedwatchd import wait_for
from httpd import Httpd, Reply, conditional

OURS = {"allow_private": "yes", "initial": "all"}
FAILING = r"feedwatchd: warning: feed \S+: "


@pytest.fixture
def server():
    with Httpd(hosts=3) as httpd:
        yield httpd


def watch(server, **feeds):
    """One feed for each name, at the path (and host) given; one rule."""
    config = {"defaults": OURS, "rule alpha": {"match": "alpha"}}
    for name, (path, host) in feeds.items():
        config[f"feed {name}"] = {"url": server.url(path, host=host)}
    return config


def edit(daemon, sql, *values):
    """What a stopped daemon remembers, changed."""
    database = sqlite3.connect(daemon.state / "feedwatch.db")
    with database:
        assert database.execute(sql, values).rowcount > 0
    database.close()


def settled(daemon):
    """The daemon listens, and has polled nothing on its own: everything was asked two minutes ago, due in an hour."""
    edit(daemon, "UPDATE schedule SET asked_s = ?, due_s = ?", int(time.time()) - 120, int(time.time()) + 3600)
    process = daemon.start()
    wait_for(lambda: (daemon.state / "control").exists(), "the control socket")
    return process


def poll(daemon, *arguments, code=0):
    result = daemon.command("poll", "--json", *arguments)
    assert result.returncode == code, result
    return {line["feed"]: line for line in map(json.loads, result.stdout.splitlines())}


def test_ten_refreshes_in_a_minute_are_one_conditional_request(server, daemon):
    server.on("/a", conditional(rss([item(1, "Alpha")]), etag='"one"'))
    daemon.configure(watch(server, a=("/a", 1)))
    daemon.once()
    settled(daemon)
    states = [poll(daemon, "a")["a"]["state"] for _ in range(10)]
    assert states == ["unchanged"] + 9 * ["recent"]
    first, second = server.requests("/a")
    assert first.header("If-None-Match") is None
    assert (second.header("If-None-Match"), second.status) == ('"one"', 304)


def test_news_are_shown_with_their_alerts(server, daemon):
    server.on("/a", Reply(200, rss([item(1, "Beta")])), Reply(200, rss([item(2, "Alpha"), item(3, "Beta"), item(1, "Beta")])))
    daemon.configure(watch(server, a=("/a", 1)))
    daemon.once()
    settled(daemon)
    result = daemon.command("poll")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.split() == "a 2 new, 1 alert".split()
    daemon.wait_alerts(1)


def test_a_feed_that_was_just_asked_is_not_asked_again(server, daemon):
    server.on("/a", Reply(200, rss([item(1, "Beta")])))
    daemon.configure(watch(server, a=("/a", 1)))
    daemon.start()
    server.wait(1, "/a")
    wait_for(lambda: '"last_look":null' not in daemon.feedwatch("status", "--json").replace(" ", ""), "the first poll")
    result = daemon.command("poll", "a")
    assert result.returncode == 0 and "asked moments ago" in result.stdout
    assert len(server.requests("/a")) == 1


def test_one_outcome_for_each_feed(server, daemon):
    good = Reply(200, rss([item(1, "Beta")]))
    server.on("/good", good)
    server.on("/broken", good, Reply(500))
    server.on("/gone", good, Reply(410))
    server.on("/busy", good, Reply(429, headers={"Retry-After": "5000"}))
    server.on("/other", good)
    config = watch(server, good=("/good", 0), broken=("/broken", 1), gone=("/gone", 2), busy=("/busy", 3), other=("/other", 3))
    config["feed off"] = {"url": server.url("/off"), "enabled": "no"}
    daemon.configure(config)
    daemon.once()
    daemon.allow(FAILING)
    daemon.once()  # now two of them want silence, and one failed
    process = settled(daemon)
    lines = poll(daemon, "good", "broken", "gone", "busy", "other", "off", code=1)
    assert {name: line["state"] for name, line in lines.items()} == {
        "good": "unchanged", "broken": "failed", "gone": "gone", "busy": "silent", "other": "silent", "off": "disabled"}
    assert "500" in lines["broken"]["message"]
    assert 4000 < lines["busy"]["until"] - time.time() < 5100
    assert [len(server.requests(p)) for p in ("/gone", "/busy", "/other", "/off")] == [2, 2, 1, 0]
    daemon.stop(process)


def test_what_was_told_is_stored(server, daemon):
    server.on("/a", conditional(rss([item(1, "Alpha")]), etag='"one"'))
    server.on("/b", Reply(200, rss([item(2, "Alpha")])), Reply(500))
    daemon.configure(watch(server, a=("/a", 1), b=("/b", 2)))
    daemon.allow(FAILING)
    daemon.once()
    edit(daemon, "UPDATE schedule SET looked_s = ?", int(time.time()) - 120)
    settled(daemon)
    started = time.time()
    assert {name: line["state"] for name, line in poll(daemon, code=1).items()} == {"a": "unchanged", "b": "failed"}
    a, b = json.loads(daemon.feedwatch("status", "--json"))["feeds"]
    assert a["last_look"] >= started - 1
    assert (a["failures"], b["failures"]) == (0, 1) and "500" in b["message"]


def test_a_crash_before_the_outcome_is_stored_asks_nobody_again(server, daemon):
    server.on("/a", conditional(rss([item(1, "Alpha")]), etag='"one"'))
    daemon.configure(watch(server, a=("/a", 1)))
    daemon.once()
    process = settled(daemon)
    poll(daemon, "--wait", "0s", "a")
    server.wait(2, "/a")
    daemon.stop(process, signal.SIGKILL)
    daemon.start()
    wait_for(lambda: daemon.command("poll", "a").returncode == 0, "the control socket")
    assert poll(daemon, "a")["a"]["state"] == "recent"
    time.sleep(1)
    assert len(server.requests("/a")) == 2


def test_feeds_with_one_address_share_a_refresh(server, daemon):
    server.on("/a", conditional(rss([item(1, "Alpha")]), etag='"one"'))
    daemon.configure(watch(server, a=("/a", 1), b=("/a", 1)))
    daemon.once()
    settled(daemon)
    assert {name: line["state"] for name, line in poll(daemon).items()} == {"a": "unchanged", "b": "unchanged"}
    assert len(server.requests("/a")) == 2


def test_the_wait_has_an_end(server, daemon):
    server.on("/a", Reply(200, rss([item(1, "Beta")])), Reply(hang=True))
    daemon.configure(watch(server, a=("/a", 1)))
    daemon.once()
    settled(daemon)
    assert poll(daemon, "--wait", "0s")["a"]["state"] == "polling"
    assert poll(daemon, "--wait", "1s", code=1)["a"]["state"] == "unfinished"
    assert len(server.requests("/a")) == 2


def test_a_reload_ends_the_wait(server, daemon):
    server.on("/a", Reply(200, rss([item(1, "Beta")])), Reply(hang=True))
    daemon.configure(watch(server, a=("/a", 1)))
    daemon.once()
    process = settled(daemon)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(daemon.command("poll", "--wait", "60s")))
    thread.start()
    wait_for(lambda: len(server.requests("/a")) == 2, "the request")
    process.send_signal(signal.SIGHUP)
    thread.join(20)
    assert answers and "still being polled" in answers[0].stdout


def test_an_unknown_feed_is_an_error_before_anything_is_asked(server, daemon):
    server.on("/a", Reply(200, rss([item(1, "Beta")])))
    daemon.configure(watch(server, granma=("/a", 1)))
    daemon.once()
    settled(daemon)
    result = daemon.command("poll", "granma", "grnma")
    assert (result.returncode, result.stdout) == (1, "")
    assert "there is no feed 'grnma'; did you mean 'granma'?" in result.stderr
    assert len(server.requests("/a")) == 1


def test_no_daemon(server, daemon):
    daemon.configure(watch(server, a=("/a", 1)))
    result = daemon.command("poll")
    assert (result.returncode, result.stdout) == (1, "")
    assert "no daemon is running" in result.stderr


def test_the_socket_outlives_no_daemon_and_a_killed_one_is_replaced(server, daemon):
    server.on("/a", Reply(200, rss([item(1, "Beta")])))
    daemon.configure(watch(server, a=("/a", 1)))
    socket = daemon.state / "control"
    daemon.once()
    process = settled(daemon)
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600
    daemon.stop(process, signal.SIGKILL)
    assert socket.exists() and "no daemon is running" in daemon.command("poll").stderr
    process = daemon.start()
    wait_for(lambda: daemon.command("poll").returncode == 0, "an answer")
    daemon.stop(process)
    assert not socket.exists()
