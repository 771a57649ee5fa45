#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The private servers of development and tests: PostgreSQL, Redis, Kafka and an SMTP sink,
# on free ports, with all they write under .dev/state/INSTANCE.
set -euo pipefail

VIADUCT_ROOT=${VIADUCT_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)}
. "$VIADUCT_ROOT/tools/dev/common.sh"
. "$VIADUCT_ROOT/tools/dev/process.sh"
. "$VIADUCT_ROOT/tools/dev/kafka.sh"

usage() {
    cat <<'TEXT'
usage: tools/dev/servers.sh start|stop|status|wipe [SERVER] INSTANCE

  SERVER    postgres, redis, kafka, smtp; all of them when left out
  INSTANCE  up (./dev up), test (./dev test) or another name; all can be there at once

start writes .dev/state/INSTANCE/env, the settings that programs and tests read. A server
that is started again has its old port and data. wipe stops all and removes the instance.
TEXT
}

all_servers=(postgres redis kafka smtp)

main() {
    local action=${1:-} servers=("${all_servers[@]}")
    if [ $# = 3 ]; then
        servers=("$2")
        shift
    fi
    local instance=${2:-}
    case $action:$instance in
    start:[a-z]* | stop:[a-z]* | status:[a-z]* | wipe:[a-z]*) ;;
    *) usage >&2 && exit 2 ;;
    esac
    case " ${all_servers[*]} all " in *" ${servers[0]} "*) ;; *) die "there is no server '${servers[0]}'" ;; esac
    [ "${servers[0]}" = all ] && servers=("${all_servers[@]}")

    state=$VIADUCT_DEV/state/$instance
    mkdir -p "$VIADUCT_DEV/state"
    exec 7>"$VIADUCT_DEV/state/.$instance.lock" # one at a time in an instance
    flock 7
    "servers_$action" "${servers[@]}"
}

# ---- actions ----

servers_start() {
    local server
    if [ ! -d "$state" ]; then
        mkdir -p "$state"
        chmod 711 "$VIADUCT_DEV" "$VIADUCT_DEV/state" "$state" # PostgreSQL may be another user
        need_space "$state" 500 "a set of private servers"
    fi
    for server in "$@"; do
        process_running "$state/$server" || servers_launch "$server"
    done
    for server in "$@"; do servers_wait "$server"; done
    servers_write_env
}

servers_launch() {
    local server=$1
    mkdir -p "$state/$server"
    choose_port "$state/$server/port"
    "${server}_launch" "$state/$server" "$(servers_port "$server")"
}

servers_wait() {
    local server=$1 dir=$state/$1 tries=0
    until "${server}_ready" "$dir" "$(servers_port "$server")" 2>/dev/null; do
        process_running "$dir" || servers_failed "$server" "stopped while starting"
        tries=$((tries + 1))
        [ $tries -lt 600 ] || servers_failed "$server" "did not get ready within 60 s"
        sleep 0.1
    done
    if [ "$(type -t "${server}_prepare")" = function ]; then
        "${server}_prepare" "$dir" "$(servers_port "$server")"
    fi
}

servers_failed() {
    tail -n 5 "$state/$1/log" >&2
    if grep -qi 'no space left' "$state/$1/log"; then die "$1 could not start: the disk is full"; fi
    die "$1 $2; its log is $state/$1/log"
}

servers_stop() {
    local server
    for server in "$@"; do process_signal "$state/$server" "$(servers_stop_signal "$server")"; done
    for server in "$@"; do process_wait_end "$state/$server" 15; done
}

# PostgreSQL ends its sessions at once on INT, and waits for them on TERM.
servers_stop_signal() { if [ "$1" = postgres ]; then echo INT; else echo TERM; fi; }

servers_status() {
    local server
    for server in "$@"; do
        if process_running "$state/$server"; then
            printf '%-9s running  127.0.0.1:%s  pid %s\n' "$server" "$(servers_port "$server")" "$(cat "$state/$server/pid")"
        else
            printf '%-9s stopped\n' "$server"
        fi
    done
}

servers_wipe() {
    [ $# = ${#all_servers[@]} ] || die "wipe is for a whole instance"
    servers_stop "$@"
    rm -rf "${state:?}"
}

# ---- ports ----

servers_port() { cat "$state/$1/port"; }

# Keeps a port from start to start, unless somebody else has taken it. A port in the file of
# another server is that server's, also while it does not listen: not yet, or because a test
# has stopped it.
choose_port() {
    local port lock
    if [ -s "$1" ] && port_is_free "$(cat "$1")"; then return; fi
    exec {lock}>"$VIADUCT_DEV/state/.ports.lock"
    flock "$lock"
    port=$(free_port)
    while grep -qxs "$port" "$VIADUCT_DEV"/state/*/*/*port; do port=$(free_port); done
    echo "$port" >"$1"
    exec {lock}>&-
}

# ---- PostgreSQL ----

postgres_bin=/usr/lib/postgresql/17/bin

postgres_launch() {
    local dir=$1 port=$2
    postgres_own "$dir"
    [ -e "$dir/data/PG_VERSION" ] || postgres_init "$dir"
    process_start "$dir" "${postgres_as[@]}" $postgres_bin/postgres -D "$dir/data" -p "$port" \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200 \
        -c shared_buffers=128MB -c jit=off -c fsync=on -c max_wal_size=1GB \
        -c log_line_prefix='%m [%p] %d ' -c log_min_error_statement=panic
}

# PostgreSQL refuses root. Its user may not be able to walk down to the repository (in a
# closed home directory, say), so it gets the right to, and no other.
postgres_own() {
    postgres_as=()
    [ "$(id -u)" = 0 ] || return 0
    postgres_as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
    chown postgres:postgres "$1"
    "${postgres_as[@]}" test -x "$1" 2>/dev/null ||
        postgres_as+=(--inh-caps=+dac_override --ambient-caps=+dac_override)
}

postgres_init() {
    local dir=$1 service
    for service in postgres users orders jobs; do
        (umask 077 && openssl rand -hex 16 >"$dir/password-$service")
    done
    rm -rf "$dir/data" "$dir/new"
    [ "$(id -u)" = 0 ] && chown postgres "$dir/password-postgres"
    "${postgres_as[@]}" $postgres_bin/initdb -D "$dir/new" -U postgres --pwfile="$dir/password-postgres" \
        --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$dir/initdb.log" 2>&1 ||
        { tail -n 3 "$dir/initdb.log" >&2; die "PostgreSQL's data directory could not be made; see $dir/initdb.log"; }
    mv "$dir/new" "$dir/data"
}

postgres_ready() { $postgres_bin/pg_isready -q -h 127.0.0.1 -p "$2"; }

# One database for each service, owned by a role of its own.
postgres_prepare() {
    local dir=$1 service
    [ -e "$dir/prepared" ] && return
    for service in users orders jobs; do
        echo "CREATE ROLE viaduct_$service LOGIN CREATEDB PASSWORD '$(cat "$dir/password-$service")';"
        echo "CREATE DATABASE viaduct_$service OWNER viaduct_$service;"
        echo "REVOKE ALL ON DATABASE viaduct_$service FROM PUBLIC;"
    done | psql -q -v ON_ERROR_STOP=1 "$(postgres_uri postgres postgres)"
    touch "$dir/prepared"
}

postgres_uri() { # USER DATABASE
    echo "postgresql://$1:$(cat "$state/postgres/password-${1#viaduct_}")@127.0.0.1:$(servers_port postgres)/$2"
}

# ---- Redis ----

redis_launch() {
    process_start "$1" redis-server --port "$2" --bind 127.0.0.1 --dir "$1" --save '' \
        --appendonly no --set-proc-title no
}

redis_ready() { [ "$(redis-cli -h 127.0.0.1 -p "$2" ping)" = PONG ]; }

# ---- Kafka ----

kafka_launch() {
    local dir=$1 port=$2 jars
    jars=$(kafka_jars "$dir/maven.log")
    choose_port "$dir/controller-port"
    {
        cat "$VIADUCT_ROOT/deploy/dev/kafka/server.properties"
        echo "log.dirs=$dir/data"
        echo "listeners=BROKER://127.0.0.1:$port,CONTROLLER://127.0.0.1:$(cat "$dir/controller-port")"
        echo "controller.quorum.voters=1@127.0.0.1:$(cat "$dir/controller-port")"
    } >"$dir/server.properties"

    local java=(java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1
        "-Dlog4j.configuration=file:$VIADUCT_ROOT/deploy/dev/kafka/log4j.properties" -cp "$jars/*")
    if [ ! -e "$dir/data/meta.properties" ]; then
        "${java[@]}" kafka.tools.StorageTool format -t viaduct-dev-kafka-0000 \
            -c "$dir/server.properties" --ignore-formatted >"$dir/format.log" 2>&1 ||
            { tail -n 3 "$dir/format.log" >&2; die "Kafka's data directory could not be made; see $dir/format.log"; }
    fi
    process_start "$dir" "${java[@]}" kafka.Kafka "$dir/server.properties"
}

kafka_ready() { grep -q 'Kafka Server started' "$1/log"; }

# ---- SMTP sink ----

smtp_launch() { process_start "$1" python3 "$VIADUCT_ROOT/deploy/dev/smtp-sink.py" "$2" "$1/mail"; }

smtp_ready() { (exec 3<>"/dev/tcp/127.0.0.1/$2"); }

# ---- what programs and tests read ----

servers_write_env() {
    local server
    for server in "${all_servers[@]}"; do [ -s "$state/$server/port" ] || return 0; done
    servers_make_signing_key
    [ -s "$state/cursor-key" ] || (umask 077 && openssl rand -hex 32 >"$state/cursor-key")
    cat >"$state/env.new" <<TEXT
VIADUCT_USERS_PG=$(postgres_uri viaduct_users viaduct_users)
VIADUCT_ORDERS_PG=$(postgres_uri viaduct_orders viaduct_orders)
VIADUCT_JOBS_PG=$(postgres_uri viaduct_jobs viaduct_jobs)
VIADUCT_REDIS=redis://127.0.0.1:$(servers_port redis)
VIADUCT_KAFKA=127.0.0.1:$(servers_port kafka)
VIADUCT_SMTP=smtp://127.0.0.1:$(servers_port smtp)
VIADUCT_TEST_MAILDIR=$state/smtp/mail
VIADUCT_USERS_KEYS=$state/keys
VIADUCT_CURSOR_KEY=$(cat "$state/cursor-key")
VIADUCT_USERS_UPSTREAM=tcp://127.0.0.1:7101
VIADUCT_ORDERS_UPSTREAM=tcp://127.0.0.1:7102
VIADUCT_JOBS_UPSTREAM=tcp://127.0.0.1:7103
TEXT
    chmod 600 "$state/env.new"
    mv "$state/env.new" "$state/env"
}

# The Ed25519 key that signs access tokens; the file's name is the key's id.
servers_make_signing_key() {
    [ -d "$state/keys" ] && return
    mkdir -m 700 "$state/keys.new"
    (umask 077 && openssl genpkey -algorithm ed25519 -out "$state/keys.new/dev-$(openssl rand -hex 4).pem")
    mv "$state/keys.new" "$state/keys"
}

inside_userland "$VIADUCT_ROOT/tools/dev/servers.sh" "$@"
main "$@"
