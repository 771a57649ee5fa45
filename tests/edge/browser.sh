#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The page at /docs in a headless Chromium (browser.mjs): it shows every route, loads nothing
# from elsewhere, breaks no rule of its policy, and its requests work. What it looks like is in
# the pictures beside the log.
set -euo pipefail

. "$VIADUCT_ROOT/tools/dev/edge-tools.sh"
edge_tools
chromium=$(edge_browser)
node_folder "$VIADUCT_ROOT/tests/edge/browser.mjs"
cd "$VIADUCT_EDGE_OUT"
LD_LIBRARY_PATH=$(edge_browser_libraries) node browser.mjs "$chromium" "$VIADUCT_EDGE_HTTP"
