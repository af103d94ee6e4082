"""Where alerts go: file, webhook, store and HTTP, each with something in its way. Alerts are made by opening a marker."""
import collections
import http.server
import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import threading
import time
import urllib.error
import urllib.request

from lib import Case, Saker, free_port, get, rule, wait_until


class Marked(Case):
    """A rule that fires on each open of a file below the test's folder, told apart by its name."""

    def setUp(self):
        super().setUp()
        self.rules = self.write("rules.yaml", rule(
            "Marker opened", f"evt.type in (open, openat) and evt.dir = < and fd.name startswith {self.path('marker-')}",
            "marker=%fd.name pname=%proc.name"))
        self.opened = 0

    def mark(self, count=1, pause=0):
        """Makes alerts; their numbers."""
        numbers = range(self.opened, self.opened + count)
        for number in numbers:
            try:
                os.close(os.open(self.path(f"marker-{number}-"), os.O_RDONLY))
            except FileNotFoundError:
                pass
            if pause:
                time.sleep(pause)
        self.opened += count
        return list(numbers)

    def number(self, output):
        return int(output.split("marker-")[-1].split("-")[0])

    def numbers(self, lines):
        return [self.number(json.loads(line)["output"]) for line in lines]

    def numbers_in(self, path):
        with open(path) as file:
            return self.numbers(file.readlines())

    def watch(self, *arguments, **options):
        return Saker("-r", self.rules, *arguments, **options)

    def certificates(self):
        """A CA and a server's certificate by it."""
        def openssl(*words):
            subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=self.folder)
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", "/CN=test CA", "-keyout", "ca.key", "-out", "ca.pem")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
                "-keyout", "server.key", "-out", "server.csr")
        self.write("san", "subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2", "-extfile",
                "san", "-out", "server.pem")
        return self.path("ca.pem"), self.path("server.pem"), self.path("server.key")


class Files(Marked):
    def test_rotation_by_sighup(self):
        path = self.path("alerts.log")
        with self.watch("--file", path) as saker:
            first = self.mark(3)
            self.assertTrue(wait_until(lambda: len(self.numbers_in(path)) == 3))
            os.rename(path, path + ".1")
            still = self.mark(2)  # nobody said that the file moved
            self.assertTrue(wait_until(lambda: len(self.numbers_in(path + ".1")) == 5))
            saker.signal(signal.SIGHUP)
            self.assertTrue(saker.wait_for_message("loaded anew"))
            second = self.mark(3)
            self.assertTrue(wait_until(lambda: os.path.exists(path) and len(self.numbers_in(path)) == 3))
            self.assertEqual(self.numbers_in(path + ".1"), first + still)
            self.assertEqual(self.numbers_in(path), second)
            for name in (path, path + ".1"):
                self.assertEqual(stat.S_IMODE(os.stat(name).st_mode), 0o600)

    def test_everything_that_is_kept_is_private(self):
        data = self.path("data")
        with self.watch("--stats-json", self.path("stats.json"), data_dir=data):
            self.mark()
            self.assertTrue(wait_until(lambda: self.stored(data)))
            self.assertEqual(stat.S_IMODE(os.stat(data).st_mode), 0o700)
            names = os.listdir(data)
            self.assertIn("alerts.db", names)
            for name in names:
                self.assertEqual(stat.S_IMODE(os.stat(os.path.join(data, name)).st_mode), 0o600, name)


class Webhook:
    """An HTTP server that keeps what it is sent."""

    def __init__(self, port=0, tls=None, answer=None):
        self.bodies, self.types = [], []
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = answer(len(hook.bodies)) if answer else 200
                if status == 200:
                    hook.bodies.append(body.decode())
                    hook.types.append(self.headers["Content-Type"])
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                pass  # a client that does not trust us

        self.server = Server(("127.0.0.1", port), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Http(Marked):
    def hook(self, **options):
        hook = Webhook(**options)
        self.addCleanup(hook.close)
        return hook

    def send_to(self, url, *arguments, **options):
        return self.watch("-o", "http_output.enabled=true", "-o", f"http_output.url={url}", *arguments, **options)

    def test_plain(self):
        hook = self.hook()
        with self.send_to(f"http://127.0.0.1:{hook.port}/alerts"):
            sent = self.mark(20)
            self.assertTrue(wait_until(lambda: len(hook.bodies) == 20))
            self.assertEqual(self.numbers(hook.bodies), sent)
            self.assertEqual(set(hook.types), {"application/json"})

    def test_tls_by_own_ca(self):
        authority, certificate, key = self.certificates()
        hook = self.hook(tls=(certificate, key))
        url = f"https://127.0.0.1:{hook.port}/"
        with self.send_to(url, "-o", f"http_output.ca_cert={authority}"):
            sent = self.mark(5)
            self.assertTrue(wait_until(lambda: len(hook.bodies) == 5))
            self.assertEqual(self.numbers(hook.bodies), sent)
        with self.send_to(url, listen=True) as saker:  # whom nobody vouches for gets nothing
            self.mark(1)
            self.assertTrue(saker.wait_for_message("output http"), saker.errors)
            self.assertEqual(len(hook.bodies), 5)
            self.assertGreaterEqual(saker.metrics()['saker_output_queue_length{sink="http"}'], 1)

    def test_server_that_hangs_stalls_nobody(self):
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))
            deaf.listen(64)  # takes connections and says nothing
            path = self.path("alerts.log")
            with self.send_to(f"http://127.0.0.1:{deaf.getsockname()[1]}/", "-o", "outputs_queue.capacity=50",
                              "-o", "outputs.http.timeout=30s", "--file", path, listen=True,
                              data_dir=self.path("data")) as saker:
                sent = []
                for _ in range(200):
                    sent += self.mark(1, pause=0.005)
                self.assertTrue(wait_until(lambda: len(self.numbers_in(path)) == 200, 10))
                self.assertEqual(self.numbers_in(path), sent)
                self.assertTrue(wait_until(lambda: len(saker.alerts) == 200, 10))
                self.assertTrue(wait_until(lambda: len(self.stored(self.path("data"))) == 200, 10))
                samples = saker.metrics()
                queued = samples['saker_output_queue_length{sink="http"}']
                self.assertLessEqual(queued, 50 + 64)  # the queue, and the batch under way
                self.assertEqual(samples['saker_output_dropped_total{sink="http"}'] + queued, 200)
                self.assertEqual(samples['saker_output_dropped_total{sink="file"}'], 0)
                began = time.monotonic()
                saker.stop(20)
                self.assertLess(time.monotonic() - began, 15)

    def test_server_that_is_down_and_comes_up(self):
        port = free_port()
        with self.send_to(f"http://127.0.0.1:{port}/", "-o", "outputs.http.retry_wait=100ms", listen=True) as saker:
            sent = self.mark(5)
            self.assertTrue(wait_until(lambda: saker.metrics()['saker_output_retries_total{sink="http"}'] >= 2))
            hook = self.hook(port=port)
            self.assertTrue(wait_until(lambda: len(hook.bodies) == 5))
            self.assertEqual(self.numbers(hook.bodies), sent)
            self.assertTrue(saker.wait_for_message("output http works again"))

    def test_retries_are_bounded(self):
        hook = self.hook(answer=lambda count: 503)
        with self.send_to(f"http://127.0.0.1:{hook.port}/", "-o", "outputs.http.retry_wait=50ms", "-o",
                          "outputs.http.retry_for=300ms", listen=True) as saker:
            self.mark(2)
            self.assertTrue(wait_until(lambda: saker.metrics()['saker_output_failed_total{sink="http"}'] == 2))


class Store(Marked):
    def test_kill_in_mid_burst(self):
        """What a reader has seen is there after kill -9, and the store opens."""
        data = self.path("data")
        for _ in range(3):
            with self.watch(data_dir=data) as saker:
                burst = threading.Thread(target=self.mark, args=(4000,), daemon=True)
                burst.start()
                before = set()
                end = time.monotonic() + 0.6
                while time.monotonic() < end:
                    before = {self.number(alert["output"]) for alert in self.stored(data, "--limit", "100000")}
                saker.kill()
                burst.join()
            after = collections.Counter(self.number(a["output"]) for a in self.stored(data, "--limit", "100000"))
            self.assertTrue(before)
            self.assertEqual(before - set(after), set())
            self.assertEqual([n for n, count in after.items() if count > 1], [])

    def test_disk_full_and_free_again(self):
        small = self.path("small")
        os.mkdir(small)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16M", "none", small]).returncode != 0:
            self.skipTest("cannot mount a tmpfs")
        self.addCleanup(subprocess.run, ["umount", "-l", small])
        data, log = os.path.join(small, "data"), os.path.join(small, "alerts.log")
        with self.watch("--file", log, "-o", "outputs.file.retry_for=500ms", "-o", "store.max_size=8MiB",
                        data_dir=data, listen=True) as saker:
            self.mark(3)
            self.assertTrue(wait_until(lambda: len(self.stored(data)) == 3))
            ballast = os.path.join(small, "ballast")
            with open(ballast, "wb", buffering=0) as file:
                try:
                    while True:
                        file.write(b"x" * 4096)
                except OSError:
                    pass
            during = self.mark(300, pause=0.003)
            metrics = wait_until(lambda: (m := saker.metrics())['saker_store_failed_commits_total'] > 0 and
                                 m['saker_output_failed_total{sink="file"}'] > 0 and m, 15)
            self.assertTrue(metrics, saker.metrics())
            self.assertTrue(wait_until(lambda: len(saker.alerts) == 303))  # the terminal has them all
            os.remove(ballast)
            after = self.mark(3)
            self.assertTrue(wait_until(lambda: set(after) <= {self.number(a["output"])
                                                              for a in self.stored(data, "--limit", "1000")}, 15))
            self.assertTrue(wait_until(lambda: set(after) <= set(self.numbers_in(log)), 15))
            # Those of the time in between waited in the queue: stored, or counted.
            metrics = saker.metrics()
            stored = {self.number(a["output"]) for a in self.stored(data, "--limit", "1000")}
            missing = len(set(during) - stored)
            counted = sum(metrics[f'saker_store_lost_total{{reason="{reason}"}}']
                          for reason in ("queue full", "write failed")) + metrics["saker_store_removed_total"]
            self.assertEqual(missing, counted)
            for line in open(log):
                json.loads(line)  # no half lines
            self.assertEqual(saker.stop(), 0)


class Server(Marked):
    def test_routes(self):
        with self.watch(listen=True, data_dir=self.path("data")) as saker:
            self.assertEqual(json.loads(get(saker.url("/healthz"))), {"status": "ok"})
            events, ready = [], threading.Event()

            def follow():
                with urllib.request.urlopen(saker.url("/api/v1/events"), timeout=10) as stream:
                    self.assertIn("text/event-stream", stream.headers["Content-Type"])
                    ready.set()
                    for line in stream:
                        if line.startswith(b"data:"):
                            events.append(json.loads(line[5:]))
                            return
            reader = threading.Thread(target=follow, daemon=True)
            reader.start()
            self.assertTrue(ready.wait(5))
            sent = self.mark(1)
            reader.join(5)
            self.assertEqual([self.number(event["output"]) for event in events], sent)
            listed = wait_until(lambda: json.loads(get(saker.url("/api/v1/alerts?since=1h")))["alerts"])
            self.assertEqual([self.number(alert["output"]) for alert in listed], sent)
            time.sleep(1.1)  # counters are gathered once a second
            metrics = saker.metrics()
            self.assertEqual(metrics["saker_store_stored_total"], 1)
            self.assertIn('saker_rule_matches_total{priority="Warning",rule_name="Marker opened",source="syscall"}', metrics)
            self.assertGreater(metrics["saker_events_total"], 0)
            for name in ("saker_state_threads", 'saker_output_queue_length{sink="stdout"}',
                         'saker_rule_evaluations_total{rule_name="Marker opened"}',
                         'saker_rule_seconds_total{rule_name="Marker opened"}'):
                self.assertIn(name, metrics)

    def test_others_are_refused_without_tls_and_token(self):
        port = free_port()
        with self.watch(listen=f"0.0.0.0:{port}") as saker:
            message = saker.wait_for_message("no HTTP")
            self.assertIsNotNone(message, saker.errors)
            self.assertIn("token", message)
            with self.assertRaises(OSError):
                socket.create_connection(("127.0.0.1", port), 1)

    def test_others_are_served_with_tls_and_token(self):
        port = free_port()
        authority, certificate, key = self.certificates()
        token = self.write("token", "s3cret-of-the-test\n")
        with self.watch("-o", f"server.certificate_file={certificate}", "-o", f"server.key_file={key}", "-o",
                        f"server.token_file={token}", listen=f"0.0.0.0:{port}"):
            context = ssl.create_default_context(cafile=authority)

            def ask(headers):
                request = urllib.request.Request(f"https://127.0.0.1:{port}/metrics", headers=headers)
                return urllib.request.urlopen(request, timeout=5, context=context).status
            with self.assertRaises(urllib.error.HTTPError) as refused:
                ask({})
            self.assertEqual(refused.exception.code, 401)
            self.assertEqual(ask({"Authorization": "Bearer s3cret-of-the-test"}), 200)
