"""The log is renamed, deleted, dated and compressed while alerts pour in, and while the daemon is dead: every line is in one
file, once."""
import random, shutil, signal, subprocess, time
from collections import Counter
import pytest
from feedwatchd import wait_for
from ground import in_parallel
from test_kill import complaints

LOGROTATE = """{log} {{
    rotate 1000
    {how}
    create 600
    missingok
}}
"""


def rename(home, number, _):
    home.log.rename(home.log.with_name(f"alerts.log.{number}"))


def logrotate(*how):
    def run(home, number, signal_it):
        """With a date of its own each time, which logrotate takes from a format."""
        snippet = home.home / "logrotate.conf"
        text = "\n    ".join(["dateext", f"dateformat -%Y%m%d-{number}", *how]) if "dateext" in how else "\n    ".join(how)
        snippet.write_text(LOGROTATE.format(log=home.log, how=text))
        snippet.chmod(0o644)
        result = subprocess.run(["logrotate", "-f", "-s", home.home / "logrotate.state", snippet], capture_output=True, text=True,
                                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        assert result.returncode == 0, result.stderr
    return run


WAYS = {"rename": rename, "numbers": logrotate(), "dateext": logrotate("dateext"),
        "dateext and compress": logrotate("dateext", "compress"), "numbers, compressed later": logrotate("compress", "delaycompress")}


def wait_a_while(condition):
    """A feed whose poll was killed waits its time."""
    end = time.monotonic() + 3
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)


def test_rotation_while_alerts_pour_in_and_the_daemon_dies(make_grounds, scale, note):
    if not shutil.which("logrotate", path="/usr/sbin:/usr/bin"):
        pytest.skip("needs logrotate")
    lives, seed = scale(60, 3), random.randrange(1 << 32)
    chances, seen = random.Random(seed), Counter()
    grounds = make_grounds(2, feeds=4, items=1, popups=0)

    def trial(ground, job):
        way, number = job
        chance, rotations = random.Random(number), 0
        home = ground.home()
        home.only("log")
        ground.publish(1)
        for life in range(3):
            process = home.begin("--time-scale", "600")
            for _ in range(3):
                ground.publish(ground.items + chance.randint(1, 12))
                if chance.random() < 0.5:  # else it is rotated while the lines are written
                    wait_a_while(lambda: home.log.exists() and home.log.stat().st_size)
                time.sleep(chance.random() * 0.3)
                if home.log.exists():
                    WAYS[way](home, rotations := rotations + 1, process)
                    if chance.random() < 0.5:
                        process.send_signal(signal.SIGUSR1)
            process.send_signal(chance.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM)))
            process.wait(20)
            for _ in range(chance.choice((0, 1, 2))):  # while it is down; twice is more than logrotate would do
                if home.log.exists():
                    WAYS[way](home, rotations := rotations + 1, process)
        home.finish()
        home.uncompress()
        wrong = home.verdict()
        seen["rotations"] += rotations
        if wrong:
            return f"{way}, number {number}: {wrong} (see {home.home})"
        home.remove()
        return None
    jobs = [(list(WAYS)[n % len(WAYS)], chances.randrange(1 << 32)) for n in range(lives)]
    wrong = complaints(in_parallel(grounds, jobs, trial))
    note(f"rotation: {seen['rotations']} over {lives} homes of three lives, in {len(WAYS)} ways; {len(wrong)} wrong (seed {seed})")
    assert not wrong, "\n".join(wrong[:10])


def test_deletion(make_grounds, scale, note):
    """What was in a deleted file is gone with it; what comes afterwards is in the new one, all of it, once."""
    rounds = scale(40, 6)
    [ground] = make_grounds(1, feeds=3, items=1, popups=0)
    home = ground.home()
    home.only("log")
    chance, kept, process = random.Random(), Counter(), home.begin("--time-scale", "600")
    for _ in range(rounds):
        before = set(ground.titles)
        ground.publish(ground.items + chance.randint(1, 5))
        fresh = set(ground.titles) - before
        wait_for(lambda: home.number("SELECT count(*) FROM alert") == len(ground.titles) and home.waiting() == 0, "all delivered", timeout_s=120)
        alerts = Counter(a.title for a in home.alerts())
        assert fresh <= set(alerts), f"lost {fresh - set(alerts)}"
        kept.update(t for t in alerts)
        home.log.unlink()
        if chance.random() < 0.3:
            home.stop(process, chance.choice((signal.SIGKILL, signal.SIGTERM)))
            process = home.begin("--time-scale", "600")
    assert home.stop(process) in (0, -signal.SIGTERM)  # it may have been started just now
    note(f"deletion: {rounds} times; {len(kept)} alerts, {sum(n > 1 for n in kept.values())} twice")
    assert set(kept) == set(ground.titles) and max(kept.values()) == 1
