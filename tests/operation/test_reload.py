"""Rules and configuration that change under a running saker: taken over whole or not at all, its state survives."""
import os
import signal
import subprocess
import threading
import time

from lib import Saker, free_port, rule, wait_until
from test_outputs import Marked, Webhook


class Reload(Marked):
    def marker_rule(self, name, output="marker=%fd.name"):
        return rule(name, f"evt.type in (open, openat) and fd.name startswith {self.path('marker-')}", output)

    def expect_rule(self, saker, name):
        """The next mark's alert is of this rule."""
        number = self.mark()[0]
        alert = saker.wait_for(lambda a: self.number(a.output) == number)
        self.assertIsNotNone(alert)
        self.assertEqual(alert.rule, name)
        return alert

    def replace(self, path, text):
        with open(path + ".new", "w") as file:
            file.write(text)
        os.rename(path + ".new", path)

    def test_rules_replaced_by_bad_and_good_ones(self):
        with self.watch() as saker:
            self.expect_rule(saker, "Marker opened")
            self.replace(self.rules, "- rule: broken\n  condition: evt.type = nothing\n  [")
            self.assertTrue(saker.wait_for_message("the old rules and configuration stay"), saker.errors)
            self.assertTrue(saker.wait_for_message("LOAD_ERR"), saker.errors)
            self.expect_rule(saker, "Marker opened")
            self.replace(self.rules, self.marker_rule("Second"))
            self.assertTrue(saker.wait_for_message("loaded anew: 1 rules"), saker.errors)
            self.expect_rule(saker, "Second")
            os.remove(self.rules)
            self.assertTrue(wait_until(lambda: sum("stay" in line for line in saker.errors) == 2), saker.errors)
            self.expect_rule(saker, "Second")

    def test_rules_replaced_in_mid_read(self):
        """A file that is written in pieces, and again and again: what is whole is used, what isn't never."""
        with self.watch(listen=True) as saker:
            for turn in range(20):
                text = self.marker_rule(f"Turn {turn}")
                with open(self.rules, "w") as file:  # in place, not atomically
                    for piece in (text[:40], text[40:90], text[90:]):
                        file.write(piece)
                        file.flush()
                        time.sleep(0.012)
                saker.signal(signal.SIGHUP)
                self.mark()
            self.assertTrue(wait_until(lambda: self.expect_any(saker).rule == "Turn 19"))
            self.assertLessEqual({a.rule for a in saker.alerts}, {"Marker opened", *(f"Turn {n}" for n in range(20))})
            self.assertEqual(len(saker.alerts), self.opened)

    def expect_any(self, saker):
        number = self.mark()[0]
        return saker.wait_for(lambda a: self.number(a.output) == number)

    def test_rules_by_links_as_configmaps_have_them(self):
        """Kubernetes exchanges a link to a folder; the file's own link never changes."""
        for version in ("1", "2"):
            os.mkdir(self.path("..v" + version))
            with open(self.path("..v" + version, "rules.yaml"), "w") as file:
                file.write(self.marker_rule("Version " + version))
        os.symlink("..v1", self.path("..data"))
        os.remove(self.rules)
        os.symlink("..data/rules.yaml", self.rules)
        with self.watch() as saker:
            self.expect_rule(saker, "Version 1")
            os.symlink("..v2", self.path("..data_tmp"))
            os.rename(self.path("..data_tmp"), self.path("..data"))
            self.assertTrue(saker.wait_for_message("loaded anew"))
            self.expect_rule(saker, "Version 2")

    def config(self, **keys):
        lines = [f"rules_files: [{self.rules}]", "json_output: true"]
        for name, value in keys.items():
            lines.append(f"{name.replace('__', '.')}: {value}")
        return "\n".join(lines) + "\n"

    def run_with(self, path, **options):
        return Saker("-c", path, **options)

    def test_config_changes_outputs(self):
        """A webhook's address, a file's path, the threshold: by the file's change, and by SIGHUP."""
        hooks = [Webhook(), Webhook()]
        for hook in hooks:
            self.addCleanup(hook.close)

        def text(hook, path, priority="debug", capacity=100):
            return (f"rules_files: [{self.rules}]\noutputs_queue: {{capacity: {capacity}}}\n"
                    f"outputs:\n  http: {{enabled: true, url: 'http://127.0.0.1:{hook.port}/'}}\n"
                    f"  file: {{enabled: true, path: {path}, format: json, priority: {priority}}}\n")
        one, two = self.path("one.log"), self.path("two.log")
        config = self.write("saker.yaml", text(hooks[0], one))
        with self.run_with(config, listen=True) as saker:
            first = self.mark(3)
            self.assertTrue(wait_until(lambda: len(hooks[0].bodies) == 3 and len(self.numbers_in(one)) == 3))
            self.replace(config, text(hooks[1], two))
            self.assertTrue(saker.wait_for_message("loaded anew"), saker.errors)
            second = self.mark(3)
            self.assertTrue(wait_until(lambda: len(hooks[1].bodies) == 3 and len(self.numbers_in(two)) == 3))
            self.assertEqual(self.numbers(hooks[0].bodies), first)
            self.assertEqual(self.numbers(hooks[1].bodies), second)
            self.assertEqual(self.numbers_in(one), first)
            self.assertEqual([self.number(a.output) for a in saker.alerts], first + second)
            # Counts of what was before go on.
            self.assertEqual(saker.metrics()['saker_output_delivered_total{sink="http"}'], 6)
            # A threshold that the alerts don't reach.
            self.replace(config, text(hooks[1], two, "critical"))
            self.assertTrue(wait_until(lambda: sum("loaded anew" in line for line in saker.errors) == 2))
            self.mark(3)
            self.assertTrue(wait_until(lambda: len(hooks[1].bodies) == 6))
            self.assertEqual(self.numbers_in(two), second)

    def test_config_with_errors_changes_nothing(self):
        path = self.path("alerts.log")
        good = f"rules_files: [{self.rules}]\noutputs: {{file: {{enabled: true, path: {path}, format: json}}}}\n"
        config = self.write("saker.yaml", good)
        with self.run_with(config) as saker:
            for bad, says in (("rules_files: [/nowhere.yaml]\n", "/nowhere.yaml"),
                              ("rules_fils: [x]\n", "did you mean 'rules_files'"),
                              (good.replace(path, "/nowhere/alerts.log"), "/nowhere/alerts.log"),
                              (good + "json_output: perhaps\n", "saker.yaml:3:")):
                since = len(saker.errors)
                self.replace(config, bad)
                self.assertTrue(saker.wait_for_message("stay", since=since), saker.errors)
                self.assertTrue(saker.wait_for_message(says, since=since), saker.errors[since:])
                number = self.mark()[0]
                self.assertTrue(wait_until(lambda: number in self.numbers_in(path)))

    def test_keys_for_the_next_start_are_named(self):
        config = self.write("saker.yaml", f"rules_files: [{self.rules}]\n")
        with self.run_with(config) as saker:
            self.replace(config, f"rules_files: [{self.rules}]\nlive: {{ring_size: 1MiB}}\nstore: {{max_age: 1h}}\n")
            message = saker.wait_for_message("take effect at the next start")
            self.assertIsNotNone(message, saker.errors)
            self.assertIn("live.ring_size", message)
            self.assertIn("store.max_age", message)
            self.assertNotIn("rules_files", message)

    def test_state_survives(self):
        """What was seen before a reload is known after it: a file that is gone since has its name still."""
        pipe, opened = self.path("go"), self.write("opened", "")
        os.mkfifo(pipe)
        self.write("rules.yaml", rule("First", f"evt.type in (open, openat, close) and fd.name = {opened}", "file=%fd.name"))
        with self.watch() as saker:
            child = subprocess.Popen(["/bin/sh", "-c", f"exec 7<{opened}; read x <{pipe}; exec 7<&-"])
            self.assertTrue(saker.wait_for(lambda a: a.rule == "First"))
            os.remove(opened)  # /proc would say "opened (deleted)"
            self.replace(self.rules, rule("Second", "evt.type = close and fd.num = 7 and proc.name = sh",
                                          "file=%fd.name args=%proc.args"))
            self.assertTrue(saker.wait_for_message("loaded anew"))
            with open(pipe, "w") as file:
                file.write("go\n")
            child.wait(5)
            alert = saker.wait_for(lambda a: a.rule == "Second" and "exec 7<" in a.output)
            self.assertIsNotNone(alert, [a.output for a in saker.alerts])
            self.assertIn(f"file={opened} args=", alert.output)

    def test_reloads_under_load_lose_nothing(self):
        """Every event is judged by the old rules or by the new ones, never by none."""
        with self.watch() as saker:
            marking = threading.Thread(target=self.mark, args=(1200, 0.002), daemon=True)
            marking.start()
            turn = 0
            while marking.is_alive():
                turn += 1
                self.replace(self.rules, self.marker_rule(f"Turn {turn}"))
                time.sleep(0.35)
            marking.join()
            self.assertTrue(wait_until(lambda: len(saker.alerts) >= 1200, 5), len(saker.alerts))
            self.assertEqual([self.number(a.output) for a in saker.alerts], list(range(1200)))
            self.assertGreaterEqual(sum("loaded anew" in line for line in saker.errors), 3, saker.errors)
