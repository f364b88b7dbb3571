"""E31 to E41: who we say we are, pacing, restarts and resumes, servers that hold us, refreshes, broken caches, gaps."""
import json, re, signal, sqlite3, struct, subprocess, time
from contextlib import closing
from pathlib import Path
import pytest
from feedwatchd import wait_for
from httpd import Reply, Tls, conditional
from stage import FEED, HOUR_S, Play, Stage, feed

DAY_S = 24 * HOUR_S
GOOD = conditional(FEED, '"a"')


def edit(stage, sql, *values):
    """What the stopped daemon remembers, changed."""
    with closing(sqlite3.connect(stage.daemon.state / "feedwatch.db")) as database, database:
        assert database.execute(sql, values).rowcount > 0


def move_times(stage, seconds):
    """As if the wall clock had gone forward by so much (or back, where it is negative) while no daemon ran."""
    edit(stage, "UPDATE schedule SET asked_s = asked_s - ?1, due_s = due_s - ?1, looked_s = looked_s - ?1", seconds)


@pytest.fixture(scope="module", autouse=True)
def holding(tmp_path_factory):
    """Servers that hold us, with the settings that everybody has. It takes most of a minute, so it runs beside the others."""
    plays = {"drip": Play(Reply(200, FEED * 10, drip=1)), "drip-head": Play(Reply(hang=True)),
             "chunks": Play(Reply(200, FEED * 10, drip=1, chunked=True)), "good": Play(GOOD, interval="10m")}
    with Stage(tmp_path_factory.mktemp("holding"), plays) as stage:
        stage.start()
        stage.server.wait(1, "/good")
        yield stage


# --- who we are, hosts, connections ---

@pytest.mark.parametrize("settings, agent", [
    ({"user_agent_contact": "https://example.org/me"}, r"feedwatch/\d+\.\d+(\.\d+)? \(\+https://example\.org/me\)"),
    ({}, r"feedwatch/\d+\.\d+(\.\d+)?")])
def test_e31_the_user_agent(make_stage, settings, agent):
    stage = make_stage({"a": Play(GOOD), "b": Play(Reply(302, headers={"Location": "{a}"}))}, sections={"feedwatch": settings})
    stage.passes(2)
    agents = {r.header("User-Agent") for r in stage.server.requests()}
    assert len(agents) == 1 and re.fullmatch(agent, agents.pop())
    names = {n.lower() for r in stage.server.requests() for n, _ in r.headers}
    assert not names & {"accept-language", "dnt", "upgrade-insecure-requests"}
    assert not [n for n in names if n.startswith("sec-")]


@pytest.mark.parametrize("count, spacing_s, setting", [(30, .1, "100ms"), (4, 1, None)])
def test_e32_one_in_flight_for_a_host_and_starts_apart(make_stage, count, spacing_s, setting):
    plays = {f"f{n:02}": Play(Reply(200, FEED, delay=.02), host=1) for n in range(count)}
    stage = make_stage(plays)
    stage.sections["feedwatch"] = {"host_spacing": setting} if setting else {}
    stage.daemon.configure(stage.sections)
    stage.passes(1)
    at = sorted(r.at for r in stage.server.requests())
    assert len(at) == count and stage.server.most_in_flight(1) == 1
    # A busy machine may see one of them late, which shortens one gap; in all, it cannot.
    assert at[-1] - at[0] >= (count - 1) * spacing_s - spacing_s / 2
    assert all(b - a >= spacing_s / 3 for a, b in zip(at, at[1:]))


def test_e33_one_connection_for_a_host(make_stage, tmp_path):
    authority = Tls(tmp_path / "tls")
    stage = make_stage({f"f{n:02}": Play(GOOD, host=1) for n in range(30)}, tls=authority,
                       environment={"SSL_CERT_FILE": str(authority.ca)})
    stage.passes(1)
    assert len(stage.server.requests()) == 30
    assert stage.server.connections == 1


MANY = 1300  # more than may be under way at once


def many_of_one_host(**others):
    """One host has more than may be under way at once; the others come last in the configuration."""
    return {**{f"f{n:04}": Play(GOOD, host=1, path="/same" if n else None, interval="1d", headers=f"X-N: {n}") for n in range(MANY)}, **others}


def test_e32_a_host_with_very_many_feeds_keeps_no_other_waiting(make_stage):
    """With a second between its requests the host takes twenty minutes; another one's feed waits for none of that."""
    stage = make_stage(many_of_one_host(other=Play(GOOD, host=2)), sections={"feedwatch": {"host_spacing": "1s"}})
    process = stage.start()
    stage.server.wait(1, "/other", timeout=20)
    assert len(stage.requests("f0001")) < 20
    stage.daemon.stop(process)


@pytest.mark.parametrize("is_once", [True, False], ids=["once", "daemon"])
def test_e32_however_many_are_due_the_urgent_ones_come_first_and_all_are_asked(make_stage, is_once):
    stage = make_stage(many_of_one_host(urgent=Play(GOOD, host=1, tags="hot")),
                       sections={"rule hot": {"match": "beta", "feeds": "tag:hot", "urgency": "critical"}})
    if is_once:
        stage.passes(1)
    else:
        process = stage.start()
        stage.server.wait(MANY + 1, timeout=60)
        stage.daemon.stop(process)
    targets = [r.target for r in sorted(stage.server.requests(), key=lambda r: r.at)]
    assert len(targets) == MANY + 1 and targets.index("/urgent") < 3


def test_e32_an_urgent_feed_waits_for_no_company(make_stage):
    """Slow servers, a thousand polls under way: a feed that comes up is asked when the next one ends, not when hundreds have."""
    plays = {f"f{n:04}": Play(Reply(200, FEED, delay=.3), host=n % 100 + 1) for n in range(MANY)}
    stage = make_stage({**plays, "urgent": Play(GOOD, host=101, tags="hot", enabled="no")},
                       sections={"rule hot": {"match": "beta", "feeds": "tag:hot", "urgency": "critical"}})
    process = stage.start()
    stage.server.wait(1)
    stage.daemon.configure({**stage.sections, "feed urgent": {**stage.sections["feed urgent"], "enabled": "yes"}})
    process.send_signal(signal.SIGHUP)
    wait_for(lambda: "configuration reloaded" in stage.daemon.stderr, "the reload")
    before = len(stage.server.requests())
    stage.server.wait(1, "/urgent", timeout=30)
    after = len(stage.server.requests())
    stage.daemon.stop(process)
    assert before < 500 and after - before < 200, (before, after)


# --- restarts and resumes ---

def test_e34_restarts_ask_nobody(make_stage):
    stage = make_stage({"a": Play(GOOD), "b": Play(Reply(500)), "c": Play(GOOD, interval="10m"), "d": Play(Reply(hang=True))})
    for n in range(20):
        process = stage.start()
        wait_for(lambda: stage.daemon.stderr.count(", state in ") == n + 1, "the start")
        if n == 0:
            stage.server.wait(1, "/a"), stage.server.wait(1, "/b"), stage.server.wait(1, "/c")
            wait_for(lambda: stage.requests("d"), "d's request")
            wait_for(lambda: stage.state("c")["looked_s"] and stage.state("b")["failures"], "the outcomes")
        stage.daemon.stop(process, signal.SIGKILL if n % 2 else signal.SIGTERM)
    assert [len(stage.requests(name)) for name in "abcd"] == [1, 1, 1, 1]


FEEDS, HOT = 300, 20


@pytest.mark.parametrize("away_s", [8 * HOUR_S, DAY_S], ids=["away-8h", "clock-forward-a-day"])
def test_e35_a_resume_is_spread(make_stage, away_s):
    """A minute is half a second: ten minutes are five."""
    scale = 120
    plays = {f"f{n:03}": Play(GOOD, host=n % 60 + 1, tags="hot" if n < HOT else "cold", interval="6h") for n in range(FEEDS)}
    stage = make_stage(plays, sections={"rule hot": {"match": "beta", "feeds": "tag:hot", "urgency": "critical"}})
    stage.passes(1, scale)
    assert len(stage.server.requests()) == FEEDS
    move_times(stage, away_s)
    stage.server.forget()
    process = stage.start(scale=scale)
    stage.server.wait(FEEDS, timeout=60)
    stage.daemon.stop(process)
    requests = sorted(stage.server.requests(), key=lambda r: r.at)
    assert len(requests) == FEEDS
    assert_spread(requests, scale)


def assert_spread(requests, scale):
    at = [(r.at - requests[0].at) * scale for r in requests]
    assert at[-1] >= .9 * 600, at[-1]
    # Two a second, 120 in any minute. A minute is half a second here, and a server that a busy machine held up notes late what
    # came in time, so a quarter more.
    assert max(sum(1 for b in at if a <= b < a + 60) for a in at) <= 150
    assert sum(1 for r in requests[:HOT] if r.target < f"/f{HOT:03}") >= HOT - 3


@pytest.fixture
def suspend(tmp_path):
    """A machine that can be put to sleep for so many seconds, as its clocks tell: its environment, and the way to do it."""
    library, file = tmp_path / "asleep.so", tmp_path / "asleep"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, Path(__file__).with_name("asleep.c")], check=True)
    file.write_bytes(struct.pack("=q", 0))

    def sleep(seconds):
        with open(file, "r+b") as handle:  # in place: it is mapped
            handle.write(struct.pack("=q", int(seconds)))
    return {"LD_PRELOAD": str(library), "ASLEEP_FILE": str(file)}, sleep


def test_e35_a_run_that_takes_its_time_is_no_sleep(make_stage, suspend):
    """With more feeds than there is room for, --once looks again after a second; the machine slept before it, not during it."""
    environment, sleep = suspend
    sleep(DAY_S)
    first = conditional(FEED, '"a"', delay=1.5)
    stage = make_stage({**many_of_one_host(), "f0000": Play(first, host=1, interval="1d")}, environment=environment,
                       sections={"feedwatch": {"max_connections": 1}})
    stage.passes(1, 1)
    assert len(stage.server.requests()) == MANY
    with closing(sqlite3.connect(stage.daemon.state / "feedwatch.db")) as database:
        assert database.execute("SELECT reason FROM gap").fetchall() == []


def test_e35_a_machine_that_slept(make_stage, suspend):
    """The daemon itself goes on: it sees by its clocks that nobody looked."""
    scale, (environment, sleep) = 120, suspend
    plays = {f"f{n:03}": Play(GOOD, host=n % 60 + 1, tags="hot" if n < HOT else "cold", interval="6h") for n in range(FEEDS)}
    plays["tick"] = Play(GOOD, host=61, interval="1m", tags="cold")
    stage = make_stage(plays, sections={"rule hot": {"match": "beta", "feeds": "tag:hot", "urgency": "critical"}}, environment=environment)
    stage.passes(1, scale)
    stage.server.forget()
    process = stage.start(scale=scale)
    stage.server.wait(3, "/tick", timeout=60)
    assert len(stage.server.requests()) == len(stage.requests("tick"))
    sleep(8 * HOUR_S / scale)
    of_feeds = lambda: [r for r in stage.server.requests() if r.target != "/tick"]
    wait_for(lambda: len(of_feeds()) >= FEEDS, "all of them", timeout_s=60)
    stage.daemon.stop(process)
    requests = sorted(of_feeds(), key=lambda r: r.at)
    assert len(requests) == FEEDS == len({r.target for r in requests})
    assert_spread(requests, scale)
    gaps = json.loads(stage.daemon.feedwatch("status", "--json"))["gaps"]
    (gap,) = [g for g in gaps if g["reason"] == "the machine was asleep"]
    assert gap["feed"] is None and abs(gap["to"] - gap["from"] - 8 * HOUR_S) <= 60


def test_e35_a_clock_set_back_stalls_nobody(make_stage):
    stage = make_stage({"a": Play(GOOD, interval="10m"), "b": Play(GOOD, interval="30m")})
    stage.passes(1, HOUR_S)
    move_times(stage, -DAY_S)
    stage.server.forget()
    stage.run(hours=3, scale=HOUR_S)
    assert len(stage.requests("a")) >= 3 and len(stage.requests("b")) >= 2


# --- refreshes, shared addresses ---

def test_e38_ten_refreshes_are_one_conditional_request(make_stage):
    stage = make_stage({"a": Play(GOOD)})
    stage.passes(1, 1)
    move_times(stage, 120)
    edit(stage, "UPDATE schedule SET due_s = ?", int(time.time()) + HOUR_S)
    stage.start()
    wait_for(lambda: (stage.daemon.state / "control").exists(), "the control socket")
    for _ in range(10):
        assert stage.daemon.command("poll", "a").returncode == 0
    assert [r.header("If-None-Match") for r in stage.requests("a")] == [None, '"a"']


def test_e39_one_address_is_one_fetch(make_stage):
    stage = make_stage({name: Play(GOOD, path="/shared", host=1) for name in "abc"})
    stage.passes(2)
    assert [r.status for r in stage.server.requests()] == [200, 304]
    assert all(stage.feed(name)["items"] == 1 for name in "abc")
    assert sorted(a.title for a in stage.daemon.alerts()) == 3 * ["Alpha 1"]


# --- weeks as seconds ---

def test_e40_a_cache_that_says_304_for_ever(make_stage):
    scale = 2 * DAY_S
    stage = make_stage({"a": Play(Reply(200, FEED, {"ETag": '"a"'}), Reply(304), interval="8h"),
                        "two-days": Play(Reply(200, FEED, {"ETag": '"a"', "Cache-Control": "max-age=172800"}), interval="8h")})
    stage.run(hours=24 * 24, scale=scale)
    asked = stage.requests("a")
    plain = [(r.at - asked[1].at) * scale for r in asked if r.header("If-None-Match") is None][1:]
    assert plain and plain[0] >= 14 * DAY_S
    assert len(plain) <= 2 and all(b - a >= 7 * DAY_S - HOUR_S for a, b in zip(plain, plain[1:]))
    # E11 on the wire, where it is long.
    gaps = stage.gaps_s("two-days")
    assert len(gaps) >= 3 and all(gap >= 2 * DAY_S for gap in gaps)


def test_e41_a_window_that_rolled_over(make_stage):
    stage = make_stage({"a": Play(Reply(200, feed(1, 2, 3), {"ETag": '"1"'}), Reply(200, feed(4, 5, 6), {"ETag": '"2"'})),
                        "b": Play(Reply(200, feed(1, 2, 3), {"ETag": '"1"'}), Reply(200, feed(3, 4, 5), {"ETag": '"2"'}))})
    stage.passes(1, 1)
    before = {name: stage.state(name)["delay_s"] for name in "ab"}
    stage.passes(1, 1)
    assert before["a"] > 3000 and stage.state("a")["delay_s"] <= before["a"] / 2
    gaps = json.loads(stage.daemon.feedwatch("status", "--json"))["gaps"]
    assert [g["feed"] for g in gaps] == ["a"] and "rolled over" in gaps[0]["reason"]
    assert gaps[0]["from"] <= gaps[0]["to"] <= time.time() + 1
    assert "rolled over" in stage.daemon.feedwatch("status")
    assert len([a for a in stage.daemon.alerts() if a.rule == "alpha"]) == 6 + 5


# --- at the end: it began before all the others ---

@pytest.mark.parametrize("name", ["drip", "drip-head", "chunks"])
def test_e37_a_server_that_holds_us(holding, name):
    wait_for(lambda: holding.requests(name)[0].done, "the end of the request", timeout_s=75)
    (request,) = holding.requests(name)
    assert request.done - request.at <= 62
    wait_for(lambda: holding.state(name)["failures"] == 1, "the outcome")
    assert 700 <= holding.state(name)["delay_s"]
    assert holding.requests("good")[0].done - holding.requests("good")[0].at < 5
