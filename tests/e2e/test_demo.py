"""`make demo`: the bundled feeds under the shipped rules give exactly the alerts that are written down."""
import os, subprocess, sys
from feedwatchd import LINE, ROOT


def demo(home):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DBUS_", "DISPLAY", "WAYLAND", "XDG_"))}
    return subprocess.run([sys.executable, str(ROOT / "tests/tools/demo")], capture_output=True, text=True, timeout=60,
                          env={**environment, "HOME": str(home)})


def test_the_demo_tells_what_it_should_and_nothing_else(tmp_path):
    result = demo(tmp_path)
    assert result.returncode == 0, result.stderr
    alerts = [match for match in map(LINE.fullmatch, result.stdout.splitlines()) if match]
    expected = [line for line in (ROOT / "tests/fixtures/demo/expected.txt").read_text().splitlines()
                if line and not line.startswith("#")]
    assert sorted(f"{a['rule']} {a['link']}" for a in alerts) == expected
    rules = [line.split()[0] for line in expected]
    last = result.stdout.splitlines()[-1]
    assert f"{len(expected)} alerts" in last and "~/.config/feedwatch/feedwatch.conf" in last
    for rule in set(rules):
        assert f"{rules.count(rule)} of {rule}" in last
    complaints = [line for line in result.stderr.splitlines() if "error:" in line or "warning:" in line or "GLib" in line]
    assert not complaints
    assert list(tmp_path.iterdir()) == [], "the demo leaves nothing in the home folder"
