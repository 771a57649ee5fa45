// SPDX-License-Identifier: Apache-2.0
#include "kit/rpc/envelope.h"
#include "kit/wire/wire.h"

#include <criterion/criterion.h>

static const struct err_code GONE = {"shop.gone", ERR_NOT_FOUND, "Gone"};
static const struct err_code *const CODES[] = {&GONE, NULL};

static struct arena a;
static struct buf b;

static void start(void)
{
    arena_init(&a);
    buf_init(&b, 1 << 20);
}

static void stop(void)
{
    arena_fini(&a);
    buf_fini(&b);
}

TestSuite(rpc_envelope, .init = start, .fini = stop);

static const struct err *through(const struct err *e)
{
    rpc_envelope_put(&b, e);
    return rpc_envelope_read(&a, buf_view(&b), CODES);
}

Test(rpc_envelope, everything_arrives)
{
    struct err *e = err_new(&a, &GONE, "no %s", "shoes");
    const struct err *got;

    err_add_field(&a, e, STR("/a"), "bad");
    err_add_field(&a, e, STR("/b/0"), "worse");
    e->retry_after_ms = 250;
    got = through(e);
    cr_assert_eq(got->code, &GONE);
    cr_assert(str_eq(got->detail, STR("no shoes")));
    cr_assert_eq(got->retry_after_ms, 250);
    cr_assert(str_eq(got->fields->pointer, STR("/a")));
    cr_assert(str_eq(got->fields->next->pointer, STR("/b/0")));
    cr_assert(str_eq(got->fields->next->detail, STR("worse")));
    cr_assert_null(got->fields->next->next);
}

Test(rpc_envelope, what_is_absent_stays_absent)
{
    const struct err *got = through(ERR_STATIC(DEADLINE));

    cr_assert_eq(got->code, &ERR_CODE_DEADLINE);
    cr_assert_eq(got->detail.n, 0u);
    cr_assert_null(got->fields);
    cr_assert_eq(got->retry_after_ms, 0);
}

Test(rpc_envelope, an_unknown_code_becomes_one_of_its_kind)
{
    static const struct err_code fresh = {"shop.new", ERR_UNAVAILABLE, "New"};
    static const struct err_code odd = {"shop.odd", ERR_CONFLICT, "Odd"};
    static const struct err_code away = {"shop.away", ERR_NOT_FOUND, "Away"};

    cr_assert_eq(through(&(struct err){.code = &fresh})->code, &ERR_CODE_UNAVAILABLE);
    buf_reset(&b);
    cr_assert_eq(through(&(struct err){.code = &odd})->code, &ERR_CODE_CONFLICT);
    buf_reset(&b);
    cr_assert_eq(through(&(struct err){.code = &away})->code, &ERR_CODE_INTERNAL);
}

Test(rpc_envelope, fields_beyond_the_limit_are_left_out)
{
    struct err *e = err_new(&a, &GONE, "many");
    const struct err *got;
    int n = 0;

    for (int i = 0; i < RPC_ENVELOPE_FIELDS_MAX + 20; i++)
        err_add_field(&a, e, STR("/x"), "no");
    got = through(e);
    for (const struct err_field *f = got->fields; f; f = f->next)
        n++;
    cr_assert_eq(got->code, &GONE);
    cr_assert_eq(n, RPC_ENVELOPE_FIELDS_MAX);
}

Test(rpc_envelope, unknown_keys_are_skipped)
{
    mp_put_map(&b, 3);
    mp_put_str(&b, STR("later"));
    mp_put_array(&b, 1);
    mp_put_int(&b, 7);
    mp_put_str(&b, STR("code"));
    mp_put_str(&b, STR("shop.gone"));
    mp_put_str(&b, STR("kind"));
    mp_put_str(&b, STR("not_found"));
    cr_assert_eq(rpc_envelope_read(&a, buf_view(&b), CODES)->code, &GONE);
}

Test(rpc_envelope, cut_off_anywhere_it_is_internal)
{
    struct err *e = err_new(&a, &GONE, "why");

    err_add_field(&a, e, STR("/a"), "bad");
    rpc_envelope_put(&b, e);
    for (size_t n = 0; n < b.n; n++)
        cr_assert_eq(rpc_envelope_read(&a, (struct str){b.p, n}, CODES)->code,
                     &ERR_CODE_INTERNAL, "%zu bytes", n);
}
