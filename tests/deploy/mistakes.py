#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes one mistake at a time in the base's manifests and sees that tools/check-deploy says so.
And the arithmetic of tools/sizes: what fits passes, what does not is refused with a sentence."""
import copy
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))
from deploy import manifests, pods, ways

GOOD = manifests.base()


def find(docs, kind, name):
    return next(d for d in docs if d["kind"] == kind and d["metadata"]["name"] == name)


def template(docs, name):
    return find(docs, "Deployment", name)["spec"]["template"]["spec"]


def program(docs, name):
    return template(docs, name)["containers"][0]


def setting(docs, name, key):
    return next(e for e in program(docs, name)["env"] if e["name"] == key)


MISTAKES = {
    "port hop is 7109": lambda d: program(d, "users")["ports"][0].update(containerPort=7109),
    "which nobody reaches": lambda d: setting(d, "orders", "VIADUCT_ORDERS_LISTEN").update(value="tcp://127.0.0.1:7102"),
    "has no setting VIADUCT_ORDER_LISTEN": lambda d: setting(d, "orders", "VIADUCT_ORDERS_LISTEN").update(name="VIADUCT_ORDER_LISTEN"),
    "VIADUCT_JOBS_PG is required": lambda d: program(d, "jobs")["env"].remove(setting(d, "jobs", "VIADUCT_JOBS_PG")),
    "--check says": lambda d: setting(d, "gateway", "VIADUCT_LOOPS").update(value="3000"),
    "must ask /livez": lambda d: program(d, "jobs")["livenessProbe"]["httpGet"].update(path="/health"),
    "must ask /readyz": lambda d: program(d, "gateway").pop("readinessProbe"),
    "a grace period of 40 s": lambda d: setting(d, "gateway", "VIADUCT_DRAIN_MS").update(value="30000"),
    "work under way may take 60000": lambda d: setting(d, "worker", "VIADUCT_DRAIN_MS").update(value="30000"),
    "a memory limit of 64 MiB": lambda d: setting(d, "gateway", "VIADUCT_MAX_CONNECTIONS").update(value="10000"),
    "may take 256 MiB": lambda d: program(d, "users")["env"].append({"name": "VIADUCT_HASH_THREADS", "value": "12"}),
    "lack readOnlyRootFilesystem": lambda d: program(d, "worker")["securityContext"].update(readOnlyRootFilesystem=False),
    "lack automountServiceAccountToken": lambda d: template(d, "users").pop("automountServiceAccountToken"),
    "must not offer the admin port": lambda d: find(d, "Service", "gateway")["spec"]["ports"].append({"port": 9100, "targetPort": "admin"}),
    "names no headless Service": lambda d: find(d, "ConfigMap", "viaduct")["data"].update(VIADUCT_USERS_UPSTREAM="tcp://gateway:7101"),
    "but viaduct-orders listens at 7102": lambda d: find(d, "ConfigMap", "viaduct")["data"].update(VIADUCT_ORDERS_UPSTREAM="tcp://orders-hop:7101"),
    "denies what is not allowed": lambda d: d.remove(find(d, "NetworkPolicy", "default-deny")),
    "lets anybody reach port hop of users": lambda d: d.remove(find(d, "NetworkPolicy", "users")),
    "opens port 8081 of gateway": lambda d: find(d, "NetworkPolicy", "gateway")["spec"]["ingress"][0]["ports"].append({"port": 8081}),
    "leads to port 7101 of orders": lambda d: find(d, "NetworkPolicy", "worker")["spec"]["egress"][1]["ports"][0].update(port=7101),
    "no program has the metric": lambda d: find(d, "HorizontalPodAutoscaler", "users")["spec"]["metrics"][1]["pods"]["metric"].update(name="viaduct_calls"),
    "nothing scales jobs": lambda d: d.remove(find(d, "HorizontalPodAutoscaler", "jobs")),
    "orders has no PodDisruptionBudget": lambda d: d.remove(find(d, "PodDisruptionBudget", "orders")),
    "which is not the API": lambda d: find(d, "Service", "gateway")["spec"]["ports"][0].update(targetPort="admin"),
}


def sentences(docs):
    cluster = manifests.Cluster(docs)
    return [*pods.check(cluster), *ways.check(cluster)]


def unseen():
    for sentence in sentences(GOOD):
        yield f"without a mistake: {sentence}"
    for sentence, make in MISTAKES.items():
        docs = copy.deepcopy(GOOD)
        make(docs)
        said = sentences(docs)
        if not any(sentence in one for one in said):
            yield f"'{sentence}' was not said, but {said}"


SIZES = {
    "": (),
    "up to 51 connections, but max_connections leaves 37": ("--orders", "3", "--max-connections", "40"),
    "9 workers share 8 partitions": ("--worker", "9"),
    "there are 100": ("--memory", "100"),
    "no setting VIADUCT_JOBS_AT": ("worker:VIADUCT_JOBS_AT=1",),
}


def wrong_sizes():
    for sentence, arguments in SIZES.items():
        out = subprocess.run([ROOT / "tools/sizes", *arguments], capture_output=True, text=True, check=False)
        if sentence not in out.stderr or bool(out.returncode) != bool(sentence):
            yield f"sizes {' '.join(arguments)}: exit code {out.returncode}: {out.stderr}"


bad = [*unseen(), *wrong_sizes()]
print("\n".join(bad) or f"{len(MISTAKES)} mistakes seen, {len(SIZES)} sizes right")
sys.exit(bool(bad))
