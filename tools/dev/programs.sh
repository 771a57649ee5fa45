# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# The processes of ./dev up: which there are, their addresses, starting and stopping them.
# VIADUCT_STACK is the name of this set of them, VIADUCT_STACK_PRESET whose build they are.

programs_stack=${VIADUCT_STACK:-up}
programs_preset=${VIADUCT_STACK_PRESET:-release}
programs_state=$VIADUCT_DEV/state/$programs_stack
programs_bin=$VIADUCT_ROOT/build/$programs_preset/bin
programs=(gateway users orders jobs worker)

programs_admin_first=${VIADUCT_ADMIN_PORTS:-9100} # the first of five
VIADUCT_GATEWAY_LISTEN=${VIADUCT_GATEWAY_LISTEN:-127.0.0.1:8080}
VIADUCT_GATEWAY_TLS_LISTEN=${VIADUCT_GATEWAY_TLS_LISTEN:-127.0.0.1:8443}
VIADUCT_USERS_LISTEN=${VIADUCT_USERS_LISTEN:-tcp://127.0.0.1:7101}
VIADUCT_ORDERS_LISTEN=${VIADUCT_ORDERS_LISTEN:-tcp://127.0.0.1:7102}
VIADUCT_JOBS_LISTEN=${VIADUCT_JOBS_LISTEN:-tcp://127.0.0.1:7103}

# A certificate for localhost, made once; it is its own authority.
programs_certificate() {
    local dir=$VIADUCT_DEV/tls
    if openssl x509 -noout -checkend 604800 -in "$dir/localhost.crt" >/dev/null 2>&1; then return; fi
    mkdir -p "$dir"
    (
        umask 077
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj /CN=localhost \
            -addext subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1 -addext extendedKeyUsage=serverAuth \
            -keyout "$dir/localhost.key" -out "$dir/localhost.crt" 2>/dev/null
    ) || die "openssl could not make a certificate in $dir"
}

program_command() {
    case $1 in
    gateway | users | orders) echo "viaduct-$1" ;;
    jobs) echo "viaduct-jobs --role api" ;;
    worker) echo "viaduct-jobs --role worker" ;;
    esac
}

program_listens() {
    case $1 in
    gateway) echo "$VIADUCT_GATEWAY_LISTEN" ;;
    users) echo "$VIADUCT_USERS_LISTEN" ;;
    orders) echo "$VIADUCT_ORDERS_LISTEN" ;;
    jobs) echo "$VIADUCT_JOBS_LISTEN" ;;
    worker) echo - ;;
    esac
}

program_admin() {
    local offset
    case $1 in
    gateway) offset=0 ;; users) offset=1 ;; orders) offset=2 ;; jobs) offset=3 ;; worker) offset=4 ;;
    esac
    echo "127.0.0.1:$((programs_admin_first + offset))"
}

# The settings of all programs: the servers' addresses, and where each service is met.
programs_environment() {
    set -a
    # shellcheck source=/dev/null # written by servers.sh
    . "$programs_state/env"
    VIADUCT_USERS_UPSTREAM=${VIADUCT_USERS_LISTEN/0.0.0.0/127.0.0.1}
    VIADUCT_ORDERS_UPSTREAM=${VIADUCT_ORDERS_LISTEN/0.0.0.0/127.0.0.1}
    VIADUCT_JOBS_UPSTREAM=${VIADUCT_JOBS_LISTEN/0.0.0.0/127.0.0.1}
    VIADUCT_TLS_CERTIFICATES=$VIADUCT_DEV/tls/localhost.crt:$VIADUCT_DEV/tls/localhost.key
    VIADUCT_HSTS_S=0 # a browser would refuse every other server on localhost
    set +a
    export VIADUCT_GATEWAY_TLS_LISTEN VIADUCT_GATEWAY_LISTEN VIADUCT_USERS_LISTEN VIADUCT_ORDERS_LISTEN VIADUCT_JOBS_LISTEN
}

program_start() {
    local dir=$programs_state/$1 command
    mkdir -p "$dir"
    read -ra command < <(program_command "$1")
    process_start "$dir" env VIADUCT_ADMIN_LISTEN="$(program_admin "$1")" \
        "$programs_bin/${command[0]}" "${command[@]:1}"
}

program_ready() { curl -fsS -m 2 -o /dev/null "http://$(program_admin "$1")/readyz" 2>/dev/null; }

programs_wait_ready() {
    local name tries=0
    for name in "${programs[@]}"; do
        until program_ready "$name"; do
            process_running "$programs_state/$name" || program_failed "$name" "stopped while starting"
            tries=$((tries + 1))
            [ $tries -lt 600 ] || program_failed "$name" "did not get ready within 60 s"
            sleep 0.05
        done
    done
}

program_failed() {
    tail -n 5 "$programs_state/$1/log" >&2
    die "$1 $2; its log: ./dev logs $1"
}

programs_running() {
    local name
    for name in "${programs[@]}"; do
        if process_running "$programs_state/$name"; then return 0; fi
    done
    return 1
}

# The gateway first: it drains while the services still answer.
programs_stop() {
    local name
    for name in "${programs[@]}"; do
        process_signal "$programs_state/$name" TERM
        [ "$name" != gateway ] || process_wait_end "$programs_state/$name" 15
    done
    for name in "${programs[@]}"; do process_wait_end "$programs_state/$name" 15; done
}

programs_status() {
    local name state
    for name in "${programs[@]}"; do
        if ! process_running "$programs_state/$name"; then
            state=stopped
        elif program_ready "$name"; then
            state=ready
        else
            state='not ready'
        fi
        printf '%-9s %-10s %-24s admin http://%s\n' "$name" "$state" "$(program_listens "$name")" "$(program_admin "$name")"
    done
}
