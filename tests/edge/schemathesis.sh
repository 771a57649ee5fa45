#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# schemathesis, all checks, against what /openapi.json says: made-up requests, good and bad,
# the same in every run. As the administrator without the accounts, so that everything is
# reached and the demo accounts stay as they are; as a user of its own with the accounts; and
# last what ends that user's session.
set -euo pipefail

. "$VIADUCT_ROOT/tools/dev/edge-tools.sh"
edge_tools

post() { curl -sSf "$VIADUCT_EDGE_HTTP$1" -H 'content-type: application/json' -d "$2"; }

token() { post /v1/auth/login "{\"email\":\"$1\",\"password\":\"$2\"}" | jq -r .access_token; }

run() { # NAME TOKEN OPTIONS...
    "$edge_python" -m schemathesis.cli --config-file "$VIADUCT_ROOT/tests/edge/schemathesis.toml" run \
        "$VIADUCT_EDGE_HTTP/openapi.json" --header "Authorization: Bearer $2" --checks all --continue-on-failure \
        --max-examples "${VIADUCT_EDGE_EXAMPLES:-20}" --seed 1 --workers 1 --request-timeout 30 \
        --report junit --report-junit-path "$VIADUCT_EDGE_OUT/$1.xml" "${@:3}"
}

cd "$VIADUCT_EDGE_OUT"
failed=0
admin=$(token admin@example.com admin-password)
run admin "$admin" --exclude-tag users --exclude-tag auth || failed=1

email=schemathesis-$(date +%s%N)@example.com
post /v1/users "{\"email\":\"$email\",\"name\":\"A User\",\"password\":\"a long password\"}" >/dev/null
user=$(token "$email" "a long password")
run user "$user" --include-tag users --include-tag auth --exclude-path /v1/auth/logout || failed=1
run logout "$user" --include-path /v1/auth/logout || failed=1
exit $failed
