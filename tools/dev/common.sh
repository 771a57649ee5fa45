# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What every tools/dev script shares: messages and the places where things are kept.
# VIADUCT_ROOT (the repository) is set by ./dev.

VIADUCT_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/viaduct # kept across clones: userland, jars, ccache
VIADUCT_DEV=$VIADUCT_ROOT/.dev                        # this clone's state and logs

say() { printf '%s\n' "viaduct: $*" >&2; }

die() {
    say "$*"
    exit 1
}

# need_space DIR MB WHAT: stops with a sentence when DIR has less than MB megabytes free.
need_space() {
    local free_mb
    free_mb=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
    [ "$free_mb" -ge "$2" ] ||
        die "$3 needs $2 MB in $1, but the disk has only $free_mb MB free; free some space and try again"
}

# inside_userland COMMAND...: runs the command there instead when this is not the userland.
inside_userland() {
    [ -n "${VIADUCT_INSIDE:-}" ] || exec "$VIADUCT_ROOT/dev" run "$@"
}
