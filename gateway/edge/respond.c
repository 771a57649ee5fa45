// SPDX-License-Identifier: Apache-2.0
/* See gateway/edge/respond.h. */
#include "gateway/edge/respond.h"

#include "gateway/edge/cors.h"
#include "gateway/edge/fields.h"
#include "gateway/edge/internal.h"
#include "kit/base/siphash.h"
#include "kit/http/fields.h"
#include "proto/errors.h"

#include <endian.h>

enum { PROBLEM_MAX = 65536, KEPT_MAX = 65536, ETAG_MAX = STR_I64_MAX + 19 };

#define PROBLEM "application/problem+json"

/* ---- Accept ---- */

const struct err *respond_acceptable(const struct request *rq)
{
    const char *media = rq->match.route->media;
    struct str sent = media ? str_of(media) : STR("application/json");

    if (rq->match.route->page ||
        http_accepts(http_header_list(rq->http, "accept"), sent) > 0)
        return NULL;
    return err_new(&rq->flow->arena, &ERR_CODE_NOT_ACCEPTABLE, "This is sent as %.*s",
                   STR_FMT(sent));
}

/* ---- entity tags ---- */

struct str respond_etag(struct arena *a, int64_t version, struct str body)
{
    /* no secret: every gateway must come to the same tag */
    const struct siphash_key key = {0x7669616475637421, 0x6574616773206f6b};
    uint64_t hash = htobe64(siphash13(key, body.p, body.n));
    char *text = arena_alloc(a, ETAG_MAX), *at = text;

    *at++ = '"';
    if (version > 0) {
        at += str_from_i64(version, at);
        *at++ = '-';
    }
    hex_encode(&hash, sizeof hash, at);
    at += 2 * sizeof hash;
    *at++ = '"';
    return (struct str){text, (size_t)(at - text)};
}

/* RFC 9110 section 13.1.2: the weak comparison. */
static bool is_known_to_client(const struct request *rq, struct str etag)
{
    struct str list = http_header_list(rq->http, "if-none-match");
    struct str tag;

    while ((tag = http_list_next(&list)).p) {
        if (str_starts(tag, STR("W/")))
            tag = (struct str){tag.p + 2, tag.n - 2};
        if (str_eq(tag, STR("*")) || str_eq(tag, etag))
            return true;
    }
    return false;
}

/* A packed body is another representation, so it has another strong tag. */
static struct str packed_etag(struct arena *a, struct str etag)
{
    return arena_printf(a, "%.*s-gzip\"", (int)etag.n - 1, etag.p);
}

static bool is_json(struct str type)
{
    return str_eq(type, STR("application/json")) || str_eq(type, STR(PROBLEM));
}

static bool may_pack(const struct request *rq, const char *type, struct str body)
{
    if (rq->packed.p)
        return gzip_asked(http_header_list(rq->http, "accept-encoding"));
    return type && is_json(str_of(type)) && body.n >= GZIP_MIN && body.n <= GZIP_MAX &&
           gzip_asked(http_header_list(rq->http, "accept-encoding"));
}

static bool has_etag(const struct request *rq)
{
    const struct route *route = rq->match.route;
    bool stored = !route->cache_control || !strstr(route->cache_control, "no-store");

    return stored && (route->method == HTTP_GET || route->method == HTTP_PATCH ||
                      route->status == 201);
}

/* ---- sending ---- */

static void send(struct request *rq, int status, const char *type, const struct fields *f,
                 struct str body)
{
    rq->status = status;
    rq->sent = rq->http->method == HTTP_HEAD ? 0 : body.n;
    http_reply(rq->http, status, type, f->v, f->n, body);
}

/* JSON of a kilobyte always gets smaller; if not, it is sent as it is, which its tag may
 * not say: the tag only tells representations apart. */
static struct str pack(struct request *rq, struct fields *f, struct str body)
{
    struct str packed = rq->packed;

    if (!packed.p)
        packed = gzip_pack(rq->edge->gzip, &rq->http->arena, body);
    if (!packed.p)
        return body;
    fields_add(f, "Content-Encoding", STR("gzip"));
    return packed;
}

static void send_problem(struct request *rq, const struct err *e)
{
    struct fields f = {.n = 0};
    struct str rest, body;
    struct str instance = str_split(rq->http->target, '?', &rest); /* absent if refused */
    struct buf b;

    if (rq->streaming) { /* too late to say */
        rq->status = err_info(e)->http_status;
        return;
    }
    buf_init(&b, PROBLEM_MAX);
    http_problem(&b, e, instance, rq->id);
    fields_common(&f, rq);
    fields_of_error(&f, rq, e);
    body = buf_view(&b);
    rq->packed = (struct str){NULL, 0}; /* of what would have been sent */
    if (may_pack(rq, PROBLEM, body))
        body = pack(rq, &f, body);
    send(rq, err_info(e)->http_status, PROBLEM, &f, body);
    buf_fini(&b);
}

static void send_body(struct request *rq, const char *type, struct str reply,
                      struct str body)
{
    const struct route *route = rq->match.route;
    struct fields f = {.n = 0};
    struct mp_value version = {.type = MP_NIL};
    int status = route->status;
    struct str etag = rq->etag;
    bool packed;

    fields_common(&f, rq);
    fields_of_route(&f, rq, reply);
    packed = may_pack(rq, type, body);
    if (has_etag(rq) && body.n > 0) {
        bool versioned =
            fields_peek(reply, "version", &version) && version.type == MP_INT;

        if (etag.p == NULL)
            etag = respond_etag(&rq->http->arena, versioned ? version.i : 0, body);
        if (packed)
            etag = packed_etag(&rq->http->arena, etag);
        fields_add(&f, "ETag", etag);
        if (route->method == HTTP_GET && is_known_to_client(rq, etag))
            status = 304;
    }
    if (packed && status != 304)
        body = pack(rq, &f, body);
    send(rq, status, type, &f, status == 304 ? STR("") : body);
}

static void send_reply(struct request *rq, const struct wire_msg *m)
{
    struct buf *b = &rq->edge->json;
    const struct err *e = NULL;

    buf_reset(b);
    if (rq->reply.p)
        e = wire_msgpack_to_json(&rq->flow->arena, m, rq->reply, b);
    else
        wire_to_json(b, m, rq->flow->out);
    if (e || b->failed) {
        LOG_ERROR(&rq->flow->log, "respond.bad_reply",
                  KV("detail", e ? e->detail : STR("size")));
        send_problem(rq, ERR_STATIC(INTERNAL));
    } else {
        send_body(rq, "application/json", rq->reply, buf_view(b));
    }
    if (b->room > KEPT_MAX)
        buf_fini(b);
}

static void send_options(struct request *rq)
{
    struct fields f = {.n = 0};

    fields_common(&f, rq);
    fields_add(&f, "Allow", router_allow(&rq->http->arena, rq->match.allowed));
    cors_preflight(&f, rq);
    send(rq, 204, NULL, &f, STR(""));
}

static void send_elsewhere(struct request *rq)
{
    struct fields f = {.n = 0};

    fields_common(&f, rq);
    fields_add(&f, "Location", rq->elsewhere);
    fields_add(&f, "Cache-Control", STR("no-store"));
    send(rq, 308, NULL, &f, STR(""));
}

void respond(struct request *rq, const struct err *e)
{
    const struct route *route = rq->match.route;

    if (e)
        send_problem(rq, e);
    else if (rq->elsewhere.p)
        send_elsewhere(rq);
    else if (rq->streaming)
        rq->status = route->status;
    else if (rq->http->method == HTTP_OPTIONS)
        send_options(rq);
    else if (rq->body.p)
        send_body(rq, rq->media ? rq->media : route->media, (struct str){NULL, 0},
                  rq->body);
    else if (route->status == 204)
        send_body(rq, NULL, rq->reply, STR(""));
    else
        send_reply(rq, route_reply(route));
}

void respond_stream(struct request *rq, const char *content_type, struct str disposition)
{
    struct fields f = {.n = 0};

    fields_common(&f, rq);
    fields_of_route(&f, rq, (struct str){NULL, 0});
    fields_add(&f, "Content-Disposition", disposition);
    rq->streaming = true;
    http_stream_start(rq->http, rq->match.route->status, content_type, f.v, f.n);
}
