//! Pods that start, and pods that cannot.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use livius_testkit::Image;
use serde_json::{Value, json};

use crate::Case;
use crate::world::{NAMESPACE, World, eventually, pod, state};

pub const CASES: &[Case] = &[
    ("a_pod_runs_to_its_end", runs),
    ("a_pod_has_an_address_a_name_and_an_account", identity),
    ("a_pod_sees_its_volumes_and_variables", volumes),
    ("a_pod_waits_for_a_secret", waits_for_secret),
    ("a_pod_waits_for_a_secret_of_a_variable", waits_for_variable),
    ("a_pod_that_is_too_large_is_not_scheduled", unschedulable),
    ("a_pod_for_other_nodes_is_not_scheduled", other_node),
    ("a_pod_waits_for_its_image", unknown_image),
    ("a_command_that_does_not_exist", no_command),
    ("containers_that_run_before_the_others", init_containers),
    ("a_quota_refuses_a_pod", quota),
    ("an_account_may_do_what_its_role_says", rights),
    ("a_root_that_is_read_only", read_only),
];

fn runs(world: &mut World) {
    world.run("runs", "echo done; exit 3", &Value::Null);
    let pod = world.until_phase("runs", "Failed");
    let ended = &state(&pod)["terminated"];
    assert_eq!(ended["exitCode"], 3, "{pod:#}");
    assert_eq!(ended["reason"], "Error");
    assert_eq!(pod["spec"]["nodeName"], "livius-node");
    assert_eq!(world.log("runs", ""), "done\n");
    for reason in ["Scheduled", "Pulled", "Created", "Started"] {
        world.until_event("runs", reason);
    }
    world.run("succeeds", "true", &Value::Null);
    let pod = world.until_phase("succeeds", "Succeeded");
    assert_eq!(state(&pod)["terminated"]["reason"], "Completed");
    world.delete("runs", 0);
    world.delete("succeeds", 30);
}

fn identity(world: &mut World) {
    let script = "\
        echo $BASHPID $(ps -e --no-headers -o pid= | head -1)
        hostname
        getent hosts $(hostname) | cut -d' ' -f1
        test -e /tmp/only-here || echo new > /tmp/only-here
        cat /var/run/secrets/kubernetes.io/serviceaccount/namespace; echo
        files=/var/run/secrets/kubernetes.io/serviceaccount
        curl --silent --cacert $files/ca.crt --header \"Authorization: Bearer $(cat $files/token)\" \
            https://kubernetes.default.svc/api/v1/namespaces/kit/pods/identity |
            grep -o '\"uid\": \"[^\"]*\"' | head -1";
    let extra = json!({"serviceAccountName": "spark"});
    world.run("identity", script, &extra);
    let pod = world.until_phase("identity", "Succeeded");
    let log = world.log("identity", "");
    let lines: Vec<&str> = log.lines().collect();
    let (address, uid) = (&pod["status"]["podIP"], &pod["metadata"]["uid"]);
    let uid = format!("\"uid\": {uid}");
    assert_eq!(
        lines,
        [
            "1 1",
            "identity",
            address.as_str().unwrap(),
            NAMESPACE,
            uid.as_str()
        ]
    );
    assert!(!std::path::Path::new("/tmp/only-here").exists());
    world.delete("identity", 0);
}

fn volumes(world: &mut World) {
    let base = format!("/api/v1/namespaces/{NAMESPACE}");
    let map = json!({"metadata": {"name": "map"}, "data": {"a": "from a map", "b": "other"}});
    world.cluster.create(&format!("{base}/configmaps"), &map);
    let secret = json!({
        "metadata": {"name": "hidden"}, "data": {"key": STANDARD.encode([1, 200, 10])},
        "stringData": {"WORD": "hush"},
    });
    world.cluster.create(&format!("{base}/secrets"), &secret);
    let script = "\
        cat /maps/sub/a; echo; cat /one; echo
        od -An -tx1 /secrets/key | tr -d ' '; stat -L -c %a /secrets/key
        touch /secrets/new 2>&1 | grep -o 'Read-only file system'
        echo kept > /scratch/file; cat /scratch/file; cat /info/labels
        echo $WORD $P_WORD $FROM_MAP $NAME $LIMIT $JOINED";
    let extra = json!({
        "volumes": [
            {"name": "maps", "configMap": {"name": "map", "items": [{"key": "a", "path": "sub/a"}]}},
            {"name": "one", "configMap": {"name": "map"}},
            {"name": "secrets", "secret": {"secretName": "hidden", "defaultMode": 0o400}},
            {"name": "scratch", "emptyDir": {}},
            {"name": "info", "downwardAPI": {"items": [
                {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
            ]}},
        ],
        "containers": [{
            "volumeMounts": [
                {"name": "maps", "mountPath": "/maps"},
                {"name": "one", "mountPath": "/one", "subPath": "b"},
                {"name": "secrets", "mountPath": "/secrets"},
                {"name": "scratch", "mountPath": "/scratch"},
                {"name": "info", "mountPath": "/info"},
            ],
            "resources": {"limits": {"memory": "64Mi"}},
            "envFrom": [{"prefix": "P_", "secretRef": {"name": "hidden"}}],
            "env": [
                {"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "hidden", "key": "WORD"}}},
                {"name": "FROM_MAP", "valueFrom": {"configMapKeyRef": {"name": "map", "key": "b"}}},
                {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "LIMIT", "valueFrom": {"resourceFieldRef":
                    {"resource": "limits.memory", "divisor": "1Mi"}}},
                {"name": "JOINED", "value": "$(NAME)-$(WORD)"},
            ],
        }],
    });
    world.run("volumes", script, &extra);
    world.until_phase("volumes", "Succeeded");
    assert_eq!(
        world.log("volumes", ""),
        "from a map\nother\n01c80a\n400\nRead-only file system\nkept\napp=\"volumes\"\n\
         hush hush other volumes 64 volumes-hush\n"
    );
    world.delete("volumes", 0);
}

fn waits_for_secret(world: &mut World) {
    let extra = json!({
        "volumes": [{"name": "late", "secret": {"secretName": "late"}}],
        "containers": [{"volumeMounts": [{"name": "late", "mountPath": "/late"}]}],
    });
    world.run("waits", "cat /late/word", &extra);
    let message = world.until_event("waits", "FailedMount");
    assert_eq!(
        message,
        r#"MountVolume.SetUp failed for volume "late" : secret "late" not found"#
    );
    let pod = world.pod("waits").unwrap();
    assert_eq!(pod["status"]["phase"], "Pending");
    assert_eq!(state(&pod)["waiting"]["reason"], "ContainerCreating");
    let (status, answer) = world
        .cluster
        .request("GET", &(World::path("waits") + "/log"), None);
    assert_eq!(status, 400, "{answer}");
    let text = "is waiting to start: ContainerCreating";
    assert!(
        answer["message"].as_str().unwrap().contains(text),
        "{answer}"
    );
    let secret = json!({"metadata": {"name": "late"}, "stringData": {"word": "came"}});
    world
        .cluster
        .create(&format!("/api/v1/namespaces/{NAMESPACE}/secrets"), &secret);
    world.until_phase("waits", "Succeeded");
    assert_eq!(world.log("waits", ""), "came");
    world.delete("waits", 0);
}

fn waits_for_variable(world: &mut World) {
    let extra = json!({"containers": [{"env": [
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "never", "key": "k"}}},
    ]}]});
    world.run("variable", "true", &extra);
    let pod = world.until("variable", "a missing secret", |pod| {
        state(pod)["waiting"]["reason"] == "CreateContainerConfigError"
    });
    assert_eq!(
        state(&pod)["waiting"]["message"],
        r#"secret "never" not found"#
    );
    world.delete("variable", 0);
}

fn unschedulable(world: &mut World) {
    let wants =
        |memory: &str| json!({"containers": [{"resources": {"requests": {"memory": memory}}}]});
    world.run("fits", "sleep 4321", &wants("10Gi"));
    world.until_phase("fits", "Running");
    world.run("later", "true", &wants("10Gi"));
    let pod = world.until("later", "unschedulable", |pod| {
        pod["status"]["conditions"][0]["reason"] == "Unschedulable"
    });
    let condition = &pod["status"]["conditions"][0];
    assert_eq!(condition["type"], "PodScheduled");
    assert_eq!(condition["status"], "False");
    let message = condition["message"].as_str().unwrap();
    assert!(
        message.starts_with("0/2 nodes are available: 1 Insufficient memory"),
        "{message}"
    );
    assert_eq!(world.until_event("later", "FailedScheduling"), message);
    // It gets the room of the other one.
    world.delete("fits", 0);
    world.until_phase("later", "Succeeded");
    world.delete("later", 0);
}

fn other_node(world: &mut World) {
    world.run(
        "elsewhere",
        "true",
        &json!({"nodeSelector": {"zone": "moon"}}),
    );
    let message = world.until_event("elsewhere", "FailedScheduling");
    assert!(
        message.contains("didn't match Pod's node affinity/selector"),
        "{message}"
    );
    world.delete("elsewhere", 0);
}

fn unknown_image(world: &mut World) {
    let image = "registry.test/late:1";
    world.run(
        "image",
        "echo $WORD",
        &json!({"containers": [{"image": image}]}),
    );
    for reason in ["ErrImagePull", "ImagePullBackOff"] {
        let pod = world.until("image", reason, |pod| {
            state(pod)["waiting"]["reason"] == reason
        });
        let message = state(&pod)["waiting"]["message"].as_str().unwrap();
        assert!(
            message.contains("registry.test/late:1: not found"),
            "{message}"
        );
    }
    let message = world.until_event("image", "BackOff");
    assert_eq!(message, r#"Back-off pulling image "registry.test/late:1""#);
    world
        .cluster
        .add_image(image, Image::shell().with_variable("WORD", "pulled"));
    world.until_phase("image", "Succeeded");
    assert_eq!(world.log("image", ""), "pulled\n");
    world.delete("image", 0);
}

fn no_command(world: &mut World) {
    world.create(&pod("no-command", &["nosuch", "word"], &Value::Null));
    let pod = world.until_phase("no-command", "Failed");
    let ended = &state(&pod)["terminated"];
    assert_eq!(ended["exitCode"], 128);
    assert_eq!(ended["reason"], "StartError");
    let message = ended["message"].as_str().unwrap();
    assert!(
        message.contains(r#"exec: "nosuch": executable file not found"#),
        "{message}"
    );
    world.delete("no-command", 0);
}

fn init_containers(world: &mut World) {
    let first = |script: &str| {
        json!({
            "volumes": [{"name": "shared", "emptyDir": {}}],
            "initContainers": [{
                "name": "first", "image": livius_testkit::KubernetesCluster::SHELL,
                "command": ["/bin/bash", "-c", script],
                "volumeMounts": [{"name": "shared", "mountPath": "/shared"}],
            }],
            "containers": [{"volumeMounts": [{"name": "shared", "mountPath": "/shared"}]}],
        })
    };
    world.run(
        "init",
        "cat /shared/file",
        &first("echo first > /shared/file"),
    );
    world.until_phase("init", "Succeeded");
    assert_eq!(world.log("init", "container=main"), "first\n");
    world.run("init-fails", "echo never", &first("exit 4"));
    let pod = world.until_phase("init-fails", "Failed");
    let ended = &pod["status"]["initContainerStatuses"][0]["state"]["terminated"];
    assert_eq!(ended["exitCode"], 4);
    assert_eq!(state(&pod)["waiting"]["reason"], "PodInitializing");
    world.delete("init", 0);
    world.delete("init-fails", 0);
}

fn quota(world: &mut World) {
    world.cluster.create_namespace("small");
    let quota = json!({"metadata": {"name": "few"}, "spec": {"hard": {"pods": "0"}}});
    world
        .cluster
        .create("/api/v1/namespaces/small/resourcequotas", &quota);
    let pod = pod("one", &["true"], &Value::Null);
    let answer = eventually("the quota counts", || {
        let path = "/api/v1/namespaces/small/pods";
        let (status, answer) = world.cluster.request("POST", path, Some(&pod));
        let message = answer["message"].as_str().unwrap_or_default().to_owned();
        if status == 403 && message.contains("exceeded quota") {
            return Ok(message);
        }
        world
            .cluster
            .request("DELETE", &format!("{path}/one"), None);
        Err(message)
    });
    let text = "exceeded quota: few, requested: pods=1, used: pods=0, limited: pods=0";
    assert!(answer.contains(text), "{answer}");
}

fn rights(world: &mut World) {
    let review = |account: &str, verb: &str, resource: &str, part: &str| {
        let user = format!("system:serviceaccount:{NAMESPACE}:{account}");
        let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
        let wanted = json!({"spec": {"user": user, "resourceAttributes": {
            "namespace": NAMESPACE, "verb": verb, "resource": resource, "subresource": part,
        }}});
        world.cluster.create(path, &wanted)["status"]["allowed"].clone()
    };
    for (account, verb, resource, part, allowed) in [
        ("spark", "deletecollection", "pods", "", true),
        ("spark", "get", "secrets", "", false),
        ("livius", "watch", "pods", "", true),
        ("livius", "get", "pods", "log", true),
        ("livius", "create", "secrets", "", true),
        ("livius", "create", "pods", "exec", false),
        ("livius", "list", "events", "", true),
        ("default", "list", "pods", "", false),
    ] {
        let answer = review(account, verb, resource, part);
        assert_eq!(answer, allowed, "{account} {verb} {resource} {part}");
    }
    let credentials = world.cluster.credentials(NAMESPACE, "livius");
    let token = std::fs::read_to_string(credentials.token_file).unwrap();
    assert_eq!(token.split('.').count(), 3, "a JWT");
}

fn read_only(world: &mut World) {
    let extra = json!({
        "volumes": [{"name": "scratch", "emptyDir": {}}],
        "containers": [{
            "securityContext": {"readOnlyRootFilesystem": true},
            "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
        }],
    });
    let script =
        "touch /file || touch /tmp/file || echo may not; echo kept > /scratch/a; cat /scratch/a";
    world.run("read-only", &format!("({script}) 2>/dev/null"), &extra);
    world.until_phase("read-only", "Succeeded");
    assert_eq!(world.log("read-only", ""), "may not\nkept\n");
    world.delete("read-only", 0);
}
