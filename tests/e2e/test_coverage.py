"""`feedwatch status --coverage`: when what was not looked at, so that silence can be read."""
import json, sqlite3, time
from contextlib import closing
import pytest
from feedwatchd import wait_for
from httpd import Reply
from stage import HOUR_S, Play, feed

DAY_S = 24 * HOUR_S


def ok(*numbers):
    return Reply(200, feed(*numbers), {"ETag": f'"{numbers}"'})


def coverage(stage, *options):
    told = stage.daemon.command("status", "--coverage", "--json", *options)
    assert not told.stderr, told.stderr
    return [json.loads(line) for line in told.stdout.splitlines()]


def edit(stage, *statements):
    with closing(sqlite3.connect(stage.daemon.state / "feedwatch.db")) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


def test_nothing_was_missed(make_stage):
    stage = make_stage({"a": Play(ok(1))})
    process = stage.start()
    wait_for(lambda: stage.daemon.alerts(), "the first look")
    assert coverage(stage) == []
    told = stage.daemon.command("status", "--coverage")
    assert told.stdout == "everything was looked at\n" and told.returncode == 0
    stage.daemon.stop(process)
    told = stage.daemon.command("status", "--coverage")
    assert told.returncode == 1 and "feedwatchd is not running" in told.stdout
    (now,) = coverage(stage)
    assert now["feed"] is now["to"] is None and abs(now["from"] - time.time()) < 60


def test_what_was_missed_has_its_line(make_stage):
    down = Reply(503)
    stage = make_stage({
        "back": Play(ok(1), down, down, ok(1, 2)),
        "briefly": Play(ok(1), down, ok(1, 2)),
        "down": Play(ok(1), down),
        "gone": Play(ok(1), Reply(410)),
        "rolled": Play(ok(1, 2), ok(3, 4)),
        "off": Play(ok(1), down),
    })
    stage.passes(1, 1)
    begin = time.time()
    stage.passes(1, 1)
    # What failed began two hours ago; what failed briefly, a moment ago.
    edit(stage, "UPDATE schedule SET failing_since_s = failing_since_s - 7200"
         " WHERE failing_since_s > 0 AND feed <> (SELECT row FROM feed WHERE id = 'briefly')")
    stage.passes(2, 1)
    stage.sections["feed off"]["enabled"] = "no"
    stage.daemon.configure(stage.sections)
    stage.daemon.config_path.chmod(0o600)
    lines = {line["feed"]: line for line in coverage(stage)}
    assert set(lines) == {"back", "down", "gone", "rolled", None}
    assert lines["back"]["reason"] == "could not be read: the server answered 503 (Service Unavailable)"
    assert abs(lines["back"]["from"] - (begin - 7200)) < 60 and abs(lines["back"]["to"] - begin) < 60
    assert lines["down"]["reason"] == "cannot be read: the server answered 503 (Service Unavailable)"
    assert lines["down"]["to"] is lines["gone"]["to"] is None
    assert "410" in lines["gone"]["reason"] and "rolled over" in lines["rolled"]["reason"]
    assert [line["from"] for line in coverage(stage)] == sorted(line["from"] for line in coverage(stage))
    told = stage.daemon.command("status", "--coverage").stdout.splitlines()
    assert told[0].split() == ["FROM", "TO", "LENGTH", "FEED", "WHY"] and len(told) == 6
    (back,) = [line for line in told if " back " in line]
    assert back.split()[4] in ("2h00", "2h01") and back.endswith("could not be read: the server answered 503 (Service Unavailable)")
    assert " now " in [line for line in told if " down " in line][0]
    # Also where the whole status is shown.
    assert "gap: back, " in stage.daemon.feedwatch("status")


def test_a_time_without_a_daemon(make_stage):
    stage = make_stage({"a": Play(ok(1), interval="1h")})
    stage.passes(1, 1)
    edit(stage, "UPDATE schedule SET due_s = due_s - 28800, asked_s = asked_s - 28800, looked_s = looked_s - 28800")
    process = stage.start()
    wait_for(lambda: len(stage.requests("a")) == 2, "the second look")
    (gap,) = wait_for(lambda: coverage(stage), "the gap")
    assert gap["feed"] is None and gap["reason"] == "feedwatchd was not running"
    assert abs(gap["to"] - gap["from"] - 28800) < 60
    assert "gap: all feeds, " in stage.daemon.feedwatch("status")
    stage.daemon.stop(process)


def test_since(make_stage):
    stage = make_stage({"a": Play(ok(1))})
    process = stage.start()
    wait_for(lambda: stage.daemon.alerts(), "the first look")
    stage.daemon.stop(process)
    now = int(time.time())
    edit(stage, f"INSERT INTO gap(feed, from_s, to_s, reason) VALUES('a', {now - 10 * DAY_S}, {now - 9 * DAY_S}, 'old')",
         f"INSERT INTO gap(feed, from_s, to_s, reason) VALUES('a', {now - 3 * DAY_S}, {now - DAY_S}, 'recent')")
    reasons = {since: [line["reason"] for line in coverage(stage, *since)] for since in
               [(), ("--since", "8d"), ("--since", "2d"), ("--since", "12h"), ("--since", time.strftime("%Y-%m-%d", time.gmtime(now - 20 * DAY_S)))]}
    absent = "feedwatchd is not running"
    assert list(reasons.values()) == [["old", "recent", absent], ["recent", absent], ["recent", absent], [absent], ["old", "recent", absent]]


@pytest.mark.parametrize("options, part", [(["--since", "2d"], "goes with --coverage"), (["--coverage", "--since", "soon"], "wants a time")])
def test_wrong_usage(daemon, options, part):
    daemon.configure("[feed a]\nurl = http://a.example/\n[rule r]\nmatch = x\n")
    told = daemon.command("status", *options)
    assert told.returncode == 2 and part in told.stderr
