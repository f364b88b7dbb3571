"""feedwatch-alerts(5): its sample lines are what the daemon writes, and its commands print what it says."""
import json, os, re, subprocess
from datetime import datetime, timezone
import pytest
from feeds import item, rss
from feedwatchd import BUILD, ROOT, wait_for
from httpd import Reply
from sinks import server  # noqa: F401 (a fixture)

MANUAL = ROOT / "etc/feedwatch-alerts.5"
PUBLISHED = datetime(2026, 11, 23, 18, 30, tzinfo=timezone.utc)


def blocks():
    """Its literal displays as a reader sees them."""
    text = MANUAL.read_text()
    shown = re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", text, re.M | re.S)
    return [block.replace(r"\e", "\\").replace(r"\&", "") for block in shown]


def samples():
    text, logfmt, lines = blocks()[:3]
    return {"alerts.log": text, "alerts.logfmt": logfmt, "alerts.json": lines}


def commands():
    """(command, what it prints) of every display that begins with a prompt; a command goes on over indented lines."""
    found = []
    for block in blocks()[3:]:
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command = re.match(r".*\n(?: +.*\n)*", part)[0]
            found.append((command.strip(), part[len(command):]))
    return found


def without_what_varies(text):
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", "TIME", text)
    return re.sub(r"\b[0-9A-HJKMNP-TV-Z]{26}\b", "ID", text)


@pytest.fixture
def logs(daemon, server):
    """What a daemon writes that lives through what the samples tell of."""
    first = [item(1, "Minister from Moscow received in Havana", link="https://granma.example/a/1", date=PUBLISHED)]
    second = [item(7, 'Tanker "Volga" | cargo of oil', "For Cuba.", link="https://wire.example/?id=7&l=en", date=None)]
    edited = [{**second[0], "text": "For Cuba, by Russian traders."}]
    server.on("/granma", Reply(200, rss(first, title="Granma")))
    server.on("/wire", Reply(200, rss([], title="Harbour Wire")), Reply(200, rss(second, title="Harbour Wire")),
              Reply(200, rss(edited, title="Harbour Wire")))
    daemon.configure({"feedwatch": {"host_spacing": 0}, "defaults": {"allow_private": "yes", "initial": "all"},
                      "feed granma": {"url": server.url("/granma")}, "feed wire": {"url": server.url("/wire")},
                      "list cuba": {"any": "Cuba, Havana"}, "list russia": {"any": "Moscow, Russian*"},
                      "sink log": {"format": "text"},
                      **{f"sink {kind}": {"type": "log", "format": kind, "path": f"%S/alerts.{kind}"} for kind in ("logfmt", "json")},
                      "rule cuba-oil": {"match": "@cuba AND oil", "urgency": "critical", "alert": "log, logfmt, json"},
                      "rule russia-cuba": {"match": "@russia AND @cuba", "alert": "log, logfmt, json"}})
    for _ in range(3):
        daemon.once()
    process = daemon.start()
    wait_for(lambda: daemon.command("test-alert", "log", "logfmt", "json").returncode == 0, "a test alert")
    daemon.stop(process)
    return daemon.state


@pytest.mark.parametrize("name", ["alerts.log", "alerts.logfmt", "alerts.json"])
def test_the_samples_are_what_the_daemon_writes(logs, name):
    assert without_what_varies((logs / name).read_text()) == without_what_varies(samples()[name])


def test_the_samples_tell_of_the_same_alerts():
    ids = {name: re.findall(r"[0-9A-Z]{26}", text) for name, text in samples().items()}
    assert ids["alerts.log"] == ids["alerts.logfmt"] == ids["alerts.json"] and len(set(ids["alerts.log"])) == 4
    times = {name: re.findall(r'(?:^|^time=|^\{"time":")(\d{4}-[^ "]*)', text, re.M) for name, text in samples().items()}
    assert times["alerts.log"] == times["alerts.logfmt"] == times["alerts.json"] and len(times["alerts.log"]) == 4


@pytest.mark.parametrize("command, output", commands(), ids=[c.split("\n")[0][:40] for c, _ in commands()])
def test_a_command_prints_what_the_manual_says(tmp_path, logs, daemon, command, output):
    """On the samples themselves; one of feedwatch on the daemon's state, where times differ."""
    for name, text in samples().items():
        (tmp_path / name).write_text(text)
    environment = {**daemon.environment, "PATH": f"{BUILD}:{os.environ['PATH']}"}
    result = subprocess.run(["sh", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=30)
    assert (result.returncode, result.stderr, result.stdout) == (0, "", output)


def test_there_are_commands_for_each_format():
    for word in "awk", "jq", "alerts.log ", "alerts.logfmt", "alerts.json", "feedwatch alerts":
        assert any(word in command + " " for command, _ in commands()), word
