"""feedwatch test-alert: one harmless alert through the real sinks, and what became of it at each."""
import json, os
import pytest
from feeds import item, rss
from feedwatchd import wait_for
from httpd import Httpd, Reply


@pytest.fixture
def server():
    with Httpd() as httpd:
        httpd.on("/wire", Reply(200, rss([item(1, "Beta")])))
        yield httpd


def start(daemon, server, **sinks):
    """A daemon that listens, with these sinks beside or instead of the usual ones."""
    daemon.configure({"defaults": {"allow_private": "yes"}, "feed wire": {"url": server.url("/wire")},
                      "rule alpha": {"match": "alpha", "alert": "log"},
                      **{f"sink {name}": settings for name, settings in sinks.items()}})
    process = daemon.start()
    wait_for(lambda: (daemon.state / "control").exists(), "the control socket")
    return process


def test_every_sink_delivers(desktop, server, daemon):
    desktop.start_bus()
    desktop.start_dunst()
    start(daemon, server)
    result = daemon.command("test-alert")
    assert (result.returncode, result.stderr) == (0, "")
    assert sorted(line.split() for line in result.stdout.splitlines()) == [["desktop", "delivered"], ["log", "delivered"]]
    (alert,) = daemon.alerts()
    assert (alert.rule, alert.title) == ("!test", "A test alert: feedwatch delivers")
    (entry,) = desktop.history
    assert (entry.summary, entry.body) == ("A test alert: feedwatch delivers", "sent by feedwatch test-alert")
    assert not desktop.shown[0].actions
    status = json.loads(daemon.feedwatch("status", "--json"))
    assert status["rules"] == []  # none has matched


def test_a_sink_that_is_down_says_why(desktop, server, daemon):
    desktop.start_bus()
    start(daemon, server)
    result = daemon.command("test-alert", "--json", "--wait", "2s")
    said = {line["sink"]: line for line in map(json.loads, result.stdout.splitlines())}
    assert result.returncode == 1
    assert said == {"log": {"sink": "log", "state": "done", "message": None},
                    "desktop": {"sink": "desktop", "state": "waiting", "message": "there is no notification server"}}
    desktop.start_dunst()  # it was an alert like any other: it is not lost
    assert [popup.summary for popup in desktop.wait_shown(1)] == ["A test alert: feedwatch delivers"]


def test_one_sink_alone(desktop, server, daemon):
    desktop.start_bus()
    desktop.start_dunst()
    start(daemon, server)
    result = daemon.command("test-alert", "desktop")
    assert (result.returncode, result.stdout.split()) == (0, ["desktop", "delivered"])
    assert daemon.alerts() == [] and len(desktop.history) == 1


def test_a_log_that_is_refused(server, daemon):
    """S19. It waits, with the reason."""
    path = daemon.home / "pipe"
    os.mkfifo(path)
    daemon.allow("alert log|pipe")
    start(daemon, server, log={"path": path}, second={"type": "log", "path": "%S/second.log"}, desktop={"enabled": "no"})
    result = daemon.command("test-alert", "--wait", "1s")
    lines = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    assert result.returncode == 1
    assert lines["second"] == "delivered" and set(lines) == {"log", "second"}
    assert lines["log"].startswith("waiting: ") and "pipe" in lines["log"]
    assert len(daemon.alerts(daemon.state / "second.log")) == 1


@pytest.mark.parametrize("sink, problem", [("dekstop", "there is no sink 'dekstop'; did you mean 'desktop'?"),
                                           ("desktop", "the sink 'desktop' is not enabled")])
def test_a_sink_that_cannot_be_tried(server, daemon, sink, problem):
    start(daemon, server, desktop={"enabled": "no"})
    result = daemon.command("test-alert", "log", sink)
    assert (result.returncode, result.stdout) == (1, "") and problem in result.stderr
    assert daemon.alerts() == []


def test_without_a_daemon(server, daemon):
    daemon.stop(start(daemon, server))
    result = daemon.command("test-alert")
    assert (result.returncode, result.stdout) == (1, "") and "no daemon is running" in result.stderr
