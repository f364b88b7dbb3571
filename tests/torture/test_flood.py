"""Thousands of items that all match at once: a log that has them all, a handful of popups, little memory, a loop that goes on."""
import time
from feeds import item, rss
from feedwatchd import wait_for
from observe import Probe, memory_kb

FEEDS = 10
MEMORY_KB = 64 * 1024


def test_ten_thousand_at_once(make_grounds, scale, note):
    items = scale(10000, 2000)
    [ground] = make_grounds(1, feeds=FEEDS, items=1, popups=0)
    home = ground.home()
    home.only("log", "journal", "mqtt", "desktop")
    home.sections["rule alpha"]["alert"] = "log, journal, mqtt, desktop"
    home.configure(home.sections)
    process = home.begin("--time-scale", "600")
    home.wait_alerts(FEEDS)
    wait_for((home.state / "control").exists, "the control socket")
    wait_for(lambda: home.waiting() == 0, "nothing waits")
    idle_kb, popups_before = memory_kb(process, "VmRSS"), len(home.popups())
    text = "What the correspondents wrote of it, at some length. " * 10
    for f in range(1, FEEDS + 1):
        ground.nginx.publish(f"{f}.xml", rss([item(f"{f}-{n}", f"Alpha {f}-{n}", text) for n in range(1 + items // FEEDS)]))
    start = time.monotonic()
    with Probe(home, process) as probe:
        home.wait_alerts(FEEDS + items, timeout_s=120)
        logged_s = time.monotonic() - start
        wait_for(lambda: home.waiting() == 0, "nothing waits", timeout_s=180)
    peak_kb = memory_kb(process, "VmHWM")
    shown = {popup[1] for popup in home.popups()[popups_before:]}
    assert home.stop(process) == 0
    alerts = home.alerts()
    note(f"{items} items at once: all in the log after {logged_s:.1f} s, {len(shown)} popups, {(peak_kb - idle_kb) / 1024:.1f} MB above"
         f" {idle_kb / 1024:.1f} MB idle; of {probe.count} probes the slowest waited {probe.wait_ms:.0f} ms, in which the loop"
         f" itself ran {probe.busy_ms:.0f} ms at most")
    assert len({alert.title for alert in alerts}) == len(alerts) == FEEDS + items
    assert 1 <= len(shown) <= 4
    assert peak_kb - idle_kb < MEMORY_KB
    ids = {alert.id for alert in alerts}
    assert sorted(ground.journal.ids) == sorted(home.published()) == sorted(ids)
