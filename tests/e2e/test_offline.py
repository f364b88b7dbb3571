"""E36: without a network nothing is asked, no feed is blamed, and afterwards all come in one spread pass."""
import json, sqlite3, time
from contextlib import closing
import pytest
from feedwatchd import wait_for
from island import Island
from stage import HOUR_S, feed

SCALE = 2 * HOUR_S
NAMES = {f"h{n}.test": n for n in range(1, 7)}
pytestmark = pytest.mark.skipif(not Island.works(), reason="no network namespaces here")


@pytest.fixture
def island(tmp_path):
    with Island(tmp_path, NAMES) as made:
        yield made


class Watch:
    """A daemon on the island with feeds ID -> URL."""

    def __init__(self, daemon, island, urls, **settings):
        self.daemon, self.island, self.urls = daemon, island, urls
        daemon.wrapper = island.enter
        sections = {"feedwatch": {"host_spacing": 0, **settings}, "defaults": {"allow_private": "yes", "initial": "all"},
                    "rule alpha": {"match": "alpha"}, **{f"feed {name}": {"url": url, "interval": "1h", "timeout": "1s"} for name, url in urls.items()}}
        daemon.configure(sections)
        for name in urls:
            island.say({"on": f"/{name}", "replies": [{"body": feed(1, title=name).decode(), "headers": [["ETag", '"a"']]}]})

    def start(self, scale=SCALE):
        return self.daemon.start("--time-scale", str(scale))

    def asked(self, name):
        return len(self.island.requests(f"/{name}"))

    def rows(self):
        if not (self.daemon.state / "feedwatch.db").exists():
            return {}
        with closing(sqlite3.connect(f"file:{self.daemon.state / 'feedwatch.db'}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            try:
                return {row["id"]: dict(row) for row in database.execute("SELECT * FROM feed JOIN schedule ON schedule.feed = feed.row")}
            except sqlite3.OperationalError:  # it is being set up
                return {}

    def looked(self, *names):
        rows = self.rows()
        return all(name in rows and rows[name]["looked_s"] for name in names)


def named(island, count=6):
    return {f"f{n}": island.url(f"h{n}.test", f"/f{n}") for n in range(1, count + 1)}


def test_e36_what_needs_no_network_is_asked_without_one(daemon, island, tmp_path):
    (tmp_path / "file.xml").write_bytes(feed(2, title="file"))
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\nexec cat {tmp_path}/file.xml\n")
    program.chmod(0o755)
    watch = Watch(daemon, island, {**named(island, 2), "loop": island.url("127.0.0.1", "/loop"), "local": island.url("localhost", "/local"),
                                   "file": f"file://{tmp_path}/file.xml", "program": f"exec:{program}"})
    process = watch.start(1)
    wait_for(lambda: watch.looked("loop", "local", "file", "program"), "the four that need no network")
    assert watch.asked("f1") == watch.asked("f2") == 0
    assert "there is no network: feeds wait for it" in daemon.stderr and "is back" not in daemon.stderr
    island.link(True)
    wait_for(lambda: watch.looked("f1", "f2"), "the others")
    assert "the network is back" in daemon.stderr
    assert all(row["failures"] == 0 for row in watch.rows().values())
    assert daemon.stop(process) == 0


def test_e36_what_was_asked_for_is_not_spread_when_the_network_is_back(daemon, island):
    """More feeds than there is room for, of which all wait for the network, and then somebody asks for them."""
    many = 1300
    daemon.wrapper = island.enter
    daemon.configure({"feedwatch": {"host_spacing": 0, "max_connections": 1}, "defaults": {"allow_private": "yes", "initial": "all"},
                      "rule alpha": {"match": "alpha"}, **{f"feed f{n:04}": {"url": island.url("h1.test", "/f" if n else "/first"), "interval": "1d",
                                                                             "headers": f"X-N: {n}"} for n in range(many)}})
    reply = {"body": feed(1).decode(), "headers": [["ETag", '"a"']]}
    island.say({"on": "/f", "replies": [reply]})
    island.say({"on": "/first", "replies": [reply, {**reply, "delay": 2}]})  # while it takes that, the others wait for room
    island.link(True)
    daemon.once()
    island.link(False)
    with closing(sqlite3.connect(daemon.state / "feedwatch.db")) as database, database:
        database.execute("UPDATE schedule SET asked_s = asked_s - 120, looked_s = looked_s - 120, due_s = ?", (int(time.time()) + 2,))
    process = daemon.start()
    time.sleep(4)  # they fall due, and wait for the network
    assert len(island.requests(None)) == many and "there is no network" in daemon.stderr
    island.link(True)
    outcomes = daemon.feedwatch("poll", "--wait", "30s", "--json")
    assert outcomes.count('"unchanged"') == many
    assert daemon.stop(process) == 0


def test_e36_a_link_that_goes_and_comes(daemon, island):
    island.link(True)
    watch = Watch(daemon, island, {**named(island), "loop": island.url("127.0.0.1", "/loop")})
    process = watch.start()
    wait_for(lambda: watch.looked(*watch.urls), "the first look")
    island.link(False)
    wait_for(lambda: "there is no network" in daemon.stderr, "the daemon has noticed")
    before, loops = {name: watch.asked(name) for name in watch.urls}, watch.asked("loop")
    wait_for(lambda: watch.asked("loop") >= loops + 5, "five hours")
    during = {name: watch.asked(name) - before[name] for name in named(island)}
    assert all(count <= 1 for count in during.values()), during  # one may have been under way
    island.link(True)
    wait_for(lambda: all(watch.asked(name) > before[name] + during[name] for name in during), "all of them again")
    assert daemon.stderr.count("the network is back") == 1
    assert all(row["failures"] == 0 and row["message"] is None for row in watch.rows().values())
    lines = [json.loads(line) for line in daemon.feedwatch("status", "--coverage", "--json").splitlines()]
    (gap,) = [line for line in lines if line["reason"] == "there was no network"]
    assert gap["feed"] is None and gap["to"] - gap["from"] >= 4 * HOUR_S
    assert daemon.stop(process) == 0


def test_e36_a_network_that_leads_nowhere(daemon, island):
    """The routes are there, but nobody answers: no feed is blamed, and few are tried."""
    island.link(True)
    daemon.allow(r"feedwatchd: warning: feed f\d: (no connection|the server was too slow)")
    watch = Watch(daemon, island, named(island))
    process = watch.start()
    wait_for(lambda: watch.looked(*watch.urls), "the first look")
    island.cut(True)
    wait_for(lambda: "there is no network" in daemon.stderr, "the daemon has noticed")
    wait_for(lambda: all(row["failures"] == 0 and row["message"] is None for row in watch.rows().values()), "nobody is blamed")
    before = {name: watch.asked(name) for name in watch.urls}
    island.cut(False)
    wait_for(lambda: "the network is back" in daemon.stderr, "a probe was answered")
    wait_for(lambda: all(watch.asked(name) > before[name] for name in watch.urls), "all of them again")
    assert all(row["failures"] == 0 for row in watch.rows().values())
    assert daemon.stderr.count("there is no network") == 1
    assert daemon.stop(process) == 0


def test_two_hosts_that_are_down_are_down(daemon, island):
    island.link(True)
    daemon.allow(r"feedwatchd: warning: feed f\d: (no connection|the server was too slow)")
    watch = Watch(daemon, island, named(island, 2))
    process = watch.start()
    wait_for(lambda: watch.looked(*watch.urls), "the first look")
    island.cut(True)
    wait_for(lambda: all(row["failures"] > 1 for row in watch.rows().values()), "they are blamed")
    assert "there is no network" not in daemon.stderr
    assert daemon.stop(process) == 0


def test_offline_ignore_asks_all_the_same(daemon, island):
    watch = Watch(daemon, island, named(island, 1), offline="ignore")
    process = watch.start(1)
    wait_for(lambda: watch.looked("f1"), "the first look")
    assert "no network" not in daemon.stderr
    assert daemon.stop(process) == 0


def test_e36_once_asks_all_the_same(daemon, island):
    watch = Watch(daemon, island, named(island, 1))
    daemon.once()
    assert watch.looked("f1") and "no network" not in daemon.stderr


def test_a_feed_is_asked_by_hand_all_the_same(daemon, island):
    watch = Watch(daemon, island, named(island, 1))
    process = watch.start(1)
    wait_for(lambda: (daemon.state / "control").exists(), "the control socket")
    assert daemon.command("poll", "f1").returncode == 0 and watch.asked("f1") == 1
    assert daemon.stop(process) == 0
