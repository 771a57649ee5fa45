# SPDX-License-Identifier: Apache-2.0
"""Checks of compose.yaml against the programs. Yields sentences."""
import re

import yaml

from . import programs
from .manifests import program_of

UPSTREAM = re.compile(r"tcp://([\w-]+):(\d+)")
VARIABLE = re.compile(r"\$\{\w+:?-?([^}]*)\}")


def load():
    path = programs.ROOT / "compose.yaml"
    return yaml.safe_load(path.read_text()) if path.exists() else {"services": {}}


def plain(value):
    """As compose hands it on when .env says nothing."""
    return VARIABLE.sub(r"\1", str(value))


def seconds(text):
    amount, unit = re.fullmatch(r"(\d+)(s|m)", text).groups()
    return int(amount) * (60 if unit == "m" else 1)


def check_service(name, service, program, services):
    env = {key: plain(value) for key, value in service.get("environment", {}).items()}
    known = programs.defaults(program)
    for key, value in env.items():
        if key.startswith("VIADUCT_") and not any(key in programs.defaults(p) for p in programs.PROGRAMS):
            yield f"{name}: no program has the setting {key}"
        if key.endswith("_UPSTREAM"):
            yield from check_upstream(name, key, value, services)
    config = programs.settings(program, env)
    need = (int(config["VIADUCT_DRAIN_DELAY_MS"]) + int(config["VIADUCT_DRAIN_MS"])) / 1000
    need += programs.constant("kit/svc/internal.h", "SVC_STUCK_MS") / 1000
    if "healthcheck" not in service and seconds(service.get("stop_grace_period", "10s")) < need:
        yield f"{name}: it is killed after {service.get('stop_grace_period', '10s')}, but going takes up to {need:g} s"
    out = programs.run(program, "--check", env={k: programs.REQUIRED.get(k, v) for k, v in env.items() if k in known})
    if out.returncode and "is required" not in out.stderr:
        yield f"{name}: viaduct-{program} --check says: {' '.join(out.stderr.split())}"
    yield from check_published(name, program, service)


def check_upstream(name, key, value, services):
    callee = key.split("_")[1].lower()
    for host, port in UPSTREAM.findall(value):
        if host not in services or program_of(services[host]) != callee:
            yield f"{name}: {key}={value}, but no service {host} runs viaduct-{callee}"
        elif int(port) != programs.port(callee, f"VIADUCT_{callee.upper()}_LISTEN"):
            yield f"{name}: {key}={value}, but viaduct-{callee} does not listen at {port}"


def check_published(name, program, service):
    """The API, and nothing else of ours."""
    for port in service.get("ports", []):
        inside = int(plain(port).rsplit(":", 1)[1])
        if program != "gateway" or inside != programs.port("gateway", "VIADUCT_GATEWAY_LISTEN"):
            yield f"{name}: it publishes port {inside}"


def check():
    services = load()["services"]
    for name, service in services.items():
        program = program_of({"image": plain(service.get("image", ""))})
        if program:
            yield from (f"compose.yaml: {s}" for s in check_service(name, service, program, services))
