#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What ./dev says when it cannot: each sentence names the cause and what to do. In a tree of
# its own, with programs that fail in the place of those that would have to.
set -euo pipefail

root=${VIADUCT_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd -P)}
tree=$(mktemp -d)
holder=
trap '[ -z "$holder" ] || kill "$holder"; rm -rf "$tree"' EXIT
failed=0

cp "$root/dev" "$tree/dev"
ln -s "$root"/{tools,deploy,CMakeLists.txt} "$tree"
mkdir "$tree/instead" "$tree/few" "$tree/.dev"
export VIADUCT_ROOT=$tree XDG_CACHE_HOME=$tree/cache HOME=$tree
. "$root/tools/dev/common.sh"
. "$root/tools/dev/process.sh"

# ---- helpers ----

# says WHAT WORD... -- COMMAND...: it fails, and what it prints holds every word.
says() {
    local what=$1 words=() word told
    shift
    while [ "$1" != -- ]; do words+=("$1") && shift; done
    shift
    if told=$("$@" 2>&1 </dev/null); then
        echo "FAILED: $what: it went well: $told"
        failed=1
        return
    fi
    for word in "${words[@]}"; do
        [[ $told == *"$word"* ]] || {
            echo "FAILED: $what: no '$word' in: $told"
            failed=1
        }
    done
}

# instead_of NAME TEXT: a program of that name that says the text and fails, before others.
instead_of() {
    printf '#!/bin/sh\necho "%s" >&2\nexit 1\n' "$2" >"$tree/instead/$1"
    chmod +x "$tree/instead/$1"
}

# answers NAME TEXT: one that says the text and does well.
answers() {
    printf '#!/bin/sh\nprintf "%%b" "%s"\n' "$2" >"$tree/instead/$1"
    chmod +x "$tree/instead/$1"
}

with_these() { PATH=$tree/instead:$PATH "$@"; }
with_only_these() { PATH=$tree/instead:$tree/few "$@"; }

# A function of the userland's making, as outside of the userland.
userland() {
    /bin/bash -c '. "$VIADUCT_ROOT/tools/dev/common.sh"; . "$VIADUCT_ROOT/tools/dev/userland.sh"; "$@"' - "$@"
}

forget() { rm -f "$tree/instead"/*; }

# ---- commands ----

says "an unknown command" "usage: ./dev COMMAND" "there is no command 'frobnicate'" -- "$tree/dev" frobnicate
says "run without a command" "run what? For example: ./dev run" -- "$tree/dev" run
says "up with an unknown option" "usage: ./dev up [-d]" -- "$tree/dev" up --frobnicate
says "an unknown kind of test" "usage: ./dev test [unit|" -- "$tree/dev" test frobnicate
says "an unknown benchmark" "one of: request" -- "$tree/dev" bench frobnicate

# ---- a port in use ----

hold_port() {
    python3 -c 'import socket, sys, time
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
time.sleep(300)' >"$tree/port" &
    holder=$!
    until [ -s "$tree/port" ]; do sleep 0.02; done
}

# up_with NAME=VALUE...: on free ports but for these.
up_with() {
    local admin
    admin=$((20000 + RANDOM % 10000))
    with_these env VIADUCT_STACK=sentences VIADUCT_GATEWAY_LISTEN="127.0.0.1:$(free_port)" \
        VIADUCT_GATEWAY_TLS_LISTEN="127.0.0.1:$(free_port)" VIADUCT_USERS_LISTEN="tcp://127.0.0.1:$(free_port)" \
        VIADUCT_ORDERS_LISTEN="tcp://127.0.0.1:$(free_port)" VIADUCT_JOBS_LISTEN="tcp://127.0.0.1:$(free_port)" \
        VIADUCT_ADMIN_PORTS="$admin" "$@" "$tree/dev" up
}

instead_of cmake "it came to a build"
hold_port
port=$(<"$tree/port")
for variable in GATEWAY_LISTEN:gateway GATEWAY_TLS_LISTEN:gateway USERS_LISTEN:users ORDERS_LISTEN:orders JOBS_LISTEN:jobs; do
    address=127.0.0.1:$port
    [ "${variable#*:}" = gateway ] || address=tcp://$address
    says "${variable%:*} in use" "port $port, which ${variable#*:} needs, is in use" "stop that program, or choose another port" \
        "VIADUCT_${variable%:*}=" -- up_with "VIADUCT_${variable%:*}=$address"
done
says "who has the port" "pid=$holder" -- up_with "VIADUCT_GATEWAY_LISTEN=127.0.0.1:$port"

# ---- a full disk ----

forget
answers df 'Filesystem 1048576-blocks Used Available Capacity Mounted\ndisk 100 97 3 97%% /\n'
says "no room for a build" "a build needs 1000 MB in $tree" "has only 3 MB free" "free some space" -- up_with
says "no room for servers" "a set of private servers needs 500 MB" "free some space" -- \
    with_these "$root/tools/dev/servers.sh" start sentences
forget
instead_of cmake "fatal error: error writing to x.o: No space left on device"
says "a build fills the disk" "the build stopped: the disk is full" -- up_with
forget

# ---- the userland: tools, rights, network, disk ----

for tool in mkdir cat sed; do ln -s "$(command -v $tool)" "$tree/few"; done
answers id 0
says "a system without apt" "has no apt" "use 'docker compose up' instead" -- with_only_these userland userland_need_tools
instead_of apt-get "Temporary failure resolving 'mirror.example'"
says "root without mmdebstrap and without a network" "apt could not install mmdebstrap (is there a network?)" "apt.log" -- \
    with_only_these userland userland_need_tools
answers id 1000
says "a user without mmdebstrap" "mmdebstrap and bubblewrap are missing" "sudo apt-get install mmdebstrap" -- \
    with_only_these userland userland_need_tools
instead_of bwrap "No permissions to create new namespace"
says "a user who may make no namespace" "does not let users make namespaces" "run ./dev as root" -- \
    with_these userland userland_need_rights
forget

explain() { # TEXT of the log
    echo "$1" >"$tree/log"
    userland userland_explain_failure "$tree/log"
}
says "no mirror" "no package mirror answers" "check the network and apt's proxy settings" "$tree/log" -- \
    explain "E: Failed to fetch http://mirror.example/dists/trixie/InRelease"
says "a full disk under the userland" "the disk of $tree/cache/viaduct is full" -- explain "tar: x: No space left on device"
says "anything else" "the whole log is $tree/log" -- explain "E: surprise"

[ $failed = 0 ] && echo "every sentence is there"
exit $failed
