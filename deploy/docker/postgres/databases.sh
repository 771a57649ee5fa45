#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One database for each service, owned by a role of its own; run when the data directory is made.
set -eu

# The name of a role, its password
database() {
    psql -q -v ON_ERROR_STOP=1 -v role="$1" -v password="$2" -U postgres <<'SQL'
CREATE ROLE :"role" LOGIN PASSWORD :'password';
CREATE DATABASE :"role" OWNER :"role";
REVOKE ALL ON DATABASE :"role" FROM PUBLIC;
SQL
}

database viaduct_users "$USERS_DB_PASSWORD"
database viaduct_orders "$ORDERS_DB_PASSWORD"
database viaduct_jobs "$JOBS_DB_PASSWORD"
