// SPDX-License-Identifier: Apache-2.0
/* Events and the jobs they ask for. */
#include "jobs/rules/from_event.h"

#include "jobs/rules/payloads.h"
#include "proto/events.h"

static bool welcome_mail(struct arena *a, struct str body, struct job_new *out)
{
    struct user_registered event = {0};
    struct email_payload mail = {0};

    if (wire_from_msgpack(a, &user_registered_msg, body, &event))
        return false;
    WIRE_SET(&mail, template, MAIL_WELCOME);
    WIRE_SET(&mail, user_id, event.user_id);
    out->owner = event.user_id;
    out->payload = payload_pack(a, &email_payload_msg, &mail);
    return true;
}

static bool confirmation_mail(struct arena *a, struct str body, struct job_new *out)
{
    struct order_placed event = {0};
    struct email_payload mail = {0};

    if (wire_from_msgpack(a, &order_placed_msg, body, &event))
        return false;
    WIRE_SET(&mail, template, MAIL_ORDER_CONFIRMATION);
    WIRE_SET(&mail, user_id, event.user_id);
    WIRE_SET(&mail, order_id, event.order_id);
    out->owner = event.user_id;
    out->payload = payload_pack(a, &email_payload_msg, &mail);
    return true;
}

static const struct {
    const char *type;
    enum job_kind kind;
    bool (*make)(struct arena *a, struct str body, struct job_new *out);
} asks[] = {
    {EVENT_USER_REGISTERED, JOB_EMAIL, welcome_mail},
    {EVENT_ORDER_PLACED, JOB_EMAIL, confirmation_mail},
};

enum event_use job_of_event(struct arena *a, struct str type, struct str body,
                            struct job_new *out)
{
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        if (!str_eq(type, str_of(asks[i].type)))
            continue;
        out->kind = asks[i].kind;
        return asks[i].make(a, body, out) ? EVENT_MAKES_JOB : EVENT_MALFORMED;
    }
    return EVENT_IGNORED;
}
