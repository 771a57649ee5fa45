#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# ./dev test edge [NAME...]: the gateway of a whole running stack (as ./dev up makes it, beside
# that, on ports of its own) under the tools that people judge an HTTP edge with, all or some. Each tests/edge/NAME.sh is one of
# them: it reads VIADUCT_EDGE_HTTP and VIADUCT_EDGE_HTTPS (base URLs), VIADUCT_EDGE_CA (PEM of
# the local certificate), VIADUCT_EDGE_PID (a file with the gateway's process id) and
# VIADUCT_EDGE_OUT (a folder for what it finds), and its exit code is the verdict.
set -euo pipefail

. "$VIADUCT_ROOT/tools/dev/common.sh"

scripts=$VIADUCT_ROOT/tests/edge
passed=0 failed=0

main() {
    local name
    [ $# -gt 0 ] || mapfile -t names < <(find "$scripts" -name '*.sh' -exec basename {} .sh \; | sort)
    [ $# = 0 ] || names=("$@")
    for name in "${names[@]}"; do
        [ -x "$scripts/$name.sh" ] || die "usage: ./dev test edge [NAME...]; there is no $scripts/$name.sh"
    done
    edge_environment
    trap 'trap "" INT TERM; "$VIADUCT_ROOT/tools/dev/down.sh"' EXIT
    trap 'exit 130' INT TERM
    "$VIADUCT_ROOT/tools/dev/up.sh" -d
    for name in "${names[@]}"; do run_script "$name"; done
    echo "edge: $passed passed, $failed failed"
    [ $failed = 0 ]
}

# Ports that neither ./dev up nor a test uses.
edge_environment() {
    local at=${VIADUCT_EDGE_PORTS:-18080}
    export VIADUCT_STACK=${VIADUCT_STACK:-edge}
    export VIADUCT_GATEWAY_LISTEN=127.0.0.1:$at VIADUCT_GATEWAY_TLS_LISTEN=127.0.0.1:$((at + 1))
    export VIADUCT_USERS_LISTEN=tcp://127.0.0.1:$((at + 2)) VIADUCT_ORDERS_LISTEN=tcp://127.0.0.1:$((at + 3))
    export VIADUCT_JOBS_LISTEN=tcp://127.0.0.1:$((at + 4)) VIADUCT_ADMIN_PORTS=$((at + 10))
    export VIADUCT_EDGE_HTTP=http://$VIADUCT_GATEWAY_LISTEN
    export VIADUCT_EDGE_HTTPS=https://localhost:$((at + 1))
    export VIADUCT_EDGE_CA=$VIADUCT_DEV/tls/localhost.crt
    export VIADUCT_EDGE_PID=$VIADUCT_DEV/state/$VIADUCT_STACK/gateway/pid
    # one machine asks a lot here, and that is not what these scripts look at
    export VIADUCT_MAX_CONNECTIONS_PER_IP=0 VIADUCT_LIMIT_IP=0 VIADUCT_LIMIT_USER=0 VIADUCT_LIMIT_SIGN_IN=0
}

run_script() {
    local name=$1 start=$SECONDS
    export VIADUCT_EDGE_OUT=$VIADUCT_DEV/$VIADUCT_STACK/$name
    rm -rf "$VIADUCT_EDGE_OUT"
    mkdir -p "$VIADUCT_EDGE_OUT"
    if "$scripts/$name.sh" >"$VIADUCT_EDGE_OUT/log" 2>&1; then
        passed=$((passed + 1))
        echo "passed  $name ($((SECONDS - start)) s)"
    else
        failed=$((failed + 1))
        echo "FAILED  $name ($((SECONDS - start)) s); the end of $VIADUCT_EDGE_OUT/log:"
        tail -n 30 "$VIADUCT_EDGE_OUT/log"
    fi
}

main "$@"
