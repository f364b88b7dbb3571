"""The feed sink: an Atom file of the newest alerts, read by readers that are not ours; killed, refused, deleted, full."""
import itertools, json, os, signal, stat, subprocess, time
import xml.etree.ElementTree as ET
import feedparser
from feeds import item, rss
from feedwatchd import wait_for
from httpd import Reply
from sinks import configure, document, server, sink_state  # noqa: F401 (a fixture)

ATOM = "{http://www.w3.org/2005/Atom}"


def read(path):
    """With feedparser, which must find nothing to complain of; RFC 4287's musts besides."""
    text = path.read_bytes()
    root = ET.fromstring(text)
    assert root.tag == ATOM + "feed"
    for element in [root, *root.findall(ATOM + "entry")]:
        for name in "id", "title", "updated":
            assert len(element.findall(ATOM + name)) == 1, name
    ids = [e.findtext(ATOM + "id") for e in root.findall(ATOM + "entry")]
    assert len(ids) == len(set(ids))
    parsed = feedparser.parse(text)
    assert not parsed.bozo
    return parsed


def titles(path):
    return [entry.title for entry in read(path).entries]


def test_any_reader_can_read_the_newest_alerts(daemon, server):
    configure(daemon, server, {"feed": {"entries": 3}}, [Reply(200, document(*range(5)))])
    daemon.once()
    path = daemon.state / "alerts.xml"
    alerts = daemon.alerts()[::-1][:3]  # the newest first
    feed = read(path)
    assert [e.title for e in feed.entries] == [a.title for a in alerts]
    assert [e.link for e in feed.entries] == [a.link for a in alerts]
    assert [e.author for e in feed.entries] == ["Test Wire"] * 3
    assert {t.term for e in feed.entries for t in e.tags} == {"cuba"}
    assert "cuba: Cuba" in feed.entries[0].summary or "Cuba" in feed.entries[0].summary
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sink_state(daemon, "feed")["done"] == 5
    ours = json.loads(daemon.feedwatch("parse", str(path)))
    assert ours["format"] == "atom10" and [i["id"] for i in ours["items"]] == [e.id for e in feed.entries]


def test_an_entry_stays_the_same_and_a_repeat_changes_nothing(daemon, server):
    configure(daemon, server, {"feed": {}}, [Reply(200, document(1, 2)), Reply(200, document(1, 2, 3))])
    daemon.once()
    path = daemon.state / "alerts.xml"
    os.chmod(path, 0o644)  # for a web server, say
    before, first = path.stat(), {e.id: e for e in read(path).entries}
    # As if the mark had been lost: all of them are delivered once more.
    subprocess.run(["sqlite3", str(daemon.state / "feedwatch.db"), "UPDATE delivery SET state = 0 WHERE sink = 'feed'"], check=True)
    daemon.configure(daemon.config_path.read_text().replace("[feed wire]\n", "[feed wire]\nenabled = no\n"))
    daemon.once(code=None)
    assert sink_state(daemon, "feed")["waiting"] == 0
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    daemon.configure(daemon.config_path.read_text().replace("enabled = no\n", ""))
    daemon.once()
    later = {e.id: e for e in read(path).entries}
    assert len(later) == 3 and all(later[i].title == e.title and later[i].updated == e.updated for i, e in first.items())
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_there_is_a_feed_before_the_first_alert_and_it_comes_back(daemon, server):
    configure(daemon, server, {"feed": {}}, [Reply(200, document(1, title="Nothing {}")), Reply(200, document(1, 2))])
    process = daemon.start("--time-scale", "3600")
    path = daemon.state / "alerts.xml"
    wait_for(path.exists, "the feed")
    assert titles(path) == []
    wait_for(lambda: set(titles(path)) == {"Cuba 1", "Cuba 2"}, "the alerts")
    daemon.stop(process)
    path.unlink()
    process = daemon.start()
    wait_for(path.exists, "the feed once more")
    assert len(titles(path)) == 2
    daemon.stop(process)


def test_hostile_text_is_text(daemon, server):
    title = "Cuba ]]></title><script>x</script> &amp; \x1b[31m\u202e <b>bold</b>"
    configure(daemon, server, {"feed": {}}, [Reply(200, rss([item(1, title.replace("\x1b", ""), "x" * 100000, link="javascript:x")]))])
    daemon.once()
    [entry] = read(daemon.state / "alerts.xml").entries
    root = ET.parse(daemon.state / "alerts.xml").getroot()
    [raw] = root.findall(f"{ATOM}entry/{ATOM}title")
    assert raw.text == daemon.alerts()[0].title and len(raw) == 0
    assert not root.findall(f"{ATOM}entry/{ATOM}link") and len(entry.summary) < 2000


def test_a_path_that_is_refused_waits_and_delays_nobody(daemon, server, tmp_path):
    target = tmp_path / "elsewhere.xml"
    target.write_text("mine")
    path = tmp_path / "news.xml"
    path.symlink_to(target)
    daemon.allow("sink feed: will not replace .*news.xml")
    configure(daemon, server, {"feed": {"path": path}})
    process = daemon.start("--time-scale", "600")
    daemon.wait_alerts(3)
    wait_for(lambda: "not a regular file" in (sink_state(daemon, "feed")["last_error"] or ""), "the error in status")
    assert target.read_text() == "mine" and sink_state(daemon, "feed")["waiting"] == 3
    path.unlink()
    wait_for(lambda: sink_state(daemon, "feed")["done"] == 3, "the deliveries")
    daemon.stop(process)
    assert sorted(titles(path)) == ["Cuba 1", "Cuba 2", "Cuba 3"]


def test_whenever_the_daemon_dies_the_feed_is_whole(daemon, server):
    """SIGKILL before each of the calls by which the file is replaced; what subscribers see is a feed all the time."""
    rounds = 2 * [("write", 1), ("fchmod", 1), ("fsync", 1), ("rename", 1), ("fsync", 2)]
    server.on("/grow", *[Reply(200, document(*range(n + 1))) for n in range(2 * len(rounds) + 1)])
    configure(daemon, server, {"feed": {"entries": 4}})
    daemon.config_path.write_text(daemon.config_path.read_text().replace("/feed\n", "/grow\n"))
    daemon.once()
    path = daemon.state / "alerts.xml"
    for call, when in rounds:
        daemon.once(code=-signal.SIGKILL, wrapper=(
            "strace", "-f", "-qq", "-o", "/dev/null", "-P", str(path), "-P", str(path.with_name(".alerts.xml.new")),
            "-P", str(daemon.state), "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={when}"))
        assert titles(path)
        daemon.once()
        newest = [alert.title for alert in daemon.alerts()[::-1]]
        assert titles(path) == newest[:4]
    assert sorted(newest) == sorted(f"Cuba {n}" for n in range(2 * len(rounds) + 1))
    assert not list(daemon.state.glob(".*.new"))
