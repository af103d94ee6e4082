"""The walk-through of docs/audit.md: from no audit log to who was refused. What kube-apiserver would do is done here; the
commands are those of the page."""
import http.client
import json
import os
import re
import shlex
import ssl
import tempfile
import time
import unittest

from lib import ROOT, Saker, free_port
from test_audit import Webhook, event, event_list

MANIFEST = """apiVersion: v1
kind: Pod
metadata:
  name: kube-apiserver
  namespace: kube-system
spec:
  containers:
  - command:
    - kube-apiserver
    - --secure-port=6443
    image: registry.k8s.io/kube-apiserver:v1.33.2
    name: kube-apiserver
    volumeMounts:
    - mountPath: /etc/kubernetes/pki
      name: k8s-certs
      readOnly: true
  hostNetwork: true
  volumes:
  - hostPath:
      path: /etc/kubernetes/pki
      type: DirectoryOrCreate
    name: k8s-certs
"""


def request(number, user, verb, code, resource="secrets", **more):
    decision = "forbid" if code == 403 else "allow"
    name = "db" if verb in ("update", "patch", "get") else ""
    return event(number, user={"username": user, "groups": ["system:authenticated"]}, verb=verb,
                 requestURI=f"/api/v1/namespaces/shop/{resource}/{name}", userAgent="kubectl/v1.33.2 (linux/amd64)",
                 objectRef={"resource": resource, "namespace": "shop", "name": name, "apiVersion": "v1"},
                 responseStatus={"code": code},
                 annotations={"authorization.k8s.io/decision": decision, "authorization.k8s.io/reason": ""}, **more)


class Walkthrough(Webhook):
    def commands(self, heading):
        """Those of the page's section, in order."""
        with open(os.path.join(ROOT, "docs", "audit.md")) as page:
            section = page.read().split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0]
        return [shlex.split(line[2:]) for line in section.splitlines() if line.startswith("$ saker ")]

    def run_command(self, words, *more):
        """With what the page leaves to the machine: the node's root, and nobody to ask."""
        return self.run_saker(*words[1:], *more, cwd=self.folder)

    def flags(self):
        with open(self.path("node", "etc", "kubernetes", "manifests", "kube-apiserver.yaml")) as manifest:
            return dict(re.findall(r"- --([a-z-]+)=(\S+)", manifest.read()))

    def test_from_no_log_to_who_was_refused(self):
        new, install, analyze = self.commands("## Who changed a Secret, and who tried: in three commands")
        policy = new[new.index(">") + 1]
        ran = self.run_command(new[:new.index(">")])
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.write(policy, ran.stdout)
        self.assertEqual(self.run_saker("audit", "policy", "lint", self.path(policy)).returncode, 0)

        manifests = self.path("node", "etc", "kubernetes", "manifests")
        os.makedirs(manifests)
        self.write("node/etc/kubernetes/manifests/kube-apiserver.yaml", MANIFEST)
        ran = self.run_command(install, "--root", self.path("node"), "--yes", "--wait", "0")
        self.assertEqual(ran.returncode, 0, ran.stderr)

        flags = self.flags()
        log = self.path("node") + flags["audit-log-path"]
        self.assertEqual(os.path.dirname(flags["audit-log-path"]), analyze[-1])
        requests = [request(1, "alice", "update", 200), request(2, "mallory", "update", 403),
                    request(3, "mallory", "patch", 403, "configmaps"), request(4, "alice", "get", 200),
                    request(5, "mallory", "patch", 200)]
        kept = self.kept(self.path("node") + flags["audit-policy-file"], requests)
        self.assertEqual([one["auditID"] for one in kept], ["id-1", "id-2", "id-3", "id-5"])  # reads are not logged
        os.makedirs(os.path.dirname(log), exist_ok=True)
        with open(log, "w") as file:
            file.writelines(json.dumps(one) + "\n" for one in kept)

        ran = self.run_command([*analyze[:-1], self.path("node") + analyze[-1]], "--json")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        found = {(one["actor"], one["title"]): one for one in json.loads(ran.stdout)["findings"]}
        self.assertEqual(found["mallory", "Kubernetes request refused"]["count"], 2)
        self.assertIn(("mallory", "Kubernetes secret refused"), found)
        self.assertIn(("alice", "Kubernetes secret changed"), found)
        self.assertNotIn(("alice", "Kubernetes request refused"), found)

        before = MANIFEST
        ran = self.run_saker("audit", "uninstall", "--root", self.path("node"), "--yes", "--wait", "0")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        with open(os.path.join(manifests, "kube-apiserver.yaml")) as manifest:
            self.assertEqual(manifest.read(), before)

    def kept(self, policy, requests):
        """What a server with the policy logs of these."""
        attributes = [{"user": one["user"]["username"], "groups": one["user"]["groups"], "verb": one["verb"],
                       "resource": one["objectRef"]["resource"], "namespace": "shop", "name": one["objectRef"]["name"],
                       "apiGroup": "", "path": one["requestURI"], "resourceRequest": True} for one in requests]
        batch = self.write("requests.json", json.dumps(attributes))
        ran = self.run_saker("audit", "policy", "explain", policy, "--batch", batch, "--json")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        return [one for one, verdict in zip(requests, json.loads(ran.stdout)) if verdict["level"] != "None"]

    def test_webhook_with_its_own_kubeconfig(self):
        """What webhook-config writes is what run asks for."""
        port = free_port()
        ran = self.run_saker("audit", "webhook-config", "--server", f"https://127.0.0.1:{port}", "--new",
                             self.path("hook"), "-o", self.path("webhook.yaml"))
        self.assertEqual(ran.returncode, 0, ran.stderr)
        with open(self.path("webhook.yaml")) as file:
            kubeconfig = file.read()
        token = re.search(r'token: "?([^"\s]+)', kubeconfig).group(1)
        import base64
        authority = base64.b64decode(re.search(r"certificate-authority-data: (\S+)", kubeconfig).group(1)).decode()
        receiver = re.search(r"saker (run .*)", ran.stderr).group(1)
        with Saker(*shlex.split(receiver)[1:], "--disable-source", "syscall", "-r", self.rules, data_dir=self.path("data"),
                   watching="watching audit events") as saker:
            connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10,
                                                     context=ssl.create_default_context(cadata=authority))
            self.assertEqual(self.post(event_list(event(1)), connection=connection), 401)
            connection.close()
            self.assertEqual(self.post(event_list(event(1)), {"Authorization": f"Bearer {token}"}, connection), 200)
            self.assertIsNotNone(saker.wait_for(lambda a: a.output.endswith("id-1")))
            self.assertEqual(saker.stop(), 0)
        ran = self.run_saker("audit", "analyze", "--since", "1h", "--data-dir", self.path("data"), "--json")
        self.assertEqual(json.loads(ran.stdout)["events"], 1, ran.stderr)


if __name__ == "__main__":
    unittest.main()
