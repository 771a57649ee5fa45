// SPDX-License-Identifier: Apache-2.0
/* Type oids of PostgreSQL that have a binary form here (pg_type.dat; fixed for ever). */
#ifndef KIT_PG_OIDS_H
#define KIT_PG_OIDS_H

enum pg_oid {
    PG_BOOL = 16,
    PG_BYTEA = 17,
    PG_NAME = 19,
    PG_INT8 = 20,
    PG_INT2 = 21,
    PG_INT4 = 23,
    PG_TEXT = 25,
    PG_JSON = 114,
    PG_FLOAT4 = 700,
    PG_FLOAT8 = 701,
    PG_TEXT_ARRAY = 1009,
    PG_VARCHAR_ARRAY = 1015,
    PG_INT8_ARRAY = 1016,
    PG_INT4_ARRAY = 1007,
    PG_BPCHAR = 1042,
    PG_VARCHAR = 1043,
    PG_TIMESTAMP = 1114,
    PG_TIMESTAMPTZ = 1184,
    PG_UUID = 2950,
    PG_UUID_ARRAY = 2951,
    PG_JSONB = 3802,
    PG_FIRST_CUSTOM = 16384, /* from here on: enums, domains and types of extensions */
};

/* Binary timestamps count microseconds from 2000-01-01. */
#define PG_EPOCH_US INT64_C(946684800000000)

#endif
