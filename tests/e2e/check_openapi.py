#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what the end-to-end cases saw against the OpenAPI document the gateway serves: every
exchange has a path, a method, a status and a media type in the document, and its body fits
the schema. usage: check_openapi.py FOLDER   (with openapi.json and record.jsonl)"""
import json
import re
import sys
from pathlib import Path

from jsonschema import Draft202012Validator, FormatChecker


def path_patterns(document):
    """(regex, path item) pairs, literal segments before parameters."""
    order = sorted(document["paths"], key=lambda p: (p.count("{"), p))
    for template in order:
        pattern = re.sub(r"\\\{[^/]+\\\}", "[^/]+", re.escape(template))
        yield re.compile(pattern + r"\Z"), document["paths"][template]


def resolve(document, node):
    while "$ref" in node:
        target = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def check(document, patterns, seen):
    """What is wrong with one exchange, or None."""
    path = seen["path"].split("?")[0]
    item = next((item for pattern, item in patterns if pattern.match(path)), None)
    if item is None:
        return None if seen["status"] == 404 else "is not in the document"
    operation = item.get("get" if seen["method"] == "HEAD" else seen["method"].lower())
    if operation is None:
        return None if seen["status"] == 405 else "has no such method in the document"
    response = operation["responses"].get(str(seen["status"])) or operation["responses"].get("default")
    if response is None:
        return f"status {seen['status']} is not in the document"
    return check_body(document, resolve(document, response).get("content"), seen)


def check_body(document, content, seen):
    if not content:
        return "has a body where the document has none" if seen["body"] else None
    media = seen["type"].split(";")[0]
    if seen["status"] == 304 or seen["method"] == "HEAD":
        return None
    if media not in content:
        return f"media type {media!r} is not in the document"
    if media != "application/json" and not media.endswith("+json"):
        return None
    schema = {"$ref": "#/schema", "schema": content[media]["schema"], "components": document["components"]}
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    errors = [f"{e.json_path}: {e.message}" for e in validator.iter_errors(json.loads(seen["body"]))]
    return "; ".join(errors) or None


def main(folder):
    document = json.loads((folder / "openapi.json").read_text())
    patterns = list(path_patterns(document))
    lines = (folder / "record.jsonl").read_text().splitlines()
    bad = 0
    for line in lines:
        seen = json.loads(line)
        wrong = check(document, patterns, seen)
        if wrong:
            bad += 1
            print(f"{seen['method']} {seen['path']} -> {seen['status']}: {wrong}")
    print(f"{len(lines)} exchanges checked, {bad} do not fit the document")
    return 1 if bad or len(lines) < 100 else 0


sys.exit(main(Path(sys.argv[1])))
