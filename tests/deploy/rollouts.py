#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""deploy/k8s/rollout and bluegreen/switch against a kubectl that only plays: that they go on
when all is well, and go back when programs do not come up or the API does not answer."""
import os
import re
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

K8S = Path(__file__).resolve().parent.parent.parent / "deploy" / "k8s"
KUBECTL = r"""#!/usr/bin/env bash
echo "$*" >>"$PLAY/log"
case "$*" in
*kustomize*) printf 'kind: Namespace\nmetadata:\n  name: viaduct\n---\n' ;;
*'wait jobs'*) [ ! -e "$PLAY/migration-fails" ] ;;
*'apply -f'*'step=run'*) echo 2 >"$PLAY/revision" ;;
*'rollout undo'*) echo 3 >"$PLAY/revision"; rm -f "$PLAY/program-fails" ;;
*'rollout status'*) [ ! -e "$PLAY/program-fails" ] ;;
*'get deployments'*name) echo deployment/gateway ;;
*'get deployments'*) [ ! -e "$PLAY/revision" ] || echo "gateway $(cat "$PLAY/revision")" ;;
*'get service gateway'*) echo blue ;;
*port-forward*) echo "Forwarding from 127.0.0.1:$PORT -> 8080"; exec sleep 60 ;;
esac
"""
APPLIED = re.compile(r"apply -f .* -l viaduct/step=run$", re.M)
GOOD = {"/v1/products?limit=1": 200, "/.well-known/jwks.json": 200, "/v1/users/me": 401}


class Api(BaseHTTPRequestHandler):
    answers = GOOD

    def do_GET(self):
        self.send_response(self.answers.get(self.path, 404))
        self.end_headers()

    def log_message(self, *_):
        pass


def play(script, argument, port, *faults, first=False):
    """(exit code, what kubectl was asked)."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        (here / "kubectl").write_text(KUBECTL)
        (here / "kubectl").chmod(0o755)
        for fault in faults:
            (here / fault).touch()
        if not first:
            (here / "revision").write_text("1\n")
        Api.answers = GOOD | ({"/v1/products?limit=1": 503} if "api-fails" in faults else {})
        env = dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}", PLAY=folder, PORT=str(port))
        out = subprocess.run([K8S / script, argument], env=env, capture_output=True, text=True, check=False, timeout=60)
        return out.returncode, (here / "log").read_text()


def plays(port):
    code, log = play("rollout", "prod", port)
    yield "a good rollout", code == 0 and APPLIED.search(log) and "undo" not in log
    yield "migrations come before programs", log.index("step=migrate") < log.index("apply -f", log.index("wait jobs"))
    code, log = play("rollout", "prod", port, "migration-fails")
    yield "a failed migration touches no program", code == 1 and not APPLIED.search(log) and "undo" not in log
    code, log = play("rollout", "prod", port, "program-fails")
    yield "a program that does not come up is undone", code == 1 and "rollout undo deployment/gateway --to-revision=1" in log
    code, log = play("rollout", "prod", port, "api-fails")
    yield "an API that does not answer is undone", code == 1 and "rollout undo deployment/gateway --to-revision=1" in log
    code, log = play("rollout", "prod", port, "api-fails", first=True)
    yield "a first rollout has nothing to go back to", code == 1 and "undo" not in log
    code, log = play("bluegreen/switch", "green", port)
    yield "green is turned to", code == 0 and '"viaduct/color":"green"' in log
    code, log = play("bluegreen/switch", "green", port, "api-fails")
    yield "a green that does not answer is not turned to", code == 1 and "patch" not in log
    code, log = play("bluegreen/switch", "green", port, "program-fails")
    yield "a green that is not up is not turned to", code == 1 and "patch" not in log


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    bad = [what for what, good in plays(server.server_port) if not good]
    server.shutdown()
    print("\n".join(f"not so: {what}" for what in bad) or "all as it should be")
    return bool(bad)


sys.exit(main())
