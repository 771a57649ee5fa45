# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# The private Docker engine of ./dev compose. Its programs are a Debian 13 tree in the cache
# (deploy/docker/engine-packages.txt), entered like the userland. It runs in network and
# process namespaces of its own: nothing it does to addresses, ports or packet filters reaches
# the host, and nothing it started outlives it. All it writes is below .dev/compose.
#
# All of this runs outside the userland: what enters containers follows the root of its mount
# namespace, which in the userland is not what it looks like.

engine_state=$VIADUCT_DEV/compose
engine_cgroup=viaduct-compose

engine_words() { sed 's/#.*//' "$1" | xargs; }

engine_key() { sha256sum "$VIADUCT_ROOT/deploy/docker/engine-packages.txt" | cut -c 1-12; }
engine_tree() { echo "$VIADUCT_CACHE/engine-$(engine_key)"; }
engine_base() { echo "$VIADUCT_CACHE/base-$(engine_key).tar"; }

# ---- making ----

engine_make() {
    [ "$(id -u)" = 0 ] || die "./dev compose runs a Docker engine of its own, which needs root"
    userland_need_tools
    engine_need_rights
    mkdir -p "$VIADUCT_DEV"
    engine_apt_conf
    [ -e "$(engine_tree)" ] || engine_bootstrap "$(engine_tree)" "the Docker engine" --variant=apt \
        --include="$(engine_words "$VIADUCT_ROOT/deploy/docker/engine-packages.txt" | tr ' ' ',')"
    [ -e "$(engine_base)" ] || engine_bootstrap "$(engine_base)" "the base image" --variant=minbase \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --customize-hook='rm -rf "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/var/log/*'
}

engine_need_rights() {
    unshare --mount --net --pid --fork --mount-proc true 2>/dev/null ||
        die "no Docker engine can run here: making namespaces is not allowed; run ./dev compose as root outside a container"
    { [ -d /sys/fs/cgroup ] && grep -q overlay /proc/filesystems; } ||
        die "no Docker engine can run here: the kernel has no control groups or no overlay file system"
}

# engine_bootstrap TARGET WHAT OPTION...
engine_bootstrap() {
    local target=$1 what=$2 part=$1.part log=$VIADUCT_DEV/engine.log
    shift 2
    need_space "$VIADUCT_CACHE" 2000 "$what"
    say "making $what from Debian's packages, once (log: $log)"
    rm -rf "$part"
    [[ $target != *.tar ]] || part=${target%.tar}.part.tar
    SOURCE_DATE_EPOCH=0 mmdebstrap --mode=root --dpkgopt=force-unsafe-io --aptopt="$VIADUCT_DEV/apt.conf" \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        "$@" trixie "$part" </dev/null >"$log" 2>&1 || { rm -rf "$part"; userland_explain_failure "$log"; }
    mv "$part" "$target"
}

# What apt needs on this machine; the builds of the images need it too.
engine_apt_conf() { { apt-config dump 2>/dev/null | grep -E '^Acquire::(https?|Check-|Retries)' || true; } >"$VIADUCT_DEV/apt.conf"; }

# ---- running ----

# engine_start build|run: to build, it shares the host's network and touches nothing of it;
# to run, it has one of its own.
engine_start() {
    local tries=0 options=(--data-root "$engine_state/data" --exec-root "$engine_run/exec" --pidfile "$engine_run/pid"
        -H "unix://$engine_run/docker.sock" --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$engine_cgroup")
    local namespaces=(--mount --pid --fork --kill-child --mount-proc)
    case $1 in
    build) options+=(--iptables=false --ip6tables=false --bridge=none) ;;
    run) namespaces+=(--net) ;;
    esac
    mkdir -p "$engine_state/data"
    process_start "$engine_state" unshare "${namespaces[@]}" env ENTER_BY=pivot_root \
        "$VIADUCT_ROOT/tools/dev/enter-chroot.sh" "$(engine_tree)" "$VIADUCT_ROOT" \
        /proc /sys /dev /tmp "$VIADUCT_ROOT" -- sh -c 'ip link set lo up; exec "$@"' sh dockerd "${options[@]}"
    until engine_docker version >/dev/null 2>&1; do
        tries=$((tries + 1))
        if ! process_running "$engine_state" || [ $tries -gt 300 ]; then
            tail -n 5 "$engine_state/log" >&2
            die "no Docker engine can run here (its log: $engine_state/log)"
        fi
        sleep 0.1
    done
}

engine_docker() {
    DOCKER_HOST=unix://$engine_run/docker.sock unshare --mount "$VIADUCT_ROOT/tools/dev/enter-chroot.sh" \
        "$(engine_tree)" "$VIADUCT_ROOT" /proc /sys /dev /tmp "$VIADUCT_CACHE" "$VIADUCT_ROOT" -- docker "$@"
}

# A command of the userland in the engine's network.
engine_net() { nsenter --net="/proc/$(engine_pid)/ns/net" -- "$VIADUCT_ROOT/dev" run "$@"; }

# Of dockerd, the only child of the process that waits for it.
engine_pid() {
    local pid
    read -r pid </proc/"$(cat "$engine_state/pid")"/task/"$(cat "$engine_state/pid")"/children
    echo "${pid% }"
}

engine_stop() {
    process_running "$engine_state" || return 0
    kill -s TERM "$(engine_pid)" 2>/dev/null || true
    process_wait_end "$engine_state" 30
    engine_forget_cgroups
}

# Empty ones that the engine leaves: of version 1 in each hierarchy, of version 2 in one.
engine_forget_cgroups() {
    find /sys/fs/cgroup -depth -type d -path "*/$engine_cgroup*" -exec rmdir {} + 2>/dev/null || true
}
