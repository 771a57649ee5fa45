# SPDX-License-Identifier: Apache-2.0
"""Kubernetes objects as dicts: rendered ones as they are, or the base put together here, so
that its test needs no kubectl."""
import json
from pathlib import Path

import yaml

from .programs import ROOT

K8S = ROOT / "deploy" / "k8s"


def load(path):
    return [doc for doc in yaml.safe_load_all(Path(path).read_text()) if doc]


def merge(into, patch):
    """Kubernetes' strategic merge, as far as our patches go: lists of named things by name."""
    for key, value in patch.items():
        old = into.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            merge(old, value)
        elif isinstance(value, list) and isinstance(old, list) and value and "name" in value[0]:
            for item in value:
                same = [o for o in old if o["name"] == item["name"]]
                merge(same[0], item) if same else old.append(item)
        else:
            into[key] = json.loads(json.dumps(value))  # no two objects share it


def apply(into, operations):
    """JSON patch, as far as ours goes: add and replace."""
    for operation in operations:
        *way, last = operation["path"].strip("/").split("/")
        at = into
        for step in way:
            at = at[int(step) if isinstance(at, list) else step]
        at[int(last) if isinstance(at, list) else last] = json.loads(json.dumps(operation["value"]))


def base():
    folder = K8S / "base"
    kustomization = load(folder / "kustomization.yaml")[0]
    docs = [doc for name in kustomization["resources"] for doc in load(folder / name)]
    for patch in kustomization["patches"]:
        body = load(folder / patch["path"])[0]
        for doc in docs:
            if doc["kind"] != patch["target"]["kind"]:
                continue
            if isinstance(body, list):
                apply(doc, body)
            else:
                merge(doc, {key: value for key, value in body.items() if key != "metadata"})
    label = kustomization["labels"][0]["pairs"]
    for doc in docs:
        doc["metadata"].setdefault("labels", {}).update(label)
        if "template" in doc.get("spec", {}):
            doc["spec"]["template"]["metadata"]["labels"].update(label)
    lines = (folder / "config.env").read_text().splitlines()
    data = dict(line.split("=", 1) for line in lines if line and line[0] != "#")
    return [*docs, {"kind": "ConfigMap", "metadata": {"name": "viaduct"}, "data": data}]


class Cluster:
    """What the checks ask of a set of objects."""

    def __init__(self, docs):
        self.docs = docs

    def of(self, *kinds):
        return [doc for doc in self.docs if doc["kind"] in kinds]

    def pods(self):
        """(name, template) of everything that runs a program of ours."""
        for doc in self.of("Deployment", "Job"):
            yield doc["metadata"]["name"], doc["spec"]["template"]

    def selected(self, labels):
        """Pod templates that carry all these labels."""
        has = [(name, template["metadata"]["labels"]) for name, template in self.pods()]
        return [name for name, own in has if labels.items() <= own.items()]

    def env(self, container):
        """{setting: value}; of a secret its key, since its value is not here."""
        maps = {doc["metadata"]["name"]: doc["data"] for doc in self.of("ConfigMap")}
        env = {}
        for source in container.get("envFrom", []):
            env |= maps[source["configMapRef"]["name"]]
        for one in container.get("env", []):
            env[one["name"]] = one.get("value", one.get("valueFrom", {}).get("secretKeyRef"))
        return env


def program_of(container):
    """gateway, users, orders or jobs, by the image; None for what is not ours."""
    name = container["image"].split("@")[0].rsplit("/", 1)[-1].split(":")[0]
    name = name.removeprefix("viaduct-")
    return name if name in ("gateway", "users", "orders", "jobs") else None
