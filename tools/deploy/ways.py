# SPDX-License-Identifier: Apache-2.0
"""Checks of who reaches whom, and what scales whom. Each yields sentences."""
import re

from . import programs

UPSTREAM = re.compile(r"^(?:tls\+)?tcp://([\w.-]+):(\d+)$")


def ports_of(cluster, name):
    template = dict(cluster.pods())[name]
    return {p["name"]: p["containerPort"] for c in template["spec"]["containers"] for p in c.get("ports", []) if "name" in p}


def check_services(cluster):
    for service in cluster.of("Service"):
        name, spec = service["metadata"]["name"], service["spec"]
        pods = cluster.selected(spec["selector"])
        for port in spec["ports"]:
            target = port.get("targetPort")
            if isinstance(target, str) and not pods:
                yield f"Service {name} selects no pod"
            for pod in pods:
                if target not in ports_of(cluster, pod):
                    yield f"Service {name}: {pod} has no port '{target}'"
            if target == "admin" and (spec.get("clusterIP") != "None" or not name.startswith("metrics")):
                yield f"Service {name} must not offer the admin port"


def check_upstreams(cluster):
    """Every hop address that a program is told is a headless Service, at the callee's own port."""
    services = {s["metadata"]["name"]: s["spec"] for s in cluster.of("Service")}
    for name, template in cluster.pods():
        env = cluster.env(template["spec"]["containers"][0])
        for setting in [s for s in env if s.endswith("_UPSTREAM")]:
            found = UPSTREAM.match(env[setting])
            spec = services.get(found.group(1)) if found else None
            callee = setting.split("_")[1].lower()
            own = programs.port(callee, f"VIADUCT_{callee.upper()}_LISTEN")
            if not spec or spec.get("clusterIP") != "None":
                yield f"{name}: {setting}={env[setting]} names no headless Service"
            elif int(found.group(2)) != own or spec["ports"][0]["port"] != own:
                yield f"{name}: {setting}={env[setting]}, but viaduct-{callee} listens at {own}"


def check_ingress(cluster):
    services = {s["metadata"]["name"]: s["spec"] for s in cluster.of("Service")}
    for ingress in cluster.of("Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                ports = {p.get("name"): p["targetPort"] for p in services[backend["name"]]["ports"]}
                if ports.get(backend["port"]["name"]) != "http":
                    yield f"Ingress {ingress['metadata']['name']} leads to {backend}, which is not the API"


def check_policies(cluster):
    """Default-deny, a way to every port that is listened at, and none to another."""
    policies = [p["spec"] for p in cluster.of("NetworkPolicy")]
    if not any(not p["podSelector"] and sorted(p["policyTypes"]) == ["Egress", "Ingress"]
               and "ingress" not in p and "egress" not in p for p in policies):  # fmt: skip
        yield "no NetworkPolicy denies what is not allowed"
    for name, template in cluster.pods():
        listens = ports_of(cluster, name)
        open_ports = [port["port"] for policy in policies if matches(policy["podSelector"], template)
                      for rule in policy.get("ingress", []) for port in rule.get("ports", [])]  # fmt: skip
        for port in open_ports:
            if port not in listens and port not in listens.values():
                yield f"a NetworkPolicy opens port {port} of {name}, which does not listen there"
        for label, number in listens.items():
            if label not in open_ports and number not in open_ports:
                yield f"no NetworkPolicy lets anybody reach port {label} of {name}"
        if template["spec"]["containers"][0].get("args") != ["migrate"] and "admin" not in listens:
            yield f"{name} has no admin port"


def matches(selector, template):
    labels = template["metadata"]["labels"]
    if not selector:
        return False  # default-deny opens nothing
    for one in selector.get("matchExpressions", []):
        if labels.get(one["key"]) not in one["values"]:
            return False
    return selector.get("matchLabels", {}).items() <= labels.items()


def check_egress(cluster):
    """Where a policy lets a program go by label, the one it goes to lets it in at that port."""
    for policy in cluster.of("NetworkPolicy"):
        for rule in policy["spec"].get("egress", []):
            for to in rule.get("to", []):
                labels = to.get("podSelector", {}).get("matchLabels", {})
                if "namespaceSelector" in to or not labels:
                    continue
                for pod in cluster.selected(labels):
                    for port in rule["ports"]:
                        if port["port"] not in ports_of(cluster, pod).values():
                            yield f"NetworkPolicy {policy['metadata']['name']} leads to port {port['port']} of {pod}, which does not listen there"


def check_budgets(cluster):
    for deployment in cluster.of("Deployment"):
        name = deployment["metadata"]["name"]
        if not any(cluster.selected(b["spec"]["selector"]["matchLabels"]) == [name] for b in cluster.of("PodDisruptionBudget")):
            yield f"{name} has no PodDisruptionBudget of its own"


def check_scaling(cluster):
    deployments = {d["metadata"]["name"] for d in cluster.of("Deployment")}
    scaled = set()
    for scaler in cluster.of("HorizontalPodAutoscaler", "ScaledObject"):
        name, target = scaler["metadata"]["name"], scaler["spec"]["scaleTargetRef"]["name"]
        scaled.add(target)
        if target not in deployments:
            yield f"{scaler['kind']} {name} scales '{target}', which is not there"
        for metric in scaler["spec"].get("metrics", []):
            if metric["type"] == "Pods" and metric["pods"]["metric"]["name"] not in programs.metrics():
                yield f"{scaler['kind']} {name}: no program has the metric {metric['pods']['metric']['name']}"
    for scaler in cluster.of("ScaledObject"):
        yield from check_lag(scaler)
    for name in sorted(d for d in deployments - scaled if not d.startswith("worker")):
        yield f"nothing scales {name}"


def check_lag(scaler):
    topics = programs.partitions()
    prefix = re.search(r'"([\w-]+-)%s"', programs.source("services/jobs/run/worker.c")).group(1)
    for trigger in scaler["spec"]["triggers"]:
        topic, group = trigger["metadata"]["topic"], trigger["metadata"]["consumerGroup"]
        if topic not in topics:
            yield f"ScaledObject: no program knows the topic {topic}"
        elif group != prefix + topic.rsplit(".", 1)[1]:
            yield f"ScaledObject: no worker reads {topic} as group {group}"
        elif scaler["spec"]["maxReplicaCount"] > topics[topic]:
            yield f"ScaledObject: {scaler['spec']['maxReplicaCount']} workers for the {topics[topic]} partitions of {topic}"
        if trigger["metadata"]["bootstrapServersFromEnv"] not in programs.defaults("jobs"):
            yield "ScaledObject: the worker has no such setting for its brokers"


def check(cluster):
    for one in (check_services, check_upstreams, check_ingress, check_policies, check_egress, check_budgets, check_scaling):
        yield from one(cluster)
