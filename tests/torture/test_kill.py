"""kill -9, at random moments and at each call that makes something last or leaves the machine: nothing is lost.

The log has each alert exactly once. A popup may come once more for each death. The other sinks repeat only what they had not
been able to record, under the same id.
"""
import random, signal, statistics, time
from collections import Counter
from ground import in_parallel

KINDS = ("time", "log", "time", "command", "time", "webhook", "time", "journal")
CALLS = ("open", "mkdir", "rename", "unlink", "truncate", "sync", "write", "pwrite", "map", "pipe", "socket", "connect", "send",
         "spawn", "commit")
TORN = ("write", "pwrite")


def progress(home, kind):
    return {"log": home.log_bytes, "command": lambda: home.command_log.stat().st_size if home.command_log.exists() else 0,
            "webhook": lambda: len(home.ground.hooks.requests("/hook")),
            "journal": lambda: len(home.ground.journal.ids)}[kind]()


def measure(ground):
    """Two undisturbed runs: how long they take, and what each sink comes to in the end."""
    lengths = []
    for _ in range(2):
        home, start = ground.home(), time.monotonic()
        home.finish()
        lengths.append(time.monotonic() - start)
        wrong = home.verdict(deaths=0)
        assert not wrong, f"an undisturbed run: {wrong}"
        ground.full = {kind: progress(home, kind) for kind in set(KINDS) - {"time"}}
        home.remove()
    return statistics.mean(lengths)


def restart(home, is_rotated, before, repeats):
    """Judges after another run. The home of a good life is removed, that of a bad one stays to be looked at."""
    home.record()
    if is_rotated:
        home.rotate()
    home.finish()
    wrong = home.verdict(repeats=repeats)
    if wrong:
        return f"{before}{', rotated' if is_rotated else ''}: {wrong} (see {home.home})"
    home.remove()
    return None


def complaints(results):
    return [str(wrong) for wrong in results if wrong]


def test_kill_at_random_moments(make_grounds, scale, note):
    kills = scale(1000, 20)
    grounds = make_grounds(scale(2, 2), feeds=5, items=6, popups=3)
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    length = max(measure(ground) for ground in grounds)
    jobs = [(KINDS[n % len(KINDS)], chance.random(), n % 16 >= 8, chance.choice((1, 32))) for n in range(kills)]
    killed, partly, repeats = Counter(), Counter(), Counter()

    def trial(ground, job):
        kind, part, is_rotated, ground.connections = job
        for attempt in range(8):  # one that is over too early is tried again, and killed earlier
            part *= 0.85 if attempt else 1
            home = ground.home()
            limit = part * (length if kind == "time" else ground.full[kind])
            if home.kill_when(lambda s: (s if kind == "time" else progress(home, kind)) > limit):
                killed[kind] += 1
                break
            if attempt < 7:
                home.remove()
        partly["log"] += 0 < home.log_bytes() < ground.full["log"]
        partly["others"] += 0 < len(home.commands()) < len(ground.titles)
        return restart(home, is_rotated, f"killed at {part:.4f} of the {kind}", repeats)
    wrong = complaints(in_parallel(grounds, jobs, trial))
    note(f"kill -9: {sum(killed.values())} of {kills} hit ({dict(killed)}) in {length:.2f} s of run; part of the log written"
         f" in {partly['log']}, part of the commands run in {partly['others']}; repeats {dict(repeats)}; {len(wrong)} wrong"
         f" (seed {seed})")
    assert not wrong, "\n".join(wrong[:10])
    assert sum(killed.values()) >= kills * 0.9, "kills are to hit a running daemon"


def count_calls(ground):
    home = ground.home()
    path = home.home / "counts"
    assert home.run("--once", count=path) == 0
    counts = {name: int(number) for name, number in (line.split() for line in path.read_text().splitlines())}
    home.remove()
    assert all(counts[name] for name in ("sync", "write", "pwrite", "commit", "send", "spawn", "socket", "open", "pipe")), counts
    return counts


def test_kill_at_each_call(make_grounds, scale, note):
    """Before the call, after it, and in the middle of what it writes. One more than was counted is a run without a kill."""
    grounds = make_grounds(2, feeds=3, items=3, popups=2, connections=1)
    counts = count_calls(grounds[0])
    deeds = [(call, deed) for call in CALLS for deed in ("kill", "after", *(("torn",) if call in TORN else ()))]
    every = [(f"{call}:{n}", deed) for call, deed in deeds for n in range(1, counts[call] + 1)]
    jobs = every[::scale(1, max(1, len(every) // 24))]
    killed, repeats = Counter(), Counter()

    def trial(ground, job):
        home = ground.home()
        code = home.run("--once", fault=job)
        assert code in (0, -signal.SIGKILL), f"{job}: exit {code}: {home.stderr}"
        killed[job[0].partition(":")[0]] += code != 0
        return restart(home, hash(job) % 4 == 0, f"{job[1]} at {job[0]}", repeats)
    wrong = complaints(in_parallel(grounds, jobs, trial))
    note(f"kill -9 at calls: {sum(killed.values())} of {len(jobs)} tried, {len(every)} there are: "
         + ", ".join(f"{call} {killed[call]}" for call in CALLS if counts[call]) + f"; repeats {dict(repeats)}; {len(wrong)} wrong")
    assert not wrong, "\n".join(wrong[:10])
    assert sum(killed.values()) >= len(jobs) * 0.8
