// SPDX-License-Identifier: Apache-2.0
/* The tables of rules/payloads.h as data. */
#include "jobs/rules/payloads.h"

#include "kit/base/mem.h"

WIRE_ENUM_DEFINE(mail_template, MAIL_TEMPLATE)
WIRE_DEFINE(email_payload, EMAIL_PAYLOAD)
WIRE_DEFINE(job_ready, JOB_READY)

struct str payload_pack(struct arena *a, const struct wire_msg *m, const void *in)
{
    struct buf b;
    struct str packed;

    buf_init(&b, PAYLOAD_MAX_BYTES);
    wire_to_msgpack(&b, m, in);
    if (b.failed)
        mem_die("jobs: a %s of more than %d bytes", m->name, PAYLOAD_MAX_BYTES);
    packed = arena_str(a, buf_view(&b));
    buf_fini(&b);
    return packed;
}
