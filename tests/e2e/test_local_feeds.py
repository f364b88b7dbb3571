"""Feeds that are files or what a program prints. They come from the configuration, and from nowhere else."""
import json, os, signal
import pytest
from feedwatchd import wait_for
from httpd import Reply
from stage import FEED, Play, feed


def program(path, text):
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def test_a_file_and_a_program_are_feeds(make_stage, tmp_path):
    paper = tmp_path / "my paper#1.xml"
    paper.write_bytes(feed(1, title="Paper"))
    (tmp_path / "printed").write_bytes(feed(2, title="Printed"))
    prints = program(tmp_path / "prints", f'echo chatter >&2\n[ "$1" = "two words" ] && exec cat "{tmp_path}/printed"\n')
    stage = make_stage({"paper": Play(url="file://" + str(paper).replace(" ", "%20").replace("#", "%23")),
                        "printed": Play(url=f'exec:{prints} "two words"')})
    stage.passes(1)
    assert {(a.feed, a.title) for a in stage.daemon.alerts()} == {("Paper", "Alpha 1"), ("Printed", "Alpha 2")}
    paper.write_bytes(feed(1, 3, title="Paper"))
    (tmp_path / "printed").write_bytes(feed(2, 4, title="Printed"))
    stage.passes(2)
    assert sorted(a.title for a in stage.daemon.alerts()) == ["Alpha 1", "Alpha 2", "Alpha 3", "Alpha 4"]
    assert stage.feed("paper")["failures"] == stage.feed("printed")["failures"] == 0


def test_what_a_program_says_when_it_fails_is_in_the_status(make_stage, tmp_path):
    fails = program(tmp_path / "fails", f'cat {tmp_path}/feed\necho "no such account" >&2\necho "more" >&2\nexit 5\n')
    (tmp_path / "feed").write_bytes(FEED)
    missing = tmp_path / "missing.xml"
    stage = make_stage({"fails": Play(url=f"exec:{fails}"), "missing": Play(url=f"file://{missing}")})
    stage.passes(1)
    assert stage.feed("fails")["message"] == f"{fails} ended with status 5: no such account"
    assert stage.feed("missing")["message"] == f"cannot read {missing}: No such file or directory"
    assert not stage.daemon.alerts()
    program(fails, f"cat {tmp_path}/feed\n")
    missing.write_bytes(FEED)
    stage.passes(1)
    assert len(stage.daemon.alerts()) == 2
    assert stage.feed("fails")["message"] is stage.feed("missing")["message"] is None


def is_running(pid):
    try:
        return ") Z " not in open(f"/proc/{pid}/stat").read()
    except FileNotFoundError:
        return False


def test_a_program_ends_with_the_daemon(make_stage, tmp_path):
    hangs = program(tmp_path / "hangs", f"sleep 1000 &\necho $! >{tmp_path}/pid.new\nmv {tmp_path}/pid.new {tmp_path}/pid\nwait\n")
    stage = make_stage({"hangs": Play(url=f"exec:{hangs}")})
    process = stage.start()
    wait_for((tmp_path / "pid").exists, "the program runs")
    pid = int((tmp_path / "pid").read_text())
    assert is_running(pid)
    assert stage.daemon.stop(process) == 0
    wait_for(lambda: not is_running(pid), "its group has ended")


def test_no_redirect_leads_to_them(make_stage, tmp_path):
    mark = tmp_path / "mark"
    to = {"file": f"file://{tmp_path}/secret.xml", "exec": f"exec:/usr/bin/touch%20{mark}", "exec-plain": f"exec:/usr/bin/touch {mark}"}
    (tmp_path / "secret.xml").write_bytes(FEED)
    stage = make_stage({name: Play(Reply(301, headers={"Location": where})) for name, where in to.items()})
    stage.passes(1)
    for name in to:
        scheme = name.partition("-")[0]
        assert stage.feed(name)["message"] == \
            f"a redirect was refused: it leads to '{scheme}:', and only http and https are followed"
    assert not mark.exists() and not stage.daemon.alerts()


@pytest.mark.parametrize("url, part", [
    ("exec:touch x", "the absolute path of a program"), ("exec:", "the absolute path of a program"),
    ("exec:/bin/cat 'x", "the absolute path of a program"), ("file:feed.xml", "no absolute path"),
    ("file://elsewhere/feed.xml", "no absolute path"), ("file:///a#b", "'#' in a path is written %23")])
def test_a_wrong_one_is_an_error_with_its_place(daemon, url, part):
    daemon.configure(f"[feed a]\nurl = {url}\n[rule r]\nmatch = x\n")
    told = daemon.command("check")
    assert told.returncode == 78 and "feedwatch.conf:2:" in told.stderr and part in told.stderr, told.stderr
