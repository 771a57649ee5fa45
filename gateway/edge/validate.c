// SPDX-License-Identifier: Apache-2.0
/* See gateway/edge/validate.h. */
#include "gateway/edge/validate.h"

#include "kit/base/clock.h"
#include "kit/http/fields.h"
#include "proto/common.h"
#include "proto/errors.h"

enum { KEY_MAX = 255 };

static const size_t sizes[] = {
    [WIRE_KIND_str] = sizeof(struct str),
    [WIRE_KIND_text] = sizeof(struct str),
    [WIRE_KIND_email] = sizeof(struct str),
    [WIRE_KIND_url] = sizeof(struct str),
    [WIRE_KIND_secret] = sizeof(struct str),
    [WIRE_KIND_currency] = sizeof(struct str),
    [WIRE_KIND_bytes] = sizeof(struct str),
    [WIRE_KIND_i64] = sizeof(int64_t),
    [WIRE_KIND_f64] = sizeof(double),
    [WIRE_KIND_flag] = sizeof(bool),
    [WIRE_KIND_uuid] = sizeof(struct uuid),
    [WIRE_KIND_time] = sizeof(int64_t),
    [WIRE_KIND_enum] = sizeof(unsigned),
    [WIRE_KIND_obj] = sizeof(void *),
    [WIRE_KIND_list] = sizeof(struct by_id_list),
    [WIRE_KIND_strs] = sizeof(struct str_list),
};

static void copy_field(const struct wire_field *from, const char *in,
                       const struct wire_field *to, char *out)
{
    if (!*(const bool *)(in + from->has_offset) || !to || to->kind != from->kind)
        return;
    memcpy(out + to->offset, in + from->offset, sizes[from->kind]);
    *(bool *)(out + to->has_offset) = true;
}

void validate_copy(const struct wire_msg *from, const void *in, const struct wire_msg *to,
                   void *out)
{
    for (unsigned i = 0; i < from->count; i++) {
        const struct wire_field *f = &from->fields[i];

        copy_field(f, in, wire_field_find(to, (struct str){f->name, f->name_len}), out);
    }
}

/* ---- where fields come from ---- */

static const struct err *read_path(struct request *rq, const struct wire_msg *m, void *in)
{
    struct arena *a = &rq->flow->arena;

    for (unsigned i = 0; i < rq->match.n_params; i++) {
        const struct router_param *p = &rq->match.params[i];
        const struct wire_field *f = wire_field_find(m, p->name);
        /* one required field, so that the others are not missed */
        const struct wire_msg alone = {m->name, f, 1, m->size};
        const struct wire_param param = {p->name, p->value, true};
        const struct err *e = f ? wire_from_params(a, &alone, &param, 1, in) : NULL;

        if (e)
            return e;
    }
    return NULL;
}

static const struct err *bad_query(struct request *rq)
{
    return err_new(&rq->flow->arena, &ERR_CODE_BAD_PARAMETERS, "The query is malformed");
}

static const struct err *read_pairs(struct request *rq, const struct wire_msg *query,
                                    const struct wire_msg *m, void *in)
{
    struct arena *a = &rq->flow->arena;
    struct wire_param params[REQUEST_PAIRS_MAX];
    const struct err *e;
    void *out;

    for (int i = 0; i < rq->n_pairs; i++)
        params[i] = (struct wire_param){rq->pairs[i].name, rq->pairs[i].value, false};
    out = query == m ? in : arena_alloc(a, query->size);
    e = wire_from_params(a, query, params, (size_t)rq->n_pairs, out);
    if (!e && out != in && m)
        validate_copy(query, out, m, in);
    return e;
}

static const struct err *read_query(struct request *rq, const struct route *route,
                                    const struct wire_msg *m, void *in)
{
    if (rq->http->query.p) {
        rq->pairs = ARENA_ARRAY(&rq->flow->arena, struct http_pair, REQUEST_PAIRS_MAX);
        rq->n_pairs = http_query_pairs(rq->http, rq->pairs, REQUEST_PAIRS_MAX);
    }
    if (rq->n_pairs < 0)
        return bad_query(rq);
    if (!route->query && rq->n_pairs == 0)
        return NULL;
    return read_pairs(rq, route->query ? route->query : &empty_msg, m, in);
}

/* "application/json", with parameters or without. */
static bool is_json(struct str type)
{
    struct str rest;

    return str_eq_nocase(str_trim(str_split(type, ';', &rest)), STR("application/json"));
}

static const struct err *want_json(struct request *rq)
{
    if (is_json(http_header(rq->http, "content-type")))
        return NULL;
    return err_new(&rq->flow->arena, &ERR_CODE_UNSUPPORTED_MEDIA,
                   "Send Content-Type: application/json");
}

/* A chunked body may be empty, and then it needs no type. */
const struct err *validate_head(struct request *rq)
{
    int64_t announced = http_body_length(rq->http);

    if (announced == 0 || (announced < 0 && !http_header(rq->http, "content-type").p))
        return NULL;
    return want_json(rq);
}

static const struct err *read_body(struct request *rq, const struct route *route,
                                   const struct wire_msg *m, void *in)
{
    const struct wire_msg *body = route->body ? route->body : &empty_msg;
    struct arena *a = &rq->flow->arena;
    const struct err *e = rq->http->body.n > 0 ? want_json(rq) : NULL;
    void *out;

    if (e || (!route->body && rq->http->body.n == 0))
        return e;
    out = body == m ? in : arena_alloc(a, body->size);
    e = wire_from_json(a, body, rq->http->body, out);
    if (!e && out != in && m)
        validate_copy(body, out, m, in);
    return e;
}

static void set_str(const struct wire_msg *m, const char *name, struct str s, void *in)
{
    const struct wire_field *f = wire_field_find(m, str_of(name));

    memcpy((char *)in + f->offset, &s, sizeof s);
    *((bool *)in + f->has_offset) = true;
}

static void set_uuid(const struct wire_msg *m, const char *name, struct uuid id, void *in)
{
    const struct wire_field *f = wire_field_find(m, str_of(name));

    memcpy((char *)in + f->offset, &id, sizeof id);
    *((bool *)in + f->has_offset) = true;
}

/* Our tags are "VERSION-HASH" (respond.c); the hash is not needed to see a change. 0: not
 * one of them; a weak one never is (RFC 9110 section 13.1.1). */
static int64_t version_of_tag(struct str tag)
{
    struct str rest;
    int64_t version;

    if (tag.n < 2 || tag.p[0] != '"' ||
        !str_to_i64(str_split((struct str){tag.p + 1, tag.n - 1}, '-', &rest), 1,
                    INT64_MAX, &version))
        return 0;
    return version;
}

/* Of several tags the newest: versions only grow, so if any is the present one, it is. */
static const struct err *read_if_match(struct request *rq, const struct wire_msg *m,
                                       void *in)
{
    struct str list = http_header_list(rq->http, "if-match");
    const struct wire_field *f = wire_field_find(m, STR("if_version"));
    bool asked = list.p != NULL;
    int64_t newest = 0;
    struct str tag;

    while ((tag = http_list_next(&list)).p) {
        int64_t version = version_of_tag(tag);

        if (str_eq(tag, STR("*")))
            return NULL;
        newest = version > newest ? version : newest;
    }
    if (!asked)
        return rq->match.route->if_match == IF_MATCH_REQUIRED
                   ? err_new(&rq->flow->arena, &ERR_CODE_VERSION_REQUIRED,
                             "Send the ETag of what you change, or * for any version")
                   : NULL;
    if (newest == 0)
        return err_new(&rq->flow->arena, &ERR_CODE_VERSION_MISMATCH,
                       "If-Match is not an ETag of this");
    memcpy((char *)in + f->offset, &newest, sizeof newest);
    *((bool *)in + f->has_offset) = true;
    return NULL;
}

/* As the hop carries it: whatever can be seen, to be compared byte by byte. */
static const struct err *read_key(struct request *rq)
{
    struct str key = http_header(rq->http, "idempotency-key");
    struct err *err;
    size_t i = 0;

    while (i < key.n && key.p[i] > ' ' && key.p[i] < 0x7f)
        i++;
    rq->key = key;
    if (!key.p)
        return NULL;
    if (key.n > 0 && i == key.n && key.n <= KEY_MAX &&
        http_header_count(rq->http, "idempotency-key") == 1)
        return NULL;
    err = err_new(&rq->flow->arena, &ERR_CODE_BAD_PARAMETERS,
                  "The Idempotency-Key is not acceptable");
    err_add_field(&rq->flow->arena, err, STR("Idempotency-Key"),
                  "must be there once, with 1 to %d visible ASCII characters", KEY_MAX);
    return err;
}

const struct err *validate(struct request *rq)
{
    const struct route *route = rq->match.route;
    const struct wire_msg *m = route_in(route);
    void *in = arena_alloc(&rq->flow->arena, m ? m->size : 1);
    const struct err *e = m ? read_path(rq, m, in) : NULL;

    if (!e)
        e = read_query(rq, route, m, in);
    if (!e)
        e = read_body(rq, route, m, in);
    if (!e && route->if_match)
        e = read_if_match(rq, m, in);
    if (!e && route->keyed)
        e = read_key(rq);
    if (!e && route->binds && rq->jkt.p)
        set_str(m, "jkt", rq->jkt, in);
    if (!e && route->self)
        set_uuid(m, route->self, rq->flow->caller.user, in);
    rq->flow->in = in;
    return e;
}
