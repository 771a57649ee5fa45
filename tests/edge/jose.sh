#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# An access token verifies with jose (npm) from /.well-known/jwks.json alone, and a changed one
# does not.
set -euo pipefail

. "$VIADUCT_ROOT/tools/dev/edge-tools.sh"
edge_tools
node_folder "$VIADUCT_ROOT/tests/edge/jose.mjs"
node "$VIADUCT_EDGE_OUT/jose.mjs" "$VIADUCT_EDGE_HTTP"
