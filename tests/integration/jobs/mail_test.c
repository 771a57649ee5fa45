// SPDX-License-Identifier: Apache-2.0
/* From an event to a mail, and what happens when a part of the way is missing. */
#include "pipeline.h"

#include <criterion/criterion.h>

TestSuite(mail, .init = pipeline_begin, .fini = pipeline_end);
TestSuite(mail_lease, .init = pipeline_begin_short, .fini = pipeline_end);

Test(mail, welcome_follows_registration_as_text_and_html)
{
    pipeline_registered(uuid_new(), uuid_new());
    pipeline_wait(1, "succeeded");
    cr_expect_eq(pipeline_mails("Subject: =?utf-8?B?V2VsY29tZ"), 1);
    cr_expect_eq(pipeline_mails("Content-Type: text/plain"), 1);
    cr_expect_eq(pipeline_mails("Content-Type: text/html"), 1);
    cr_expect_eq(pipeline_mails("Hello Ada L=C3=B6we,"), 1);
    cr_expect_eq(pipeline_mails("From: \"Test Shop\""), 1);
    cr_expect_eq(pipeline_mails(database_text(&db, "SELECT 'Message-ID: <' || id || "
                                                   "'@viaduct.example>' FROM jobs")),
                 1);
}

Test(mail, confirmation_follows_an_order_once_however_often_the_event_comes)
{
    struct uuid event = uuid_new(), user = uuid_new(), order = uuid_new();

    for (int i = 0; i < 3; i++)
        pipeline_placed(event, user, order);
    pipeline_wait(1, "succeeded");
    pipeline_placed(event, user, order);
    pipeline_registered(uuid_new(), user); /* behind it, so that it has been looked at */
    pipeline_wait(2, "succeeded");
    cr_expect_eq(pipeline_mails(uuid_str(&db.arena, order).p), 1);
    cr_expect_eq(pipeline_mails("2 x Green tea (TEA-1), 4.50 EUR each"), 1);
    cr_expect_str_eq(database_text(&db, "SELECT owner FROM jobs WHERE event_id = '%s'",
                                   uuid_str(&db.arena, event).p),
                     uuid_str(&db.arena, user).p);
}

Test(mail, many_jobs_are_done_each_once)
{
    enum { MANY = 200 };

    for (int i = 0; i < MANY; i++)
        pipeline_registered(uuid_new(), uuid_new());
    pipeline_wait(MANY, "succeeded");
    cr_expect_eq(pipeline_mails("Subject:"), MANY);
    cr_expect_eq(database_number(&db, "SELECT sum(fence) FROM jobs"), MANY);
}

Test(mail, that_is_refused_is_dead)
{
    peers.email = "rejected@example.com";
    pipeline_registered(uuid_new(), uuid_new());
    pipeline_wait(1, "dead");
    cr_expect_str_eq(
        database_text(&db, "SELECT error_code || ': ' || error_detail FROM jobs"),
        "jobs.smtp_refused: The mail server answered 550");
}

Test(mail, that_is_deferred_is_tried_again)
{
    peers.email = "deferred@example.com";
    pipeline_registered(uuid_new(), uuid_new());
    pipeline_wait_number(2, "SELECT max(attempts) FROM jobs WHERE state = 'queued'");
    cr_expect_str_eq(database_text(&db, "SELECT error_code FROM jobs"),
                     "jobs.smtp_deferred");
    peers.email = address;
    pipeline_wait(1, "succeeded");
}

Test(mail, to_nobody_is_dead)
{
    peers.email = NULL;
    pipeline_registered(uuid_new(), uuid_new());
    pipeline_wait(1, "dead");
    cr_expect_str_eq(database_text(&db, "SELECT error_code FROM jobs"),
                     "users.not_found");
}

Test(mail, waits_without_losing_attempts_while_smtp_is_down)
{
    enum { MANY = 20 };

    cr_assert(live_server("stop", "smtp", PIPELINE_SERVERS));
    for (int i = 0; i < MANY; i++)
        pipeline_registered(uuid_new(), uuid_new());
    pipeline_wait_number(MANY,
                         "SELECT count(*) FROM jobs WHERE error_code = 'jobs.smtp_down' "
                         "AND state = 'queued' AND attempts = 0");
    cr_assert(live_server("start", "smtp", PIPELINE_SERVERS));
    pipeline_wait(MANY, "succeeded");
    cr_expect_eq(pipeline_mails("Subject:"), MANY);
}

Test(mail, waits_while_the_users_service_is_down)
{
    peers_stop(loop);
    pipeline_registered(uuid_new(), uuid_new());
    pipeline_wait_number(1, "SELECT count(*) FROM jobs WHERE error_code IS NOT NULL "
                            "AND state = 'queued'");
    cr_expect_str_eq(database_text(&db, "SELECT attempts FROM jobs"), "0");
    peers_start(loop); /* for the end of the test */
}

Test(mail, comes_after_kafka_was_away)
{
    cr_assert(live_server("stop", "kafka", PIPELINE_SERVERS));
    database_run(
        &db, "INSERT INTO jobs (id, kind, payload) SELECT gen_random_uuid(), 'email', "
             "'\\xc1' FROM generate_series(1, 5)");
    live_turns(loop, 300);
    cr_assert(live_server("start", "kafka", PIPELINE_SERVERS));
    pipeline_wait(
        5, "dead"); /* their payload is none, which is enough to see that they ran */
    cr_expect_eq(database_number(&db, "SELECT count(*) FROM jobs WHERE error_code = "
                                      "'jobs.bad_payload'"),
                 5);
}

Test(mail_lease, ends_with_its_worker_and_another_sends_the_mail)
{
    peers.email = arena_printf(&db.arena, "slow-%s", address).p;
    pipeline_registered(uuid_new(), uuid_new());
    pipeline_wait(1, "running");
    pipeline_worker_stop(); /* cut off in the middle, its lease stays */
    cr_expect_eq(
        database_number(&db, "SELECT count(*) FROM jobs WHERE state = 'running'"), 1);
    pipeline_worker_start();
    pipeline_wait(1, "succeeded");
    cr_expect_str_eq(database_text(&db, "SELECT crashes || ' ' || suspect FROM jobs"),
                     "1 true");
    cr_expect_geq(pipeline_mails("Subject:"), 1);
}

Test(mail, is_not_held_up_by_events_that_cannot_be_read)
{
    struct uuid event = uuid_new();

    pipeline_event(event, "user.registered", STR("\xc1"));
    pipeline_event(event, "order.placed", STR(""));
    pipeline_event(event, "order.moved", STR("\x80"));
    pipeline_registered(event, uuid_new()); /* of the same key: behind them */
    pipeline_wait(1, "succeeded");
    cr_expect_eq(pipeline_mails("Subject:"), 1);
    cr_expect_eq(database_number(&db, "SELECT count(*) FROM jobs"), 1);
}
