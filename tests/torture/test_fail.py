"""Calls that fail, disks that are full, databases that are damaged, daemons that start at once: nothing is told twice or lost."""
import ast, contextlib, errno, os, random, signal, sqlite3
from collections import Counter
import pytest
from feedwatchd import wait_for
from ground import in_parallel
from scenarios import ITEMS, SCENARIOS
from test_full_disk import fill, small_disk  # noqa: F401 (a fixture)
from test_kill import CALLS, complaints

# What each call may say when it fails, as far as a kernel does say it.
ERRORS = {"open": (errno.EMFILE, errno.ENOSPC, errno.EACCES), "mkdir": (errno.ENOSPC,), "rename": (errno.EIO,), "unlink": (errno.EIO,),
          "truncate": (errno.EIO,), "sync": (errno.EIO, errno.ENOSPC), "write": (errno.ENOSPC, errno.EIO, "short"),
          "pwrite": (errno.ENOSPC, errno.EIO, "short"), "map": (errno.ENOMEM,), "pipe": (errno.EPIPE,),
          "socket": (errno.EMFILE, errno.EACCES), "connect": (errno.ECONNREFUSED, errno.ENETUNREACH), "send": (errno.EPIPE, errno.ENOBUFS),
          "spawn": (errno.EAGAIN, errno.ENOMEM), "commit": (errno.EIO,)}
TRIES = 8  # at most, in one run, of a message whose answer does not come
EXITS = (0, 1, 2, 75, 78, -signal.SIGTERM)  # those that the manual names; SIGTERM where it came at the very start


def live_through(ground, name, **disturbed):
    """A scenario from its stage to the end. Gives the home, the exit code, what is wrong, and whether it was what it is here for."""
    home, scenario = ground.home(), SCENARIOS[name]()
    home.allow(r"feedwatchd: (error|warning): ", r"^\S+: error: cannot open",
               r"^$|GLib-GIO-CRITICAL .* Error while sending AddMatch\(\) message: The connection is closed")  # by GLib, in between
    try:
        scenario.stage(home)
        home.record()
        code = scenario.run(home, **disturbed)
        is_reached = scenario.is_reached(home)
        home.record()
        if code not in EXITS:
            return home, code, f"exit {code}: {home.stderr}", False
        scenario.finish(home)
        wrong = [home.verdict(deaths=TRIES if "fault" in disturbed else 1), *scenario.judge(home)]
        return home, code, "; ".join(text for text in wrong if text), is_reached
    finally:
        home.reap()
        scenario.tidy(ground)


def count_scenario(ground, name):
    """How often each call is made in a scenario that nothing disturbs."""
    path = ground.folder / f"counts of {name}"
    home, code, wrong, is_reached = live_through(ground, name, count=path)
    assert (code, wrong) == (0, "") and is_reached, f"{name}, undisturbed: {(code, wrong, is_reached)} (see {home.home})"
    home.remove()
    return {call: int(number) for call, number in (line.split() for line in path.read_text().splitlines())}


def trial_of(done):
    """Lets one call fail in a scenario; the run after it, undisturbed, makes good."""
    def trial(ground, job):
        at, deed, name = job
        home, _, wrong, _ = live_through(ground, name, fault=(at, deed))
        if wrong:
            return f"{job}, {os.strerror(deed) if deed != 'short' else 'short'}: {wrong} (see {home.home})"
        done[at.partition(":")[0]] += 1
        home.remove()
        return None
    return trial


def evenly(count, parts):
    """So many numbers from 1 to count, or all of them."""
    parts = min(count, parts)
    return [1 + count * part // parts for part in range(parts)]


def test_each_call_fails(make_grounds, scale, note):
    """FEEDWATCH_JOB="('pwrite:3', 28, 'fresh')" repeats one alone, written as complaints begin."""
    again = os.environ.get("FEEDWATCH_JOB")
    grounds = make_grounds(scale(4, 2), feeds=3, items=ITEMS, popups=2, connections=1)  # most of the time goes by in waiting
    counts = {}

    def count(ground, name):
        counts[name] = count_scenario(ground, name)
    wrong = complaints(in_parallel(grounds, list(SCENARIOS), count))
    assert not wrong, "\n".join(wrong)
    every = [(f"{call}:{n}", deed, name) for name, scenario in SCENARIOS.items() for call in CALLS for deed in ERRORS[call]
             for n in range(1, counts[name][call] + 1, scenario.step)]
    # From that call on for ever: a run then waits for its sinks, so these are fewer; but not where little is told.
    for_ever = [(f"{call}:{n}+", deed, name) for name, parts in (("fresh", 4), ("damaged", 16)) for call in CALLS for deed in ERRORS[call]
                for n in evenly(counts[name][call], parts) if deed != "short"]
    # Where the database is opened, with something in it.
    first = [(f"open:{n}", errno.EACCES, "interrupted") for n in range(1, 9)]
    # The first request of all: what comes after it to that host must not wait for its connection.
    first.append(("send:1", errno.EPIPE, "all kinds"))
    some = [job for name in SCENARIOS for job in random.sample([job for job in every if job[2] == name], 4)]
    jobs = [ast.literal_eval(again)] if again else scale(every, some) + for_ever[::scale(1, len(for_ever))] + first
    done = Counter()
    wrong = complaints(in_parallel(grounds, jobs, trial_of(done)))
    n_each = Counter(name for _, _, name in jobs)
    note(f"failing calls: {len(jobs)} of {len(every)} + {len(for_ever)} lasting + {len(first)} at the start, in {len(SCENARIOS)} scenarios ("
         + ", ".join(f"{name} {n_each[name]}, {sum(counts[name].values())} calls" + (f" of which each {scenario.step}th" if scenario.step > 1 else "")
                     for name, scenario in SCENARIOS.items())
         + "): " + ", ".join(f"{call} {done[call]}" for call in CALLS) + f"; {len(wrong)} wrong")
    assert not wrong, "\n".join(wrong[:10])


# --- a full disk ---

def test_the_disk_is_full(make_grounds, small_disk, scale, note):
    grounds = make_grounds(2, feeds=3, items=8, popups=2, connections=1)
    points, codes = scale(50, 3), Counter()

    def trial(ground, number):
        home = ground.home()
        home.allow("feedwatchd: (error|warning): ")
        small_disk(home.state)
        ballast = fill(home.state, number * (1600 // points) * 1024)
        code = home.run("--once", timeout_s=90)
        codes[code] += 1
        home.record()
        ballast.unlink()
        home.finish()
        wrong = home.verdict(deaths=TRIES)
        return wrong and f"{number} of {points}, exit {code}: {wrong}; {home.stderr}"
    wrong = complaints(in_parallel(grounds, list(range(points)), trial))
    note(f"full disk at {points} points: exit codes {dict(codes)}; {len(wrong)} wrong")
    assert not wrong, "\n".join(wrong[:10])
    assert codes[1] and codes[0]


# --- a damaged database ---

def damage(home, chance):
    """One way to spoil what the disk holds. Says which."""
    path = home.database if chance.random() < 0.8 or not home.wal.stat().st_size else home.wal
    data = bytearray(path.read_bytes())
    page = 8192
    at = chance.randrange(max(1, len(data) // page)) * page
    ways = {
        "cut short": lambda: data.__delitem__(slice(chance.randrange(len(data)), None)),
        "a page of zeros": lambda: data.__setitem__(slice(at, at + page), bytes(page)),
        "a page of noise": lambda: data.__setitem__(slice(at, at + page), chance.randbytes(page)),
        "a page twice": lambda: data.__setitem__(slice(at, at + page), data[-page:]),
        # Not where it looks like the version of a newer release.
        "a flipped bit in the head": lambda: data.__setitem__(n := chance.choice([*range(62), *range(64, 100)]),
                                                              data[n] ^ 1 << chance.randrange(8)),
        "flipped bits": lambda: [data.__setitem__(n, data[n] ^ 0xff) for n in chance.sample(range(len(data)), 40)],
        "a text": lambda: data.__setitem__(slice(None), b"this is no database\n" * chance.randrange(1, 2000)),
        "noise": lambda: data.__setitem__(slice(None), chance.randbytes(len(data))),
        "zeros": lambda: data.__setitem__(slice(None), bytes(len(data)))}
    way = chance.choice(sorted(ways))
    ways[way]()
    path.write_bytes(data)
    return f"{way} ({path.name})"


def log_titles(home):
    return [line.split("] ")[1].split(" | ")[0] for path in home.log_paths() for line in path.read_text().splitlines()]


def aside(home):
    return [p for p in home.state.glob("feedwatch.db.damaged-*") if not p.name.endswith(("-wal", "-shm"))]


def test_the_database_is_damaged(make_grounds, scale, note):
    """What the feeds show at that moment is known, whatever `initial` says; what comes later is told, once."""
    grounds = make_grounds(2, feeds=3, items=1, popups=0)
    ways, seen, seed = scale(200, 24), Counter(), random.randrange(1 << 32)
    chances = random.Random(seed)

    def trial(ground, number):
        chance = random.Random(number)
        home = ground.home()
        home.only("log")
        home.wal = home.database.with_name(home.database.name + "-wal")
        ground.publish(30)
        if chance.random() < 0.5:
            home.finish()
        else:  # the WAL is not merged yet
            home.kill_when(lambda _: home.log.exists() and home.log.read_bytes().count(b"\n") >= len(ground.titles))
        home.wal.touch()
        old = Counter(log_titles(home))
        what = damage(home, chance)
        codes, due = [], set()  # due: what came while all was well, and must have been told
        for items in 30, 36, 42, 48:
            before = {t for t in ground.titles}
            ground.publish(items)
            n_aside, n_errors = len(aside(home)), home.stderr.count(": error: ")
            codes.append(home.run("--once"))
            if codes[-1] != 0:  # found while it ran: the next start sets it aside
                codes.append(home.run("--once"))
            if (len(aside(home)), home.stderr.count(": error: ")) == (n_aside, n_errors):
                due |= set(ground.titles) - before
        told = [line for line in home.stderr.splitlines() if "the database was damaged" in line]
        counts = Counter(log_titles(home))
        # Commits of a WAL that SQLite does not believe are gone, and nothing says so: what they held is found new once more.
        limit = 2 if "-wal)" in what and not aside(home) else 1
        wrong = [f"lost {t}" for t in due if counts[t] == 0]
        wrong += [f"{n} times {t}" for t, n in counts.items() if n > limit]
        wrong += [f"{len(aside(home))} set aside, said: {told}"] if len(aside(home)) > 1 or len(aside(home)) != len(told) else []
        wrong += [f"exit codes {codes}"] if sum(codes) > 1 or codes[-1] != 0 else []
        seen["told again after a damaged WAL"] += any(n == 2 for n in counts.values())
        seen["set aside" if aside(home) else "harmless"] += 1
        seen["found while it ran"] += sum(codes) + home.stderr.count("is left out")
        if wrong:
            return f"{what}, number {number}: {'; '.join(wrong[:4])}; of {len(old)} old; {home.stderr} (see {home.home})"
        home.remove()
        return None
    wrong = complaints(in_parallel(grounds, [chances.randrange(1 << 32) for _ in range(ways)], trial))
    note(f"damaged databases: {ways}, {dict(seen)}; {len(wrong)} wrong (seed {seed})")
    assert not wrong, "\n".join(wrong[:10])
    assert seen["set aside"] > ways / 10


# Of the head (SQLite's file format, 1.3): may not be written, unknown format of the schema, absurd version, no version.
@pytest.mark.parametrize("at, spoilt", [(18, b"\3"), (47, b"\7"), (60, b"\1\0\0\1"), (60, b"\0\0\0\0")])
def test_a_head_that_nobody_wrote(make_grounds, at, spoilt):
    [ground] = make_grounds(1, feeds=1, items=3, popups=0)
    home = ground.home()
    home.only("log")
    home.finish()
    data = bytearray(home.database.read_bytes())
    data[at:at + len(spoilt)] = spoilt
    home.database.write_bytes(data)
    home.allow("feedwatchd: error: the database was damaged")
    home.finish()
    assert aside(home) and "the database was damaged" in home.stderr
    assert len(log_titles(home)) == 3
    assert not (home.state / "feedwatch.db.reset").exists()


@pytest.mark.parametrize("table", ["feed", "schedule", "alert", "delivery"])
def test_a_table_is_missing(make_grounds, table):
    """A question that the database refuses ends no daemon, and the user is told."""
    [ground] = make_grounds(1, feeds=2, items=3, popups=1)
    home = ground.home()
    home.finish()
    database = sqlite3.connect(home.database)
    database.execute(f"DROP TABLE {table}")
    database.close()
    ground.publish(5)
    home.allow("feedwatchd: (error|warning): ")
    assert home.run("--once", timeout_s=40) in (0, 1)
    assert "the database" in home.stderr
    home.check_stderr()


def test_a_refused_change_is_asked_for_again(make_grounds):
    """What the database did not take is no news that was seen: the next polls bring it again, until it is taken."""
    [ground] = make_grounds(1, feeds=1, items=2, popups=0)
    home = ground.home()
    home.only("log")
    home.allow("feedwatchd: error: the database refused")
    process = home.begin("--time-scale", "600")
    home.wait_alerts(2)

    def edit(sql):
        with contextlib.closing(sqlite3.connect(home.database, timeout=20)) as database:
            database.execute(sql)
    edit("CREATE TRIGGER no BEFORE INSERT ON alert BEGIN SELECT RAISE(ABORT, 'no'); END")
    ground.publish(4)
    wait_for(lambda: "refused a change" in home.stderr, "a word of it")
    asked = len(ground.nginx.requests())
    wait_for(lambda: len(ground.nginx.requests()) > asked + 1, "further polls")
    edit("DROP TRIGGER no")
    home.wait_alerts(4)
    assert home.stop(process) == 0
    wrong = home.verdict()
    assert not wrong, wrong


# --- many at once ---

def test_twenty_start_at_once(make_grounds, note):
    [ground] = make_grounds(1, feeds=3, items=5, popups=2)
    home = ground.home()
    home.allow("feedwatchd: error: .*(another|already)")
    processes = [home.begin("--once") for _ in range(20)]
    codes = Counter(process.wait(60) for process in processes)
    home.finish()
    wrong = home.verdict(deaths=0)
    note(f"20 starts at once: exit codes {dict(codes)}")
    assert not wrong, wrong
    assert codes[0] >= 1 and codes[0] + codes[75] == 20, f"{codes}: {home.stderr}"
