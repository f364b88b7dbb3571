"""The mail sink against aiosmtpd: what arrives, how it is protected, and what happens while the server is down, slow,
refusing, and back."""
import re, signal, time
import pytest
from feeds import item, rss
from feedwatchd import wait_for
from httpd import Reply, Tls
from sinks import configure, document, server, sink_state  # noqa: F401 (a fixture)
from smtpd import Smtpd


@pytest.fixture
def make_smtpd():
    made = []

    def make(**settings):
        made.append(Smtpd(**settings).__enter__())
        return made[-1]
    yield make
    for one in made:
        one.stop()


def mail(smtpd, scheme="", **settings):
    return {"mail": {"to": "ann@example.org", "server": smtpd.url(scheme), **settings}}


def subjects(smtpd):
    return [message["Subject"] for message in smtpd.messages]


def test_a_message_for_each_alert_in_order(daemon, server, make_smtpd):
    smtpd = make_smtpd()
    configure(daemon, server, mail(smtpd, to='Ann Lee <ann@example.org>, "Zoë, B. <zoe@example.org>"', **{"from": "Feed Watch <bot@example.net>"}),
              urgency="critical")
    daemon.once()
    alerts = daemon.alerts()
    assert subjects(smtpd) == [f"[cuba] {alert.title}" for alert in alerts]
    assert len({connection for connection, _ in smtpd.sessions}) == 1
    sender, recipients, _ = smtpd.raw[0]
    assert (sender, recipients) == ("bot@example.net", ["ann@example.org", "zoe@example.org"])
    first = smtpd.messages[0]
    assert first["From"] == "Feed Watch <bot@example.net>" and first["Importance"] == "high"
    assert [(a.display_name, a.addr_spec) for a in first["To"].addresses] == \
        [("Ann Lee", "ann@example.org"), ("Zoë, B.", "zoe@example.org")]
    assert first["Message-ID"] == f"<{alerts[0].id}@example.net>" and not first.defects
    assert first["Date"].datetime.timestamp() == pytest.approx(time.time(), abs=60)
    body = first.get_content()
    assert alerts[0].link in body and "Matched: cuba" not in body and "Cuba" in body and alerts[0].id in body
    assert sink_state(daemon, "mail")["done"] == 3


def test_hostile_titles_add_no_header_and_arrive_whole(daemon, server, make_smtpd):
    smtpd = make_smtpd()
    titles = ["Cuba\r\nBcc: evil@example.org\r\n\r\n.\r\nMAIL FROM:<e@e>", "Cuba =?UTF-8?Q?=0D=0ABcc:_x?=", "Cuba " + "ж" * 500,
              "Cuba " + "x" * 2000, "Cuba Россия и Куба \U0001f469\u200d\U0001f680 договорились о поставках нефти и газа на остров",
              "Cuba \u202e\x1b[31m"]
    texts = [".\n..\nFrom here = there\n" + "y" * 3000]
    configure(daemon, server, mail(smtpd), [Reply(200, rss([item(n, t.replace("\x1b", ""), texts[0]) for n, t in enumerate(titles)]))])
    daemon.once()
    messages = smtpd.messages
    assert len(messages) == len(titles)
    for message, alert, (_, recipients, raw) in zip(messages, daemon.alerts(), smtpd.raw):
        assert recipients == ["ann@example.org"] and message["Bcc"] is None and not message.defects
        assert max(map(len, raw.split(b"\r\n"))) <= 78 and not re.search(rb"[^\r\n\x20-\x7e]", raw)
        lines = message.get_content().splitlines()
        assert lines[0].rstrip("…") == alert.title.rstrip("…")[:len(lines[0].rstrip("…"))]
        assert message["Subject"].startswith("[cuba] Cuba")
        assert len(re.findall(rb"(?m)^[A-Z][A-Za-z-]*:", raw.split(b"\r\n\r\n")[0])) == 11
    assert messages[4]["Subject"] == "[cuba] " + daemon.alerts()[4].title
    assert ". .. From here = there" in messages[0].get_content()


def test_many_at_once_are_a_digest(daemon, server, make_smtpd):
    smtpd = make_smtpd()
    configure(daemon, server, mail(smtpd, digest=5), [Reply(200, document(*range(12)))])
    daemon.once()
    [message] = smtpd.messages
    alerts = daemon.alerts()
    assert message["Subject"] == f"12 alerts: {alerts[0].title}, ..."
    places = [message.get_content().index(alert.id) for alert in alerts]
    assert places == sorted(places) and sink_state(daemon, "mail")["done"] == 12


def test_s25_a_flood_is_a_few_mails_that_tell_of_all(daemon, server, make_smtpd):
    smtpd = make_smtpd()
    configure(daemon, server, mail(smtpd), [Reply(200, document(*range(2000)))])
    daemon.once()
    told = [alert_id for message in smtpd.messages for alert_id in re.findall(r"(?m)^Alert: +([0-9A-Z]{26})\r?$", message.get_content())]
    assert told == [alert.id for alert in daemon.alerts()] and len(told) == 2000
    assert len(smtpd.messages) == 10


# --- protection ---

@pytest.mark.parametrize("wrapped, scheme", [(False, "smtp://"), (True, "smtps://")])
def test_tls_and_a_login(daemon, server, make_smtpd, tmp_path, wrapped, scheme):
    tls = Tls(tmp_path / "tls")
    smtpd = make_smtpd(tls=tls, wrapped=wrapped, user="me", password="pass:word")
    secret = tmp_path / "secret"
    secret.write_text("me:pass:word\n")
    secret.chmod(0o600)
    daemon.extra_environment["SSL_CERT_FILE"] = str(tls.ca)
    configure(daemon, server, mail(smtpd, scheme, credentials=secret))
    daemon.once()
    assert len(smtpd.messages) == 3 and all(is_tls for _, is_tls in smtpd.sessions) and smtpd.logins
    assert "pass:word" not in daemon.stderr
    secret.chmod(0o640)
    told = daemon.command("check")
    assert told.returncode == 78 and "chmod 600" in told.stderr


@pytest.mark.parametrize("kind", ["expired", "wrong-host", "self-signed"])
@pytest.mark.parametrize("wrapped, scheme", [(False, "smtp://"), (True, "smtps://")])
def test_s12_a_bad_certificate_gets_nothing(daemon, server, make_smtpd, tmp_path, kind, wrapped, scheme):
    tls = Tls(tmp_path / "tls", kind)
    smtpd = make_smtpd(tls=tls, wrapped=wrapped)
    daemon.extra_environment["SSL_CERT_FILE"] = str(tls.ca)
    daemon.allow("sink mail: the server's certificate or TLS was refused")
    configure(daemon, server, mail(smtpd, scheme))
    process = daemon.start()
    wait_for(lambda: sink_state(daemon, "mail")["last_error"], "the error in status")
    daemon.stop(process)
    assert not smtpd.raw and sink_state(daemon, "mail")["waiting"] == 3


def test_s11_a_server_without_starttls_gets_no_password(daemon, server, make_smtpd, tmp_path):
    smtpd = make_smtpd(user="me", password="word")
    secret = tmp_path / "secret"
    secret.write_text("me:word")
    secret.chmod(0o600)
    daemon.allow("sink mail: ")
    configure(daemon, server, mail(smtpd, "smtp://", credentials=secret))
    process = daemon.start()
    wait_for(lambda: sink_state(daemon, "mail")["last_error"], "the error in status")
    daemon.stop(process)
    assert not smtpd.logins and not smtpd.raw and "STARTTLS" in sink_state(daemon, "mail")["last_error"]


# --- down, slow, refusing, back ---

def test_down_slow_refusing_and_back_all_arrives_in_order(daemon, server, make_smtpd):
    smtpd = make_smtpd(delay=0.02)
    smtpd.stop()
    daemon.allow("sink mail: ")
    configure(daemon, server, mail(smtpd, digest=0), [Reply(200, document(*range(25)))])
    process = daemon.start("--time-scale", "200")
    daemon.wait_alerts(25)
    wait_for(lambda: sink_state(daemon, "mail")["last_error"], "that it is down")
    smtpd.on("MAIL", "421 4.3.2 shutting down", "451 4.7.1 wait", "250 OK")
    smtpd.on("RCPT", "450 4.2.0 greylisted", "550 5.1.1 no such user", "250 OK")
    smtpd.on("DATA", "452 4.3.1 full", "250 OK", "250 OK", "451 4.3.0 local error", "250 OK")
    smtpd.start()
    wait_for(lambda: sink_state(daemon, "mail")["waiting"] == 0, "nothing waits", 60)
    daemon.stop(process)
    assert subjects(smtpd) == [f"[cuba] {alert.title}" for alert in daemon.alerts()]
    for said in ("no connection", "451 4.7.1 wait", "450 4.2.0 greylisted", "550 5.1.1 no such user", "452 4.3.1 full"):
        assert said in daemon.stderr
    assert sink_state(daemon, "mail")["last_error"] is None


def test_a_message_that_is_refused_for_good_is_given_up_alone(daemon, server, make_smtpd):
    smtpd = make_smtpd()
    take = smtpd.handle_DATA
    tries = []

    async def choosy(smtp, session, envelope):
        if b"Cuba 2" in envelope.content:
            tries.append(1)
            return "554 5.7.1 looks like \x1b[31mspam"
        return await take(smtp, session, envelope)
    smtpd.handle_DATA = choosy
    daemon.allow("was given up after 12 attempts: the server said 554 5.7.1 looks like")
    configure(daemon, server, mail(smtpd))
    process = daemon.start("--time-scale", "20000")
    wait_for(lambda: sink_state(daemon, "mail")["failed"] == 1, "it is given up in the end")
    daemon.stop(process)
    assert sorted(subjects(smtpd)) == ["[cuba] Cuba 1", "[cuba] Cuba 3"]
    assert len(tries) == 12 and "\x1b" not in daemon.stderr


def test_a_wrong_password_waits(daemon, server, make_smtpd, tmp_path):
    smtpd = make_smtpd(user="me", password="right")
    secret = tmp_path / "secret"
    secret.write_text("me:mistaken")
    secret.chmod(0o600)
    daemon.allow("sink mail: the server said 535")
    configure(daemon, server, mail(smtpd, credentials=secret))
    process = daemon.start("--time-scale", "600")
    wait_for(lambda: "535" in (sink_state(daemon, "mail")["last_error"] or ""), "the error in status")
    secret.write_text("me:right")
    wait_for(lambda: len(smtpd.messages) == 3, "the mails")
    daemon.stop(process)
    assert "mistaken" not in daemon.stderr


def test_a_server_that_hangs_holds_up_nothing(daemon, server, make_smtpd):
    smtpd = make_smtpd(delay=600)
    configure(daemon, server, mail(smtpd))
    process = daemon.start()
    daemon.wait_alerts(3)
    wait_for(lambda: sink_state(daemon, "log")["done"] == 3, "the log")
    began = time.monotonic()
    assert daemon.stop(process) == 0
    assert time.monotonic() - began < 10
    assert sink_state(daemon, "mail")["waiting"] == 3
    smtpd.delay = 0
    daemon.once()
    assert len(smtpd.messages) == 3


def test_a_repeat_after_a_kill_can_be_told(daemon, server, make_smtpd):
    smtpd = make_smtpd(delay=0.02)
    configure(daemon, server, mail(smtpd, digest=0), [Reply(200, document(*range(30)))])
    for count in 3, 8:
        process = daemon.start()
        wait_for(lambda: len(smtpd.raw) >= count, "some mails")
        daemon.stop(process, signal.SIGKILL)
    daemon.once()
    ids = [message["Message-ID"].strip("<>").partition("@")[0] for message in smtpd.messages]
    assert set(ids) == {alert.id for alert in daemon.alerts()} and len(set(ids)) == 30
    by_id = {}
    for message_id, (_, _, raw) in zip(ids, smtpd.raw):
        assert by_id.setdefault(message_id, raw) == raw  # a repeat is the same message


@pytest.mark.parametrize("settings, words", [
    ({"to": "ann@example.org, bob"}, "5:23: error: 'bob' is not an address"),
    ({"to": "a@b", "server": "me:secret@h"}, "see 'credentials'"),
    ({"to": "a@b", "server": "imap://h"}, "is not a mail server such as"),
    ({}, "[sink mail] has no 'to'")])
def test_wrong_settings_are_told(daemon, settings, words):
    text = "[feed a]\nurl = http://a/\n[sink mail]\ntype = mail\n"
    daemon.configure(text + "".join(f"{key} = {value}\n" for key, value in settings.items()) + "[rule r]\nmatch = cuba\n")
    told = daemon.command("check")
    assert told.returncode == 78 and words in told.stderr and "secret" not in told.stderr
