// SPDX-License-Identifier: Apache-2.0
/* Which job an event asks for. */
#include "jobs/rules/from_event.h"

#include "jobs/rules/payloads.h"
#include "proto/events.h"

#include <criterion/criterion.h>

static struct arena a;

static void begin(void)
{
    arena_init(&a);
}

static void end(void)
{
    arena_fini(&a);
}

TestSuite(from_event, .init = begin, .fini = end);

static struct email_payload unpack(struct str payload)
{
    struct email_payload mail = {0};

    cr_assert_null(wire_from_msgpack(&a, &email_payload_msg, payload, &mail));
    return mail;
}

Test(from_event, a_registered_user_is_welcomed)
{
    struct user_registered event = {0};
    struct job_new job = {0};
    struct email_payload mail;

    WIRE_SET(&event, user_id, uuid_new());
    cr_assert_eq(job_of_event(&a, STR("user.registered"),
                              payload_pack(&a, &user_registered_msg, &event), &job),
                 EVENT_MAKES_JOB);
    cr_expect_eq(job.kind, JOB_EMAIL);
    cr_expect(uuid_eq(job.owner, event.user_id));
    mail = unpack(job.payload);
    cr_expect_eq(mail.template, MAIL_WELCOME);
    cr_expect(uuid_eq(mail.user_id, event.user_id));
    cr_expect_not(mail.has_order_id);
}

Test(from_event, a_placed_order_is_confirmed)
{
    struct order_placed event = {0};
    struct job_new job = {0};
    struct email_payload mail;

    WIRE_SET(&event, user_id, uuid_new());
    WIRE_SET(&event, order_id, uuid_new());
    cr_assert_eq(job_of_event(&a, STR("order.placed"),
                              payload_pack(&a, &order_placed_msg, &event), &job),
                 EVENT_MAKES_JOB);
    mail = unpack(job.payload);
    cr_expect_eq(mail.template, MAIL_ORDER_CONFIRMATION);
    cr_expect(uuid_eq(mail.user_id, event.user_id));
    cr_expect(uuid_eq(mail.order_id, event.order_id));
}

Test(from_event, other_events_ask_for_nothing)
{
    struct job_new job = {0};

    cr_expect_eq(job_of_event(&a, STR("order.moved"), STR("\x80"), &job), EVENT_IGNORED);
    cr_expect_eq(job_of_event(&a, STR(""), STR(""), &job), EVENT_IGNORED);
    cr_expect_eq(job_of_event(&a, (struct str){0}, STR(""), &job), EVENT_IGNORED);
}

Test(from_event, a_body_that_cannot_be_read_is_malformed)
{
    struct job_new job = {0};

    cr_expect_eq(job_of_event(&a, STR("order.placed"), STR(""), &job), EVENT_MALFORMED);
    cr_expect_eq(job_of_event(&a, STR("order.placed"), STR("\x80"), &job),
                 EVENT_MALFORMED);
    cr_expect_eq(job_of_event(&a, STR("user.registered"), STR("\xc1garbage"), &job),
                 EVENT_MALFORMED);
}
