"""A disk that fills up, and the daemon on it: nothing is lost, doubled or torn in the alert log once there is space again.

Kills and single calls that fail are tests/torture's.
"""
import os, signal, subprocess, time
from collections import Counter
import pytest
from feeds import atom, item, rss
from feedwatchd import Daemon, parse_log, wait_for
from nginx import Nginx


class World:
    """Publishers with matching items, each feed on a host of its own, and fresh daemons that watch them."""

    def __init__(self, folder, feeds, items):
        self.folder, self.feeds = folder, feeds
        self.nginx = Nginx(folder / "nginx", hosts=feeds)
        self.made = 0
        self.publish(items)

    def publish(self, items):
        self.count = self.feeds * items
        self.links = [f"https://news.example/{f}-{n}" for f in range(1, self.feeds + 1) for n in range(items)]
        for f in range(1, self.feeds + 1):
            build = atom if f % 2 else rss
            text = "What the correspondents wrote. " * 8
            self.nginx.publish(f"{f}.xml", build([item(f"{f}-{n}", f"Alpha {f}-{n}", text) for n in range(items)]))

    def daemon(self):
        self.made += 1
        daemon = Daemon(self.folder / f"home{self.made}")
        feeds = {f"feed f{f}": {"url": self.nginx.url(f"{f}.xml", f)} for f in range(1, self.feeds + 1)}
        daemon.configure({"defaults": {"initial": "all", "allow_private": "yes", "interval": "10m"},
                          **feeds, "rule alpha": {"match": "alpha"}})
        return daemon


@pytest.fixture
def make_world(tmp_path):
    made = []

    def make(feeds, items):
        made.append(World(tmp_path / f"world{len(made)}", feeds, items))
        return made[-1]
    yield make
    for world in made:
        world.nginx.stop()


def log_lines(daemon):
    return sum(path.read_bytes().count(b"\n") for path in daemon.state.glob("alerts.log*"))


def told(daemon):
    return [alert for path in sorted(daemon.state.glob("alerts.log*")) for alert in parse_log(path)]


def verdict(world, daemon):
    """None, or what is wrong with the log after the restart."""
    try:
        alerts = told(daemon)
        daemon.check_stderr()
    except AssertionError as wrong:
        return str(wrong)
    links = Counter(alert.link for alert in alerts)
    lost = [link for link in world.links if link not in links]
    doubled = [link for link, count in links.items() if count > 1]
    if lost or doubled or len({a.id for a in alerts}) != len(alerts):
        return f"{len(lost)} lost {lost[:3]}, {len(doubled)} doubled {doubled[:3]}"
    return None


@pytest.fixture
def small_disk(tmp_path):
    """A state folder on a file system of its own, 12 MB."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    mounted = []

    def mount(folder):
        folder.mkdir(parents=True, mode=0o700)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m,mode=700", "none", str(folder)]).returncode:
            pytest.skip("this machine lets nobody mount a tmpfs")
        mounted.append(folder)
    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder, leave_bytes):
    """Writes ballast until only about leave_bytes are free."""
    ballast = folder / "ballast"
    space = os.statvfs(folder)
    with open(ballast, "wb", buffering=0) as file:
        left = space.f_bavail * space.f_frsize - leave_bytes
        try:
            while left > 0:
                left -= file.write(bytes(min(left, 65536)))
        except OSError:
            pass
    return ballast


def cpu_seconds(process):
    fields = open(f"/proc/{process.pid}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_steady(process):
    """Two seconds of waiting cost it next to nothing."""
    before, start = cpu_seconds(process), time.monotonic()
    wait_for(lambda: time.monotonic() - start >= 2, "two seconds")
    return cpu_seconds(process) - before < 0.3


@pytest.mark.parametrize("leave_kb, end", [(0, "space returns"), (8, "space returns"), (64, "space returns"), (400, "space returns"),
                                           (0, "killed while full"), (64, "killed while full"), (64, "stopped while full")])
def test_a_disk_that_fills_up_loses_nothing_once_there_is_space(make_world, small_disk, leave_kb, end):
    world = make_world(feeds=8, items=1)
    daemon = world.daemon()
    small_disk(daemon.state)
    daemon.allow(r"feedwatchd: error: ")
    process = daemon.start("--time-scale", "600")
    daemon.wait_alerts(world.feeds)
    ballast = fill(daemon.state, leave_kb * 1024)
    world.publish(60)
    wait_for(lambda: "error:" in daemon.stderr or log_lines(daemon) >= world.count, "a word about the full disk")
    if "error:" in daemon.stderr:
        assert process.poll() is None, f"a full disk ends no daemon: {daemon.stderr}"
        assert is_steady(process), "a busy loop"
        assert len(daemon.stderr.splitlines()) < 30, f"said once, not for ever:\n{daemon.stderr}"
    if end == "space returns":
        ballast.unlink()
        wait_for(lambda: log_lines(daemon) >= world.count, "all alerts, once there is space", timeout_s=60)
        assert daemon.stop(process) == 0
    else:
        number = signal.SIGKILL if end == "killed while full" else signal.SIGTERM
        assert daemon.stop(process, number, timeout_s=10) in (0, 1, -signal.SIGKILL)
        ballast.unlink()
        daemon.once()
    wrong = verdict(world, daemon)
    assert not wrong, wrong


def test_a_disk_that_is_full_from_the_start_loses_nothing(make_world, small_disk):
    world = make_world(feeds=4, items=10)
    daemon = world.daemon()
    small_disk(daemon.state)
    daemon.allow(r"feedwatchd: error: ")
    ballast = fill(daemon.state, 0)
    daemon.once(code=1)
    ballast.unlink()
    daemon.once()
    wrong = verdict(world, daemon)
    assert not wrong, wrong
