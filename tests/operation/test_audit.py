"""Audit events by webhook: kept before they are acknowledged, judged once, whatever happens in between."""
import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
import threading
import time
import unittest

from lib import Case, Saker, free_port, get, rule, wait_until

BATCH = 50
NOW = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())  # the store keeps alerts of a month


def event(number, stage="ResponseComplete", **more):
    return {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": f"id-{number}",
            "stage": stage, "requestURI": f"/api/v1/namespaces/shop/secrets/s{number}", "verb": "get",
            "user": {"username": "mallory", "groups": ["system:authenticated"]}, "sourceIPs": ["192.0.2.7"],
            "userAgent": "curl/8", "objectRef": {"resource": "secrets", "namespace": "shop", "name": f"s{number}",
                                                 "apiVersion": "v1"},
            "responseStatus": {"code": 200}, "requestReceivedTimestamp": NOW + ".000000Z",
            "stageTimestamp": NOW + ".100000Z", **more}


def event_list(*events):
    return json.dumps({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": events})


class Webhook(Case):
    """A saker without the kernel: root is not needed."""

    def setUp(self):
        import tempfile
        self.folder = tempfile.mkdtemp(prefix="saker-audit-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.rules = self.write("rules.yaml", rule("Secret read", "ka.target.resource = secrets", "%ka.auditid")
                                .replace("  priority", "  source: k8s_audit\n  priority"))
        self.hook_port = free_port()
        self.address = f"127.0.0.1:{self.hook_port}"
        self.secure = None

    def saker(self, *arguments, **options):
        return Saker("--disable-source", "syscall", "-r", self.rules, "--audit-webhook", self.address, *arguments,
                     data_dir=self.path("data"), watching="watching audit events", **options)

    def certificates(self):
        """A key and certificate of the server and, signed by itself, of a client."""
        if not shutil.which("openssl"):
            self.skipTest("no openssl program")
        for name in ("server", "client"):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                            f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.path(name + ".key"),
                            "-out", self.path(name + ".pem")], check=True, capture_output=True)
        self.secure = ssl.create_default_context(cafile=self.path("server.pem"))
        return ["--audit-webhook-cert", self.path("server.pem"), "--audit-webhook-key", self.path("server.key")]

    def connect(self):
        if self.secure:
            return http.client.HTTPSConnection("127.0.0.1", self.hook_port, timeout=10, context=self.secure)
        return http.client.HTTPConnection("127.0.0.1", self.hook_port, timeout=10)

    def post(self, body, headers=None, connection=None, path="/k8s-audit?timeout=30s"):
        connection = connection or self.connect()
        connection.request("POST", path, body, {"Content-Type": "application/json", **(headers or {})})
        reply = connection.getresponse()
        reply.read()
        return reply.status

    def spooled(self):
        """The audit ids of the spool, by the command that people use."""
        ran = self.run_saker("replay", self.path("data", "audit-spool"), "--format", "%ka.auditid")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        return [line.split()[-1] for line in ran.stdout.splitlines() if line]

    def alerts(self):
        return [alert["output"].split()[-1] for alert in self.stored(self.path("data"))
                if alert["rule"] == "Secret read"]


class Deliveries(Webhook):
    def test_batch_that_comes_twice(self):
        arguments = self.certificates()
        with self.saker(*arguments, "--stats-json", self.path("stats")) as saker:
            batch = event_list(*(event(n) for n in range(BATCH)))
            self.assertEqual(self.post(batch), 200)
            self.assertEqual(self.post(batch), 200)
            self.assertEqual(self.post(json.dumps(event(900))), 200)
            self.assertEqual(self.post(json.dumps([event(901), event(902)])), 200)
            self.assertEqual(self.post(json.dumps(event(903), indent=2)), 200)
            self.assertEqual(self.post(json.dumps(event(904)) + "\n" + json.dumps(event(905)) + "\n"), 200)
            self.assertIsNotNone(saker.wait_for(lambda a: a.output.endswith("id-905")))
            self.assertEqual(saker.stop(), 0)
        expected = [f"id-{n}" for n in [*range(BATCH), *range(900, 906)]]
        self.assertEqual(self.spooled(), expected)
        self.assertEqual(self.alerts(), expected)
        self.assertEqual(json.load(open(self.path("stats")))["events"]["audit"], len(expected))

    def test_events_of_an_earlier_run_are_known(self):
        batch = event_list(*(event(n) for n in range(BATCH)))
        for _ in range(2):
            with self.saker() as saker:
                self.assertEqual(self.post(batch), 200)
                self.assertEqual(saker.stop(), 0)
        self.assertEqual(len(self.spooled()), BATCH)
        self.assertEqual(len(self.alerts()), BATCH)

    def test_kill_loses_and_repeats_nothing(self):
        """Several senders, each of which sends a batch again until it is acknowledged; saker is killed in between."""
        acknowledged, number, lock, ended = set(), iter(range(10**9)), threading.Lock(), threading.Event()

        def send():
            while not ended.is_set():
                with lock:
                    ids = [next(number) for _ in range(BATCH)]
                body = event_list(*map(event, ids))
                while True:
                    try:
                        if self.post(body) == 200:
                            break
                    except (OSError, http.client.HTTPException):
                        pass
                    if ended.is_set():
                        return
                    time.sleep(0.02)
                with lock:
                    acknowledged.update(f"id-{n}" for n in ids)

        senders = [threading.Thread(target=send) for _ in range(4)]
        for sender in senders:
            sender.start()
        for _ in range(3):
            with self.saker() as saker:
                time.sleep(0.7)
                saker.process.send_signal(signal.SIGKILL)
        with self.saker() as saker:
            time.sleep(0.5)
            ended.set()
            for sender in senders:
                sender.join()
            self.assertEqual(saker.stop(), 0)
        self.assertGreater(len(acknowledged), 10 * BATCH)
        alerts = self.alerts()
        self.assertEqual(acknowledged - set(self.spooled()), set())
        self.assertEqual(acknowledged - set(alerts), set())
        self.assertEqual(len(alerts), len(set(alerts)))

    def test_full_disk(self):
        os.mkdir(self.path("data"))
        if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", self.path("data")],
                                               capture_output=True).returncode != 0:
            self.skipTest("cannot mount")
        self.addCleanup(subprocess.run, ["umount", "-l", self.path("data")])
        with self.saker(listen=True) as saker:
            self.assertEqual(self.post(json.dumps(event(1))), 200)
            with open(self.path("data", "filler"), "wb") as filler:
                try:
                    while filler.write(os.urandom(65536)):
                        filler.flush()
                except OSError:
                    pass
            self.assertEqual(self.post(json.dumps(event(2, userAgent=os.urandom(50000).hex()))), 503)
            os.unlink(self.path("data", "filler"))
            self.assertEqual(self.post(json.dumps(event(3))), 200)
            self.assertEqual(saker.metrics()['saker_audit_webhook_batches_total{result="failed"}'], 1)
            self.assertEqual(saker.stop(), 0)
        self.assertEqual(self.spooled(), ["id-1", "id-3"])


class Logs(Webhook):
    """A log that is followed, alone."""

    def follower(self, *arguments, **options):
        return Saker("--disable-source", "syscall", "-r", self.rules, "--audit-log", self.path("audit.log"), *arguments,
                     data_dir=self.path("data"), watching="watching audit events", **options)

    def append(self, *numbers):
        with open(self.path("audit.log"), "a") as log:
            for number in numbers:
                log.write(json.dumps(event(number)) + "\n")

    def rotate(self, compress=False):
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H-%M-%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03}"
        rotated = self.path(f"audit-{stamp}.log")
        os.rename(self.path("audit.log"), rotated)
        if compress:
            subprocess.run(["gzip", rotated], check=True)

    def test_rotation_and_restarts(self):
        """A writer that rotates, and saker killed and started again and again: each event once."""
        written, ended = [], threading.Event()

        def write():
            for number in range(10**9):
                if ended.is_set():
                    return
                self.append(number)
                written.append(f"id-{number}")
                if number % 40 == 39:
                    self.rotate(compress=number % 80 == 79)
                time.sleep(0.005)

        self.append(-1)
        with self.follower() as saker:
            self.assertIsNotNone(saker.wait_for(lambda a: a.output.endswith("id--1")))
            self.assertEqual(saker.stop(), 0)
        writer = threading.Thread(target=write)
        writer.start()
        for _ in range(3):
            with self.follower() as saker:
                time.sleep(0.6)
                saker.process.send_signal(signal.SIGKILL)
        ended.set()
        writer.join()
        with self.follower() as saker:
            self.assertIsNotNone(saker.wait_for(lambda a: a.output.endswith(written[-1]), 10))
            self.assertEqual(saker.stop(), 0)
            self.assertNotIn("is gone", "".join(saker.errors))
        self.assertEqual(self.alerts(), ["id--1", *written])

    def test_with_bad_lines_and_a_missing_log(self):
        with self.follower("--stats-json", self.path("stats"), listen=True) as saker:
            self.assertTrue(saker.wait_for_message("waiting for it"))
            self.append(1)
            with open(self.path("audit.log"), "a") as log:
                log.write("nonsense\n" + json.dumps(event(2))[:100] + "\n")
            self.append(3)
            self.assertIsNotNone(saker.wait_for(lambda a: a.output.endswith("id-3")))
            self.assertEqual(saker.stop(), 0)
        self.assertEqual(self.alerts(), ["id-1", "id-3"])
        self.assertEqual(sum(json.load(open(self.path("stats")))["events"]["lost"].values()), 2)

    def test_old_text_format(self):
        with open(self.path("audit.log"), "w") as log:
            log.write('2017-03-21T03:57:09.106841886-04:00 AUDIT: id="c939d2a7" stage="RequestReceived" ip="127.0.0.1"\n')
        with self.follower() as saker:
            self.assertTrue(saker.wait_for_message("old text format"))

    def test_sets_are_read_in_order(self):
        os.mkdir(self.path("logs"))
        self.folder, parent = self.path("logs"), self.folder
        for number in range(4):
            self.append(number)
            if number < 3:
                self.rotate(compress=number == 1)
            time.sleep(0.01)
        self.folder = parent
        ran = self.run_saker("replay", self.path("logs"), "--format", "%ka.auditid")
        self.assertEqual([line.split()[-1] for line in ran.stdout.splitlines()], [f"id-{n}" for n in range(4)], ran.stderr)
        ran = self.run_saker("audit", "analyze", self.path("logs"), "--json")
        self.assertEqual(json.loads(ran.stdout)["events"], 4)


class Refusals(Webhook):
    def test_bad_bodies(self):
        with self.saker(listen=True) as saker:
            for body in ("", "{", "[1,2", "nonsense", event_list(event(1))[:-40], "{}", '{"kind":"Pod"}', "[[[[" * 9999,
                         event_list({"kind": "Event", "auditID": 7}), '{"kind":"EventList","items":[{"a":]}'):
                self.assertEqual(self.post(body), 400, body[:50])
            self.assertEqual(self.post(event_list()), 200)
            self.assertEqual(self.post(event_list(event(1), {"kind": "Pod"}, event(2))), 200)
            metrics = saker.metrics()
            self.assertEqual(metrics['saker_audit_webhook_events_total{result="no event"}'], 1)
            self.assertTrue(saker.wait_for_message("is refused"))
            self.assertEqual(saker.stop(), 0)
        self.assertEqual(self.spooled(), ["id-1", "id-2"])

    def test_who_may_send(self):
        arguments = self.certificates()
        token = self.write("token", "secret\n")
        with self.saker(*arguments, "--audit-webhook-token", token):
            self.assertEqual(self.post(json.dumps(event(1))), 401)
            self.assertEqual(self.post(json.dumps(event(1)), {"Authorization": "Bearer wrong"}), 401)
            self.assertEqual(self.post(json.dumps(event(1)), {"Authorization": "Bearer secret"}), 200)
        self.hook_port = free_port()
        self.address = f"127.0.0.1:{self.hook_port}"
        with self.saker(*arguments, "--audit-webhook-client-ca", self.path("client.pem")):
            with self.assertRaises((OSError, http.client.HTTPException)):
                self.post(json.dumps(event(2)))
            self.secure.load_cert_chain(self.path("client.pem"), self.path("client.key"))
            self.assertEqual(self.post(json.dumps(event(2))), 200)

    def test_what_does_not_begin(self):
        for arguments, message in ((["--audit-webhook", "0.0.0.0:9443"], "without TLS"),
                                   (["--no-store", "--audit-webhook", self.address], "store"),
                                   ([], "nothing to watch"),
                                   (["--audit-webhook", self.address, "--audit-webhook-cert", "/none",
                                     "--audit-webhook-key", "/none"], "/none")):
            ran = self.run_saker("run", "--disable-source", "syscall", "--no-server", "--data-dir", self.path("none"),
                                 "-M", "5", *arguments)
            self.assertNotEqual(ran.returncode, 0)
            self.assertIn(message, ran.stderr)

    def test_slow_senders_hold_nobody_up(self):
        with self.saker():
            slow = [self.connect() for _ in range(80)]
            for connection in slow:
                connection.connect()
                connection.sock.sendall(b"POST /k8s-audit HTTP/1.1\r\nHost: localhost\r\nContent-Le")
            began = time.monotonic()
            # More of them than threads: they are cut off before the half minute that a request may take.
            self.connect_patiently()
            self.assertLess(time.monotonic() - began, 25)
            for connection in slow:
                connection.close()

    def connect_patiently(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.hook_port, timeout=60)
        self.assertEqual(self.post(json.dumps(event(1)), connection=connection), 200)


if __name__ == "__main__":
    unittest.main()
