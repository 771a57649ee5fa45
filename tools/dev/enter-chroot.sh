#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# usage: enter-chroot.sh TREE WORKDIR FOLDER... -- COMMAND...
# In a mount namespace of its own (see userland.sh): shows the host's FOLDERs at their own
# paths in TREE and runs COMMAND there, by chroot or, when ENTER_BY says so, by pivot_root.
# The mounts end with the last process that sees them.
set -euo pipefail

tree=$1 work=$2
shift 2

# A private mount of the tree: nothing below reaches other namespaces.
mount --bind "$tree" "$tree"
mount --make-private "$tree"

while [ "$1" != -- ]; do
    mkdir -p "$tree$1"
    case $tree/ in
    "$1"/*) mount --bind "$1" "$tree$1" ;; # the tree is inside: do not show its mounts twice
    *) mount --rbind "$1" "$tree$1" ;;
    esac
    mount --make-rslave "$tree$1"
    shift
done
shift

for file in /etc/resolv.conf /etc/hosts; do
    if [ -e $file ]; then
        touch "$tree$file"
        mount --bind "$(readlink -f $file)" "$tree$file"
    fi
done

if [ "${ENTER_BY:-}" = pivot_root ]; then # the tree becomes the root of the whole namespace
    cd "$tree"
    mkdir -p .outside
    pivot_root . .outside
    exec /bin/bash -c 'umount -l /.outside; cd "$0" && exec "$@"' "$work" "$@"
fi
exec chroot "$tree" /bin/bash -c 'cd "$0" && exec "$@"' "$work" "$@"
