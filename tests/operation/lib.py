"""What the operation tests share: a running saker whose output is read as it comes, and small helpers."""
import json
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
SAKER = os.environ.get("SAKER", os.path.join(ROOT, "build", "saker"))
POD_TOOL = os.environ.get("SAKER_TEST_POD", os.path.join(ROOT, "build", "test_pod"))
HARNESS = os.path.join(ROOT, "tests", "container", "harness")


def why_not_live():
    """The reason why live watching can't be tested here, or None."""
    if os.geteuid() != 0:
        return "needs root"
    if not os.path.exists("/sys/kernel/btf/vmlinux"):
        return "needs a kernel with BTF"
    return None


def free_port():
    import socket
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, timeout=10.0, step=0.02):
    """The condition's value once it is true; None when time is up."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            return None
        time.sleep(step)


def get(url, timeout=5):
    with urllib.request.urlopen(url, timeout=timeout) as reply:
        return reply.read().decode()


class Alert:
    def __init__(self, line, arrived):
        self.arrived = arrived  # time.time()
        self.data = json.loads(line)
        self.rule = self.data["rule"]
        self.fields = self.data.get("output_fields", {})
        self.output = self.data.get("output", "")


class Saker:
    """`saker run --json ARGUMENTS`, watching once the constructor returns."""

    def __init__(self, *arguments, data_dir=None, listen=None, env=None, wait=True, prefix=(),
                 watching="watching with"):
        self.alerts, self.lines, self.errors = [], [], []
        self.port = None
        self.watching = watching  # what it says once it watches
        command = [*prefix, SAKER, "run", "--json", *arguments]
        if data_dir:
            command += ["--data-dir", data_dir]
        else:
            command += ["--no-store"]
        if listen is True:
            self.port = free_port()
            command += ["--listen", f"127.0.0.1:{self.port}"]
        elif listen:
            command += ["--listen", listen]
        else:
            command += ["--no-server"]
        self.data_dir = data_dir
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env={**os.environ, **(env or {})}, errors="replace")
        self.pid = self.process.pid
        self.threads = [threading.Thread(target=self._read_alerts, daemon=True),
                        threading.Thread(target=self._read_errors, daemon=True)]
        for thread in self.threads:
            thread.start()
        if wait and not self._starts():
            self.kill()
            raise RuntimeError("saker run did not start:\n" + "\n".join(self.errors))

    def _read_alerts(self):
        for line in self.process.stdout:
            self.lines.append(line)
            try:
                self.alerts.append(Alert(line, time.time()))
            except (ValueError, KeyError):
                self.errors.append("no alert: " + line)

    def _read_errors(self):
        for line in self.process.stderr:
            self.errors.append(line.rstrip("\n"))

    def _starts(self):
        wait_until(lambda: self.process.poll() is not None or self.wait_for_message(self.watching, 0), 20)
        return self.wait_for_message(self.watching, 0.1)

    def wait_for(self, matches, timeout=5.0, since=0):
        """The first alert that matches, waiting for it if need be."""
        def look():
            return next((alert for alert in self.alerts[since:] if matches(alert)), None)
        return wait_until(look, timeout)

    def wait_for_message(self, text, timeout=5.0, since=0):
        return wait_until(lambda: next((line for line in self.errors[since:] if text in line), None), timeout)

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def metrics(self):
        """Sample name with labels -> value."""
        samples = {}
        for line in get(self.url("/metrics")).splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                samples[name] = float(value)
        return samples

    def status(self):
        """/proc/PID/status as a dictionary."""
        with open(f"/proc/{self.pid}/status") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)

    def rss(self):
        return int(self.status()["VmRSS"].split()[0]) * 1024

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, timeout=15):
        """Ends it as Ctrl-C would; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self._join()
        return code

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._join()

    def _join(self):
        for thread in self.threads:
            thread.join(5)
        self.process.stdout.close()
        self.process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()


class Case(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        reason = why_not_live()
        if reason:
            self.skipTest(reason)
        self.folder = tempfile.mkdtemp(prefix="saker-operation-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text):
        path = self.path(name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def run_saker(self, *arguments, **options):
        return subprocess.run([SAKER, *arguments], capture_output=True, text=True, timeout=60, **options)

    def stored(self, data_dir, *arguments):
        """The alerts of a store, by the command that people use."""
        ran = self.run_saker("alerts", "list", "--data-dir", data_dir, "--json", *arguments)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        return [json.loads(line) for line in ran.stdout.splitlines()]


def rule(name, condition, output, priority="WARNING"):
    """A rule file's text. Names and paths of the test in it keep the machine's other noise out."""
    return (f"- rule: {name}\n  desc: test\n  condition: {condition}\n  output: {json.dumps(output)}\n"
            f"  priority: {priority}\n")
