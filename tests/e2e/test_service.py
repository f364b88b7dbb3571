"""What the daemon tells its service manager (sd_notify): the test is the manager and owns the socket.

test_systemd.py has a real one; this runs on every machine.
"""
import os, shutil, signal, socket, threading, time
import pytest
from feeds import item, rss
from feedwatchd import wait_for
from httpd import Httpd, Reply

FLUSH_S = 2
RULE = {"rule any": {"match": "news"}}


class Manager:
    """Collects the messages of one service as (monotonic seconds, {"READY": "1", …})."""

    def __init__(self, folder):
        self.path = str(folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.messages = []
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while text := self.socket.recv(8192).decode():
            self.messages.append((time.monotonic(), dict(line.split("=", 1) for line in text.splitlines())))

    def end(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as closing:
            closing.sendto(b"", self.path)
        self.thread.join(10)
        self.socket.close()

    def wrapper(self, *more):
        return ("env", f"NOTIFY_SOCKET={self.path}", *more)

    def wait(self, key, value=None, timeout_s=20):
        """Until a message says key, or key=value."""
        def has_come():
            return [m for _, m in self.messages if key in m and value in (None, m[key])]
        return wait_for(has_come, f"{key}={value or '…'} of {self.messages}", timeout_s)[-1]

    def times(self, key):
        return [when for when, message in self.messages if key in message]


@pytest.fixture
def manager(tmp_path):
    manager = Manager(tmp_path)
    yield manager
    manager.end()


@pytest.fixture
def server():
    with Httpd(hosts=4) as server:
        yield server


def feeds_of(server, names):
    """Sections for feeds, each on a host of its own; one whose name begins with "no-" is not there."""
    sections = dict(RULE)
    for host, name in enumerate(names):
        sections[f"feed {name}"] = {"url": server.url(f"/{name}", host)}
        if not name.startswith("no-"):
            server.on(f"/{name}", Reply(200, rss([item(1, title="news")])))
    return sections


def test_ready_reload_and_stop_are_told(daemon, manager, server):
    daemon.configure(feeds_of(server, ["a"]))
    process = daemon.start(wrapper=manager.wrapper())
    assert manager.wait("READY")["STATUS"] == "1 feed, 0 failing"
    daemon.configure(feeds_of(server, ["a", "b", "c"]))
    process.send_signal(signal.SIGHUP)
    reloading = manager.wait("RELOADING")
    assert 0 < int(reloading["MONOTONIC_USEC"]) <= time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6
    manager.wait("STATUS", "3 feeds, 0 failing")
    wait_for(lambda: len(manager.times("READY")) == 2, "READY after the reload")
    assert daemon.stop(process) == 0
    assert manager.wait("STOPPING")["STATUS"] == "stopping"
    assert not manager.times("WATCHDOG"), "nobody asked for it"


def test_a_reload_that_is_refused_ends_too(daemon, manager, server):
    daemon.allow("feedwatch.conf:2:", "the old one stays in force")
    daemon.configure(feeds_of(server, ["a"]))
    process = daemon.start(wrapper=manager.wrapper())
    manager.wait("READY")
    daemon.configure("[feed a]\nurl = gopher\n[rule r]\nmatch = news\n")
    process.send_signal(signal.SIGHUP)
    wait_for(lambda: len(manager.times("READY")) == 2, "READY after the reload")
    assert "the old one stays in force" in daemon.stderr
    assert daemon.stop(process) == 0


def test_the_status_counts_feeds_that_fail(daemon, manager, server):
    daemon.allow("feed no-.*: ")
    daemon.configure(feeds_of(server, ["no-a", "no-b"]))
    process = daemon.start(wrapper=manager.wrapper())
    manager.wait("STATUS", "2 feeds, 2 failing", timeout_s=40)
    daemon.configure(feeds_of(server, ["no-a", "b"]))
    process.send_signal(signal.SIGHUP)
    manager.wait("STATUS", "2 feeds, 1 failing", timeout_s=40)
    assert daemon.stop(process) == 0


def test_the_status_says_which_alerts_wait(daemon, manager, server):
    """There is no session bus, so popups wait."""
    sections = feeds_of(server, ["a"])
    daemon.configure({**sections, "rule any": {"match": "news", "alert": "desktop, log"}, "defaults": {"initial": "all"}})
    process = daemon.start(wrapper=manager.wrapper())
    daemon.wait_alerts(1)
    wait_for(lambda: [m for _, m in manager.messages if m.get("STATUS", "").startswith("1 feed, 0 failing; alerts wait: desktop: ")],
             f"the desktop in the status of {manager.messages}")
    assert daemon.stop(process) == 0


def child_of(process):
    def only():
        with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
            return file.read().split()
    return int(wait_for(only, "the daemon under strace")[0])


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
def test_the_watchdog_starves_while_storage_hangs(daemon, manager, server):
    """A flush that takes 2 s holds up the storage thread, not the loop: the watchdog must not be fed meanwhile."""
    daemon.configure(feeds_of(server, ["a"]))
    daemon.once()  # the database is made: the run below flushes for its poll of b alone
    daemon.configure(feeds_of(server, ["a", "b"]))
    slow = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e",
            f"inject=fsync,fdatasync:delay_enter={FLUSH_S}s")
    process = daemon.start(wrapper=(*manager.wrapper("WATCHDOG_USEC=400000"), *slow))
    manager.wait("READY", timeout_s=60)

    def longest_gap():
        times = manager.times("READY") + manager.times("WATCHDOG")
        return max((later - earlier for earlier, later in zip(times, times[1:])), default=0)
    wait_for(lambda: longest_gap() > FLUSH_S * 0.75, "a time in which the watchdog was not fed", timeout_s=60)
    count = len(manager.times("WATCHDOG"))
    wait_for(lambda: len(manager.times("WATCHDOG")) > count + 3, "the watchdog is fed again", timeout_s=60)
    os.kill(child_of(process), signal.SIGTERM)
    process.wait(60)


def test_the_watchdog_is_fed_at_a_quarter_of_its_time(daemon, manager, server):
    daemon.configure(feeds_of(server, ["a"]))
    process = daemon.start(wrapper=manager.wrapper("WATCHDOG_USEC=800000"))
    start = time.monotonic()
    wait_for(lambda: len(manager.times("WATCHDOG")) >= 10, "ten answers")
    assert time.monotonic() - start >= 1.8, "it was fed without being asked"
    assert daemon.stop(process) == 0
