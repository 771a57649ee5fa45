# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# userland_run CMD...: runs CMD on Debian 13 with everything in deploy/dev/packages.txt.
#   on Debian 13          the host itself, packages installed by apt when root
#   inside the userland   as it is
#   elsewhere with apt    a private Debian 13 tree in the cache folder; root enters it with
#                         chroot in a mount namespace, an ordinary user with bubblewrap;
#                         root that may not mount, as in a container, with proot, which
#                         does it by ptrace and is several times slower
# The tree's name carries the hash of what it was made from, and it is renamed into place
# when complete, so a half-made or outdated one is never entered.

userland_packages() { sed 's/#.*//' "$VIADUCT_ROOT/deploy/dev/packages.txt" | xargs; }

userland_run() {
    export VIADUCT_INSIDE=1 LANG=C.UTF-8 CCACHE_DIR=$VIADUCT_CACHE/ccache
    mkdir -p "$VIADUCT_CACHE"
    if [ -e /etc/viaduct-userland ]; then
        exec "$@"
    elif userland_host_is_debian13 && userland_host_ready; then
        exec "$@"
    else
        userland_need_tools
        userland_need_rights
        userland_make
        userland_enter "$@"
    fi
}

# ---- Debian 13 itself ----

userland_host_is_debian13() {
    [ -r /etc/os-release ] && (. /etc/os-release && [ "${ID:-}" = debian ] && [ "${VERSION_ID:-}" = 13 ])
}

# True when the host has every package; as root, installs what is missing.
userland_host_ready() {
    local missing
    missing=$(userland_host_missing)
    [ -z "$missing" ] && return
    [ "$(id -u)" = 0 ] || return 1

    say "installing on this Debian 13: $missing"
    userland_host_install "$missing" || die "apt could not install the packages (is there a network?); see $VIADUCT_DEV/apt.log"
}

userland_host_missing() {
    # shellcheck disable=SC2046 # a list of words
    comm -23 <(userland_packages | tr ' ' '\n' | sort) \
        <(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' $(userland_packages) 2>/dev/null | sed -n 's/^ii *//p' | sort) | xargs
}

# Installs without starting a server and without making a PostgreSQL cluster.
userland_host_install() {
    local policy=/usr/sbin/policy-rc.d cluster=/etc/postgresql-common/createcluster.conf
    if [ ! -e $cluster ]; then
        mkdir -p ${cluster%/*}
        echo 'create_main_cluster = false' >$cluster
    fi
    if [ ! -e $policy ]; then
        userland_start_no_services $policy
        # shellcheck disable=SC2064 # the path is known now
        trap "rm -f $policy" EXIT
    fi
    # shellcheck disable=SC2086 # a list of words
    userland_apt $1
    local rc=$?
    rm -f $policy
    trap - EXIT
    return $rc
}

userland_start_no_services() { # FILE
    printf '#!/bin/sh\nexit 101\n' >"$1"
    chmod +x "$1"
}

userland_apt() {
    mkdir -p "$VIADUCT_DEV"
    local apt=(apt-get -q -y -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold)
    export DEBIAN_FRONTEND=noninteractive
    { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "$@"; } >"$VIADUCT_DEV/apt.log" 2>&1
}

# ---- the private userland ----

userland_certificates=/usr/local/share/ca-certificates # the host's own authorities

userland_path() {
    local key
    key=$(cat "$VIADUCT_ROOT/deploy/dev/packages.txt" "$userland_certificates"/*.crt 2>/dev/null | sha256sum)
    echo "$VIADUCT_CACHE/userland-${key:0:12}"
}

userland_make() {
    local userland
    userland=$(userland_path)
    [ -e "$userland/etc/viaduct-userland" ] && return

    exec 9>"$VIADUCT_CACHE/userland.lock"
    flock -n 9 || { say "waiting for another ./dev that is making the userland"; flock 9; }
    if [ ! -e "$userland/etc/viaduct-userland" ]; then
        need_space "$VIADUCT_CACHE" 4000 "the private Debian 13 userland"
        userland_build "$userland"
    fi
    exec 9>&-
}

userland_need_tools() {
    command -v apt-get >/dev/null ||
        die "this system has no apt to make a Debian 13 userland with; use 'docker compose up' instead (see README.md)"
    command -v mmdebstrap >/dev/null && { [ "$(id -u)" = 0 ] || command -v bwrap >/dev/null; } && return

    [ "$(id -u)" = 0 ] ||
        die "mmdebstrap and bubblewrap are missing; install them once with: sudo apt-get install mmdebstrap bubblewrap uidmap debian-archive-keyring"
    say "installing mmdebstrap with apt"
    userland_apt mmdebstrap debian-archive-keyring ||
        die "apt could not install mmdebstrap (is there a network?); see $VIADUCT_DEV/apt.log"
}

# Said at once, not after the minute that making it takes.
userland_need_rights() {
    if [ "$(id -u)" != 0 ]; then
        bwrap --bind / / true 2>/dev/null ||
            die "this host does not let users make namespaces, which entering the userland needs; run ./dev as root"
    else
        userland_root_may_mount || userland_need_proot
    fi
}

userland_root_may_mount() { unshare --mount --propagation unchanged true 2>/dev/null; }

userland_need_proot() {
    command -v proot >/dev/null && return
    say "this container may not mount (--cap-add SYS_ADMIN would let it); installing proot with apt, which works without but slowly"
    userland_apt proot || die "apt could not install proot (is there a network?); see $VIADUCT_DEV/apt.log"
}

userland_build() {
    local userland=$1 part=$1.part log=$VIADUCT_DEV/userland.log options
    mkdir -p "$VIADUCT_DEV"
    rm -rf "$part"
    say "making a private Debian 13 userland, once, in $userland (about a minute; log: $log)"

    options=(
        --variant=apt
        --dpkgopt=force-unsafe-io
        --dpkgopt='path-exclude=/usr/share/man/*'
        --dpkgopt='path-exclude=/usr/share/doc/*'
        # some packages link their manual pages without looking
        --essential-hook='mkdir -p "$1/usr/share/man/man1" "$1/usr/share/man/man7"'
        --essential-hook='mkdir -p "$1/etc/postgresql-common"; echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"'
        --customize-hook='chmod 755 "$1/root"'
        --customize-hook='touch "$1/etc/viaduct-userland"'
    )
    apt-config dump | grep -E '^Acquire::(https?|Check-|Retries)' >"$VIADUCT_DEV/apt.conf" || true
    [ -s "$VIADUCT_DEV/apt.conf" ] && options+=(--aptopt="$VIADUCT_DEV/apt.conf")
    if compgen -G "$userland_certificates/*.crt" >/dev/null; then
        options+=(--essential-hook="mkdir -p \"\$1$userland_certificates\"; cp $userland_certificates/*.crt \"\$1$userland_certificates\"")
    fi

    if ! userland_bootstrap "$part" "${options[@]}" >"$log" 2>&1; then
        rm -rf "$part"
        tail -n 5 "$log" >&2
        userland_explain_failure "$log"
    fi
    mv "$part" "$userland"
    say "the userland is ready"
}

# An ordinary user gets a tree that is all their own, through a tar stream.
userland_bootstrap() {
    local tree=$1 packages include
    shift
    read -ra packages < <(userland_packages)
    include=--include=$(IFS=, && echo "${packages[*]}")
    if [ "$(id -u)" = 0 ] && userland_root_may_mount; then
        mmdebstrap --mode=root "$include" "$@" trixie "$tree" </dev/null
    elif [ "$(id -u)" = 0 ]; then # some packages want /proc when they are installed
        mmdebstrap --mode=root --include=ca-certificates --skip=cleanup/apt "$@" trixie "$tree" </dev/null &&
            userland_start_no_services "$tree/usr/sbin/policy-rc.d" &&
            userland_proot "$tree" / env DEBIAN_FRONTEND=noninteractive \
                apt-get install -q -y --no-install-recommends "${packages[@]}" </dev/null
    else
        mkdir -p "$tree"
        mmdebstrap --mode=unshare "$include" "$@" \
            --customize-hook="grep -q '^$(id -un):' \"\$1/etc/passwd\" || echo '$(id -un):x:$(id -u):$(id -g)::$HOME:/bin/bash' >>\"\$1/etc/passwd\"" \
            trixie - </dev/null | tar -C "$tree" -x --no-same-owner --exclude='./dev/*'
    fi
}

userland_explain_failure() {
    if grep -qiE 'could not (resolve|connect)|temporary failure|unreachable|failed to fetch' "$1"; then
        die "the userland could not be made: no package mirror answers; check the network and apt's proxy settings (log: $1)"
    elif grep -qi 'no space left' "$1"; then
        die "the userland could not be made: the disk of $VIADUCT_CACHE is full"
    elif grep -qiE 'subuid|unshare|newuidmap' "$1" && [ "$(id -u)" != 0 ]; then
        die "the userland could not be made: this host does not let users make namespaces; run ./dev as root (log: $1)"
    fi
    die "the userland could not be made; the whole log is $1"
}

# ---- inside ----

# Shared with the host, each at its own path.
userland_binds() {
    printf '%s\n' /proc /sys /dev /tmp "$VIADUCT_CACHE" "$VIADUCT_ROOT"
    if [ -d "$HOME/.m2" ]; then echo "$HOME/.m2"; fi
}

userland_enter() {
    local userland work=$PWD binds
    userland=$(userland_path)
    mapfile -t binds < <(userland_binds)
    case $work/ in "$VIADUCT_ROOT"/*) ;; *) work=$VIADUCT_ROOT ;; esac

    unset LD_PRELOAD LD_LIBRARY_PATH JAVA_HOME PYTHONHOME PYTHONPATH TMPDIR
    export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

    if [ "$(id -u)" = 0 ] && userland_root_may_mount; then
        userland_enter_as_root "$@"
    elif [ "$(id -u)" = 0 ]; then
        userland_proot "$userland" "$work" "$@"
    else
        userland_enter_as_user "$@"
    fi
}

# Root needs no more than a mount namespace. In a chroot its mounts cannot be made private at
# once ("unchanged"); enter-chroot.sh sees to that.
userland_enter_as_root() {
    local propagation=private
    unshare --mount true 2>/dev/null || propagation=unchanged
    exec unshare --mount --propagation $propagation \
        "$VIADUCT_ROOT/tools/dev/enter-chroot.sh" "$userland" "$work" "${binds[@]}" -- "$@"
}

# userland_proot TREE WORKDIR COMMAND...
userland_proot() {
    local options=(-r "$1" -w "$2" -b /etc/resolv.conf -b /etc/hosts) bind binds
    shift 2
    mapfile -t binds < <(userland_binds)
    for bind in "${binds[@]}"; do options+=(-b "$bind"); done
    proot "${options[@]}" "$@"
}

# bubblewrap waits outside for the command: Ctrl-C is for the command alone.
userland_enter_as_user() {
    local options=(--bind "$userland" /) bind
    for bind in "${binds[@]}"; do options+=(--dev-bind "$bind" "$bind"); done
    for bind in /etc/resolv.conf /etc/hosts; do
        [ -e $bind ] && options+=(--ro-bind "$(readlink -f $bind)" "$bind")
    done
    trap '' INT
    exec bwrap "${options[@]}" --chdir "$work" env --default-signal=INT "$@"
}
