// SPDX-License-Identifier: Apache-2.0
/* version "-" trace-id "-" parent-id "-" flags, all in lower-case hexadecimal. */
#include "kit/obs/trace.h"

enum { TRACE_AT = 3, SPAN_AT = 36, FLAGS_AT = 53 };

static bool is_zero(const uint8_t *p, size_t n)
{
    static const uint8_t zero[sizeof((struct trace *)0)->trace_id];

    return memcmp(p, zero, n) == 0;
}

/* Ids are no secrets, so they need no system call. */
static void random_id(uint8_t *id, size_t n)
{
    do {
        for (size_t i = 0; i < n; i += sizeof(uint64_t)) {
            uint64_t r = random_u64();

            memcpy(id + i, &r, sizeof r);
        }
    } while (is_zero(id, n));
}

void trace_start(struct trace *t, bool sampled)
{
    random_id(t->trace_id, sizeof t->trace_id);
    random_id(t->span_id, sizeof t->span_id);
    t->sampled = sampled;
}

void trace_child(struct trace *t, const struct trace *parent)
{
    *t = *parent;
    random_id(t->span_id, sizeof t->span_id);
}

static bool hex(struct str s, size_t at, size_t n, uint8_t *out)
{
    for (size_t i = at; i < at + 2 * n; i++)
        if (s.p[i] >= 'A' && s.p[i] <= 'F')
            return false;
    return hex_decode((struct str){s.p + at, 2 * n}, out, n);
}

/* Versions to come may append fields after another dash; ff is none. */
static bool version_ok(struct str s)
{
    uint8_t version;

    if (!hex(s, 0, 1, &version) || version == 0xff)
        return false;
    return s.n == TRACEPARENT_LEN || (version != 0 && s.p[TRACEPARENT_LEN] == '-');
}

static bool parse(struct trace *t, struct str s)
{
    uint8_t flags;

    if (s.n < TRACEPARENT_LEN || !version_ok(s))
        return false;
    if (s.p[TRACE_AT - 1] != '-' || s.p[SPAN_AT - 1] != '-' || s.p[FLAGS_AT - 1] != '-')
        return false;
    if (!hex(s, TRACE_AT, sizeof t->trace_id, t->trace_id) ||
        !hex(s, SPAN_AT, sizeof t->span_id, t->span_id) || !hex(s, FLAGS_AT, 1, &flags))
        return false;
    t->sampled = flags & 1;
    return !is_zero(t->trace_id, sizeof t->trace_id) &&
           !is_zero(t->span_id, sizeof t->span_id);
}

void trace_continue(struct trace *t, struct str traceparent)
{
    if (parse(t, traceparent))
        random_id(t->span_id, sizeof t->span_id);
    else
        trace_start(t, false);
}

void trace_format(const struct trace *t, char *out)
{
    memcpy(out, "00-", TRACE_AT);
    hex_encode(t->trace_id, sizeof t->trace_id, out + TRACE_AT);
    out[SPAN_AT - 1] = '-';
    hex_encode(t->span_id, sizeof t->span_id, out + SPAN_AT);
    out[FLAGS_AT - 1] = '-';
    out[FLAGS_AT] = '0';
    out[FLAGS_AT + 1] = t->sampled ? '1' : '0';
}
