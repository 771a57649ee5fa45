# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0

# docs_folder LOG: prints the folder with the files of the page at /docs; npm fetches its viewer
# once into the cache. Fails, with a sentence, when it cannot.
docs_folder() {
    local log=$1 docs
    docs=$VIADUCT_CACHE/docs-$(cat "$VIADUCT_ROOT"/deploy/docs/* "$VIADUCT_ROOT/tools/docs-page" | sha256sum | cut -c 1-12)
    exec 6>"$VIADUCT_CACHE/docs.lock"
    flock 6
    if [ ! -d "$docs" ]; then
        say "fetching the viewer of /docs with npm, once, into $docs"
        NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "$VIADUCT_ROOT/tools/docs-page" "$docs" >"$log" 2>&1 ||
            { say "npm could not fetch the viewer of /docs; is there a network? (log: $log)"; return 1; }
    fi
    exec 6>&-
    echo "$docs"
}
