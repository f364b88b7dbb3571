"""feedwatchd - the real daemon under test: its configuration, its life, its log, its complaints.

FEEDWATCH_BUILD names the folder of the programs (default: build). Each Daemon has a home folder of its own and no
desktop; `extra_environment` adds to its environment. What it writes to stderr beyond plain information must be allow()ed,
else check_stderr() fails.
"""
import os, re, signal, subprocess, time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("FEEDWATCH_BUILD", "build")
LINE_BYTES_MAX = 4096
# Controls, C1, bidi, zero-width, line and paragraph separators, tags, noncharacters: nothing of it may reach a log.
UNCLEAN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff"
                     "\U000e0000-\U000e007f]")
LINE = re.compile(r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d) \[(?P<rule>[^\]]+)\] "
                  r"(?P<title>.+) \| (?P<feed>.+) \| (?P<link>.+) \| (?P<matched>.+) \| id=(?P<id>[0-9A-Z]{26})")


@dataclass(frozen=True)
class Alert:
    time: str
    rule: str
    title: str
    feed: str
    link: str
    matched: str
    id: str


def parse_log(path):
    """Every line of an alert log. Fails on one that is torn, unclean, too long or not of the promised form."""
    data = Path(path).read_bytes() if Path(path).exists() else b""
    assert not data or data.endswith(b"\n"), f"torn last line in {path}: {data[-200:]!r}"
    alerts = []
    for raw in data.split(b"\n")[:-1]:
        assert len(raw) + 1 <= LINE_BYTES_MAX, f"{len(raw) + 1} bytes in one line: {raw[:200]!r}"
        line = raw.decode("utf-8")
        assert not UNCLEAN.search(line), f"unclean line: {line!r}"
        match = LINE.fullmatch(line)
        assert match and line.count(" | ") == 4, f"not of the promised form: {line!r}"
        alerts.append(Alert(**match.groupdict()))
    return alerts


def ini(sections):
    """Configuration text from {"feed a": {"url": …}, …}. Rules alert to the log unless they say otherwise."""
    out = []
    for name, settings in sections.items():
        if name.startswith("rule "):
            settings = {"alert": "log", **settings}
        out.append(f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items()))
    return "\n".join(out)


def wait_for(condition, what, timeout_s=20):
    """Waits until condition() is true and returns what it gave; fails after the deadline."""
    deadline = time.monotonic() + timeout_s
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(0.02)


class Daemon:
    def __init__(self, home):
        self.home = Path(home)
        self.config_path = self.home / "config/feedwatch/feedwatch.conf"
        self.state = self.home / "state/feedwatch"
        self.log = self.state / "alerts.log"
        self.stderr_path = self.home / "stderr"
        self.config_path.parent.mkdir(parents=True)
        (self.home / "run").mkdir(mode=0o700)
        self.stderr_path.touch()
        self.processes, self.allowed, self.extra_environment = [], [], {}
        self.wrapper = ()  # in front of each start

    @property
    def environment(self):
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")}
        return {**kept, "HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config"),
                "XDG_STATE_HOME": str(self.home / "state"), "XDG_RUNTIME_DIR": str(self.home / "run"),
                "TZ": "UTC", "LC_ALL": "C.UTF-8", **self.extra_environment}

    def configure(self, sections):
        self.config_path.write_text(sections if isinstance(sections, str) else ini(sections))

    def start(self, *arguments, wrapper=()):
        command = [*(wrapper or self.wrapper), str(BUILD / "feedwatchd"), "-c", str(self.config_path), *arguments]
        with open(self.stderr_path, "ab") as stderr:
            process = subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL,
                                       stdout=stderr, stderr=stderr)
        self.processes.append(process)
        return process

    def once(self, *arguments, code=0, timeout_s=60, wrapper=()):
        """One pass over all feeds. code None: any."""
        process = self.start("--once", *arguments, wrapper=wrapper)
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"--once still runs after {timeout_s} s; stderr:\n{self.stderr}") from None
        assert code is None or process.returncode == code, \
            f"exit {process.returncode}, expected {code}; stderr:\n{self.stderr}"
        return process.returncode

    def stop(self, process, number=signal.SIGTERM, timeout_s=10):
        process.send_signal(number)
        return process.wait(timeout_s)

    def reap(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()

    @property
    def stderr(self):
        return self.stderr_path.read_text(errors="backslashreplace")

    def allow(self, *patterns):
        self.allowed += patterns

    def check_stderr(self):
        """Plain information is "feedwatchd: text"; warnings, errors, GLib's and sanitizers' words are not."""
        unexpected = [line for line in self.stderr.splitlines() if not re.match(r"feedwatchd: (?!error: |warning: )", line)
                      and not any(re.search(pattern, line) for pattern in self.allowed)]
        assert not unexpected, "unexpected on stderr:\n" + "\n".join(unexpected[:30])

    def alerts(self, log=None):
        return parse_log(log or self.log)

    def command(self, *arguments):
        """The command beside the daemon, on the same configuration: returncode, stdout, stderr."""
        command = [str(BUILD / "feedwatch"), "-c", str(self.config_path), *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60)

    def feedwatch(self, *arguments):
        """Its standard output alone."""
        return self.command(*arguments).stdout

    def wait_delivered(self, count):
        """Until so many alerts are marked as done, which is a moment after their lines are in the log."""
        wait_for(lambda: self.feedwatch("alerts", "--json").count('"log":"done"') >= count, f"{count} deliveries done")

    def wait_alerts(self, count, log=None, timeout_s=20):
        path = Path(log or self.log)
        wait_for(lambda: path.exists() and path.read_bytes().count(b"\n") >= count, f"{count} alerts in {path.name}",
                 timeout_s)
        return self.alerts(log)
