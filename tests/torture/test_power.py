"""The power goes: what was not flushed is lost in part and out of order, and still the log has each alert exactly once."""
import random, shutil
from collections import Counter
from pathlib import Path
from ground import in_parallel
from power import Disk, read_record


def record(ground):
    """A daemon's first two runs, and every change that they made to the state directory."""
    home = ground.home()
    home.only("log")
    path = home.home / "record"
    for items in 5, 12, 20:
        ground.publish(items)
        assert home.run("--once", record=path, root=home.state) == 0, home.stderr
    wrong = home.verdict(deaths=0)
    assert not wrong, wrong
    home.kept = home.home / "kept.log"  # the daemon knows its log by its inode, so that stays the same
    home.log.rename(home.kept)
    home.inode = home.kept.stat().st_ino
    ground.recording, ground.events = home, read_record(path)
    ground.after_the_log = [n for n, e in enumerate(ground.events, 1) if e.kind == "W" and e.path.endswith(".log")]
    kinds = Counter(event.kind for event in ground.events)
    assert kinds["W"] > 50 and kinds["S"] > 10 and kinds["D"] > 0, kinds


def lay_out(home, files):
    """The state directory as the disk has it."""
    shutil.rmtree(home.state)
    home.state.mkdir(mode=0o700)
    for path, (inode, content) in files.items():
        if inode == home.inode:
            home.kept.rename(path)
        with open(path, "r+b" if Path(path).exists() else "wb") as file:
            file.truncate(0)
            file.write(content)
        Path(path).chmod(0o600)


def take_back(home):
    if not home.kept.exists():
        [path] = [p for p in home.state.rglob("*") if p.stat().st_ino == home.inode]
        path.rename(home.kept)


def test_the_power_goes(make_grounds, scale, note):
    replays = scale(200, 24)
    seed = random.randrange(1 << 32)
    stats, chances = Counter(), random.Random(seed)
    grounds = make_grounds(2, feeds=6, items=1, popups=0, connections=1)
    for ground in grounds:
        record(ground)

    def trial(ground, number):
        chance, home = random.Random(number), ground.recording
        cut = chance.randint(1, len(ground.events)) if chance.random() < 0.7 else chance.choice(ground.after_the_log)
        disk = Disk(lenient=chance.random() < 0.5)
        disk.run(ground.events[:cut])
        lost = Counter()
        files = disk.after_the_cut(chance, lost)
        lay_out(home, files)
        home.stderr_path.write_text("")
        try:
            home.finish()
            wrong = home.verdict(deaths=0)
        finally:
            take_back(home) if home.log.exists() else None
        for what, n in lost.items():
            stats[what] += n
            stats[f"replays with {what}"] += n > 0
        return wrong and f"number {number}, cut after {cut} of {len(ground.events)} changes, {dict(lost)}: {wrong}"
    results = in_parallel(grounds, [chances.randrange(1 << 32) for _ in range(replays)], trial)
    wrong = [str(result) for result in results if result]
    note(f"power cuts: {replays} over {len(grounds[0].events)} changes; {dict(stats)}; {len(wrong)} wrong (seed {seed})")
    assert not wrong, "\n".join(wrong[:10])
    # The cuts are at random: a few must have cost something, or this proves nothing.
    assert stats["replays with sectors of the database lost"] > replays / 12
    assert stats["replays with bytes of the log lost"] > replays / 100 - 1
