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
INJECTIONS = int(os.environ.get("FEEDWATCH_INJECTIONS", "160"))
CALLS = ["write", "pwrite64", "fdatasync", "fsync", "rename", "unlink", "ftruncate"]


class World:
    """Publishers with matching items, each feed on a host of its own, and fresh daemons that watch them."""

    def __init__(self, folder, feeds, items):
        self.folder, self.feeds, self.count = folder, feeds, feeds * items
        self.nginx = Nginx(folder / "nginx", hosts=feeds)
        self.links = [f"https://news.example/{f}-{n}" for f in range(1, feeds + 1) for n in range(items)]
        for f in range(1, feeds + 1):
            build = atom if f % 2 else rss
            text = "What the correspondents wrote. " * 8
            self.nginx.publish(f"{f}.xml", build([item(f"{f}-{n}", f"Alpha {f}-{n}", text) for n in range(items)]))
        self.made = 0

    def sections(self):
        feeds = {f"feed f{f}": {"url": self.nginx.url(f"{f}.xml", f)} for f in range(1, self.feeds + 1)}
        return {"defaults": {"initial": "all", "allow_private": "yes"}, **feeds, "rule alpha": {"match": "alpha"}}

    def daemon(self):
        self.made += 1
        daemon = Daemon(self.folder / f"home{self.made}")
        daemon.configure(self.sections())
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


def run_until(daemon, seconds):
    """One pass that is killed after so many seconds, if it is not over by then. True where it was killed."""
    process = daemon.start("--once")
    try:
        process.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True


def measure(world):
    """The median length of an undisturbed pass, both workers being busy."""
    lengths = []
    for _ in range(4):
        daemon = world.daemon()
        start = time.monotonic()
        daemon.once()
        lengths.append(time.monotonic() - start)
        wrong = verdict(world, daemon)
        assert not wrong, f"an undisturbed run: {wrong}"
        shutil.rmtree(daemon.home)
    return statistics.median(lengths)


def test_kill_at_random_moments(worlds, capsys):
    pair = worlds(feeds=20, items=20)
    with ThreadPoolExecutor(WORKERS) as pool:
        length = statistics.mean(pool.map(measure, pair))
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    # Half of the moments are spread evenly, half are in the second half, where the writing is.
    jobs = [(chance.uniform(0 if n % 2 else length / 2, length), n % 4 >= 2) for n in range(KILLS)]

    def trial(world, job):
        seconds, is_rotated = job
        daemon = world.daemon()
        was_killed = run_until(daemon, seconds)
        for _ in range(3):  # it was over before: once more, and earlier
            if was_killed:
                break
            seconds *= 0.85
            daemon = world.daemon()
            was_killed = run_until(daemon, seconds)
        lines = log_lines(daemon)
        return was_killed, lines, restart(world, daemon, is_rotated, f"killed after {seconds:.4f} s")
    results = in_parallel(pair, jobs, trial)
    killed = sum(was_killed for was_killed, _, _ in results)
    partly = sum(0 < lines < pair[0].count for _, lines, _ in results)
    with capsys.disabled():
        print(f"\nkill -9 at {killed} of {KILLS} moments over {length:.2f} s, {partly} of them with part of the log written,"
              f" half rotated (seed {seed})")
    wrong = [text for _, _, text in results if text]
    assert not wrong, f"{len(wrong)} of {KILLS}, seed {seed}:\n" + "\n".join(wrong[:10])
    assert killed >= KILLS * 0.9, "kills are to hit a running daemon"



def injected(daemon, call, number):
    """strace that kills at the number-th call. The loop's wake-ups are writes too: only those to the log count."""
    paths = ("-P", str(daemon.log)) if call == "write" else ()
    return ("strace", "-f", "-qq", "-o", "/dev/null", *paths, "-e", f"trace={call}", "-e",
            f"inject={call}:signal=KILL:when={number}")


def count_calls(world):
    """How often one thread of an undisturbed pass makes each call."""
    counts = {}
    for call in CALLS:
        daemon = world.daemon()
        record = daemon.home / "strace"
        paths = ("-P", str(daemon.log)) if call == "write" else ()
        daemon.once(wrapper=("strace", "-f", "-qq", "-o", str(record), *paths, "-e", f"trace={call}"))
        by_thread = Counter(m.group(1) for m in re.finditer(rf"^(\d+) +{call}\(", record.read_text(), re.M))
        counts[call] = max(by_thread.values(), default=0)
        shutil.rmtree(daemon.home)
    return counts


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
def test_kill_at_each_call_that_makes_things_last(worlds, capsys):
    pair = worlds(feeds=4, items=5)
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
        daemon = world.daemon()
        code = daemon.once(code=None, wrapper=injected(daemon, call, number))
        assert code in (0, -signal.SIGKILL, 128 + signal.SIGKILL), f"{call} {number}: exit {code}: {daemon.stderr}"
        return call, code != 0, restart(world, daemon, is_rotated, f"killed at {call} number {number}")
    results = in_parallel(pair, jobs, trial)
    killed = Counter(call for call, was_killed, _ in results if was_killed)
    with capsys.disabled():
        print("\nkill -9 at calls: " + ", ".join(f"{call} {killed[call]} of {counts[call]}" for call in CALLS)
              + f"; {sum(killed.values())} kills, stride {stride} where over 40")
    wrong = [text for _, _, text in results if text]
    assert not wrong, f"{len(wrong)} of {len(jobs)}:\n" + "\n".join(wrong[:10])
    assert killed["write"] and killed["pwrite64"] and sum(killed.values()) >= len(jobs) // 2


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


@pytest.mark.parametrize("end", ["space returns", "killed while full"])
@pytest.mark.parametrize("leave_kb", [0, 8, 64, 400])
def test_a_full_disk_loses_nothing_once_there_is_space(worlds, small_disk, leave_kb, end):
    world = worlds(feeds=8, items=30)[0]
    daemon = world.daemon()
    small_disk(daemon.state)
    daemon.allow(r"feedwatchd: error: ")
    empty = world.sections()
    for name in list(empty):
        if name.startswith("feed "):
            empty[name]["enabled"] = "no"
    daemon.configure(empty)
    daemon.once()  # the database is there
    daemon.configure(world.sections())
    ballast = fill(daemon.state, leave_kb * 1024)
    process = daemon.start()
    wait_for(lambda: len(world.nginx.requests()) >= world.feeds or process.poll() is not None
             or "error:" in daemon.stderr, "the daemon at work")
    wait_for(lambda: "error:" in daemon.stderr or log_lines(daemon) >= world.count, "a word about the full disk")
    if "error:" in daemon.stderr and process.poll() is None:
        assert process.poll() is None, "a full disk ends no daemon"
        before = cpu_seconds(process)
        start = time.monotonic()
        wait_for(lambda: time.monotonic() - start >= 2, "two seconds of a full disk")
        assert cpu_seconds(process) - before < 0.5, "a busy loop"
        assert len(daemon.stderr.splitlines()) < 50, "said once, not for ever"
    if end == "killed while full":
        process.kill()
        process.wait()
    ballast.unlink()
    if end == "killed while full":
        daemon.once()
    else:
        wait_for(lambda: log_lines(daemon) >= world.count, "all alerts, once there is space", timeout_s=60)
        assert daemon.stop(process) == 0
    wrong = verdict(world, daemon)
    assert not wrong, wrong
