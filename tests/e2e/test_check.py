"""`feedwatch check`: exit codes, where the words go, and that what is printed is a configuration."""
import os
import subprocess
import pytest
from feedwatchd import ROOT

GOOD = "[feed a]\nurl = http://a.example/feed\n[rule r]\nmatch = cuba AND \"la ;habana\" ; comment\n"


def check(folder, text, *options, name="feedwatch.conf", main="feedwatch.conf", env=None):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    command = [ROOT / "build/feedwatch", "check", *options]
    if main:
        command[1:1] = ["-c", main]
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", **(env or {})}
    return subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, timeout=60)


def test_good(tmp_path):
    result = check(tmp_path, GOOD)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "feedwatch.conf: 1 feed, 1 rule, 0 lists, 2 sinks\n"


def test_warnings_are_no_failure(tmp_path):
    result = check(tmp_path, GOOD + "repeat = 1h\n")
    assert result.returncode == 0
    assert result.stderr == "feedwatch.conf:5:1: warning: 'repeat' is accepted, but not built yet\n"
    assert "1 rule" in result.stdout


def test_errors_all_at_once(tmp_path):
    result = check(tmp_path, "[feed a]\nurl = gopher://a/\nintervall = 1h\n[rule r]\nmatch = (cuba\nfeeds = b\n")
    assert (result.returncode, result.stdout) == (78, "")
    lines = result.stderr.splitlines()
    assert [line.split(" ")[:2] for line in lines] == [
        ["feedwatch.conf:2:7:", "error:"], ["feedwatch.conf:3:1:", "error:"],
        ["feedwatch.conf:5:9:", "error:"], ["feedwatch.conf:6:9:", "error:"]]
    assert "did you mean 'interval'?" in lines[1]


def test_an_unknown_list_and_where(tmp_path):
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/x.conf").write_text("[rule s]\nmatch = Куба OR\n\t (a OR @hawana)\n[list havana]\nany = x, @nowhere\n")
    result = check(tmp_path, GOOD)
    assert result.returncode == 78
    first, second = result.stderr.splitlines()
    assert first.startswith("conf.d/x.conf:3:9: error: ") and "havana" in first
    assert second.startswith("conf.d/x.conf:5:10: error: ") and "nowhere" in second


def test_print_is_a_configuration(tmp_path):
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/b.conf").write_text("[defaults]\ninterval = 20m\n")
    first = check(tmp_path, GOOD, "--print")
    assert (first.returncode, first.stderr) == (0, "")
    assert "\ninterval = 20m\n" in first.stdout
    assert "\nmatch = cuba AND \"la ;habana\"\n" in first.stdout
    assert f"state_dir = {tmp_path}/.local/state/feedwatch\n" in first.stdout
    second = check(tmp_path, first.stdout, "--print", name="printed/feedwatch.conf", main="printed/feedwatch.conf")
    assert (second.returncode, second.stderr, second.stdout) == (0, "", first.stdout)


@pytest.mark.parametrize("options", [["x"], ["--nonsense"]])
def test_usage(tmp_path, options):
    result = check(tmp_path, GOOD, *options)
    assert (result.returncode, result.stdout) == (2, "")


def test_help_is_no_error(tmp_path):
    result = check(tmp_path, GOOD, "--help")
    assert result.returncode == 0 and "--print" in result.stdout and result.stderr == ""


def test_found_and_missing(tmp_path):
    env = {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    result = check(tmp_path, GOOD, name="xdg/feedwatch/feedwatch.conf", main=None, env=env)
    assert result.returncode == 0
    assert result.stdout.startswith(f"{tmp_path}/xdg/feedwatch/feedwatch.conf: ")
    result = check(tmp_path, GOOD, main="nowhere.conf")
    assert result.returncode == 78
    assert result.stderr == "nowhere.conf: error: No such file or directory\n"


def test_a_credential_file_that_others_can_read(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("me:pw\n")
    text = GOOD.replace("[rule", f"credentials = {secret}\n[rule")
    secret.chmod(0o644)
    result = check(tmp_path, text)
    assert result.returncode == 78 and "feedwatch.conf:3:15: error: others can read" in result.stderr
    secret.chmod(0o600)
    assert check(tmp_path, text).returncode == 0


def test_a_line_of_items_has_a_limit():
    """`feedwatch match` reads from whatever it is given, also what has no lines."""
    with open("/dev/zero", "rb") as endless:
        result = subprocess.run([ROOT / "build/feedwatch", "match", "-q", "a"], stdin=endless, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout, result.stderr) == (1, "", "feedwatch: line 1 is longer than 67108864 bytes\n")


@pytest.mark.parametrize("scale", ["nan", "inf", "1e300", "0.5", "-1"])
def test_a_time_scale_that_is_none(tmp_path, scale):
    result = subprocess.run([ROOT / "build/feedwatchd", "--once", "--time-scale", scale], env={"HOME": str(tmp_path)},
                            capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stderr) == (2, "feedwatchd: error: --time-scale wants a number from 1 to 1000000\n")
