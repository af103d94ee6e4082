"""Too much of everything, and too little permission: losses are counted, memory is bounded, messages say what to do."""
import json
import os
import shutil
import signal
import subprocess
import time

from lib import ROOT, SAKER, Case, Saker, rule, wait_until
from test_outputs import Marked

MIB = 1 << 20

FORKS = r"""
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char** argv) {
  for (long i = atol(argv[1]); i > 0; --i) {
    pid_t pid = fork();
    if (pid == 0) _exit(0);
    if (pid > 0) waitpid(pid, 0, 0);
  }
}
"""

OPENS = r"""
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char** argv) {
  for (long i = atol(argv[1]); i > 0; --i) {
    int fd = open(argv[2], O_RDONLY);
    if (fd >= 0) close(fd);
  }
}
"""


class Losses(Marked):
    def compiled(self, name, text):
        compiler = shutil.which("cc") or shutil.which("gcc")
        if not compiler:
            self.skipTest("no C compiler")
        source, program = self.write(name + ".c", text), self.path(name)
        subprocess.run([compiler, "-O2", "-o", program, source], check=True)
        return program

    def test_forks(self):
        """100,000 (fewer without FULL=1) at full speed, with rules that look at every one."""
        count = 100_000 if os.environ.get("FULL") == "1" else 20_000
        program = self.compiled("forks", FORKS)
        rules = self.write("forks.yaml",
                           rule("Last fork", "evt.type = procexit and proc.args = 1 and proc.name = forks", "done") +
                           rule("Never", "evt.type in (clone, fork, vfork, clone3) and proc.name = zzz", "x"))
        with Saker("-r", rules, "-r", os.path.join(ROOT, "rules"), "--stats-json", self.path("stats"), listen=True) as saker:
            before = saker.metrics()
            most = 0
            forks = subprocess.Popen([program, str(count)])
            while forks.poll() is None:
                most = max(most, saker.rss())
                time.sleep(0.05)
            self.assertTrue(wait_until(lambda: saker.metrics()["saker_state_threads"] <
                                       before["saker_state_threads"] + 500, 20))
            subprocess.run([program, "1"], check=True)  # still judging
            self.assertIsNotNone(saker.wait_for(lambda a: a.rule == "Last fork", 10))
            self.assertLess(most, 64 * MIB)
            self.assertEqual(saker.stop(), 0)
        stats = json.load(open(self.path("stats")))
        events = stats["events"]
        self.assertGreaterEqual(events["delivered"] + sum(events["lost"].values()), count)
        print(f"     {count:,} forks: at most {most / MIB:.1f} MiB, {events['delivered']} events, lost {events['lost']}")

    def test_ring_overrun(self):
        """A saker that is held up while events come: what didn't fit is counted by reason and type, and told."""
        program = self.compiled("opens", OPENS)
        with self.watch("-o", "live.ring_size=64KiB", "-o", "live.process_ring_size=64KiB", "--stats-json",
                        self.path("stats"), listen=True, data_dir=self.path("data")) as saker:
            os.kill(saker.pid, signal.SIGSTOP)
            try:
                self.write("marker-1-", "")
                subprocess.run([program, "20000", self.path("marker-1-")], check=True)
            finally:
                os.kill(saker.pid, signal.SIGCONT)
            alert = saker.wait_for(lambda a: a.rule == "Saker internal: events lost", 10)
            self.assertIsNotNone(alert)
            self.assertGreater(alert.fields["n_drops"], 1000)
            self.assertTrue(wait_until(lambda: any(n.startswith('saker_events_lost_total{reason="') and v > 1000
                                                   for n, v in saker.metrics().items())))
            samples = saker.metrics()
            self.assertTrue(any(name.startswith('saker_events_lost_by_type_total{type="open') and value > 1000
                                for name, value in samples.items()), samples)
            self.mark(1)
            self.assertTrue(saker.wait_for(lambda a: f"marker-{self.opened - 1}-" in a.output))
            self.assertEqual(saker.stop(), 0)
        events = json.load(open(self.path("stats")))["events"]
        opens = sum(count for name, count in events["lost_by_type"].items() if name.startswith("open"))
        matched = events["matched"]
        self.assertGreater(opens, 1000)
        # None is unaccounted for: each open was lost, or it made an alert.
        self.assertGreaterEqual(opens + matched, 20000)

    def test_stats_json(self):
        path = self.path("stats.json")
        with self.watch("--duration", "1", "--stats-json", path) as saker:
            self.mark(5)
            self.assertEqual(saker.process.wait(10), 0)
        stats = json.load(open(path))
        self.assertEqual(stats["schema"], 1)
        self.assertEqual(stats["events"]["matched"], 5)
        self.assertGreaterEqual(stats["events"]["delivered"], 5)
        self.assertGreaterEqual(stats["events"]["seen"], stats["events"]["delivered"])
        self.assertIsInstance(stats["events"]["lost"], dict)
        for name, least, most in (("cpu_seconds", 0.0001, 5), ("rss_bytes", MIB, 100 * MIB), ("start_seconds", 0.001, 10)):
            self.assertTrue(least < stats[name] < most, (name, stats[name]))


class Privileges(Marked):
    KEPT = {2: "DAC_READ_SEARCH", 19: "SYS_PTRACE", 24: "SYS_RESOURCE", 38: "PERFMON", 39: "BPF"}

    def test_dropped_after_attach(self):
        with self.watch() as saker:
            status = saker.status()
            with open("/proc/self/status") as file:
                ours = int(next(line for line in file if line.startswith("CapEff")).split()[1], 16)
            kept = {bit for bit in self.KEPT if ours >> bit & 1}
            for which in ("CapEff", "CapPrm", "CapBnd"):
                held = {bit for bit in range(64) if int(status[which], 16) >> bit & 1}
                self.assertEqual(held, kept, which)
            self.assertEqual(int(status["CapInh"], 16), 0)
            self.assertEqual(status["NoNewPrivs"], "1")
            for thread in os.listdir(f"/proc/{saker.pid}/task"):  # every thread, not the main one alone
                with open(f"/proc/{saker.pid}/task/{thread}/status") as file:
                    text = file.read()
                self.assertIn(f"CapEff:\t{status['CapEff']}", text)
            self.assertTrue(self.mark() and saker.wait_for(lambda a: True))  # and it still works

    def test_service_unit(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("no systemd-analyze")
        unit = self.path("saker.service")
        with open(os.path.join(ROOT, "deploy", "saker.service")) as file:
            text = file.read().replace("/usr/bin/saker", SAKER)
        with open(unit, "w") as file:
            file.write(text)
        ran = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
        complaints = [line for line in ran.stderr.splitlines() if "saker" in line]
        self.assertEqual((ran.returncode, complaints), (0, []), ran.stderr)


class WithoutWhatItNeeds(Case):
    """One clear message that says what to do, and no stack of others."""

    def run_without(self, *prefix):
        # Nobody else than root may read below the folder that holds the build.
        return subprocess.run([*prefix, SAKER, "run", "-r", os.path.join(ROOT, "rules"), "--no-store", "--no-server",
                               "--duration", "1"], capture_output=True, text=True, timeout=30)

    def assert_message(self, ran, *says):
        self.assertEqual(ran.returncode, 3, ran.stderr)
        errors = [line for line in ran.stderr.splitlines() if line.strip()]
        for word in says:
            self.assertIn(word, ran.stderr)
        self.assertLessEqual(len(errors), 3, ran.stderr)
        self.assertEqual(ran.stdout, "")

    def test_no_root(self):
        ran = self.run_without("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        if "Permission denied" in ran.stderr and "setpriv" in ran.stderr:
            self.skipTest("nobody may not run the binary where it is")
        self.assert_message(ran, "root", "sudo")

    def test_root_without_cap_bpf(self):
        ran = self.run_without("setpriv", "--bounding-set=-bpf,-sys_admin", "--inh-caps=-bpf,-sys_admin")
        self.assert_message(ran, "CAP_BPF")

    def test_no_btf(self):
        ran = self.run_without("unshare", "-m", "sh", "-c",
                               "mount -t tmpfs none /sys/kernel/btf && exec \"$0\" \"$@\"")
        self.assert_message(ran, "BTF", "CONFIG_DEBUG_INFO_BTF")

    def test_doctor_as_a_new_user(self):
        ran = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", SAKER, "doctor"],
                             capture_output=True, text=True)
        if ran.returncode == 127 or "setpriv" in ran.stderr:
            self.skipTest("nobody may not run the binary where it is")
        self.assertEqual(ran.returncode, 1, ran.stderr)
        self.assertRegex(ran.stdout, r"FAIL .*privilege|FAIL .*root|FAIL .*capabilit")
        self.assertIn("sudo", ran.stdout)
        ran = subprocess.run([SAKER, "doctor"], capture_output=True, text=True)
        self.assertEqual(ran.returncode, 0, ran.stdout)
        self.assertNotIn("FAIL", ran.stdout)
