"""Sinks beside the log and the desktop: journal, command, webhook. Each is down for a while, slow, refusing, and back."""
import json, os, re, signal, socket, stat, struct, time
from pathlib import Path
import pytest
from feeds import item, rss
from feedwatchd import wait_for
from httpd import Reply
from sinks import configure, document, server, sink_state  # noqa: F401 (a fixture)

HOSTILE = "$(touch pwned); rm -rf / `id` -x \x1b[31m | & > \u202e\"quoted\" \\ end"


def script(folder, text):
    path = folder / "program"
    path.write_text("#!/usr/bin/python3\nimport json, os, sys, time\nhere = " + repr(str(folder)) + "\n" + text)
    path.chmod(0o755)
    return path


RECORD = """
alert = json.load(sys.stdin)
with open(here + "/got", "a") as out:
    print(json.dumps({"argv": sys.argv[1:], "in": alert, "env": {k: v for k, v in os.environ.items() if k[:10] == "FEEDWATCH_"}}), file=out)
"""


def got(folder):
    path = folder / "got"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


# --- command ---

def test_s18_a_command_gets_the_alert_and_no_shell_sees_it(daemon, server, tmp_path):
    program = script(tmp_path, RECORD)
    configure(daemon, server, {"command": {"argv": f'{program} "two words" $HOME'}},
              [Reply(200, rss([item(1, "Cuba " + HOSTILE, "x" * 200000)]))])
    daemon.once()
    [run] = got(tmp_path)
    assert run["argv"] == ["two words", "$HOME"]
    [alert] = daemon.alerts()
    assert run["in"]["id"] == run["env"]["FEEDWATCH_ID"] == alert.id
    assert run["in"]["rule"] == run["env"]["FEEDWATCH_RULE"] == "cuba"
    title = run["env"]["FEEDWATCH_TITLE"]
    assert title.startswith("Cuba $(touch pwned); rm -rf / `id` -x") and not re.search("[\x00-\x1f\u202e]", title)
    assert len(run["env"]["FEEDWATCH_SUMMARY"].encode()) <= 16384
    assert run["in"]["matched"][0]["text"] == "Cuba"
    assert not list(tmp_path.rglob("pwned"))
    assert sink_state(daemon, "command")["done"] == 1


def test_a_command_that_fails_is_tried_again_and_its_word_is_kept(daemon, server, tmp_path):
    program = script(tmp_path, """
flag = here + "/well"
if not os.path.exists(flag):
    print("first line\\nthe queue is full", file=sys.stderr)
    sys.exit(75)
""" + RECORD)
    configure(daemon, server, {"command": {"argv": program}})
    process = daemon.start("--time-scale", "600")
    wait_for(lambda: "the queue is full" in (sink_state(daemon, "command")["last_error"] or ""), "the error in status")
    assert not got(tmp_path) and sink_state(daemon, "command")["waiting"] == 3
    (tmp_path / "well").touch()
    wait_for(lambda: len(got(tmp_path)) >= 3, "three runs")
    wait_for(lambda: sink_state(daemon, "command")["waiting"] == 0, "nothing waits")
    daemon.stop(process)
    assert sorted(run["in"]["title"] for run in got(tmp_path)) == ["Cuba 1", "Cuba 2", "Cuba 3"]
    assert len(daemon.alerts()) == 3


def test_s18_a_command_that_hangs_is_killed_with_its_children(daemon, server, tmp_path):
    program = script(tmp_path, """
if os.fork() == 0:
    open(here + "/child", "w").write(str(os.getpid()))
    time.sleep(600)
open(here + "/parent", "w").write(str(os.getpid()))
time.sleep(600)
""")
    configure(daemon, server, {"command": {"argv": program, "timeout": "1s"}}, [Reply(200, document(1))])
    process = daemon.start()
    wait_for(lambda: "was killed after 1 s" in (sink_state(daemon, "command")["last_error"] or ""), "the time limit")
    for name in "parent", "child":
        pid = int((tmp_path / name).read_text())
        wait_for(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2],
                 f"the end of the {name}")
    assert len(daemon.alerts()) == 1
    daemon.stop(process)


def test_a_command_that_is_not_there_keeps_the_order_and_holds_up_nothing(daemon, server, tmp_path):
    program = tmp_path / "program"
    configure(daemon, server, {"command": {"argv": program}})
    daemon.allow("sink command: cannot run")
    process = daemon.start("--time-scale", "600")
    daemon.wait_alerts(3)
    wait_for(lambda: "No such file" in (sink_state(daemon, "command")["last_error"] or ""), "the error in status")
    script(tmp_path, RECORD)
    wait_for(lambda: len(got(tmp_path)) >= 3, "three runs")
    daemon.stop(process)
    ids = [run["in"]["id"] for run in got(tmp_path)]
    assert ids == sorted(ids) == [alert.id for alert in daemon.alerts()]


def test_the_daemon_ends_in_time_while_a_command_hangs(daemon, server, tmp_path):
    program = script(tmp_path, "open(here + '/began', 'w')\ntime.sleep(600)\n")
    configure(daemon, server, {"command": {"argv": program}}, [Reply(200, document(1))])
    process = daemon.start()
    wait_for((tmp_path / "began").exists, "the program")
    began = time.monotonic()
    assert daemon.stop(process) == 0
    assert time.monotonic() - began < 10
    script(tmp_path, RECORD)
    daemon.once()
    assert len(got(tmp_path)) == 1  # it comes again


# --- webhook ---

def bodies(server):
    return [json.loads(r.body) for r in server.requests("/hook") if r.status == 200]


def test_a_webhook_gets_json_in_order(daemon, server):
    server.on("/hook", Reply(200))
    configure(daemon, server, {"webhook": {"url": server.url("/hook"), "headers": "X-Key: abc, Priority: high"}})
    daemon.once()
    requests = server.requests("/hook")
    assert [json.loads(r.body)["id"] for r in requests] == [alert.id for alert in daemon.alerts()]
    assert len({r.connection for r in requests}) == 1
    first = requests[0]
    assert (first.method, first.header("Content-Type"), first.header("X-Key"), first.header("Priority")) == \
        ("POST", "application/json", "abc", "high")
    assert first.header("Idempotency-Key") == f'"{daemon.alerts()[0].id}"'
    assert first.header("User-Agent").startswith("feedwatch/")
    assert json.loads(first.body)["matched"][0]["text"] == "Cuba"


@pytest.mark.parametrize("template, type, expected", [
    ('{"text": "{rule}: {title} ({feed})"}', "application/json", None),
    ("{title}", "text/plain; charset=utf-8", None)])
def test_a_webhook_with_a_template(daemon, server, template, type, expected):
    server.on("/hook", Reply(204))
    configure(daemon, server, {"webhook": {"url": server.url("/hook"), "template": template}},
              [Reply(200, rss([item(1, 'Cuba "and" \\ {id} Россия')]))])
    daemon.once()
    [request] = server.requests("/hook")
    assert request.header("Content-Type") == type
    title = 'Cuba "and" \\ {id} Россия'
    body = request.body.decode()
    assert (json.loads(body)["text"] if type == "application/json" else body) == \
        (f"cuba: {title} (wire)" if type == "application/json" else title)


def test_a_webhook_that_is_down_and_comes_back(daemon, server):
    server.on("/hook", Reply(503, "busy\x1b\nlater"), Reply(500, reset=True), Reply(404), Reply(200))
    daemon.allow("sink webhook: ")
    configure(daemon, server, {"webhook": {"url": server.url("/hook")}}, [Reply(200, document(*range(30)))])
    process = daemon.start("--time-scale", "100")
    daemon.wait_alerts(30)
    wait_for(lambda: len(bodies(server)) >= 30, "thirty posts")
    wait_for(lambda: sink_state(daemon, "webhook")["waiting"] == 0, "nothing waits")
    daemon.stop(process)
    assert [body["id"] for body in bodies(server)] == [alert.id for alert in daemon.alerts()]
    assert "the receiver said 503: busy later" in daemon.stderr
    assert sink_state(daemon, "webhook")["last_error"] is None


def test_a_webhook_that_refuses_one_alert_gets_the_others(daemon, server):
    server.on("/hook", lambda r: Reply(422, "no") if b"Cuba 2" in r.body else Reply(200))
    daemon.allow("was given up")
    configure(daemon, server, {"webhook": {"url": server.url("/hook")}})
    process = daemon.start("--time-scale", "20000")
    wait_for(lambda: sink_state(daemon, "webhook")["failed"] == 1, "it is given up in the end")
    daemon.stop(process)
    assert sorted(body["title"] for body in bodies(server)) == ["Cuba 1", "Cuba 3"]
    assert len([r for r in server.requests("/hook") if r.status == 422]) == 12


def test_many_refused_alerts_hold_up_no_new_one(daemon, server):
    """More than are handed over at once; the new one must not wait until the oldest is tried again."""
    server.on("/hook", lambda r: Reply(422, "no") if b"Cuba" in r.body else Reply(200))
    configure(daemon, server, {"webhook": {"url": server.url("/hook")}}, [Reply(200, document(*range(40))), Reply(200, rss(
        [item(99, "News", "cuba"), item(39, "Cuba 39", "A text.")]))])
    daemon.once()
    assert sink_state(daemon, "webhook")["waiting"] == 40
    daemon.once()
    assert [body["title"] for body in bodies(server)] == ["News"]


def test_a_webhook_loses_nothing_when_the_daemon_is_killed(daemon, server):
    """Repeats only of the one whose answer was not recorded, and they carry the same key."""
    server.on("/hook", Reply(200, delay=0.03))
    configure(daemon, server, {"webhook": {"url": server.url("/hook")}}, [Reply(200, document(*range(40)))])
    for moment in 0.25, 0.4, 0.55:
        process = daemon.start()
        time.sleep(moment)
        daemon.stop(process, signal.SIGKILL)
    daemon.once()
    ids = [json.loads(r.body)["id"] for r in server.requests("/hook")]
    alerts = [alert.id for alert in daemon.alerts()]
    assert len(alerts) == 40 and sorted(set(ids)) == sorted(alerts)
    assert len(ids) - len(set(ids)) <= 3 * 16  # a batch each time
    assert all(r.header("Idempotency-Key").strip('"') == json.loads(r.body)["id"] for r in server.requests("/hook"))


def test_a_stop_waits_a_moment_for_the_receivers_answer(daemon, server):
    """What it has got is not told again after a restart that nobody forced."""
    server.on("/hook", Reply(200, delay=0.2))
    configure(daemon, server, {"webhook": {"url": server.url("/hook")}}, [Reply(200, document(1))])
    process = daemon.start()
    wait_for(lambda: server.requests("/hook"), "a request that is not answered yet")
    assert daemon.stop(process) == 0
    daemon.once()
    assert [body["title"] for body in bodies(server)] == ["Cuba 1"]


@pytest.mark.parametrize("secret, expected", [("me:pass:word", "Basic bWU6cGFzczp3b3Jk"), ("Bearer tok.en\n", "Bearer tok.en")])
def test_credentials_come_from_a_private_file(daemon, server, tmp_path, secret, expected):
    path = tmp_path / "secret"
    path.write_text(secret)
    path.chmod(0o600)
    server.on("/hook", Reply(200))
    configure(daemon, server, {"webhook": {"url": server.url("/hook"), "credentials": path}}, [Reply(200, document(1))])
    daemon.config_path.write_text(daemon.config_path.read_text().replace("[feed wire]\n", f"[feed wire]\ncredentials = {path}\n"))
    daemon.once()
    for target in "/feed", "/hook":
        assert [r.header("Authorization") for r in server.requests(target)] == [expected]
    path.chmod(0o644)
    told = daemon.command("check")
    assert told.returncode == 78 and "chmod 600" in told.stderr
    assert not [p for p in [daemon.stderr_path, daemon.log] if secret.split()[-1] in p.read_text()]


def test_a_reload_gives_the_webhook_its_new_address(daemon, server):
    server.on("/hook", Reply(200))
    server.on("/old", Reply(503))
    daemon.allow("sink webhook: ")
    configure(daemon, server, {"webhook": {"url": server.url("/old")}})
    process = daemon.start()
    server.wait(1, "/old")
    daemon.config_path.write_text(daemon.config_path.read_text().replace("/old", "/hook"))
    process.send_signal(signal.SIGHUP)
    wait_for(lambda: len(bodies(server)) == 3, "three posts")
    daemon.stop(process)


def test_wrong_settings_of_a_sink_are_told(daemon):
    daemon.configure('[sink hook]\ntype = webhook\nurl = https://example.org/\ntemplate = {"text":"{titel}"}\n'
                     '[sink run]\ntype = command\n')
    told = daemon.command("check")
    assert told.returncode == 78
    assert f"{daemon.config_path}:4:21: error: " in told.stderr and "did you mean {title}?" in told.stderr
    assert "argv" in told.stderr


# --- journal ---

JOURNAL = Path("/run/systemd/journal/socket")


@pytest.fixture
def journal():
    """A stand-in for systemd-journald's socket, where there is none and we may make one."""
    if JOURNAL.exists() or os.geteuid() != 0:
        pytest.skip("the journal's socket is taken, or is not ours to make")
    made = [p for p in reversed(JOURNAL.parents) if not p.exists()]
    JOURNAL.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(JOURNAL))
        listener.settimeout(20)
        yield listener
    JOURNAL.unlink()
    for path in reversed(made):
        path.rmdir()


def receive(listener):
    """One entry of the native protocol, also where it came as a file."""
    data, ancillary, _, _ = listener.recvmsg(1 << 20, socket.CMSG_SPACE(4))
    for level, kind, payload in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            [fd] = struct.unpack("i", payload[:4])
            os.lseek(fd, 0, os.SEEK_SET)
            with open(fd, "rb") as file:
                data = file.read()
    fields = {}
    while data:
        line, _, data = data.partition(b"\n")
        key, is_simple, value = line.partition(b"=")
        if not is_simple:
            (size,) = struct.unpack("<Q", data[:8])
            value, data = data[8:8 + size], data[9 + size:]
        fields[key.decode()] = value.decode()
    return fields


def test_the_journal_gets_structured_entries(daemon, server, journal):
    configure(daemon, server, {"journal": {}}, [Reply(200, rss([item(1, "Cuba\nMESSAGE=forged\n" + HOSTILE, "y" * 300000)]))],
              urgency="critical")
    daemon.once()
    fields = receive(journal)
    [alert] = daemon.alerts()
    assert fields["FEEDWATCH_ID"] == alert.id and fields["PRIORITY"] == "4"
    assert re.fullmatch("[0-9a-f]{32}", fields["MESSAGE_ID"]) and fields["SYSLOG_IDENTIFIER"] == "feedwatch"
    assert fields["MESSAGE"].startswith("[cuba] Cuba MESSAGE=forged $(touch") and fields["FEEDWATCH_RULE"] == "cuba"
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202e]", "".join(fields.values()))


def test_without_a_journal_alerts_wait(daemon, server):
    if JOURNAL.exists():
        pytest.skip("there is a journal here")
    configure(daemon, server, {"journal": {}})
    daemon.allow("sink journal: there is no systemd journal here")
    daemon.once()
    assert len(daemon.alerts()) == 3 and sink_state(daemon, "journal")["waiting"] == 3
