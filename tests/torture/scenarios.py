"""Pieces of a daemon's life. In each of them other code runs, so each is gone through with one of its calls failing after the other.

stage() lives what comes before, undisturbed; run() lives the piece itself and gives the exit code; finish() makes good, again
undisturbed. What disturbs the piece goes on to Home.begin: fault=, or count= to learn which calls it makes.
"""
import contextlib, gzip, json, re, signal, sqlite3
from collections import Counter
from ground import SINKS
from httpd import Httpd, Reply, Tls
from old_database import make_first_release
from test_rotate import wait_a_while
from test_sink_down import Command, Mail, Mqtt, Webhook

ITEMS = 3
PACE = ("--time-scale", "600")  # a sink that is down is asked again after milliseconds; in all lives of one home, for its clock goes on
DAY_S = 86400
NO_FEED = tuple(sink for sink in SINKS if sink != "feed")  # whose file shows what the database holds


class Fresh:
    """The first run of all."""
    step = 1  # of its calls each step-th has its turn

    def stage(self, home):
        home.ground.publish(ITEMS)

    def run(self, home, **disturbed):
        return home.run("--once", *PACE, timeout_s=90, **disturbed)

    def finish(self, home):
        home.finish(*PACE)

    def is_reached(self, home):
        """Whether the piece, undisturbed, was what it is here for."""
        return is_all_there(home)

    def judge(self, home):
        """What is wrong beside what a verdict finds."""
        return []

    def tidy(self, ground):
        """Leaves the ground as the next one expects it."""


def is_all_there(home):
    return home.number("SELECT count(*) FROM alert") >= len(home.ground.titles)


class Known(Fresh):
    """Nothing is new: one list is unchanged, one has another head only, one is another file with the same words."""

    def stage(self, home):
        super().stage(home)
        home.finish(*PACE)
        pages = home.ground.nginx.prefix / "www"
        home.ground.nginx.publish("2.xml", (pages / "2.xml").read_bytes().replace(b"Test Wire", b"Test Wire, since 1901"))
        home.ground.nginx.publish("3.xml", (pages / "3.xml").read_bytes())

    def is_reached(self, home):
        return sorted(r["status"] for r in home.ground.nginx.requests()[-3:]) == [200, 200, 304]


class Edited(Fresh):
    """What was known and matched nothing gains a rule's words; and the feeds have another title."""

    def stage(self, home):
        home.ground.publish(ITEMS, muted=ITEMS)
        home.finish(*PACE)
        assert not home.log_bytes()
        home.ground.publish(ITEMS + 1, title="Test Wire, since 1901")


class Interrupted(Fresh):
    """The one before was killed with its hands full, and the log was rotated since."""

    def stage(self, home):
        super().stage(home)
        assert home.run("--once", *PACE, fault=("send:12", "kill")) == -signal.SIGKILL and home.waiting() > 0
        home.rotate()


class Torn(Fresh):
    """The one before died in the middle of a line of the log."""

    def stage(self, home):
        super().stage(home)
        write_and_die(home)
        home.log.write_bytes(home.log.read_bytes()[:-9])


class Compressed(Fresh):
    """The one before died before it knew that the lines are written, and they are rotated and compressed since."""

    def stage(self, home):
        super().stage(home)
        write_and_die(home)
        home.log.with_name("alerts.log.1.gz").write_bytes(gzip.compress(home.log.read_bytes()))
        home.log.unlink()

    def finish(self, home):
        super().finish(home)
        home.uncompress()


def write_and_die(home):
    """Killed when the first lines are in the log."""
    home.only(*NO_FEED)  # so that nobody else writes to files
    assert home.run("--once", *PACE, fault=("write:1", "after")) == -signal.SIGKILL
    assert home.log_bytes() and home.number("SELECT count(*) FROM delivery WHERE sink = 'log' AND state = 0") > 0


class Burst(Fresh):
    """So many at once that popups and mails become digests, and that one mail does not hold them all."""
    step = 8

    def stage(self, home):
        home.only("log", "mail", "feed", "desktop")
        home.ground.popups = 8
        home.ground.publish(210)

    def is_reached(self, home):
        return len(home.ground.smtpd.raw) < 12 and any(re.match(r"\d+ new: ", popup[3]) for popup in home.popups())

    def tidy(self, ground):
        ground.popups = 2


class Damaged(Fresh):
    """The database is spoilt and set aside, and what the feeds show at that moment is known; what comes later is told."""

    def stage(self, home):
        home.only(*NO_FEED)
        super().stage(home)
        home.finish(*PACE)
        data = bytearray(home.database.read_bytes())
        data[8192:5 * 8192] = bytes(4 * 8192)
        home.database.write_bytes(data)

    def finish(self, home):
        super().finish(home)
        home.ground.publish(ITEMS + 2)
        super().finish(home)

    def is_reached(self, home):
        return "the database was damaged" in home.stderr

    def judge(self, home):
        aside = [p for p in home.state.glob("feedwatch.db.damaged-*") if not p.name.endswith(("-wal", "-shm"))]
        return [f"{len(aside)} set aside"] if len(aside) != 1 else []


class AllKinds(Fresh):
    """Feeds that are a file, that a program prints, that speak TLS and have moved there for good; beside them some that fail."""
    FAIL = ("loop", "page", "broken", "nobody", "lost", "mute")
    secure = None

    def stage(self, home):
        pages = home.ground.nginx.prefix / "www"
        authority = Tls(home.ground.folder / "tls")
        self.secure = Httpd(hosts=0, tls=authority)
        self.secure.on("/1.xml", lambda _: Reply(200, (pages / "1.xml").read_bytes()))
        plain = home.ground.hooks
        plain.on("/moved", Reply(301, headers={"Location": self.secure.url("/1.xml")}))
        plain.on("/loop", Reply(302, headers={"Location": plain.url("/loop")}))
        plain.on("/page", Reply(200, "<html><body>no feed</body></html>"))
        plain.on("/broken", Reply(500))
        plain.on("/gone", Reply(410))
        urls = {"f1": plain.url("/moved"), "f2": f"file://{pages}/2.xml", "f3": f"exec:/bin/cat {pages}/3.xml",
                "nobody": "http://127.0.0.1:9/", "lost": f"file://{pages}/lost.xml", "mute": "exec:/bin/false",
                **{name: plain.url(f"/{name}") for name in ("loop", "page", "broken", "gone")}}
        home.sections.update({f"feed {name}": {"url": url} for name, url in urls.items()})
        home.extra_environment["SSL_CERT_FILE"] = str(authority.ca)
        home.only(*SINKS)
        super().stage(home)
        home.finish(*PACE)
        with edited(home) as database:
            database.execute("UPDATE feed SET candidate_seen = 2, candidate_since_s = candidate_since_s - ? WHERE id = 'f1'", [2 * DAY_S])
            database.execute("UPDATE schedule SET failing_since_s = failing_since_s - ? WHERE failing_since_s > 0", [2 * DAY_S])
        home.ground.publish(ITEMS + 1)

    def is_reached(self, home):
        return self.secure.requests() and "moved for good" in home.stderr and not self.judge(home)

    def judge(self, home):
        told = Counter(a.feed for path in home.log_paths() for a in home.alerts(path) if a.rule == "!health")
        return [f"told {told[name]} times that {name} fails" for name in (*self.FAIL, "gone") if told[name] != 1] + \
            ([f"told {told['Test Wire']} times that f1 has moved"] if told["Test Wire"] > 1 else [])

    def tidy(self, ground):
        if self.secure:
            self.secure.stop()


class LongLived(Fresh):
    """A day of one that runs: news come while it does, a new configuration, a rotation, the end."""
    step = 8

    def live(self, home, **disturbed):
        """Begins, and has told everything; or is over already."""
        process = home.begin(*PACE, **disturbed)
        wait_a_while(lambda: process.poll() is not None or (is_all_there(home) and home.waiting() == 0))
        return process

    def run(self, home, **disturbed):
        process = self.live(home, **disturbed)
        home.ground.publish(ITEMS + 2)
        for number in signal.SIGHUP, signal.SIGUSR1:
            if process.poll() is None and (home.state / "control").exists():
                process.send_signal(number)
            home.rotate()
            wait_a_while(lambda: process.poll() is not None or is_all_there(home))
        return end(process)


    def is_reached(self, home):
        return is_all_there(home) and "reloaded" in home.stderr and len(home.log_paths()) > 1


def end(process):
    process.terminate()
    return process.wait(20)


class Asked(LongLived):
    """Somebody wants something of one that runs: a poll, its status, a trial of its sinks."""

    def run(self, home, **disturbed):
        process = self.live(home, **disturbed)
        home.ground.publish(ITEMS + 1)
        commands = ("poll", "--wait", "2s"), ("status",), ("test-alert", "--json", "--wait", "2s"), ("poll", "--json", "--wait", "2s", "f1")
        self.answers = [(words[0], home.command(*words)) for words in commands]
        return end(process)

    def is_reached(self, home):
        return [answer.returncode for _, answer in self.answers] == [0, 0, 0, 0]

    def judge(self, home):
        wrong = [f"feedwatch {word}: exit {answer.returncode}: {answer.stderr}" for word, answer in self.answers if answer.returncode not in (0, 1)]
        [trial] = [answer for word, answer in self.answers if word == "test-alert"]
        lines = [a for path in home.log_paths() for a in home.alerts(path) if a.rule == "!test"]
        was_told = any(json.loads(line) == {"sink": "log", "state": "done", "message": None} for line in trial.stdout.splitlines())
        return wrong + ([f"{len(lines)} lines of the trial"] if len(lines) > 1 or (was_told and not lines) else [])


class Aged(LongLived):
    """The database was made by the first release, and holds what is to be purged."""

    def stage(self, home):
        home.only(*NO_FEED)
        home.ground.publish(5 * ITEMS)
        home.finish(*PACE)
        home.ground.publish(5 * ITEMS + 1, first=5 * ITEMS - 1)
        with edited(home) as database:
            database.executescript(f"""
                UPDATE feed SET n_items_last = 2;
                UPDATE item SET seen_s = seen_s - {100 * DAY_S};
                UPDATE item_text SET first_seen_s = first_seen_s - {100 * DAY_S};
                UPDATE alert SET time_ms = time_ms - {100 * DAY_S}000;
                DELETE FROM meta WHERE key = 'purged_s';""")
            make_first_release(database)

    def run(self, home, **disturbed):
        process = home.begin(*PACE, **disturbed)
        wait_a_while(lambda: process.poll() is not None or self.is_reached(home))
        return end(process)

    def is_reached(self, home):
        """The new ones are told, and of the old ones those are left that three lists as long as the last one have room for."""
        told = home.number(f"SELECT count(*) FROM alert WHERE title LIKE '%-{5 * ITEMS}'")
        return told == home.ground.feeds and home.waiting() == 0 and 0 < home.number("SELECT count(*) FROM alert") <= 7 * home.ground.feeds


@contextlib.contextmanager
def edited(home):
    """What a daemon that does not run knows, to be changed."""
    with contextlib.closing(sqlite3.connect(home.database)) as database:
        yield database
        database.commit()


class ReceiversAway(LongLived):
    """Nobody is there but the log and the journal; then they are back."""

    def run(self, home, **disturbed):
        receivers = [kind(home) for kind in (Command, Mail, Mqtt, Webhook)]
        for receiver in receivers:
            receiver.away()
        home.ground.desktop.stop_server()
        try:
            process = home.begin(*PACE, **disturbed)
            wait_a_while(lambda: process.poll() is not None or (is_all_there(home) and home.number("SELECT count(*) FROM sink WHERE error <> ''") >= 5))
        finally:
            home.ground.desktop.start_dunst()
            for receiver in receivers:
                receiver.slow()
                receiver.refuse()
                receiver.back()
        wait_a_while(lambda: process.poll() is not None or home.waiting() == 0)
        return end(process)

    def is_reached(self, home):
        return home.stderr.count("delivers again") >= 5


SCENARIOS = {"fresh": Fresh, "known": Known, "edited": Edited, "interrupted": Interrupted, "torn": Torn, "compressed": Compressed,
             "burst": Burst, "damaged": Damaged, "all kinds": AllKinds, "long lived": LongLived, "asked": Asked, "aged": Aged,
             "receivers away": ReceiversAway}
