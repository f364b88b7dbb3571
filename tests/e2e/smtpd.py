"""smtpd - aiosmtpd as the mail server of a test: takes, refuses, is slow, or is down, as a script says.

    with Smtpd() as server:                  # on a free port of 127.0.0.1
        server.on("DATA", "452 full", "250 OK")      # first and all further answers; also CONNECT, MAIL, RCPT
        server.messages                      # email.message.EmailMessage of what was taken, in order
        server.stop(); server.start()        # down, and back on the same port
Smtpd(tls=Tls(DIR)) offers STARTTLS and demands it, Smtpd(tls=…, wrapped=True) speaks TLS from the first byte;
Smtpd(user="me", password="secret") demands a login. delay=S waits before it takes each message.
"""
import asyncio, contextlib, email, email.policy, socket, ssl, threading
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Smtpd:
    def __init__(self, tls=None, wrapped=False, user=None, password=None, delay=0):
        self.tls, self.wrapped, self.user, self.password, self.delay = tls, wrapped, user, password, delay
        self.port = free_port()
        self.scripts, self.raw, self.sessions, self.logins = {}, [], [], []
        self.thread = None

    def on(self, command, *answers):
        self.scripts[command] = list(answers)

    def _answer(self, command, otherwise="250 OK"):
        answers = self.scripts.get(command)
        if not answers:
            return otherwise
        return answers.pop(0) if len(answers) > 1 else answers[0]

    # --- what aiosmtpd calls ---

    async def handle_MAIL(self, server, session, envelope, address, options):
        answer = self._answer("MAIL")
        if answer.startswith("2"):
            envelope.mail_from = address
        return answer

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = self._answer("RCPT")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):
        await asyncio.sleep(self.delay)
        answer = self._answer("DATA")
        if answer.startswith("2"):
            self.raw.append((envelope.mail_from, list(envelope.rcpt_tos), bytes(envelope.content)))
            self.sessions.append((id(session), session.ssl is not None or self.wrapped))
        return answer

    def _login(self, server, session, envelope, mechanism, data):
        self.logins.append(mechanism)
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (self.user.encode(), self.password.encode())
        return AuthResult(success=good, handled=False, message=None if good else "535 5.7.8 no")

    # --- its life ---

    def _make(self):
        more = {"tls_context": self._context(), "require_starttls": True} if self.tls and not self.wrapped else {}
        if self.user:
            more.update(authenticator=self._login, auth_required=True, auth_require_tls=False)
        return SMTP(self, hostname="mail.test", loop=self.loop, **more)

    def _context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.tls.certificate, self.tls.key)
        return context

    async def _serve(self, ready):
        context = self._context() if self.wrapped else None
        server = await self.loop.create_server(self._make, "127.0.0.1", self.port, ssl=context)
        self.ending = asyncio.Event()
        ready.set()
        await self.ending.wait()
        server.close()

    def _run(self, ready):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._serve(ready))
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                self.loop.run_until_complete(task)
        self.loop.close()

    def start(self):
        ready = threading.Event()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self.thread.start()
        assert ready.wait(10)

    def stop(self):
        if self.thread:
            self.loop.call_soon_threadsafe(self.ending.set)
            self.thread.join(10)
        self.thread = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def messages(self):
        return [email.message_from_bytes(content, policy=email.policy.default) for _, _, content in self.raw]

    def url(self, scheme=""):
        return f"{scheme}127.0.0.1:{self.port}"
