"""Each sink is away for a while, slow, refuses, and is back: everything arrives, in the order of the alerts, and meanwhile the
log and whoever else is well wait for nobody."""
import json, os, signal
from collections import Counter
import pytest
from feedwatchd import wait_for
from httpd import Reply

ROUND = 4  # new items of each feed in each state of affairs


class Webhook:
    def __init__(self, home):
        self.hooks = home.ground.hooks

    def away(self):
        self.hooks.fallback = Reply(500, reset=True)

    def slow(self):
        self.hooks.fallback = Reply(200, delay=0.1)

    def refuse(self):
        self.hooks.fallback = Reply(503, "not now")

    def back(self):
        self.hooks.fallback = Reply(200)

    def got(self, home):
        return [json.loads(r.body)["id"] for r in home.ground.hooks.requests("/hook") if r.status == 200]


class Command:
    def __init__(self, home):
        self.program = home.home / "program"
        self.text = self.program.read_text()

    def _be(self, text):
        fresh = self.program.with_name("fresh")
        fresh.write_text(text)
        fresh.chmod(0o755)
        fresh.rename(self.program)

    def away(self):
        self.program.unlink()

    def slow(self):
        self._be(self.text.replace("echo", "sleep 0.1; echo"))

    def refuse(self):
        self._be("#!/bin/sh\necho not now >&2\nexit 75\n")

    def back(self):
        self._be(self.text)

    def got(self, home):
        return home.commands()


class Mail:
    def __init__(self, home):
        self.smtpd = home.ground.smtpd
        home.sections["sink mail"]["digest"] = 0

    def away(self):
        self.smtpd.stop()

    def slow(self):
        self.smtpd.start()
        self.smtpd.delay = 0.1

    def refuse(self):
        self.smtpd.delay = 0
        self.smtpd.on("MAIL", "451 not now")

    def back(self):
        self.smtpd.on("MAIL")

    def got(self, home):
        return home.mails()


class Mqtt:
    """A broker that is gone, and one that takes what comes and says nothing."""

    def __init__(self, home):
        self.broker, self.kept = home.ground.broker, []
        self.home = home

    def away(self):
        self.kept += self.home.published()
        self.broker.stop()

    def slow(self):
        self.broker.start()
        self.home.ground.broker_at = 0
        self.broker.process.send_signal(signal.SIGSTOP)

    def refuse(self):
        pass

    def back(self):
        self.broker.process.send_signal(signal.SIGCONT)

    def got(self, home):
        return self.kept + home.published()


class Journal:
    def __init__(self, home):
        self.journal = home.ground.journal

    def away(self):
        self.journal.path.rename(self.journal.path.with_name("away"))

    def slow(self):
        self.journal.path.with_name("away").rename(self.journal.path)
        self.journal.pause.clear()

    def refuse(self):
        pass

    def back(self):
        self.journal.pause.set()

    def got(self, home):
        self.journal.settle()
        return self.journal.ids


class Feed:
    def __init__(self, home):
        self.path = home.state / "alerts.xml"

    def away(self):
        self.path.unlink()
        self.path.mkdir()
        (self.path / "something").touch()

    def slow(self):
        pass

    def refuse(self):
        pass

    def back(self):
        (self.path / "something").unlink()
        self.path.rmdir()

    def got(self, home):
        return home.feed_ids([a.id for a in home.alerts()])


class Log:
    def __init__(self, home):
        self.home = home

    def away(self):
        self.home.log.rename(self.home.log.with_name("kept"))
        self.home.log.symlink_to("kept")

    def slow(self):
        self.home.log.unlink()
        self.home.log.mkdir()

    def refuse(self):
        self.home.log.rmdir()
        os.mkfifo(self.home.log, 0o600)

    def back(self):
        self.home.log.unlink()
        self.home.log.with_name("kept").rename(self.home.log)

    def got(self, home):
        return [a.id for a in home.alerts()]


@pytest.mark.parametrize("sink, kind", [("webhook", Webhook), ("command", Command), ("mail", Mail), ("mqtt", Mqtt),
                                        ("journal", Journal), ("feed", Feed), ("log", Log)])
def test_a_sink_that_is_down_slow_refuses_and_is_back(make_grounds, note, sink, kind):
    [ground] = make_grounds(1, feeds=3, items=2, popups=0)
    home = ground.home()
    receiver = kind(home)
    # The other one is well all the time, and nobody holds it up.
    home.only(*dict.fromkeys(("log", sink, "journal")))
    home.allow(r"feedwatchd: (warning|error): .*" + sink, r"feedwatchd: (warning|error): .*alert log")
    process = home.begin("--time-scale", "600")
    other = (lambda: len(ground.journal.ids)) if sink != "journal" else (lambda: home.log.read_bytes().count(b"\n"))
    wait_for(lambda: home.log.exists() and other() >= len(ground.titles) and home.waiting() == 0, "the first ones")
    waited = {}
    for state in "away", "slow", "refuse":
        getattr(receiver, state)()
        ground.publish(ground.items + ROUND)
        wait_for(lambda: other() >= len(ground.titles), f"the others, while {sink} is {state}", timeout_s=60)
        waited[state] = home.number("SELECT count(*) FROM delivery WHERE state = 0")
    receiver.back()
    wait_for(lambda: home.waiting() == 0, "nothing waits", timeout_s=120)
    assert home.stop(process) == 0
    ids = [a.id for a in home.alerts()]
    got = receiver.got(home)
    first = list(dict.fromkeys(got))
    note(f"{sink}: {len(ids)} alerts, {len(got) - len(first)} repeats; waited while {waited}")
    assert sorted(first) == sorted(ids) and len(ids) == len(ground.titles)
    assert waited["away"] > 0
    if sink != "command":  # a program that refuses an alert gets the next ones before that one again
        assert first == sorted(first)
    home.check_stderr()


def test_popups_while_the_desktop_comes_and_goes(make_grounds, note):
    [ground] = make_grounds(1, feeds=1, items=1, popups=100)
    home = ground.home()
    home.only("log", "desktop")
    home.allow(r"feedwatchd: (warning|error): .*(desktop|notification)")
    process = home.begin("--time-scale", "600")
    wait_for(lambda: home.log.exists() and home.waiting() == 0, "the first one")
    for state in "away", "stopped", "back":
        if state == "away":
            ground.desktop.stop_server()
        elif state == "stopped":
            ground.desktop.start_dunst()
            ground.desktop.server.send(signal.SIGSTOP)
        ground.publish(ground.items + 2)
        home.wait_alerts(len(ground.titles))
        if state == "stopped":
            ground.desktop.server.send(signal.SIGCONT)
    wait_for(lambda: home.waiting() == 0, "nothing waits", timeout_s=60)
    assert home.stop(process) == 0
    repeats = Counter()
    wrong = home.verdict(deaths=1, repeats=repeats)
    note(f"desktop: {len(ground.popup_titles)} alerts, {repeats['desktop']} repeats")
    assert not wrong, wrong
