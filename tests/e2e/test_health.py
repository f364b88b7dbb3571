"""What is told of a feed itself: it is away for long, silent, gone, moved, back; items came and went unseen."""
import json, sqlite3
from contextlib import closing
import pytest
from feedwatchd import wait_for
from httpd import Httpd, Reply
from old_database import make_first_release
from stage import FEED, HOUR_S, Play, Stage, feed

SCALE = 4 * HOUR_S
DOWN = Reply(503, b"")


def told(stage, kind=None, feed=None):
    """Alerts that are not of an item."""
    alerts = [json.loads(line) for line in stage.daemon.feedwatch("alerts", "--json").splitlines()]
    return [a for a in alerts if a["kind"] != "alert" and kind in (None, a["kind"]) and feed in (None, a["feed"])]


def ok(*numbers, title="Wire"):
    return Reply(200, feed(*numbers, title=title), {"ETag": f'"{numbers}"'})


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    """Two days of the daemon's own time."""
    plays = {
        "away": Play(ok(1), *7 * [DOWN], ok(1), interval="10m"),
        "away-briefly": Play(ok(1), *4 * [DOWN], ok(1), interval="10m"),
        "silent": Play(ok(1), ok(1, 2), ok(1, 2, 3), *20 * [ok(1, 2, 3)], ok(1, 2, 3, 4), interval="1h"),
        "throttled": Play(ok(1), Reply(429, headers={"Retry-After": "100000"}), ok(1), interval="1h"),
        "gone": Play(ok(1), Reply(410), interval="1h"),
        "never": Play(DOWN, interval="10m"),
        "steady": Play(ok(1), Reply(304), interval="1h"),
    }
    with Stage(tmp_path_factory.mktemp("days"), plays) as stage:
        stage.run(hours=48, scale=SCALE)
        yield stage


def test_a_feed_that_is_away_for_long_is_told_of_once_and_once_that_it_is_back(days):
    away, back = told(days, feed="away")
    assert away["kind"] == back["kind"] == "health"
    assert away["title"].startswith("Cannot be read for 1") and away["title"].endswith(": the server answered 503 (Service Unavailable)")
    assert "hours" in away["title"] and back["title"].startswith("Can be read again, after ")
    assert away["link"] == days.url("away") and away["rule"] is None and away["deliveries"] == {"log": "done"}
    lines = [a for a in days.daemon.alerts() if a.rule == "!health" and a.link == days.url("away")]
    assert [a.title for a in lines] == [away["title"], back["title"]] and lines[0].feed == "Wire"
    assert days.state("away")["health_told_s"] == 0


def test_a_short_outage_is_not_told(days):
    assert len(days.requests("away-briefly")) > 5 and not told(days, feed="away-briefly")


def test_a_feed_that_falls_silent_is_told_of(days):
    silent, back = told(days, feed="silent")
    assert silent["title"].startswith("No news for 1") and "pauses" in silent["title"]
    assert back["title"].startswith("Has news again, after ")


def test_a_long_wait_that_a_server_asks_for_is_told_at_once(days):
    alerts = told(days, feed="throttled")
    assert alerts[0]["title"] == "Cannot be read, and is not asked for 27 hours: the server answered 429 (Too Many Requests)"
    assert [a["title"].startswith("Can be read again") for a in alerts[1:]] == [True]


def test_e25_a_feed_that_is_gone_is_told_of_once(days):
    (gone,) = told(days, feed="gone")
    assert gone["title"] == "Gone for good, and not asked any more: the server answered 410 (Gone)"


def test_a_feed_that_never_answered_is_told_of(days):
    (never,) = told(days, feed="never")
    assert never["title"].startswith("Cannot be read for ")
    assert never["title"] in [a.title for a in days.daemon.alerts()]


def test_a_steady_feed_has_nothing_to_tell(days):
    assert not told(days, feed="steady")


# --- gaps ---

def rolling(count):
    return [ok(*range(n, n + 3)) for n in range(1, 3 * count, 3)]


def test_e41_gaps_are_told_once_a_day_and_recorded_each_time(make_stage):
    stage = make_stage({"a": Play(*rolling(3)), "b": Play(ok(1, 2), ok(2, 3), ok(3, 4))})
    stage.passes(3, 1)
    (gap,) = told(stage)
    assert gap["kind"] == "gap" and gap["feed"] == "a" and gap["title"].startswith("Items may be missed")
    assert [a.rule for a in stage.daemon.alerts()].count("!gap") == 1
    status = json.loads(stage.daemon.feedwatch("status", "--json"))
    assert [g["feed"] for g in status["gaps"]] == ["a", "a"]
    with closing(sqlite3.connect(stage.daemon.state / "feedwatch.db")) as database:
        database.execute("UPDATE feed SET gap_told_s = gap_told_s - 86400")
        database.commit()
    stage.server.on("/a", ok(101, 102, 103), host=stage.hosts["a"])
    stage.passes(1, 1)
    assert [a["kind"] for a in told(stage)] == ["gap", "gap"]


def test_a_server_that_asks_for_more_than_its_list_lasts(make_stage):
    long = {"Cache-Control": "max-age=172800"}
    lists = [Reply(200, feed(*range(n, n + 3)), long) for n in range(1, 9)]
    stage = make_stage({"a": Play(*lists), "b": Play(*[ok(*range(n, n + 3)) for n in range(1, 9)]),
                        "short": Play(*lists, cache_max="10m")})
    stage.passes(6, HOUR_S)
    (window,) = told(stage, "health")
    assert window["feed"] == "a" and window["title"] == "Items may be missed: its server asks not to be asked for 48 hours, " \
        "and its list of 3 items lasts less; a shorter cache_max would ask sooner"


# --- to whom ---

def test_it_goes_to_the_sinks_of_the_rules_that_look_at_the_feed(make_stage, tmp_path):
    logs = {name: {"type": "log", "path": str(tmp_path / f"{name}.log")} for name in ("one", "two", "off")}
    stage = make_stage(
        {"a": Play(ok(1), Reply(410), tags="x"), "b": Play(ok(1), Reply(410))},
        sections={"rule alpha": {"feeds": "a", "alert": "one, off"}, "rule beta": {"match": "beta", "feeds": "tag:x", "alert": "two, one"},
                  "sink desktop": {"enabled": "no"}, "sink off": {**logs["off"], "enabled": "no"},
                  **{f"sink {name}": logs[name] for name in ("one", "two")}})
    stage.daemon.allow(r"feedwatchd: warning: .*the sink 'off' is not enabled", r"warning: the sink 'off' is not enabled")
    stage.passes(2)
    deliveries = {a["feed"]: a["deliveries"] for a in told(stage)}
    assert deliveries == {"a": {"one": "done", "two": "done"}, "b": {"log": "done"}}
    assert [a.rule for a in stage.daemon.alerts(tmp_path / "two.log")] == ["!health"]


def test_a_password_in_the_url_is_not_told(make_stage):
    stage = make_stage({"a": Play(ok(1), Reply(410), userinfo="me:secret")})
    stage.passes(2)
    (gone,) = told(stage)
    assert "***@" in gone["link"] and "secret" not in stage.daemon.log.read_text()


def test_each_has_a_popup_of_its_own(desktop, daemon):
    desktop.start_bus()
    desktop.start_dunst()
    with Httpd() as server:
        for name in "ab":
            server.on(f"/{name}", ok(1, title=f"Wire & {name}"), Reply(410))
        daemon.configure({"defaults": {"allow_private": "yes"}, "rule alpha": {"match": "alpha", "alert": "desktop"},
                          **{f"feed {name}": {"url": server.url(f"/{name}")} for name in "ab"}})
        daemon.allow("feedwatchd: warning: feed [ab]: the server answered 410")
        daemon.once()
        daemon.once(code=1)
    assert {entry.summary for entry in desktop.history} == {"Gone for good, and not asked any more: the server answered 410 (Gone)"}
    assert sorted(entry.body for entry in desktop.history) == ["Wire &amp; a", "Wire &amp; b"]


# --- a database of before ---

def test_a_database_of_the_first_release_is_migrated(make_stage):
    stage = make_stage({"a": Play(ok(1), ok(1, 2))})
    stage.passes(1, 1)
    with closing(sqlite3.connect(stage.daemon.state / "feedwatch.db")) as database:
        make_first_release(database)
        database.execute("UPDATE feed SET unconditional_s = 12345")  # no poll changes it
        database.commit()
    early = stage.daemon.command("status")
    assert early.returncode != 0 and "of an older feedwatch: start feedwatchd again" in early.stderr
    stage.passes(1, 1)
    assert [a.title for a in stage.daemon.alerts()] == ["Alpha 1", "Alpha 2"]
    assert stage.state("a")["unconditional_s"] == 12345
