"""stage - many publishers play at once against one daemon, so that a table of behaviours costs little time.

A Play is one feed: what its server answers, in order (the last answer for ever), and the feed's own settings. Each has a
host of its own, so that pacing and silence of one do not touch another. host= puts several on one host.

    with Stage(folder, {"e02": Play(Reply(200, FEED, {"Set-Cookie": "a=b"}))}) as stage:
        stage.passes(3)                          # three times --once; a pass takes hours of the daemon's own time
        stage.run(hours=8)                       # or: the running daemon, so many of its own hours
        stage.requests("e02"), stage.feed("e02")     # what arrived; what `feedwatch status` says
        stage.gaps_s("e02")                          # seconds of the daemon's time between requests
"""
import json, re, sqlite3, time
from contextlib import closing
from feeds import item, rss
from feedwatchd import Daemon
from httpd import Httpd, Reply

HOUR_S = 3600
# 60 s, the least that Retry-After may ask for, go by between two passes.
PASS_SCALE = 7200
DEFAULTS = {"allow_private": "yes", "initial": "all"}


def feed(*numbers, word="Alpha", title="Test Wire", extra=""):
    """A document with these items, always the same bytes for the same arguments."""
    return rss([item(n, f"{word} {n}", date=None) for n in numbers], title, extra=extra)


FEED = feed(1)


class Play:
    def __init__(self, *replies, path=None, host=None, url=None, also=None, userinfo=None, **settings):
        self.replies, self.path, self.host, self.url, self.userinfo = replies, path, host, url, userinfo
        self.also = also or {}  # path -> replies: what else this host serves
        self.settings = settings


class Stage:
    def __init__(self, folder, plays, *, tls=None, sections=None, defaults=None, environment=None, wrapper=()):
        self.plays = plays
        self.hosts, used = {}, [p.host for p in plays.values() if p.host]
        free = (n for n in range(1, 250) if n not in used)
        for name, play in plays.items():
            self.hosts[name] = play.host or next(free)
        self.server = Httpd(max(self.hosts.values()), tls)
        self.daemon = Daemon(folder / "home")
        self.daemon.extra_environment.update(environment or {})
        self.daemon.wrapper = wrapper
        self.daemon.allow(r"feedwatchd: warning: feed \S+")
        self.scale = 1
        self._status, self._status_of = None, None
        self._script()
        config = {"feedwatch": {"host_spacing": 0}, "defaults": DEFAULTS if defaults is None else defaults,
                  "rule alpha": {"match": "alpha"}}
        for name, play in plays.items():
            config[f"feed {name}"] = {"url": self.url(name), **play.settings}
        for name, settings in (sections or {}).items():
            config[name] = {**config.get(name, {}), **settings}
        self.sections = config
        self.daemon.configure(config)
        self.daemon.config_path.chmod(0o600)  # there may be a password in it

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.daemon.reap()
        self.server.stop()
        self.daemon.check_stderr()

    def _script(self):
        def fill(reply):  # {other}: the URL of another play; {host}: this server
            if not isinstance(reply, Reply):
                return reply
            reply.headers = [(n, self.expand(v)) for n, v in reply.headers]
            return reply
        for name, play in self.plays.items():
            for path, replies in {self.path(name): play.replies, **play.also}.items():
                self.server.on(path, *map(fill, replies), host=self.hosts[name])

    def expand(self, text):
        """{name} and {name/path} in a header: a URL of that play's host."""
        def one(match):
            name, slash, path = match[1].partition("/")
            return self.server.url(slash + path if slash else self.path(name), self.hosts[name])
        return re.sub(r"\{([a-z0-9/_.-]+)\}", one, text)

    def path(self, name):
        return self.plays[name].path or f"/{name}"

    def url(self, name):
        play = self.plays[name]
        url = play.url or self.server.url(self.path(name), self.hosts[name])
        return url.replace("://", f"://{play.userinfo}@", 1) if play.userinfo else url

    # --- the daemon ---

    def passes(self, count, scale=PASS_SCALE):
        self.scale = scale
        for _ in range(count):
            assert self.daemon.once(*self._scaled(), code=None) in (0, 1), self.daemon.stderr

    def _scaled(self):
        return ("--time-scale", str(self.scale)) if self.scale > 1 else ()

    def start(self, *, scale=1):
        self.scale = scale
        return self.daemon.start(*self._scaled())

    def run(self, *, hours, scale):
        """The running daemon, for so many hours of its own time; then it is stopped."""
        process = self.start(scale=scale)
        self.server.wait(1)
        time.sleep(hours * HOUR_S / scale)
        self.daemon.stop(process)

    # --- what came of it ---

    def requests(self, name, path=None):
        return self.server.requests(path or self.path(name), self.hosts[name])

    def gaps_s(self, name):
        at = [r.at for r in self.requests(name)]
        return [(b - a) * self.scale for a, b in zip(at, at[1:])]

    def feed(self, name):
        """What `feedwatch status` says of it; asked once, where no daemon runs that could change it."""
        processes = self.daemon.processes
        runs = len(processes) if all(p.poll() is not None for p in processes) else None
        if runs is None or runs != self._status_of:
            self._status, self._status_of = json.loads(self.daemon.feedwatch("status", "--json")), runs
        return next(f for f in self._status["feeds"] if f["id"] == name)

    def state(self, name):
        """What is stored of a feed: asked_s, due_s, failures, … and delay_s, from the request to when the next is due."""
        path = f"file:{self.daemon.state / 'feedwatch.db'}?mode=ro"
        with closing(sqlite3.connect(path, uri=True)) as database:
            database.row_factory = sqlite3.Row
            row = dict(database.execute("SELECT * FROM feed JOIN schedule ON schedule.feed = feed.row WHERE id = ?", (name,)).fetchone())
        return {**row, "delay_s": row["due_s"] - row["asked_s"]}

    def states(self):
        return {name: self.state(name) for name, play in self.plays.items() if play.settings.get("enabled") != "no"}

    def virtual_s(self, request):
        """When a request arrived, by the daemon's scaled clock."""
        with closing(sqlite3.connect(f"file:{self.daemon.state / 'feedwatch.db'}?mode=ro", uri=True)) as database:
            (origin,) = database.execute("SELECT value FROM meta WHERE key = 'time_origin_s'").fetchone()
        return origin + (request.wall - origin) * self.scale


# An answer may take this long, and what is decided counts from the answer.
ANSWER_S = 15


def decided(state, least_s, most_s):
    assert least_s <= state["delay_s"] <= most_s + ANSWER_S, (state["id"], state["delay_s"], state["message"])
