# SPDX-License-Identifier: Apache-2.0
"""Checks of what runs: settings, ports, probes, grace, limits, rights. Each yields sentences."""
import re

from . import programs, sizes
from .manifests import program_of

UNITS = {"Mi": 1 << 20, "Gi": 1 << 30, "Ki": 1 << 10}
MARGIN_S = 2
PROBES = {"livenessProbe": "/livez", "startupProbe": "/livez", "readinessProbe": "/readyz"}
LISTEN = {"http": "VIADUCT_GATEWAY_LISTEN", "admin": "VIADUCT_ADMIN_LISTEN"}
# Deployments that hold a request or job which no drain may cut off: how late it may come and how long take.
LONGEST_MS = {"gateway": ("VIADUCT_DRAIN_IDLE_MS", "VIADUCT_WORK_MS")}


def check_settings(cluster, name, program, container):
    """Each is one of the program's own, and the program takes its value."""
    known = programs.defaults(program)
    for one in container.get("env", []):
        if one["name"] not in known:
            yield f"{name}: viaduct-{program} has no setting {one['name']}"
    env = {k: v for k, v in cluster.env(container).items() if k in known}
    given = {k: v if isinstance(v, str) else programs.REQUIRED.get(k, "") for k, v in env.items()}
    for setting, default in known.items():
        if default == "required" and setting not in env:
            yield f"{name}: {setting} is required by viaduct-{program} and not set"
            given[setting] = programs.REQUIRED[setting]
    role = [] if container.get("args") == ["migrate"] else container.get("args", [])
    out = programs.run(program, *role, "--check", env=programs.with_files(given))
    if out.returncode:
        yield f"{name}: viaduct-{program} --check says: {' '.join(out.stderr.split())}"


def check_ports(cluster, name, program, container):
    """The ports are those the program listens at by default, and is told to listen at."""
    env = cluster.env(container)
    for port in container.get("ports", []):
        setting = LISTEN.get(port["name"], f"VIADUCT_{program.upper()}_LISTEN")
        own, told = programs.port(program, setting), env.get(setting, "")
        if port["containerPort"] != own:
            yield f"{name}: port {port['name']} is {port['containerPort']}, but viaduct-{program} listens at {own}"
        if not told.endswith(f"0.0.0.0:{own}"):
            yield f"{name}: {setting} is '{told}', which nobody reaches at port {own}"


def check_probes(name, container):
    pages = re.findall(r'\{"(/\w+)", ', programs.source("kit/svc/admin.c"))
    for probe, path in PROBES.items():
        get = container.get(probe, {}).get("httpGet", {})
        if get.get("port") != "admin" or get.get("path") != path:
            yield f"{name}: the {probe} must ask {path} at port admin"
        if path not in pages:
            yield f"the programs' admin port has no {path}"


def check_grace(cluster, name, program, spec, container):
    """SIGKILL comes after everything that the program does on SIGTERM."""
    config = programs.settings(program, {k: v for k, v in cluster.env(container).items() if isinstance(v, str)})
    before = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain_ms = int(config["VIADUCT_DRAIN_MS"])
    stop_ms = programs.constant("kit/svc/internal.h", "SVC_STUCK_MS")
    need = before + (int(config["VIADUCT_DRAIN_DELAY_MS"]) + drain_ms + stop_ms) / 1000 + MARGIN_S
    if spec["terminationGracePeriodSeconds"] < need:
        yield f"{name}: a grace period of {spec['terminationGracePeriodSeconds']} s, but going takes up to {need:g} s"
    longest = longest_ms(name, config)
    if drain_ms < longest:
        yield f"{name}: VIADUCT_DRAIN_MS is {drain_ms}, but work under way may take {longest} ms"


def longest_ms(name, config):
    if name.startswith("worker"):
        kinds = re.findall(r"\[JOB_\w+\] = \{(.*?)\}", programs.source("services/jobs/rules/policy.c"), re.S)
        return max(int(re.search(r"timeout_ms = (\d+)", k).group(1)) for k in kinds if "interruptible" not in k)
    return sum(int(config[setting]) for setting in LONGEST_MS.get(re.sub(r"-(blue|green)$", "", name), ()))


def bytes_of(quantity):
    return int(quantity[:-2]) * UNITS[quantity[-2:]]


def check_memory(cluster, name, container):
    role = re.sub(r"-(blue|green)$", "", name)
    env = {k: v for k, v in cluster.env(container).items() if isinstance(v, str)}
    need = sizes.part(role, 1, env).bytes
    limit = bytes_of(container["resources"]["limits"]["memory"])
    if limit < need:
        yield f"{name}: a memory limit of {limit >> 20} MiB, but its settings may take {need >> 20} MiB (./dev sizes)"
    if bytes_of(container["resources"]["requests"]["memory"]) > limit:
        yield f"{name}: it requests more memory than its limit"


def check_rights(name, spec, container):
    """Pod Security Standard "restricted", a root that cannot be written, no token."""
    pod, own = spec.get("securityContext", {}), container.get("securityContext", {})
    wanted = {
        "runAsNonRoot": pod.get("runAsNonRoot") is True,
        "seccompProfile RuntimeDefault": pod.get("seccompProfile", {}).get("type") == "RuntimeDefault",
        "allowPrivilegeEscalation false": own.get("allowPrivilegeEscalation") is False,
        "readOnlyRootFilesystem": own.get("readOnlyRootFilesystem") is True,
        "capabilities drop ALL": own.get("capabilities", {}).get("drop") == ["ALL"],
        "automountServiceAccountToken false": spec.get("automountServiceAccountToken") is False,
        "a service account of its own": spec.get("serviceAccountName", "default") != "default",
    }
    yield from (f"{name}: its pods lack {what}" for what, there in wanted.items() if not there)


def check(cluster):
    for name, template in cluster.pods():
        spec = template["spec"]
        for container in spec["containers"]:
            program = program_of(container)
            if not program:
                continue
            refused = list(check_settings(cluster, name, program, container))
            yield from [*refused, *check_rights(name, spec, container)]
            if refused or container.get("args") == ["migrate"]:
                continue
            yield from check_ports(cluster, name, program, container)
            yield from check_probes(name, container)
            yield from check_grace(cluster, name, program, spec, container)
            yield from check_memory(cluster, name, container)
