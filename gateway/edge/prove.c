// SPDX-License-Identifier: Apache-2.0
/* See gateway/edge/prove.h. */
#include "gateway/edge/prove.h"

#include "gateway/edge/htu.h"
#include "gateway/edge/internal.h"
#include "kit/base/clock.h"
#include "proto/errors.h"

enum { KEEP_S = DPOP_PAST_S + DPOP_FUTURE_S + 1 };

struct proving {
    struct dpop_proof proof;
    struct redis_cmd cmd;
};

bool prove_offered(const struct request *rq)
{
    return http_header_count(rq->http, "dpop") > 0;
}

static const struct err *bad(struct flow *f, const char *why)
{
    return err_new(&f->arena, &ERR_CODE_PROOF_INVALID, "%s", why);
}

/* ---- what can be seen ---- */

static const struct err *read_proof(struct flow *f, struct dpop_proof *p)
{
    static const char *const why[] = {
        [DPOP_MALFORMED] = "It is no DPoP proof",
        [DPOP_BAD_KEY] = "Its key is not one that is taken, or not for its algorithm",
        [DPOP_BAD_SIGNATURE] = "Its signature does not fit its key",
        [DPOP_NOT_NOW] = "It is too old, or from the future: make one for each request",
    };
    const struct http_req *http = request_of(f)->http;
    enum dpop_verdict v;

    if (http_header_count(http, "dpop") != 1)
        return bad(f, "There must be exactly one");
    v = dpop_read(&f->arena, http_header(http, "dpop"), clock_wall_us() / 1000000, p);
    return v == DPOP_OK ? NULL : bad(f, why[v]);
}

static const struct err *check_request(struct flow *f, const struct dpop_proof *p)
{
    const struct http_req *http = request_of(f)->http;
    const struct htu_want want = {http->tls, http_header(http, "host"), http->path};

    if (!str_eq(p->htm, str_of(http_method_name(http->method))))
        return bad(f, "It is for another method");
    if (!htu_fits(&f->arena, p->htu, &want))
        return bad(f, "It is for another address");
    return NULL;
}

static const struct err *check_token(struct flow *f, const struct dpop_proof *p,
                                     const struct auth_claims *claims)
{
    if (!sha256_eq(&p->jkt, &claims->jkt))
        return bad(f, "It is of another key than the token");
    if (!str_eq(p->ath, dpop_ath(&f->arena, request_of(f)->token)))
        return bad(f, "It is for another token");
    return NULL;
}

/* ---- has it been here before ---- */

static const struct err *note_here(struct flow *f, const struct dpop_proof *p)
{
    struct session_set *seen = &request_of(f)->edge->proofs;
    int64_t now_s = clock_wall_us() / 1000000;
    struct uuid id;

    memcpy(id.b, p->id.b, sizeof id.b);
    if (session_set_has(seen, id, now_s))
        return bad(f, "It came before: make one for each request");
    session_set_add(seen, id, now_s + KEEP_S, now_s);
    return NULL;
}

static void note_everywhere(struct flow *f, struct proving *pr)
{
    struct arena *a = &f->arena;
    struct str id = base64url_encode(a, pr->proof.id.b, sizeof pr->proof.id.b);
    const struct str argv[] = {
        STR("SET"), arena_printf(a, "viaduct:dpop:%.*s", STR_FMT(id)),
        STR("1"),   STR("NX"),
        STR("EX"),  arena_printf(a, "%d", KEEP_S),
    };

    redis_start(f, &pr->cmd, request_of(f)->edge->redis, argv, sizeof argv / sizeof *argv,
                false);
}

const struct err *prove_judge(struct flow *f)
{
    struct request *rq = request_of(f);
    const struct proving *pr = rq->proving;

    if (!pr)
        return NULL;
    if (!pr->cmd.wait.err && pr->cmd.reply.type == REDIS_NIL)
        return bad(f, "It came before: make one for each request");
    rq->jkt = dpop_jkt_text(&f->arena, &pr->proof.jkt);
    return NULL;
}

const struct err *prove_start(struct flow *f, const struct auth_claims *claims)
{
    struct proving *pr = ARENA_NEW(&f->arena, struct proving);
    const struct err *err = read_proof(f, &pr->proof);

    if (!err)
        err = check_request(f, &pr->proof);
    if (!err && claims)
        err = check_token(f, &pr->proof, claims);
    if (!err)
        err = note_here(f, &pr->proof);
    if (err)
        return err;
    request_of(f)->proving = pr;
    note_everywhere(f, pr);
    return NULL;
}
