"""Attacks in real containers, end to end: a containerd of the test's own, containers by ctr and by CRI, and `saker run`
watching from outside. Alerts come within a second, with what the runtime knows of the container, and are kept."""
import fcntl
import os
import shutil
import subprocess
import tempfile
import time
import unittest

from lib import HARNESS, POD_TOOL, ROOT, Case, Saker, rule, wait_until, why_not_live

WITHIN = 1.0  # seconds from the attack to the alert
FALCO_RULES = os.path.join(ROOT, "..", "shared", "conformance", "falco", "rules", "falco_rules.yaml")

# Every field that a runtime has to answer for.
DESCRIBED = rule(
    "Echo run in a container",
    "evt.type in (execve, execveat) and evt.arg.res = 0 and container.id != host and proc.args startswith saker-test",
    "id=%container.id full=%container.full_id name=%container.name image=%container.image.repository "
    "tag=%container.image.tag digest=%container.image.digest privileged=%container.privileged type=%container.type "
    "pod=%k8s.pod.name ns=%k8s.ns.name uid=%k8s.pod.uid app=%k8s.pod.label.app "
    "team=%container.label.team sandbox=%k8s.pod.sandbox_id")


def harness(*arguments, check=True):
    return subprocess.run([HARNESS, *arguments], capture_output=True, text=True, timeout=60, check=check)


class Containers(Case):
    @classmethod
    def setUpClass(cls):
        cls.reason = why_not_live()
        if cls.reason:
            return
        # Runc knows containers by name for the whole machine: one run of these tests at a time.
        cls.lock = open("/run/lock/saker-operation", "w")
        cls.addClassCleanup(cls.lock.close)
        fcntl.flock(cls.lock, fcntl.LOCK_EX)
        cls.home = tempfile.mkdtemp(prefix="saker-containerd-")
        cls.addClassCleanup(shutil.rmtree, cls.home, ignore_errors=True)
        cls.addClassCleanup(harness, "stop", cls.home, check=False)
        started = harness("start", cls.home, check=False)
        if started.returncode == 77:
            cls.reason = started.stderr.strip()
            return
        if started.returncode != 0:
            raise RuntimeError(started.stderr)
        with open(os.path.join(cls.home, "env")) as file:
            cls.env = dict(line.strip().split("=", 1) for line in file)

    def setUp(self):
        if self.reason:
            self.skipTest(self.reason)
        super().setUp()
        self.described = self.write("described.yaml", DESCRIBED)

    def watch(self, *rules, **options):
        arguments = [word for path in (*rules, self.described) for word in ("-r", path)]
        sockets = options.pop("socket", self.env["SOCKET"])
        return Saker("-o", f"containers.sockets[]={sockets}", *arguments, data_dir=self.path("data"), **options)

    def ctr(self, *arguments, check=True):
        ran = harness("ctr", self.home, *arguments, check=False)
        if check:
            self.assertEqual(ran.returncode, 0, ran.stderr)
        return ran

    def start(self, name, *options, command=()):
        self.ctr("run", "-d", "--snapshotter", self.env["SNAPSHOTTER"], *options, self.env["IMAGE"], name, *command)
        self.addCleanup(self.remove, name)

    def remove(self, name):
        self.ctr("task", "rm", "-f", name, check=False)
        self.ctr("container", "rm", name, check=False)

    def attack(self, name, script, name_space="default"):
        """Runs a shell's script in the container; when it began."""
        began = time.time()
        self.ctr("-n", name_space, "task", "exec", "--exec-id", f"attack-{time.monotonic_ns()}", name, "/bin/sh", "-c",
                 script)
        return began

    def terminal(self, name):
        """A shell on a terminal, as a person would start it; when it began."""
        began = time.time()
        command = f"{HARNESS} ctr {self.home} task exec -t --exec-id shell-{time.monotonic_ns()} {name} /bin/sh"
        process = subprocess.Popen(["script", "-qec", command, "/dev/null"], stdin=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait, 10)
        self.addCleanup(process.stdin.close)
        process.stdin.write(b"id\nexit\n")
        process.stdin.flush()
        return began

    def expect(self, saker, rule_name, began, matches=lambda alert: True, within=WITHIN):
        alert = saker.wait_for(lambda a: a.rule == rule_name and matches(a), timeout=10)
        self.assertIsNotNone(alert, f"no alert '{rule_name}'; there are {[a.rule for a in saker.alerts]}\n" +
                             "\n".join(saker.errors))
        happened = alert.data["output_fields"].get("evt.time", 0)
        took = alert.arrived - (happened / 1e9 if isinstance(happened, int) and happened else began)
        self.assertLess(took, within, f"'{rule_name}' took {took:.2f} s")
        return alert

    def assert_container(self, alert, **fields):
        for name, value in fields.items():
            self.assertIn(f"{name}={value}", alert.output + " ", alert.output)

    def assert_kept(self, rules):
        kept = [alert["rule"] for alert in self.stored(self.path("data"), "--since", "1h")]
        for name in rules:
            self.assertIn(name, kept)

    def act_out(self, saker, name, terminal_rule, drop_rule, container_id):
        """A shell on a terminal, then a program that is dropped and run."""
        seen = self.expect(saker, terminal_rule, self.terminal(name), lambda a: container_id in a.output)
        began = self.attack(name, "cp /bin/busybox /tmp/dropped; ln -s dropped /tmp/echo; /tmp/echo saker-test 1")
        dropped = self.expect(saker, drop_rule, began, lambda a: container_id in a.output)
        described = self.expect(saker, "Echo run in a container", began, lambda a: f"id={container_id}" in a.output)
        return seen, dropped, described

    def test_ctr_container_with_own_rules(self):
        self.start("web-of-blue", "--label", "team=blue", "--privileged")
        with self.watch(os.path.join(ROOT, "rules")) as saker:
            _, dropped, described = self.act_out(saker, "web-of-blue", "Terminal shell in container",
                                                 "Program that is not in the image", "web-of-blue")
            self.assert_container(described, id="web-of-blue ", full="web-of-blue ", name="web-of-blue ",
                                  image="saker.test/tiny ", tag="1.0 ", digest=self.env["DIGEST"], privileged="true ",
                                  type="containerd ", team="blue ")
            self.assertIn("saker.test/tiny", dropped.output)
            began = self.attack("web-of-blue", "cat /etc/shadow")
            self.expect(saker, "Password file read", began, lambda a: "web-of-blue" in a.output)
            # Its last alerts are in the store when it has ended.
            self.assertEqual(saker.stop(), 0)
        self.assert_kept(["Terminal shell in container", "Program that is not in the image", "Password file read",
                          "Echo run in a container"])

    def test_ctr_container_with_falco_rules(self):
        if not os.path.exists(FALCO_RULES):
            self.skipTest("no Falco rules beside the repository")
        self.start("green")
        with self.watch(FALCO_RULES) as saker:
            self.act_out(saker, "green", "Terminal shell in container",
                         "Drop and execute new binary in container", "green")
            self.assertEqual(saker.stop(), 0)
        self.assert_kept(["Terminal shell in container", "Drop and execute new binary in container"])

    def test_container_that_starts_under_watch(self):
        """The first thing that a new container does: its metadata isn't known yet, the alert waits for it."""
        with self.watch() as saker:
            began = time.time()
            self.start("fresh", "--label", "team=red", command=("/bin/echo", "saker-test", "fresh"))
            alert = self.expect(saker, "Echo run in a container", began, lambda a: "fresh" in a.output, within=2.5)
            self.assert_container(alert, id="fresh ", image="saker.test/tiny ", digest=self.env["DIGEST"], team="red ")

    def test_name_that_is_given_twice(self):
        """A name is another container's after its first is gone: what was known of that is forgotten."""
        with self.watch() as saker:
            for team in ("one", "two"):
                self.start("again", "--label", f"team={team}")
                began = self.attack("again", "echo; /bin/busybox echo; exec /bin/echo saker-test")
                alert = self.expect(saker, "Echo run in a container", began,
                                    lambda a, team=team: f"team={team} " in a.output)
                self.assert_container(alert, id="again ", team=f"{team} ")
                self.remove("again")

    def run_pod(self, name, name_space):
        ran = subprocess.run([POD_TOOL, "run", self.env["SOCKET"], self.env["IMAGE"], name, name_space, "app"],
                             capture_output=True, text=True, timeout=30)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        sandbox, container = ran.stdout.split()
        self.addCleanup(subprocess.run, [POD_TOOL, "remove", self.env["SOCKET"], sandbox], capture_output=True)
        return sandbox, container

    def test_pod(self):
        with self.watch(os.path.join(ROOT, "rules")) as saker:
            sandbox, container = self.run_pod("web-1", "shop")
            began = self.attack(container, "cp /bin/busybox /tmp/echo; /tmp/echo saker-test 1", "k8s.io")
            described = self.expect(saker, "Echo run in a container", began)
            self.assert_container(described, id=container[:12] + " ", full=container + " ", name="app ",
                                  image="saker.test/tiny ", tag="1.0 ", digest=self.env["DIGEST"], privileged="false ",
                                  pod="web-1 ", ns="shop ", uid="0f90f31c-ebfb-4a0c-bc2e-3a8b2a0f1f6e ", app="web-1 ",
                                  sandbox=sandbox[:12])
            self.expect(saker, "Program that is not in the image", began, lambda a: container[:12] in a.output)
            self.assertEqual(saker.stop(), 0)
        self.assert_kept(["Echo run in a container", "Program that is not in the image"])

    def test_runtime_killed_in_mid_run(self):
        """Containers go on without their runtime, and so do alerts; what is known stays known."""
        self.start("known", "--label", "team=known")
        self.start("late", command=("/bin/sh", "-c", "sleep 4; /bin/echo saker-test late; sleep 1000"))
        with self.watch() as saker:
            began = self.attack("known", "exec /bin/echo saker-test before")
            self.expect(saker, "Echo run in a container", began, lambda a: "id=known" in a.output)
            self.start("after", command=("/bin/sh", "-c", "sleep 3; while true; do /bin/echo saker-test; sleep 1; done"))
            time.sleep(1)  # time to ask the runtime about it: who dies before can't be asked
            harness("kill", self.home)
            try:
                for name in ("late", "after"):
                    alert = saker.wait_for(lambda a, name=name: f"id={name}" in a.output, timeout=10)
                    self.assertIsNotNone(alert, f"no alert of '{name}' without its runtime")
                    self.assert_container(alert, image="saker.test/tiny ")
                self.assertIsNone(saker.process.poll())
            finally:
                harness("restart", self.home)
            began = self.attack("known", "exec /bin/echo saker-test again")
            alert = self.expect(saker, "Echo run in a container", began, lambda a: "id=known" in a.output)
            self.assert_container(alert, team="known ", digest=self.env["DIGEST"])
            self.assertEqual(saker.stop(), 0)

    def test_no_runtime_at_all(self):
        """An alert is never lost for lack of metadata; it waits as long as it is told to and no longer."""
        self.start("lonely")
        with self.watch(socket=self.path("none.sock")) as saker:
            began = self.attack("lonely", "exec /bin/echo saker-test alone")
            alert = self.expect(saker, "Echo run in a container", began, lambda a: "id=lonely" in a.output,
                                within=1.5)
            self.assert_container(alert, id="lonely ", image=" ", digest=" ")

    def test_gone_containers_are_forgotten(self):
        with self.watch(listen=True) as saker:
            self.start("brief", command=("/bin/echo", "saker-test", "brief"))
            self.assertIsNotNone(saker.wait_for(lambda a: "id=brief" in a.output))
            self.assertTrue(wait_until(lambda: saker.metrics().get("saker_state_containers", 0) >= 1))
            self.remove("brief")
            self.assertTrue(wait_until(lambda: saker.metrics()["saker_state_containers"] == 0, timeout=15))

    def test_doctor_names_the_runtime(self):
        ran = self.run_saker("doctor", "--socket", self.env["SOCKET"])
        self.assertRegex(ran.stdout, rf"ok +container runtime +{self.env['SOCKET']} answers")


if __name__ == "__main__":
    unittest.main()
