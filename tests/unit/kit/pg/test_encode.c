// SPDX-License-Identifier: Apache-2.0
/* Parameters as they are sent, byte for byte. */
#include "kit/pg/oids.h"
#include "kit/pg/params.h"

#include <criterion/criterion.h>

static struct arena a;
static struct pg_query q;
static struct pg_value v;

static void begin(void)
{
    arena_init(&a);
    q = (struct pg_query){.arena = &a};
}

static void end(void)
{
    arena_fini(&a);
}

TestSuite(pg_encode, .init = begin, .fini = end);

/* Encodes the last parameter of q. */
static bool encode(unsigned oid)
{
    v = (struct pg_value){0};
    return pg_encode(&a, &q.params[q.n_params - 1], oid, &v);
}

static void expect_binary(const char *bytes, size_t n)
{
    cr_assert(v.binary);
    cr_assert_eq((size_t)v.n, n, "%d bytes", v.n);
    cr_assert_arr_eq(v.p, bytes, n);
}
#define EXPECT_BINARY(lit) expect_binary(lit, sizeof(lit) - 1)

static void expect_text(const char *text)
{
    cr_assert_not(v.binary);
    cr_assert_str_eq(v.p, text);
}

Test(pg_encode, an_integer_takes_the_width_of_its_type)
{
    pg_i64(&q, -2);
    cr_assert(encode(PG_INT8));
    EXPECT_BINARY("\xff\xff\xff\xff\xff\xff\xff\xfe");
    cr_assert(encode(PG_INT4));
    EXPECT_BINARY("\xff\xff\xff\xfe");
    cr_assert(encode(PG_INT2));
    EXPECT_BINARY("\xff\xfe");
}

Test(pg_encode, an_integer_out_of_range_has_no_form)
{
    pg_i64(&q, INT64_C(2147483647));
    cr_assert(encode(PG_INT4));
    pg_i64(&q, INT64_C(2147483648));
    cr_assert_not(encode(PG_INT4));
    pg_i64(&q, INT64_C(-2147483648));
    cr_assert(encode(PG_INT4));
    pg_i64(&q, 32768);
    cr_assert_not(encode(PG_INT2));
    pg_i64(&q, INT64_MIN);
    cr_assert(encode(PG_INT8));
    EXPECT_BINARY("\x80\0\0\0\0\0\0\0");
}

Test(pg_encode, other_types_get_text)
{
    enum { NUMERIC = 1700, AN_ENUM = 20000 };

    pg_i64(&q, -12);
    cr_assert(encode(NUMERIC));
    expect_text("-12");
    pg_str(&q, STR("paid"));
    cr_assert(encode(AN_ENUM));
    expect_text("paid");
    pg_str(&q, STR("{}"));
    cr_assert(encode(PG_JSONB));
    expect_text("{}");
    pg_time(&q, 0);
    cr_assert(encode(1082)); /* date */
    expect_text("1970-01-01T00:00:00.000000Z");
}

Test(pg_encode, text_is_sent_as_it_is)
{
    pg_str(&q, STR("a\0b"));
    cr_assert(encode(PG_TEXT));
    EXPECT_BINARY("a\0b");
    pg_str(&q, STR(""));
    cr_assert(encode(PG_VARCHAR));
    cr_assert_not_null(v.p);
    cr_assert_eq(v.n, 0);
}

Test(pg_encode, a_zero_byte_never_cuts_a_text_short)
{
    pg_str(&q, STR("12\0junk"));
    cr_assert(encode(1700));
    cr_assert(v.binary, "the server has to see and refuse all of it");
    cr_assert_eq(v.n, 7);
}

Test(pg_encode, absent_values_are_null)
{
    pg_str(&q, (struct str){0});
    cr_assert(encode(PG_TEXT));
    cr_assert_null(v.p);
    pg_bytes(&q, (struct str){0});
    cr_assert(encode(PG_BYTEA));
    cr_assert_null(v.p);
    pg_i64_opt(&q, false, 7);
    cr_assert(encode(PG_INT8));
    cr_assert_null(v.p);
    pg_uuid_opt(&q, false, (struct uuid){{0}});
    cr_assert(encode(PG_UUID));
    cr_assert_null(v.p);
    pg_time_opt(&q, false, 1);
    cr_assert(encode(PG_TIMESTAMPTZ));
    cr_assert_null(v.p);
}

Test(pg_encode, time_counts_from_2000)
{
    pg_time(&q, INT64_C(946684800000001));
    cr_assert(encode(PG_TIMESTAMPTZ));
    EXPECT_BINARY("\0\0\0\0\0\0\0\1");
    pg_time(&q, INT64_MIN);
    cr_assert_not(encode(PG_TIMESTAMPTZ));
}

Test(pg_encode, uuid_and_flag)
{
    struct uuid u = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

    pg_uuid(&q, u);
    cr_assert(encode(PG_UUID));
    expect_binary((const char *)u.b, 16);
    cr_assert(encode(PG_TEXT));
    EXPECT_BINARY("01020304-0506-0708-090a-0b0c0d0e0f10");
    pg_flag(&q, true);
    cr_assert(encode(PG_BOOL));
    EXPECT_BINARY("\1");
}

Test(pg_encode, bytes_only_go_to_bytea)
{
    pg_bytes(&q, STR("\0\1"));
    cr_assert(encode(PG_BYTEA));
    EXPECT_BINARY("\0\1");
    cr_assert_not(encode(PG_TEXT));
    pg_str(&q, STR("x"));
    cr_assert(encode(PG_BYTEA) == false, "a string is not bytes");
}

Test(pg_encode, an_array_has_header_and_elements)
{
    const int64_t numbers[] = {1, -1};
    const struct str strings[] = {{"ab", 2}, {NULL, 0}, {"", 0}};

    pg_i64_array(&q, numbers, 2);
    cr_assert(encode(PG_INT8_ARRAY));
    EXPECT_BINARY("\0\0\0\1\0\0\0\0\0\0\0\x14\0\0\0\2\0\0\0\1"
                  "\0\0\0\x8\0\0\0\0\0\0\0\1"
                  "\0\0\0\x8\xff\xff\xff\xff\xff\xff\xff\xff");
    cr_assert(encode(PG_INT4_ARRAY));
    EXPECT_BINARY("\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0\2\0\0\0\1"
                  "\0\0\0\4\0\0\0\1"
                  "\0\0\0\4\xff\xff\xff\xff");
    pg_str_array(&q, strings, 3);
    cr_assert(encode(PG_TEXT_ARRAY));
    EXPECT_BINARY("\0\0\0\1\0\0\0\1\0\0\0\x19\0\0\0\3\0\0\0\1"
                  "\0\0\0\2ab"
                  "\xff\xff\xff\xff"
                  "\0\0\0\0");
}

Test(pg_encode, an_empty_array_has_no_dimension)
{
    pg_uuid_array(&q, NULL, 0);
    cr_assert(encode(PG_UUID_ARRAY));
    EXPECT_BINARY("\0\0\0\0\0\0\0\0\0\0\x0b\x86");
}

Test(pg_encode, arrays_of_another_type_have_no_form)
{
    const int64_t numbers[] = {INT64_C(1) << 40};

    pg_i64_array(&q, numbers, 1);
    cr_assert_not(encode(PG_TEXT_ARRAY));
    cr_assert_not(encode(PG_INT8));
    cr_assert_not(encode(PG_INT4_ARRAY), "out of range");
    pg_str(&q, STR("{1}"));
    cr_assert_not(encode(PG_INT8_ARRAY));
}

Test(pg_encode, parameters_keep_their_order_when_there_are_many)
{
    for (int i = 0; i < 100; i++)
        pg_i32(&q, i);
    cr_assert_eq(q.n_params, 100);
    for (int i = 0; i < 100; i++)
        cr_assert_eq(q.params[i].i, i);
}
