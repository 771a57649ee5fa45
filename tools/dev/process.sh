# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Processes in the background. Each has a folder DIR with its pid, command and log. A process
# is known to be ours by its command line, so that a pid used again by another process is
# never signalled.

# process_start DIR COMMAND...: in a session of its own, so that Ctrl-C does not reach it.
process_start() {
    local dir=$1
    shift
    [ -e "$dir/log" ] && mv -f "$dir/log" "$dir/log.old"
    echo "setsid $*" >"$dir/command"
    (
        close_inherited
        exec setsid "$@"
    ) >"$dir/log" 2>&1 </dev/null &
    echo $! >"$dir/pid"
    local tries=0
    while [ $((tries++)) -lt 100 ] && ! process_running "$dir"; do sleep 0.01; done # until it is no fork of us
}

# Locks and pipes of whoever starts a server are not for the server to hold.
close_inherited() {
    local fd
    for fd in /proc/"$BASHPID"/fd/*; do
        fd=${fd##*/}
        [[ $fd != [0-9]* || $fd -le 2 ]] || eval "exec $fd>&-"
    done
}

process_running() {
    local pid
    pid=$(cat "$1/pid" 2>/dev/null) || return 1
    [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && process_is_ours "$pid" "$1"
}

# What runs is the end of the command: setsid, setpriv and env replace themselves by the rest.
# The command line is empty in the moment in which they do, and when a process has ended.
process_is_ours() {
    [ -r /proc/self/cmdline ] || return 0 # a bare chroot has no /proc to ask
    local line='' tries=0
    while [ -z "$line" ]; do
        line=$({ tr '\0' ' ' <"/proc/$1/cmdline"; } 2>/dev/null) || return 1
        [ -n "$line" ] || [ $((tries++)) = 0 ] || sleep 0.01
        [ $tries -lt 100 ] || return 1
        if [ -z "$line" ] && [[ "$(cat "/proc/$1/stat" 2>/dev/null)" == *") Z "* ]]; then return 1; fi
    done
    [[ "$(cat "$2/command") " == *"$line" ]]
}

process_signal() {
    if process_running "$1"; then kill -s "$2" "$(cat "$1/pid")"; fi
}

# process_wait_end DIR SECONDS: then it is killed.
process_wait_end() {
    local tries=0
    while process_running "$1"; do
        tries=$((tries + 1))
        if [ $tries -gt $(($2 * 20)) ]; then kill -s KILL "$(cat "$1/pid")"; fi
        sleep 0.05
    done
    rm -f "$1/pid"
}

port_is_free() { [ -z "$(ss -Hltn "sport = :$1")" ]; }

# Below the range that outgoing connections take their ports from.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        if port_is_free $port; then
            echo $port
            return
        fi
    done
}
