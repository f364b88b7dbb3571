"""make install places what belongs to feedwatch, make uninstall takes exactly that away, and what was placed works."""
import contextlib, os, re, shutil, stat, subprocess
from xml.etree import ElementTree
import pytest
from feeds import item, rss
from feedwatchd import BUILD, ROOT, wait_for

NAME = "alerts.log"


def make(target, home, **variables):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    result = subprocess.run(["make", "-s", target, f"B={os.environ.get('FEEDWATCH_BUILD', 'build')}",
                             *(f"{name}={value}" for name, value in variables.items())], cwd=ROOT,
                            env={**environment, "HOME": str(home)}, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0 and not result.stderr, result.stderr
    return result.stdout


def files_below(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def shared_files():
    """What every installation has, below its prefix."""
    manuals = [*ROOT.glob("daemon/*.[18]"), *ROOT.glob("etc/*.5")]
    return {"bin/feedwatch", "bin/feedwatchd", "share/applications/feedwatch.desktop",
            "share/icons/hicolor/scalable/apps/feedwatch.svg", "share/doc/feedwatch/README.md",
            "share/doc/feedwatch/LICENSE", "share/doc/feedwatch/examples/feedwatch.conf",
            *(f"share/doc/feedwatch/examples/conf.d/{path.name}" for path in ROOT.glob("etc/conf.d/*")),
            *(f"share/man/man{path.suffix[1]}/{path.name}" for path in manuals)}


@pytest.fixture
def installed(tmp_path):
    """Staged for a distribution."""
    make("install", tmp_path, DESTDIR=tmp_path / "stage", PREFIX="/usr")
    return tmp_path / "stage"


def test_every_file_has_its_place(installed):
    below_prefix = shared_files() | {"lib/systemd/user/feedwatchd.service", "lib/systemd/system/feedwatchd.service"}
    assert {"share/man/man1/feedwatch.1", "share/man/man5/feedwatch.conf.5", "share/man/man8/feedwatchd.8"} <= below_prefix
    assert files_below(installed) == {f"usr/{name}" for name in below_prefix} | {"etc/logrotate.d/feedwatch"}
    for name in files_below(installed):
        mode = stat.S_IMODE((installed / name).stat().st_mode)
        assert mode == (0o755 if "/bin/" in name else 0o644), f"{name}: {mode:o}"
    version = subprocess.run([installed / "usr/bin/feedwatchd", "--version"], capture_output=True, text=True)
    assert version.returncode == 0 and version.stdout.startswith("feedwatchd ")


def test_uninstall_takes_away_that_and_nothing_else(installed):
    others = {"usr/bin/other", "usr/share/doc/feedwatch/examples/mine.conf", "usr/share/man/man1/feedwatch.1.gz"}
    for name in others:
        (installed / name).touch()
    make("uninstall", installed.parent, DESTDIR=installed, PREFIX="/usr")
    assert files_below(installed) == others
    for name in others:
        (installed / name).unlink()
    make("install", installed.parent, DESTDIR=installed, PREFIX="/usr")
    make("uninstall", installed.parent, DESTDIR=installed, PREFIX="/usr")
    assert files_below(installed) == set()
    assert not (installed / "usr/share/doc/feedwatch").exists()
    make("uninstall", installed.parent, DESTDIR=installed, PREFIX="/usr")  # once more is no error


def test_the_manual_has_every_option_and_exit_status():
    page = (ROOT / "daemon/feedwatchd.8").read_text()
    usage = subprocess.run([BUILD / "feedwatchd", "--help"], capture_output=True, text=True, check=True).stdout
    options = re.findall(r"^ +(?:-\w, )?--([a-z-]+)", usage, re.M)
    assert {"config", "once", "version"} <= set(options)
    assert [name for name in options if f"Fl -{name}" not in page] == []
    codes = re.findall(r"EXIT_\w+ = (\d+)", (ROOT / "daemon/commands.h").read_text())
    statuses = page[page.index(".Sh EXIT STATUS"):]
    assert len(codes) == 5 and [code for code in codes if f".It {code}\n" not in statuses] == []


@pytest.mark.parametrize("prefix", ["/usr", "/opt/feed-watch"])
def test_paths_follow_the_prefix(tmp_path, prefix):
    make("install", tmp_path, DESTDIR=tmp_path, PREFIX=prefix)
    place = tmp_path / prefix[1:]
    for name in ("lib/systemd/user/feedwatchd.service", "lib/systemd/system/feedwatchd.service",
                 "share/applications/feedwatch.desktop"):
        text = (place / name).read_text()
        programs = re.findall(r"^Exec\w*=(\S*/feedwatchd?)\b", text, re.M)
        assert programs and {os.path.dirname(program) for program in programs} == {f"{prefix}/bin"}, name
        assert "/usr/local" not in text


def test_a_user_installs_for_himself(tmp_path):
    """Without DESTDIR, below ~/.local: the unit is where his manager looks, and the system gets nothing."""
    make("install", tmp_path, PREFIX=tmp_path / ".local")
    expected = shared_files() | {"share/systemd/user/feedwatchd.service"}
    assert files_below(tmp_path) == {f".local/{name}" for name in expected}
    assert f"ExecStart={tmp_path}/.local/bin/feedwatchd\n" in \
        (tmp_path / ".local/share/systemd/user/feedwatchd.service").read_text()
    make("uninstall", tmp_path, PREFIX=tmp_path / ".local")
    assert files_below(tmp_path) == set()


@pytest.mark.skipif(not shutil.which("desktop-file-validate"), reason="needs desktop-file-utils")
def test_the_desktop_entry_is_valid_and_has_its_icon(installed):
    entry = installed / "usr/share/applications/feedwatch.desktop"
    result = subprocess.run(["desktop-file-validate", entry], capture_output=True, text=True)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")
    [icon] = re.findall(r"^Icon=(.*)$", entry.read_text(), re.M)
    svg = ElementTree.parse(installed / f"usr/share/icons/hicolor/scalable/apps/{icon}.svg").getroot()
    assert svg.tag == "{http://www.w3.org/2000/svg}svg" and svg.get("viewBox") == "0 0 128 128"


def test_the_examples_are_right(installed, tmp_path):
    """With the shipped configuration: all for a user, and the one for the system."""
    examples = installed / "usr/share/doc/feedwatch/examples"
    shutil.copy(examples / "feedwatch.conf", tmp_path)
    (tmp_path / "conf.d").mkdir()

    def check(names):
        for old in (tmp_path / "conf.d").iterdir():
            old.unlink()
        for name in names:
            shutil.copy(examples / f"conf.d/{name}.conf.example", tmp_path / f"conf.d/{name}.conf")
        result = subprocess.run([installed / "usr/bin/feedwatch", "check", "-c", tmp_path / "feedwatch.conf", "--print"],
                                env={"HOME": str(tmp_path)}, capture_output=True, text=True)
        assert result.returncode == 0 and not re.search("error:|warning:", result.stderr), result.stderr
        return result.stdout
    names = {path.name.removesuffix(".conf.example") for path in (examples / "conf.d").iterdir()}
    check(names - {"system"})
    system = check({"system"})
    assert re.search(r"^state_dir += /var/lib/feedwatch$", system, re.M)
    assert re.search(r"^path += /var/log/feedwatch/alerts.log$", system, re.M)


@pytest.fixture
def rotate(installed, tmp_path):
    """logrotate with the installed snippet, for a log of the test; systemctl is a stand-in that reaches one process."""
    if not shutil.which("logrotate", path=os.environ.get("PATH", "") + ":/usr/sbin"):
        pytest.skip("needs logrotate")
    programs = tmp_path / "bin"
    programs.mkdir()

    def run(log, pid):
        text = (installed / "etc/logrotate.d/feedwatch").read_text()
        assert "/var/log/feedwatch/*.log {" in text
        snippet = tmp_path / "snippet"
        snippet.write_text(text.replace("/var/log/feedwatch/*.log", f"{log.parent}/*.log"))
        snippet.chmod(0o644)
        (programs / "systemctl").write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/said\nkill -USR1 {pid}\n')
        (programs / "systemctl").chmod(0o755)
        result = subprocess.run(["logrotate", "-v", "-f", "-s", tmp_path / "logrotate.state", snippet], capture_output=True,
                                text=True, env={"PATH": f"{programs}:/usr/sbin:/usr/bin:/sbin:/bin"})
        assert result.returncode == 0 and "error:" not in result.stderr, result.stderr
        return (tmp_path / "said").read_text().splitlines()
    return run


def test_logrotate_loses_no_line(daemon, nginx, rotate):
    def news(*numbers):
        nginx.publish("feed.rss", rss([item(number, title=f"news {number}") for number in numbers]))

    def open_files(process):
        folder, names = f"/proc/{process.pid}/fd", []
        for name in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                names.append(os.readlink(f"{folder}/{name}"))
        return names

    news(1)
    daemon.configure({"defaults": {"initial": "all", "interval": "1m"}, "feed f": {"url": nginx.url("feed.rss")},
                      "feedwatch": {"host_spacing": "0s"}, "rule any": {"match": "news"}})
    process = daemon.start("--time-scale", "120")
    daemon.wait_alerts(1)
    daemon.log.chmod(0o640)
    owner = (daemon.log.stat().st_uid, daemon.log.stat().st_gid)
    for round in (1, 2, 3):
        said = rotate(daemon.log, process.pid)
        assert said == ["kill --kill-whom=main --signal=USR1 feedwatchd.service"] * round
        fresh = daemon.log.stat()
        assert (stat.S_IMODE(fresh.st_mode), fresh.st_uid, fresh.st_gid) == (0o640, *owner)
        wait_for(lambda: f"{daemon.log}.1" not in open_files(process), "the rotated log is let go")
        news(*range(1, round + 2))
        [alert] = daemon.wait_alerts(1)
        assert alert.title == f"news {round + 1}"
    assert daemon.stop(process) == 0
    assert sorted(path.name for path in daemon.state.glob(f"{NAME}*")) == [NAME, f"{NAME}.1", f"{NAME}.2.gz", f"{NAME}.3.gz"]
    older = [subprocess.run(["zcat", f"{daemon.log}.{number}.gz"], capture_output=True, text=True, check=True).stdout
             for number in (3, 2)]
    text = "".join([*older, (daemon.state / f"{NAME}.1").read_text(), daemon.log.read_text()])
    assert re.findall(r"\] (news \d)", text) == ["news 1", "news 2", "news 3", "news 4"]
