"""nginx - the real server, on as many loopback addresses as a test has publishers.

127.0.1.1 to 127.0.1.N share one free port; each address is a host of its own to the daemon. Everything is in one
prefix folder. nginx makes an ETag of size and mtime in seconds, so publish() gives each version a new mtime.
"""
import json, os, shutil, socket, subprocess, time
from pathlib import Path

CONFIGURATION = """
daemon off; master_process off; pid {prefix}/nginx.pid; error_log {prefix}/error.log warn;
events {{ worker_connections 1024; }}
http {{
  types {{ application/rss+xml rss; application/atom+xml atom; text/html html; }}
  log_format record escape=json '{{"host":"$server_addr","method":"$request_method","uri":"$request_uri",'
    '"status":$status,"if_none_match":"$http_if_none_match","if_modified_since":"$http_if_modified_since",'
    '"etag":"$sent_http_etag","user_agent":"$http_user_agent","cookie":"$http_cookie",'
    '"referer":"$http_referer","range":"$http_range","time":$msec}}';
  access_log {prefix}/access.log record;
  client_body_temp_path {prefix}/tmp; proxy_temp_path {prefix}/tmp; fastcgi_temp_path {prefix}/tmp;
  uwsgi_temp_path {prefix}/tmp; scgi_temp_path {prefix}/tmp;
  server {{ {listen} root {prefix}/www; etag on; }}
}}
"""


def address(host):
    return f"127.0.1.{host}"


def free_port():
    with socket.socket() as probe:
        probe.bind((address(1), 0))
        return probe.getsockname()[1]


class Nginx:
    def __init__(self, prefix, hosts=4):
        self.prefix, self.hosts = Path(prefix), hosts
        (self.prefix / "www").mkdir(parents=True)
        (self.prefix / "tmp").mkdir()
        self._mtime = int(time.time()) - 100_000
        self.process = None
        for _ in range(5):  # somebody may take the port between the look and the use
            self.port = free_port()
            if self._start():
                return
        raise RuntimeError(f"nginx does not start:\n{(self.prefix / 'error.log').read_text()}")

    def _start(self):
        listen = " ".join(f"listen {address(h)}:{self.port};" for h in range(1, self.hosts + 1))
        (self.prefix / "nginx.conf").write_text(CONFIGURATION.format(prefix=self.prefix, listen=listen))
        program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        self.process = subprocess.Popen([program, "-p", str(self.prefix), "-c", str(self.prefix / "nginx.conf")],
                                        stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection((address(1), self.port), 1).close()
                return True
            except OSError:
                time.sleep(0.01)
        self.stop()
        return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)

    def url(self, path, host=1):
        return f"http://{address(host)}:{self.port}/{path}"

    def publish(self, path, body):
        """A new version of a document, complete at once, with an ETag of its own."""
        target = self.prefix / "www" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(target.name + ".new")
        fresh.write_bytes(body)
        self._mtime += 1
        os.utime(fresh, (self._mtime, self._mtime))
        fresh.rename(target)

    def remove(self, path):
        (self.prefix / "www" / path).unlink()

    def log_bytes(self):
        """How much was written down of requests so far; cheaper than requests()."""
        log = self.prefix / "access.log"
        return log.stat().st_size if log.exists() else 0

    def requests(self, path=None):
        """The access log as dicts, oldest first; "-" and "" are None."""
        log = self.prefix / "access.log"
        lines = log.read_text().splitlines() if log.exists() else []
        records = [{k: None if v in ("", "-") else v for k, v in json.loads(line).items()} for line in lines]
        return [r for r in records if path is None or r["uri"] == "/" + path]
