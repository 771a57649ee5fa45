#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: schemas.py SWAGGER.json OUT CRD.yaml...

Makes JSON schemas for kubeconform: of Kubernetes' own kinds from the OpenAPI document of its
source, of others from their CustomResourceDefinitions. Fields that they do not name are
errors."""
import json
import re
import sys
from pathlib import Path

import yaml

REFERENCE = re.compile(r'"#/definitions/([^"]+)"')
NUMBER_OR_TEXT = {"oneOf": [{"type": "string"}, {"type": "number"}]}
SPECIAL = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": NUMBER_OR_TEXT,
    "io.k8s.apimachinery.pkg.api.resource.Quantity": NUMBER_OR_TEXT,
}


def closed(node):
    """The same schema, where an object with named fields has no others."""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("x-kubernetes-int-or-string"):
        return NUMBER_OR_TEXT
    out = {key: closed(value) for key, value in node.items()}
    if isinstance(node.get("properties"), dict) and not node.get("x-kubernetes-preserve-unknown-fields"):
        out.setdefault("additionalProperties", False)
    return out


def write(out, kind, group, version, schema):
    name = f"{kind}-{group}-{version}" if group else f"{kind}-{version}"
    (out / f"{name.lower()}.json").write_text(json.dumps(schema))


def used(node, definitions, found):
    """Adds the definitions that a schema refers to, and those that these refer to."""
    for name in REFERENCE.findall(json.dumps(node)):
        if name not in found:
            found[name] = definitions[name]
            used(definitions[name], definitions, found)
    return found


def of_kubernetes(path, out):
    definitions = {name: SPECIAL.get(name) or closed(d) for name, d in json.loads(path.read_text())["definitions"].items()}
    for name, definition in definitions.items():
        for kind in definition.get("x-kubernetes-group-version-kind", []):
            group = kind["group"].split(".")[0]
            schema = {"$ref": f"#/definitions/{name}"}
            write(out, kind["kind"], group, kind["version"], schema | {"definitions": used(schema, definitions, {})})


def of_definition(path, out):
    for doc in yaml.load_all(path.read_text(), yaml.CSafeLoader):
        for version in doc["spec"]["versions"]:
            schema = closed(version["schema"]["openAPIV3Schema"])
            write(out, doc["spec"]["names"]["kind"], doc["spec"]["group"].split(".")[0], version["name"], schema)


def main():
    swagger, out, *definitions = map(Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    of_kubernetes(swagger, out)
    for path in definitions:
        of_definition(path, out)


main()
