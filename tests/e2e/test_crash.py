"""Whenever the daemon dies, its alert log has each alert exactly once after the next run: nothing lost, doubled, torn.

Deaths are SIGKILL at random moments, SIGKILL at the system calls that make things last (strace injects it), and a
full disk. Two workers share the machine; each has servers of its own.
"""
import os, random, re, shutil, signal, statistics, subprocess, time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
import pytest
from feeds import atom, item, rss
from feedwatchd import Daemon, parse_log, wait_for
from nginx import Nginx

WORKERS = 2
KILLS = int(os.environ.get("FEEDWATCH_KILLS", "200"))
INJECTIONS = int(os.environ.get("FEEDWATCH_INJECTIONS", "240"))
CALLS = ["write", "pwrite64", "fdatasync", "fsync", "rename", "unlink", "ftruncate"]


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

    def daemon(self, connections=32):
        """With one connection each feed has a commit of its own, with many they share some."""
        self.made += 1
        daemon = Daemon(self.folder / f"home{self.made}")
        feeds = {f"feed f{f}": {"url": self.nginx.url(f"{f}.xml", f)} for f in range(1, self.feeds + 1)}
        daemon.configure({"feedwatch": {"max_connections": connections},
                          "defaults": {"initial": "all", "allow_private": "yes", "interval": "10m"},
                          **feeds, "rule alpha": {"match": "alpha"}})
        return daemon


@pytest.fixture
def worlds(tmp_path):
    made = []

    def make(feeds, items):
        for number in range(WORKERS):
            made.append(World(tmp_path / f"world{len(made)}", feeds, items))
        return made[-WORKERS:]
    yield make
    for world in made:
        world.nginx.stop()


def rotate(daemon):
    if daemon.log.exists():
        daemon.log.rename(daemon.log.with_name("alerts.log.1"))


def log_lines(daemon):
    return sum(path.read_bytes().count(b"\n") for path in daemon.state.glob("alerts.log*"))


def log_bytes(daemon):
    return daemon.log.stat().st_size if daemon.log.exists() else 0


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


def restart(world, daemon, is_rotated, before):
    """Rotates, runs once more, judges. The home of a good run is removed, that of a bad one stays to be looked at."""
    if is_rotated:
        rotate(daemon)
    try:
        daemon.once()
        wrong = verdict(world, daemon)
    except AssertionError as failure:
        wrong = str(failure)
    if wrong:
        return f"{before}, {'rotated' if is_rotated else 'not rotated'}: {wrong} (see {daemon.home})"
    shutil.rmtree(daemon.home)
    return None


def in_parallel(worlds, jobs, trial):
    """Each world works off its share of the jobs. Gives the results in the order of the jobs."""
    shares = [list(enumerate(jobs))[n::len(worlds)] for n in range(len(worlds))]

    def work(world, share):
        return [(index, trial(world, job)) for index, job in share]
    with ThreadPoolExecutor(len(worlds)) as pool:
        done = [pair for results in pool.map(work, worlds, shares) for pair in results]
    return [result for _, result in sorted(done, key=lambda pair: pair[0])]


def run_until(daemon, is_time):
    """One pass that is killed once is_time(seconds since its start), unless it is over before. True where killed."""
    start = time.monotonic()
    process = daemon.start("--once")
    while process.poll() is None:
        if is_time(time.monotonic() - start):
            process.kill()
            return process.wait() == -signal.SIGKILL
        time.sleep(0.0005)
    return False


def measure(world, connections):
    """The median length of an undisturbed pass, both workers being busy; and how much it asks and writes."""
    lengths = []
    for _ in range(4):
        daemon = world.daemon(connections)
        asked, start = world.nginx.log_bytes(), time.monotonic()
        daemon.once()
        lengths.append(time.monotonic() - start)
        world.request_bytes, world.full_log_bytes = world.nginx.log_bytes() - asked, log_bytes(daemon)
        wrong = verdict(world, daemon)
        assert not wrong, f"an undisturbed run: {wrong}"
        shutil.rmtree(daemon.home)
    return statistics.median(lengths)


@pytest.mark.parametrize("connections", [1, 32])
def test_kill_at_random_moments(worlds, capsys, connections):
    pair = worlds(feeds=20, items=20)
    kills = KILLS // 2
    with ThreadPoolExecutor(WORKERS) as pool:
        length = statistics.mean(pool.map(measure, pair, [connections] * WORKERS))
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    # Half of the moments are spread over the time it takes, a quarter over the requests, a quarter over the log.
    jobs = [(("time", "requests", "time", "log")[n % 4], chance.random(), n % 8 >= 4) for n in range(kills)]

    def trial(world, job):
        kind, part, is_rotated = job
        for attempt in range(8):  # one that is over too early is tried again, and killed earlier
            part *= 0.85 if attempt else 1
            daemon = world.daemon(connections)
            asked = world.nginx.log_bytes()
            is_time = {"time": lambda seconds: seconds > part * length,
                       "requests": lambda _: world.nginx.log_bytes() - asked > part * world.request_bytes,
                       "log": lambda _: log_bytes(daemon) > part * world.full_log_bytes}[kind]
            if run_until(daemon, is_time):
                break
        else:
            return False, log_lines(daemon), restart(world, daemon, is_rotated, "not killed")
        return True, log_lines(daemon), restart(world, daemon, is_rotated, f"killed at {part:.4f} of the {kind}")
    results = in_parallel(pair, jobs, trial)
    killed = sum(was_killed for was_killed, _, _ in results)
    partly = sum(0 < lines < pair[0].count for _, lines, _ in results)
    with capsys.disabled():
        print(f"\nkill -9 at {killed} of {kills} moments over {length:.3f} s ({connections} connections), {partly} of them"
              f" with part of the log written; half rotated (seed {seed})")
    wrong = [text for _, _, text in results if text]
    assert not wrong, f"{len(wrong)} of {kills}, seed {seed}:\n" + "\n".join(wrong[:10])
    assert killed >= kills * 0.9, "kills are to hit a running daemon"


def log_only(daemon, call):
    """The loop's wake-ups are writes too: of those only what goes to the log counts."""
    return ("-P", str(daemon.log)) if call == "write" else ()


def injected(daemon, call, number, paths=(), what="signal=KILL"):
    """strace that kills (or fails) the number-th call, before it is made."""
    return ("strace", "-f", "-qq", "-o", "/dev/null", *log_only(daemon, call), *paths, "-e", f"trace={call}", "-e",
            f"inject={call}:{what}:when={number}")


def count_calls(world):
    """How often one thread of an undisturbed pass makes each call."""
    counts = {}
    for call in CALLS:
        daemon = world.daemon(connections=1)
        record = daemon.home / "strace"
        daemon.once(wrapper=("strace", "-f", "-qq", "-o", str(record), *log_only(daemon, call), "-e", f"trace={call}"))
        by_thread = Counter(m.group(1) for m in re.finditer(rf"^(\d+) +{call}\(", record.read_text(), re.M))
        counts[call] = max(by_thread.values(), default=0)
        shutil.rmtree(daemon.home)
    return counts


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
def test_kill_at_each_call_that_makes_things_last(worlds, capsys):
    pair = worlds(feeds=10, items=5)
    counts = count_calls(pair[0])
    # One more than was counted: a run that ends without being killed. What is left of the budget goes to the calls
    # that are made most often; of those only every n-th is tried, from a start that differs between runs.
    few = {call: count for call, count in counts.items() if count <= 40}
    budget = INJECTIONS - sum(count + 1 for count in few.values())
    rest = sum(count for call, count in counts.items() if call not in few)
    stride = max(1, -(-rest // max(budget, 1)))
    jobs = []
    for call, count in counts.items():
        step = 1 if call in few else stride
        points = list(range(1 + random.randrange(step), count + 1, step)) + [count + 1]
        jobs += [(call, number, index % 2 == 1) for index, number in enumerate(points)]

    def trial(world, job):
        call, number, is_rotated = job
        daemon = world.daemon(connections=1)
        code = daemon.once(code=None, wrapper=injected(daemon, call, number))
        assert code in (0, -signal.SIGKILL, 128 + signal.SIGKILL), f"{call} {number}: exit {code}: {daemon.stderr}"
        return call, code != 0, restart(world, daemon, is_rotated, f"killed at {call} number {number}")
    results = in_parallel(pair, jobs, trial)
    killed = Counter(call for call, was_killed, _ in results if was_killed)
    with capsys.disabled():
        print("\nkill -9 at calls: " + ", ".join(f"{call} {killed[call]} of {counts[call]}" for call in CALLS)
              + f" that were counted; {sum(killed.values())} kills, stride {stride} where over 40")
    wrong = [text for _, _, text in results if text]
    assert not wrong, f"{len(wrong)} of {len(jobs)}:\n" + "\n".join(wrong[:10])
    assert killed["write"] and killed["pwrite64"] and sum(killed.values()) >= len(jobs) // 2


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_a_call_that_fails_loses_nothing(worlds, error, capsys):
    """A disk that fails once, or from some moment on: what is not told in this run is told in the next."""
    pair = worlds(feeds=5, items=5)
    counts = count_calls(pair[0])
    jobs = []
    for call in ("write", "pwrite64", "fdatasync", "ftruncate"):
        step = max(1, counts[call] // 12)
        jobs += [(call, f"{number}{plus}") for number in range(1, counts[call] + 1, step) for plus in ("", "+")]

    def trial(world, job):
        call, when = job
        daemon = world.daemon(connections=1)
        daemon.allow("feedwatchd: error: ")
        code = daemon.once(code=None, timeout_s=30, wrapper=injected(daemon, call, when, what=f"error={error}"))
        assert code in (0, 1), f"{call} {when}: exit {code}: {daemon.stderr}"
        return code, restart(world, daemon, False, f"{error} of {call} number {when}")
    results = in_parallel(pair, jobs, trial)
    wrong = [text for _, text in results if text]
    with capsys.disabled():
        print(f"\n{error} at {len(jobs)} calls, {sum(code for code, _ in results)} of these runs ended with exit 1")
    assert not wrong, f"{len(wrong)} of {len(jobs)}:\n" + "\n".join(wrong[:10])


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
@pytest.mark.parametrize("is_rotated", [False, True])
def test_power_is_lost_before_the_log_is_flushed(worlds, is_rotated):
    """What was written and not yet flushed may be there in part: the line that was torn is completed, once."""
    pair = worlds(feeds=6, items=10)
    chance = random.Random(7)

    def trial(world, number):
        daemon = world.daemon(connections=1)
        record = daemon.home / "strace"
        code = daemon.once(code=None, wrapper=(
            "strace", "-f", "-qq", "-o", str(record), "-P", str(daemon.log), "-e", "trace=write,fdatasync", "-e",
            f"inject=fdatasync:signal=KILL:when={number}"))
        # What was written before the last flush that came back is safe, the rest may be lost in part.
        written = safe = 0
        for line in record.read_text().splitlines():
            size = re.search(r"write(?:\(| resumed>).*\) += (\d+)$", line)
            written += int(size.group(1)) if size else 0
            safe = written if re.search(r"fdatasync(?:\(| resumed>).*\) += 0$", line) else safe
        assert log_bytes(daemon) == written
        cut = chance.randint(safe, written)
        os.truncate(daemon.log, cut)
        return code != 0, restart(world, daemon, is_rotated, f"flush {number}, cut to {cut}, {safe} safe of {written} bytes")
    results = in_parallel(pair, [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3], trial)
    wrong = [text for _, text in results if text]
    assert not wrong, "\n".join(wrong)
    assert sum(was_killed for was_killed, _ in results) >= 4


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
def test_a_disk_that_fills_up_loses_nothing_once_there_is_space(worlds, small_disk, leave_kb, end):
    world = worlds(feeds=8, items=1)[0]
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


def test_a_disk_that_is_full_from_the_start_loses_nothing(worlds, small_disk):
    world = worlds(feeds=4, items=10)[0]
    daemon = world.daemon()
    small_disk(daemon.state)
    daemon.allow(r"feedwatchd: error: ")
    ballast = fill(daemon.state, 0)
    daemon.once(code=1)
    ballast.unlink()
    daemon.once()
    wrong = verdict(world, daemon)
    assert not wrong, wrong
