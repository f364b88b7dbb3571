"""bed - what the polling benchmarks share: the feeds, nginx over them, our daemon under measurement, the table.

The feeds come from $FEEDWATCH_SHARED/bench (default: ../shared/bench): 64 publishers on 127.0.1.1 to .64, some with many
feeds. Everything is kept in build/bench; the feeds of one seed are made once. Only one benchmark runs at a time.
"""
import argparse, collections, html, json, os, random, re, shutil, sqlite3, statistics, subprocess, sys, time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("FEEDWATCH_BUILD", "build")
SHARED = Path(os.environ.get("FEEDWATCH_SHARED") or ROOT.parent / "shared") / "bench"
WORK = (BUILD / "bench").resolve()
HOSTS, HTTP_PORT, HTTPS_PORT = 64, 8088, 8448
TIME_SCALE = 60  # a feed is asked once a minute, whoever asks for it: here a second
CONNECTIONS_MAX = 130
ROW = "%-44s | %9s | %9s | %6s | %6s | %6s | %s"


def run(*command, good=(0,), **options):
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)
    if result.returncode not in good:
        sys.exit(f"{' '.join(map(str, command[:4]))} …: exit {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout


def parse_options(doc, rounds, feeds=1000):
    """--rounds, --seed, --feeds; ends the program where the bench programs are missing."""
    options = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=rounds)
    options.add_argument("--seed", type=int, default=1, help="of the feeds and the rules")
    options.add_argument("--feeds", type=int, default=feeds)
    given = options.parse_args()
    if not (SHARED / "make_feeds.py").exists():
        print(f"1 skipped: no bench programs in {SHARED} (FEEDWATCH_SHARED)")
        sys.exit(0)
    WORK.mkdir(parents=True, exist_ok=True)
    run("make", "-s", "all", cwd=ROOT)
    return given


def make_programs(*names):
    run("make", "-s", "-C", SHARED, f"B={WORK}", *(WORK / name for name in names))


def make_corpus(seed, feeds, generations=("g0", "g1", "g1x")):
    """g0: the feeds; g1: 3 new items in each; g1x: 3 new items in a tenth of them."""
    updates = {"g0": (), "g1": ("--update", 3), "g1x": ("--update", 3, "--fraction", 0.1)}
    folder = WORK / f"generations-{seed}-{feeds}"
    folder.mkdir(exist_ok=True)
    for name in generations:
        if not (folder / name).exists():
            shutil.rmtree(WORK / "new", ignore_errors=True)
            run(sys.executable, SHARED / "make_feeds.py", WORK / "new", "--seed", seed, "-n", feeds, *updates[name])
            (WORK / "new").rename(folder / name)
    return folder


def urls_of(corpus):
    return (corpus / "g0" / "urls.txt").read_text().split()


def make_rules(corpus, seed, count=100):
    """Two words and one of two others, with an exception: an alert for every tenth item or so."""
    text = re.compile(r"<title[^>]*>([^<]*)")
    words = collections.Counter()
    for path in sorted((corpus / "g0").glob("*.xml"))[:1000]:
        titles = " ".join(text.findall(path.read_text("utf-8", "ignore")))
        words.update(re.findall(r"[^\W\d_]{6,}", html.unescape(titles).lower()))
    words = sorted(words)
    dice = random.Random(seed)
    rules = ""
    for i in range(count):
        a, b, c, d, e = dice.sample(words, 5)
        rules += f'[rule r{i}]\nmatch = "{a}" AND "{b}" AND ("{c}" OR "{d}") AND NOT "{e}"\nalert = log\n\n'
    return rules


class Server:
    """nginx over one generation of the feeds at a time."""
    def __init__(self, first):
        self.env = dict(os.environ, RUN=str(WORK / "nginx"), HOSTS=str(HOSTS), PORT=str(HTTP_PORT))
        (WORK / "nginx").mkdir(exist_ok=True)
        self.call("stop")
        self.call("start", first)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.call("stop")

    def call(self, *words):
        with open(WORK / "nginx.out", "w+") as out:  # the server inherits it: a pipe would never end
            subprocess.run([SHARED / "serve.sh", *map(str, words)], env=self.env, stdout=out, stderr=out)
            out.seek(0)
            return out.read()

    def switch(self, folder):
        if (folder / "changed.txt").exists():  # published just now: Last-Modified says so
            for name in (folder / "changed.txt").read_text().split():
                for path in folder / name, folder / (name + ".gz"):
                    if path.exists():
                        os.utime(path)
        self.call("switch", folder)
        self.call("mark")

    def stat(self):
        return json.loads(self.call("stat").strip().splitlines()[-1])


class Ours:
    """A daemon that is polled by `feedwatch poll`. CPU is user and system time of its process, in seconds."""
    def __init__(self, state, urls, rules, time_scale=TIME_SCALE, environment=()):
        self.state, self.config, self.time_scale = state, state / "feedwatch.conf", time_scale
        shutil.rmtree(state, ignore_errors=True)
        state.mkdir()
        feeds = "".join(f"[feed f{i}]\nurl = {u}\nallow_private = yes\ninitial = all\ninterval = 1d\n\n" for i, u in enumerate(urls))
        self.config.write_text(f"[feedwatch]\nhost_spacing = 0s\nmax_connections = 64\nstate_dir = {state}/s\n\n"
                               + feeds + rules)
        self.log = state / "s" / "alerts.log"
        self.env = dict(os.environ, HOME=str(state), XDG_STATE_HOME=f"{state}/x", XDG_RUNTIME_DIR=str(state), **dict(environment))
        self.n_feeds = len(urls)
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(20)

    def end(self):
        """The CPU that it took in all: the last of what it stored is put in its place at the end."""
        before = os.times()
        self.stop()
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    def wait_ready(self):
        while not (self.state / "s" / "control").is_socket():
            if self.process.poll() is not None:
                sys.exit(f"feedwatchd has ended; see {self.state}/stderr")
            time.sleep(0.05)

    def startup_cpu(self):
        """What reading the configuration takes."""
        before = os.times()
        run(BUILD / "feedwatch", "-c", self.config, "check", env=self.env)
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    def start(self, processors=()):
        """processors: that alone it may use; (): all."""
        place = (lambda: os.sched_setaffinity(0, processors)) if processors else None
        scale = ["--time-scale", str(self.time_scale)] if self.time_scale > 1 else []
        with open(self.state / "stderr", "w") as errors:
            self.process = subprocess.Popen([BUILD / "feedwatchd", "-c", self.config, *scale], env=self.env, stderr=errors, preexec_fn=place)

    def cpu(self):
        return time.clock_gettime(~self.process.pid << 3 | 2)  # clock_getcpuclockid(): finer than the ticks of /proc

    def peak_mb(self):
        return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())[1]) / 1024

    def pss_mb(self):
        """Its share of memory now."""
        return int(re.search(r"Pss:\s+(\d+)", Path(f"/proc/{self.process.pid}/smaps_rollup").read_text())[1]) / 1024

    def wakeups(self):
        """How often a thread of it slept and was woken, so far."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/status")
        return sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", t.read_text(), re.M)[1]) for t in tasks)

    def rest_between_polls(self):
        time.sleep(60 / self.time_scale + 0.5)

    def command_poll(self):
        """Polls all feeds; returns when each has its outcome."""
        lines = run(BUILD / "feedwatch", "-c", self.config, "poll", "--wait", "10m", "--json", env=self.env).splitlines()
        states = collections.Counter(json.loads(line)["state"] for line in lines)
        states.pop("polling", None)
        if set(states) - {"news", "unchanged"}:
            sys.exit(f"poll: {dict(states)}")

    def poll(self):
        """The CPU that a poll of all feeds takes."""
        before = self.cpu()
        self.command_poll()
        return self.settled() - before

    def settled(self):
        """CPU once nothing more is used for half a second."""
        last = self.cpu()
        while True:
            time.sleep(0.5)
            now = self.cpu()
            if now - last < 0.001:
                return now
            last = now

    def wait_first(self):
        """CPU once every feed has its items."""
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            time.sleep(0.5)
            if self.items("SELECT count(*) FROM feed WHERE is_baselined") >= self.n_feeds:
                return self.settled()
        sys.exit(f"poll: only {self.items('SELECT count(DISTINCT feed) FROM item')} of {self.n_feeds} feeds after 300 s; "
                 f"see {self.state}/stderr")

    def items(self, query="SELECT count(*) FROM item"):
        try:
            with sqlite3.connect(f"file:{self.state}/s/feedwatch.db?mode=ro", uri=True) as db:
                return db.execute(query).fetchone()[0]
        except sqlite3.Error:
            return 0


class Table:
    """measure | ours | peer | ratio | bar | aim | ok. is_good: no bar was missed."""
    def __init__(self, peer="peer"):
        self.is_good = True
        print(ROW % ("measure", "ours", peer, "ratio", "bar", "aim", "ok"))

    def row(self, measure, ours, peer, value, bar, aim=None, ratio=True):
        """`value` is what counts, and is shown as the ratio where it is one."""
        aim = bar if aim is None else aim
        ok = "aim" if value <= aim else "ok" if value <= bar else "MISSED"
        self.is_good &= value <= bar
        print(ROW % (measure, ours, peer, f"{value:.2f}" if ratio else "-", bar, aim, ok), flush=True)

    def report(self, measure, ours, peer="-", ratio="-"):
        """A figure without a bar."""
        print(ROW % (measure, ours, peer, ratio, "-", "-", "-"), flush=True)


def median_ratio(pairs):
    return statistics.median(ours / theirs for ours, theirs in pairs)
