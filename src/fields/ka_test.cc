// Fields of Kubernetes audit events.
#include "fields/test_driver.h"

namespace saker::fields {
namespace {

class AuditFields : public FieldTest {};

const TextRecord kPod(R"({"auditID":"id-1","stage":"ResponseComplete","verb":"create",
"requestURI":"/api/v1/namespaces/prod/pods?dryRun=All&x=a%20b+c","userAgent":"kubectl",
"user":{"username":"ann","groups":["dev","system:authenticated"]},
"impersonatedUser":{"username":"root"},"sourceIPs":["10.0.0.1","10.0.0.2"],
"objectRef":{"resource":"pods","namespace":"prod","name":"web"},
"responseStatus":{"code":201,"reason":"Created"},
"annotations":{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":"RBAC",
"authentication.openshift.io/decision":"ok","authentication.openshift.io/username":"ann2",
"validation.policy.admission.k8s.io/validation_failure":"vf",
"pod-security.kubernetes.io/audit-violations":"pv","cluster_name":"east"},
"responseObject":{"metadata":{"name":"web-1"}},
"requestObject":{"spec":{"hostIPC":true,"hostNetwork":false,"hostPID":true,
"runAsUser":7,"securityContext":{"runAsUser":1000,"runAsGroup":1001,"fsGroup":1002,
"supplementalGroups":[1,2]},
"containers":[
{"name":"a","image":"reg:5000/x/y:1","command":["sh","-c"],"args":["a b","c"],
"ports":[{"hostPort":80,"containerPort":8080},{"containerPort":9090}],
"securityContext":{"privileged":true,"allowPrivilegeEscalation":false,
"readOnlyRootFilesystem":true,"runAsUser":0,"runAsGroup":5,"procMount":"Default",
"capabilities":{"add":["SYS_ADMIN", "NET_RAW"]}}},
{"name":"b","image":"nginx@sha256:00","runAsUser":3}],
"initContainers":[{"name":"i"}],
"ephemeralContainers":[{"name":"e","image":"busybox"}],
"volumes":[{"name":"v","hostPath":{"path":"/var/run/docker.sock"}},
{"name":"w","flexVolume":{"driver":"d"}},{"name":"z","secret":{}}]}}})");

TEST_F(AuditFields, WhoDidWhat) {
  at_audit(kPod);
  EXPECT_EQ(text("ka.auditid"), "id-1");
  EXPECT_EQ(text("ka.stage"), "ResponseComplete");
  EXPECT_EQ(text("ka.verb"), "create");
  EXPECT_EQ(text("ka.uri"), "/api/v1/namespaces/prod/pods?dryRun=All&x=a%20b+c");
  EXPECT_EQ(text("ka.uri.param[dryRun]"), "All");
  EXPECT_EQ(text("ka.uri.param[x]"), "a b c");
  EXPECT_EQ(text("ka.uri.param[none]"), kNone);
  EXPECT_EQ(text("ka.useragent"), "kubectl");
  EXPECT_EQ(text("ka.auth.decision"), "allow");
  EXPECT_EQ(text("ka.auth.reason"), "RBAC");
  EXPECT_EQ(text("ka.auth.openshift.decision"), "ok");
  EXPECT_EQ(text("ka.auth.openshift.username"), "ann2");
  EXPECT_EQ(text("ka.validations.admission.policy.failure"), "vf");
  EXPECT_EQ(text("ka.security.pod.violations"), "pv");
  EXPECT_EQ(text("ka.user.name"), "ann");
  EXPECT_EQ(text("ka.user.groups"), "(dev,system:authenticated)");
  EXPECT_EQ(text("ka.impuser.name"), "root");
  EXPECT_EQ(text("ka.target.name"), "web");
  EXPECT_EQ(text("ka.target.namespace"), "prod");
  EXPECT_EQ(text("ka.target.resource"), "pods");
  EXPECT_EQ(text("ka.target.subresource"), kNone);
  EXPECT_EQ(text("ka.target.pod.name"), "web-1");
  EXPECT_EQ(text("ka.resp.name"), "web-1");
  EXPECT_EQ(text("ka.response.code"), "201");
  EXPECT_EQ(text("ka.response.reason"), "Created");
  EXPECT_EQ(text("ka.sourceips"), "(10.0.0.1,10.0.0.2)");
  EXPECT_EQ(text("ka.sourceips[1]"), "(10.0.0.2)");
  EXPECT_EQ(text("ka.cluster.name"), "east");
  EXPECT_EQ(text("evt.source"), "k8s_audit");
  EXPECT_EQ(text("evt.pluginname"), "k8saudit");
  EXPECT_EQ(text("evt.plugininfo"), kPod.text());
  EXPECT_TRUE(holds("ka.user.groups intersects (dev)", "k8s_audit"));
  EXPECT_TRUE(holds("ka.target.resource=pods and not ka.target.subresource exists", "k8s_audit"));
}

TEST_F(AuditFields, Pods) {
  at_audit(kPod);
  EXPECT_EQ(text("ka.req.pod.host_ipc"), "true");
  EXPECT_EQ(text("ka.req.pod.host_network"), "false");
  EXPECT_EQ(text("ka.req.container.host_network"), "false");
  EXPECT_EQ(text("ka.req.pod.host_pid"), "true");
  EXPECT_EQ(text("ka.req.pod.run_as_user"), "1000");
  EXPECT_EQ(text("ka.req.pod.run_as_group"), "1001");
  EXPECT_EQ(text("ka.req.pod.fs_group"), "1002");
  EXPECT_EQ(text("ka.req.pod.supplemental_groups"), "(1,2)");
  EXPECT_EQ(text("ka.req.pod.volumes.hostpath"), "(/var/run/docker.sock)");
  EXPECT_EQ(text("ka.req.pod.volumes.flexvolume_driver"), "(d)");
  EXPECT_EQ(text("ka.req.pod.volumes.volume_type"), "(hostPath,flexVolume,secret)");
  EXPECT_EQ(text("ka.req.pod.volumes.volume_type[2]"), "(secret)");
  EXPECT_EQ(text("ka.req.volume.hostpath[/var/run/docker.sock]"), "true");
  EXPECT_EQ(text("ka.req.volume.hostpath[/var/*]"), "true");
  EXPECT_EQ(text("ka.req.volume.hostpath[/var]"), "false");
  EXPECT_EQ(text("ka.req.container.image"), "reg:5000/x/y:1");
  EXPECT_EQ(text("ka.req.container.image.repository"), "reg");
  EXPECT_EQ(text("ka.req.container.privileged"), "true");
}

TEST_F(AuditFields, Containers) {
  at_audit(kPod);
  EXPECT_EQ(text("ka.req.pod.containers.name"), "(a,b)");
  EXPECT_EQ(text("ka.req.pod.containers.image"), "(reg:5000/x/y:1,nginx@sha256:00)");
  EXPECT_EQ(text("ka.req.pod.containers.image[1]"), "(nginx@sha256:00)");
  EXPECT_EQ(text("ka.req.pod.containers.image[2]"), kNone);
  EXPECT_EQ(text("ka.req.pod.containers.image.repository"), "(reg,nginx)");
  EXPECT_EQ(text("ka.req.pod.containers.command"), "(sh -c)");
  EXPECT_EQ(text("ka.req.pod.containers.args"), "(a b c)");
  EXPECT_EQ(text("ka.req.pod.containers.host_port"), "(80,9090)");
  EXPECT_EQ(text("ka.req.pod.containers.privileged"), "(true)");
  EXPECT_EQ(text("ka.req.pod.containers.allow_privilege_escalation"), "(false)");
  EXPECT_EQ(text("ka.req.pod.containers.read_only_fs"), "(true)");
  EXPECT_EQ(text("ka.req.pod.containers.run_as_user"), "(0)");
  EXPECT_EQ(text("ka.req.pod.containers.run_as_group"), "(5)");
  EXPECT_EQ(text("ka.req.pod.containers.eff_run_as_user"), "(7,3)");
  EXPECT_EQ(text("ka.req.pod.containers.eff_run_as_group"), "(0,0)");
  EXPECT_EQ(text("ka.req.pod.containers.proc_mount"), "(Default)");
  EXPECT_EQ(text("ka.req.pod.containers.add_capabilities"), R"((["SYS_ADMIN","NET_RAW"]))");
  EXPECT_EQ(text("ka.req.pod.initContainers.name"), "(i)");
  EXPECT_EQ(text("ka.req.pod.initContainers.image"), kNone);
  EXPECT_EQ(text("ka.req.pod.ephemeralContainers.image"), "(busybox)");
  EXPECT_TRUE(holds("ka.req.pod.containers.privileged intersects (true)", "k8s_audit"));
  EXPECT_NE(error("ka.req.pod.containers.image[x] in (a)"), "");
}

TEST_F(AuditFields, OtherLists) {
  // The three lists share their code; the names are what can go wrong.
  for (std::string_view list : {"initContainers", "ephemeralContainers"}) {
    const TextRecord record(
        R"({"auditID":"1","requestObject":{"spec":{")" + std::string(list) +
        R"(":[{"name":"n","image":"r:t","command":["c"],"args":["d"],"ports":[{"hostPort":1}],
           "securityContext":{"privileged":true,"allowPrivilegeEscalation":true,
           "readOnlyRootFilesystem":true,"runAsUser":1,"runAsGroup":2,"procMount":"p",
           "capabilities":{"add":["x"]}}}]}}})");
    at_audit(record);
    const std::string prefix = "ka.req.pod." + std::string(list);
    const std::pair<std::string_view, std::string_view> expected[] = {
        {".name", "(n)"},
        {".image", "(r:t)"},
        {".image.repository", "(r)"},
        {".command", "(c)"},
        {".args", "(d)"},
        {".privileged", "(true)"},
        {".allow_privilege_escalation", "(true)"},
        {".read_only_fs", "(true)"},
        {".run_as_user", "(1)"},
        {".run_as_group", "(2)"},
        {".eff_run_as_user", "(0)"},
        {".eff_run_as_group", "(0)"},
        {".proc_mount", "(p)"},
        {".add_capabilities", R"((["x"]))"}};
    for (const auto& [name, value] : expected)
      EXPECT_EQ(text(prefix + std::string(name)), value) << prefix << name;
    EXPECT_EQ(catalog().knows(prefix + ".host_port"), list == "initContainers");
  }
}

TEST_F(AuditFields, Requests) {
  const TextRecord record(R"({"auditID":"1","objectRef":{"name":"obj"},"requestObject":{
    "data":{"k": "v"},"roleRef":{"name":"admin"},
    "subjects":[{"kind":"User","name":"u"},{"kind":"ServiceAccount","name":"s","namespace":"n"},
                {"kind":"Group","name":"g"}],
    "rules":[{"apiGroups":["a"],"verbs":["get","list"],"resources":["pods"]},
             {"nonResourceURLs":["/x"],"verbs":["*"]}],
    "spec":{"type":"NodePort","ports":[{"port": 80}]}}})");
  at_audit(record);
  EXPECT_EQ(text("ka.req.binding.subjects"),
            R"(({"kind":"User","name":"u"},{"kind":"ServiceAccount","name":"s","namespace":"n"},)"
            R"({"kind":"Group","name":"g"}))");
  EXPECT_EQ(text("ka.req.binding.subjects.user_names"), "(u)");
  EXPECT_EQ(text("ka.req.binding.subjects.serviceaccount_names"), "(s)");
  EXPECT_EQ(text("ka.req.binding.subjects.serviceaccount_ns_names"), "(n:s)");
  EXPECT_EQ(text("ka.req.binding.subjects.group_names"), "(g)");
  EXPECT_EQ(text("ka.req.binding.role"), "admin");
  EXPECT_EQ(text("ka.req.binding.subject.has_name[x]"), "true");
  EXPECT_EQ(text("ka.req.configmap.name"), "obj");
  EXPECT_EQ(text("ka.req.configmap.obj"), R"({"k":"v"})");
  EXPECT_EQ(text("ka.req.role.rules"),
            R"(({"apiGroups":["a"],"verbs":["get","list"],"resources":["pods"]},)"
            R"({"nonResourceURLs":["/x"],"verbs":["*"]}))");
  EXPECT_EQ(text("ka.req.role.rules.apiGroups"), "(a)");
  EXPECT_EQ(text("ka.req.role.rules.nonResourceURLs"), "(/x)");
  EXPECT_EQ(text("ka.req.role.rules.verbs"), "(get,list,*)");
  EXPECT_EQ(text("ka.req.role.rules.verbs[1]"), "(*)");
  EXPECT_EQ(text("ka.req.role.rules.resources"), "(pods)");
  EXPECT_EQ(text("ka.req.service.type"), "NodePort");
  EXPECT_EQ(text("ka.req.service.ports"), R"(({"port":80}))");
}

TEST_F(AuditFields, AnyJson) {
  at_audit(kPod);
  for (std::string prefix : {"json", "jevt"}) {
    EXPECT_EQ(text(prefix + ".value[/user/username]"), "ann");
    EXPECT_EQ(text(prefix + ".value[user/groups/1]"), "system:authenticated");
    EXPECT_EQ(text(prefix + ".value[/responseStatus]"), R"({"code":201,"reason":"Created"})");
    EXPECT_EQ(text(prefix + ".value[/nope]"), kNone);
    EXPECT_EQ(text(prefix + ".rawtime"), "1700000000123456789");
    EXPECT_TRUE(text(prefix + ".obj").starts_with("{\n  \"auditID\": \"id-1\",\n"));
  }
}

TEST_F(AuditFields, NotAnAuditEvent) {
  const TextRecord record(R"({"verb":"get","user":{"username":"x"}})");
  at_audit(record);
  EXPECT_EQ(text("ka.verb"), kNone);
  EXPECT_EQ(text("ka.user.name"), kNone);
  EXPECT_EQ(text("jevt.value[/verb]"), "get");
}

}  // namespace
}  // namespace saker::fields
