#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The entry point of the PostgreSQL image, with what compose.yaml uses of the official one:
# POSTGRES_PASSWORD, and the scripts in /docker-entrypoint-initdb.d when the data is made.
set -euo pipefail

data=/var/lib/postgresql/data
if [ ! -e $data/PG_VERSION ]; then
    initdb -D $data -U postgres --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 \
        --pwfile=<(echo "$POSTGRES_PASSWORD") >/dev/null
    echo 'host all all all scram-sha-256' >>$data/pg_hba.conf
    pg_ctl -D $data -o '-c listen_addresses=' -w start >/dev/null
    for script in /docker-entrypoint-initdb.d/*; do "$script"; done
    pg_ctl -D $data -m fast -w stop >/dev/null
fi
exec "$@" -D $data -c listen_addresses='*'
