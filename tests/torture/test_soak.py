"""A long run of the whole, in scaled time: publishers of whom one answer in twenty is wrong, reloads, rotations, notification
servers that go. Nothing is missed, memory and descriptors stay.
"""
import gzip, random, signal, statistics, time
from collections import Counter
from feeds import item, rss
from feedwatchd import parse_log, wait_for
from httpd import Httpd, Reply
from observe import descriptors, memory_kb

HOSTS = 100
FAULTS_PERCENT = 5
TIME_SCALE = 200
GROWTH_KB = 1024
ENTRIES = 500


class Publishers:
    """Feeds with an item more every so often. Each answer is wrong with a chance of one in twenty."""

    def __init__(self, feeds, every_s, seed):
        self.feeds, self.every_s, self.chance = feeds, every_s, random.Random(seed)
        self.start, self.is_wrong, self.faults, self.answers, self.frozen = time.monotonic(), True, Counter(), 0, None
        self.server = Httpd(HOSTS)
        self.server.fallback = self.answer
        self.made = {}

    def url(self, feed):
        return self.server.url(f"/{feed}", 1 + feed % HOSTS)

    def count(self, feed):
        """How many items a feed has now; the feeds take turns."""
        now = self.frozen or time.monotonic()
        return 1 + int((now - self.start + feed * self.every_s / self.feeds) / self.every_s)

    def titles(self):
        return [f"Alpha {f}-{n}" for f in range(self.feeds) for n in range(self.count(f))]

    def body(self, feed):
        count = self.count(feed)
        if self.made.get(feed, (0, None))[0] != count:
            text = "What the correspondents wrote. " * 8
            self.made[feed] = count, rss([item(f"{feed}-{n}", f"Alpha {feed}-{n}", text, date=None) for n in range(count)])
        return self.made[feed]

    def answer(self, request):
        self.answers += 1
        if self.answers % 1000 == 0:
            self.server.forget()  # the server's own record of requests is not needed
        path, _, bent = request.target.lstrip("/").partition("?")
        count, body = self.body(int(path))
        etag = f'"{count}"'
        if self.is_wrong and not bent and self.chance.random() * 100 < FAULTS_PERCENT:
            name = self.chance.choice(sorted(self.WAYS))
            self.faults[name] += 1
            return self.WAYS[name](request, body)
        if request.header("If-None-Match") == etag:
            return Reply(304, b"", {"ETag": etag})
        return Reply(200, body, {"ETag": etag, "Content-Type": "application/rss+xml"})

    WAYS = {
        "500": lambda r, b: Reply(500, "sorry"),
        "503 with Retry-After": lambda r, b: Reply(503, "busy", {"Retry-After": "900"}),
        "429": lambda r, b: Reply(429, "too many"),
        "404": lambda r, b: Reply(404, "not here"),
        "403": lambda r, b: Reply(403, "no"),
        "reset": lambda r, b: Reply(reset=True),
        "cut": lambda r, b: Reply(200, b, {"Content-Length": str(len(b))}, cut=len(b) // 2),
        "closed without a word": lambda r, b: Reply(raw=b""),
        "no HTTP": lambda r, b: Reply(raw=b"\x00\xffSSH-2.0-nothing of that kind\r\n\r\n"),
        "silence": lambda r, b: Reply(hang=True),
        "slow": lambda r, b: Reply(200, b, drip=0.1, piece=max(1, len(b) // 10)),
        "a web page": lambda r, b: Reply(200, b"<!DOCTYPE html><html><p>Alpha: please log in</html>", {"Content-Type": "text/html"}),
        "nothing": lambda r, b: Reply(200, b""),
        "broken XML": lambda r, b: Reply(200, b.replace(b"</title>", b"", 1)),
        "half a document": lambda r, b: Reply(200, b[:len(b) // 2]),
        "broken gzip": lambda r, b: Reply(200, b[:50], {"Content-Encoding": "gzip"}),
        "noise": lambda r, b: Reply(200, bytes(range(256)) * 20),
        "elsewhere": lambda r, b: Reply(302, b"", {"Location": r.target + "?bent"}),
        "in circles": lambda r, b: Reply(302, b"", {"Location": r.target}),
        "chunked": lambda r, b: Reply(200, b, chunked=True),
    }


def disturb(home, process, desktop, number):
    """Every few seconds something else happens to the daemon."""
    what = ("reload", "rotate", "desktop goes", "rotate and compress", "desktop comes", "reopen", "reload with another rule")[number % 7]
    if what.startswith("reload"):
        sections = {**home.sections, **({f"rule extra{number}": {"match": "nothing-like-this", "alert": "log"}} if "another" in what else {})}
        home.configure(sections)
        process.send_signal(signal.SIGHUP)
    elif what.startswith("rotate"):
        rotated = home.log.with_name(f"alerts.log-{number}")
        if home.log.exists():
            home.log.rename(rotated)
            process.send_signal(signal.SIGUSR1)
        older = home.log.with_name(f"alerts.log-{number - 2}") if "compress" in what else rotated
        if "compress" in what and older.exists():
            older.with_name(older.name + ".gz").write_bytes(gzip.compress(older.read_bytes()))
            older.unlink()
    elif what == "desktop goes":
        desktop.stop_server()
    elif what == "desktop comes":
        desktop.start_dunst()
    else:
        process.send_signal(signal.SIGUSR1)
    return what


def test_soak(make_grounds, scale, note):
    length_s, feeds, warm_s = scale(1200, 24), scale(300, 60), scale(300, 8)
    [ground] = make_grounds(1, feeds=1, items=1, popups=0)
    seed = random.randrange(1 << 32)
    publishers = Publishers(feeds, every_s=scale(60, 8), seed=seed)
    home = ground.home()
    home.sections = {name: value for name, value in home.sections.items() if not name.startswith("feed ")}
    home.sections["defaults"] = {"initial": "all", "allow_private": "yes", "interval": "15m", "timeout": "5s"}
    home.sections.update({f"feed f{n}": {"url": publishers.url(n)} for n in range(feeds)})
    home.sections["rule alpha"]["alert"] = ", ".join(home.sinks)
    home.sections["sink feed"]["entries"] = ENTRIES  # soon full, so that the file grows no more
    home.configure(home.sections)
    home.allow(r"feedwatchd: warning: ", r"feedwatchd: error: .*(notification|session bus)")
    process = home.begin("--time-scale", str(TIME_SCALE))
    samples, done, number = [], Counter(), 0
    start = time.monotonic()
    try:
        while (now := time.monotonic() - start) < length_s:
            assert process.poll() is None, home.stderr[-2000:]
            samples.append((now, memory_kb(process), *descriptors(process)))
            if now > (number + 1) * scale(6, 2):
                done[disturb(home, process, ground.desktop, number)] += 1
                number += 1
            time.sleep(0.5)
        if not ground.desktop.server:
            ground.desktop.start_dunst()
        publishers.frozen, publishers.is_wrong = time.monotonic(), False
        wanted = set(publishers.titles())
        # What a publisher's error has put off comes by itself: half a day of the daemon's time at most.
        wait_for(lambda: home.waiting() == 0 and len(home.query("SELECT 1 FROM alert WHERE title LIKE 'Alpha %-%'")) >= len(wanted),
                 "everything that was published", timeout_s=300)
        end_kb = memory_kb(process)
        code = home.stop(process)
    finally:
        publishers.server.stop()
    home.uncompress()
    ground.titles, ground.popup_titles = sorted(wanted), []
    every = sorted(a.id for path in home.log_paths() for a in parse_log(path) if a.rule == "alpha")
    listed, home.sinks = home.feed_ids(every), [s for s in home.sinks if s != "feed"]
    wrong = home.verdict(deaths=0)
    early = [s for s in samples if warm_s < s[0] < warm_s + (length_s - warm_s) / 4]
    late = [s for s in samples if s[0] > length_s - (length_s - warm_s) / 4]
    growth_kb = statistics.median(s[1] for s in late) - statistics.median(s[1] for s in early)
    files = sorted({s[2] for s in early + late})
    note(f"soak of {length_s} s at {TIME_SCALE}: {feeds} feeds, {len(wanted)} items, {publishers.answers} answers, {sum(publishers.faults.values())}"
         f" of them wrong in {len(publishers.faults)} ways; {dict(done)}; memory {statistics.median(s[1] for s in early):.0f} kB after"
         f" warm-up, {growth_kb:+.0f} kB later (lowest {min(s[1] for s in early)} and {min(s[1] for s in late)}, at the end {end_kb});"
         f" descriptors {files}, sockets at most {max(s[3] for s in early)} and {max(s[3] for s in late)}; wrong: {wrong} (seed {seed})")
    assert code == 0 and not wrong, wrong
    assert listed == every[-ENTRIES:]
    if length_s > 600:
        assert growth_kb < GROWTH_KB
        assert min(s[2] for s in late) <= min(s[2] for s in early) and max(s[2] for s in late) <= max(s[2] for s in early) + 2, files
