// SPDX-License-Identifier: Apache-2.0
/* The HTTP conventions (architecture, section 8). One stack serves all cases: it is
 * started before the first and stopped after the last, in Criterion's runner; cases are
 * processes of their own that find it by CONVENTIONS_PORT. */
#include "kit/base/id.h"
#include "tests/support/stack/api.h"
#include "tests/support/stack/stack.h"

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static struct stack stack;
static struct api api;

ReportHook(PRE_ALL)(struct criterion_test_set *tests)
{
    char port[16];

    (void)tests;
    (void)setenv("VIADUCT_CORS_ORIGINS", "https://app.example, http://localhost:3000", 1);
    (void)setenv("VIADUCT_TRUSTED_PROXIES", "127.0.0.0/8, 10.0.0.0/8", 1);
    (void)setenv("VIADUCT_IP_DENY", "203.0.113.0/24, 2001:db8::/32", 1);
    (void)setenv("VIADUCT_IP_ALLOW_ADMIN", "127.0.0.0/8", 1);
    stack_start(&stack, getenv("VIADUCT_TEST_LOGS"));
    (void)snprintf(port, sizeof port, "%d", stack.gateway_port);
    (void)setenv("CONVENTIONS_PORT", port, 1);
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
    (void)stats;
    stack_stop(&stack);
}

static uint16_t gateway_port(void)
{
    return (uint16_t)strtol(getenv("CONVENTIONS_PORT"), NULL, 10);
}

static void open_client(void)
{
    char url[64];

    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d", gateway_port());
    api_open(&api, url);
}

static void close_client(void)
{
    api_close(&api);
}

TestSuite(conventions, .init = open_client, .fini = close_client, .timeout = 120);

static struct answer call(const char *method, const char *path, const char *token,
                          const char *json, const char *header)
{
    const char *headers[] = {header, NULL};

    return api_call_with(&api, method, path, token, json, headers);
}

static struct answer get(const char *path, const char *header)
{
    return call("GET", path, NULL, NULL, header);
}

static void expect_header(const struct answer *a, const char *name, const char *want)
{
    struct str got = answer_header(a, name);

    cr_expect(str_eq(got, str_of(want)), "%s: %.*s", name, STR_FMT(got));
}

static void expect_status(struct answer a, int status, const char *why)
{
    cr_expect_eq(a.status, status, "%s: %d %s", why, a.status, a.body.p);
}

static const struct {
    const char *accept;
    int status;
} accepts[] = {
    {"Accept: */*", 200},
    {"Accept: application/json", 200},
    {"Accept: text/html, application/*;q=0.1", 200},
    {"Accept: APPLICATION/JSON; charset=utf-8", 200},
    {"Accept: text/html", 406},
    {"Accept: application/json;q=0", 406},
    {"Accept: application/json; q=0.000", 406},
    {"Accept: application/json;Q=0", 406},
    {"Accept: */*, application/json;q=0", 406},
    {"Accept: application/jsonp", 406},
    {"Accept: text/html\r\nAccept: application/json", 200}, /* lines are one list */
    {"Accept: */*\r\nAccept: application/*;q=0", 406},
};

static const char *const json_types[] = {"Content-Type: application/json",
                                         "Content-Type: Application/JSON; charset=utf-8"};
static const char *const other_types[] = {
    "Content-Type: text/json", "Content-Type: application/x-www-form-urlencoded",
    "Content-Type: application/json-seq"};

/* On a bare socket: what is sent is all there is. Up to the end of the answer's fields.
 */
static struct answer raw(const char *sent)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(gateway_port()),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {10, 0};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char *text = arena_alloc(&api.arena, 8192);
    struct answer a = {.headers = {text, 0}};
    ssize_t n = 1;

    cr_assert(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    cr_assert_eq(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    (void)dprintf(fd, "%s", sent);
    while (n > 0 && !strstr(text, "\r\n\r\n")) {
        n = recv(fd, text + a.headers.n, 8000 - a.headers.n, 0);
        a.headers.n += n > 0 ? (size_t)n : 0;
    }
    if (a.headers.n > strlen("HTTP/1.1 "))
        a.status = (int)strtol(text + strlen("HTTP/1.1 "), NULL, 10);
    close(fd);
    return a;
}

/* The client of the other cases has a Content-Type of its own. */
static int login_status(const char *type)
{
    return raw(api_text(&api,
                        "POST /v1/auth/login HTTP/1.1\r\nHost: a\r\n%s\r\n"
                        "Content-Length: 11\r\n\r\n{\"email\":1}",
                        type))
        .status;
}

Test(conventions, media_types_are_negotiated)
{
    for (size_t i = 0; i < sizeof accepts / sizeof *accepts; i++)
        expect_status(get("/v1/products", accepts[i].accept), accepts[i].status,
                      accepts[i].accept);
    for (size_t i = 0; i < sizeof json_types / sizeof *json_types; i++)
        cr_expect_eq(login_status(json_types[i]), 422, "%s", json_types[i]);
    for (size_t i = 0; i < sizeof other_types / sizeof *other_types; i++)
        cr_expect_eq(login_status(other_types[i]), 415, "%s", other_types[i]);
}

static void expect_own_request_id(const char *header)
{
    struct answer a = get("/v1/nothing", header);
    struct str id = answer_header(&a, "x-request-id");
    const char *in_body = answer_get(&api, &a, "/request_id");
    struct uuid u;

    cr_expect(uuid_parse(id, &u), "%s gave %.*s", header, STR_FMT(id));
    cr_expect(in_body && str_eq(id, str_of(in_body)));
}

Test(conventions, request_ids_are_echoed_when_they_are_harmless)
{
    struct answer a = get("/v1/products", "X-Request-Id: Abc-1._2");

    expect_header(&a, "x-request-id", "Abc-1._2");
    expect_own_request_id("X-Request-Id: a b");
    expect_own_request_id("X-Request-Id: <script>");
    expect_own_request_id("X-Request-Id: ");
}

Test(conventions, every_answer_carries_the_fields_that_protect_browsers)
{
    static const char *const paths[] = {"/v1/products", "/v1/nothing", "/v1/users",
                                        "/openapi.json"};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct answer a = get(paths[i], NULL);

        expect_header(&a, "x-content-type-options", "nosniff");
        expect_header(&a, "x-frame-options", "DENY");
        expect_header(&a, "referrer-policy", "no-referrer");
        expect_header(&a, "api-version", "1");
        cr_expect_not_null(answer_header(&a, "ratelimit").p);
        cr_expect_not_null(answer_header(&a, "ratelimit-policy").p);
    }
}

/* ---- what is refused before its body, or before it is a request ---- */

#define HEAD_OF(line, fields) line " HTTP/1.1\r\nHost: a\r\n" fields "\r\n\r\n"
#define JSON                  "Content-Type: application/json\r\n"
#define WHO                   "Bearer, DPoP algs=\"ES256 EdDSA\""

static const struct {
    const char *sent;
    int status;
    const char *challenge; /* WWW-Authenticate begins so; NULL: none is looked for */
} refusals[] = {
    {HEAD_OF("GET /%00", "X: y"), 400, NULL},
    {HEAD_OF("BREW /", "X: y"), 501, NULL},
    {HEAD_OF("GET /v1/products", "Content-Length: 5"), 400, NULL},
    /* heads only: no byte of the body is ever sent */
    {HEAD_OF("POST /v1/orders", JSON "Content-Length: 100000"), 401, WHO},
    {HEAD_OF("POST /v1/orders", JSON "Content-Length: 10"), 401, WHO},
    {HEAD_OF("POST /v1/orders", JSON "Transfer-Encoding: chunked"), 401, WHO},
    {HEAD_OF("POST /v1/orders", JSON "Expect: 100-continue\r\nContent-Length: 100000"),
     401, WHO},
    {HEAD_OF("POST /v1/orders", JSON "Authorization: Bearer x.y.z\r\nContent-Length: 10"),
     401, "Bearer error=\"invalid_token\""},
    {HEAD_OF("POST /v1/nothing", JSON "Content-Length: 10"), 404, NULL},
    {HEAD_OF("PUT /v1/orders", JSON "Content-Length: 10"), 405, NULL},
    {HEAD_OF("POST /v1/auth/login", "Content-Type: a/b\r\nContent-Length: 10"), 415,
     NULL},
    {HEAD_OF("POST /v1/auth/login", "Accept: a/b\r\n" JSON "Content-Length: 10"), 406,
     NULL},
    {HEAD_OF("POST /v1/auth/login", JSON "Content-Length: 16385"), 413, NULL},
    {HEAD_OF("POST /v1/products", JSON "Content-Length: 262145"), 413, NULL},
};

Test(conventions, refusals_need_no_body_and_look_like_every_other_answer)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct answer a = raw(refusals[i].sent);

        expect_status(a, refusals[i].status, refusals[i].sent);
        expect_header(&a, "content-type", "application/problem+json");
        expect_header(&a, "api-version", "1");
        expect_header(&a, "x-content-type-options", "nosniff");
        expect_header(&a, "x-frame-options", "DENY");
        expect_header(&a, "referrer-policy", "no-referrer");
        expect_header(&a, "cache-control", "no-store");
        cr_expect_not_null(answer_header(&a, "x-request-id").p);
        if (refusals[i].challenge)
            cr_expect(str_starts(answer_header(&a, "www-authenticate"),
                                 str_of(refusals[i].challenge)),
                      "%s", refusals[i].sent);
    }
}

Test(conventions, pages_of_allowed_origins_may_read_refusals_too)
{
    struct answer a =
        raw(HEAD_OF("GET /v1/%zz", "Origin: https://app.example\r\nX-Request-Id: abc"));

    expect_status(a, 400, "a malformed target");
    expect_header(&a, "access-control-allow-origin", "https://app.example");
    expect_header(&a, "x-request-id", "abc");
}

Test(conventions, a_body_is_invited_by_who_may_send_it)
{
    const char *token = api_login(&api, "admin@example.com", "admin-password");

    expect_status(
        raw(api_text(&api,
                     HEAD_OF("POST /v1/products", JSON "Authorization: Bearer %s\r\n"
                                                       "Expect: 100-continue\r\n"
                                                       "Content-Length: 10"),
                     token)),
        100, "of an administrator");
}

/* ---- conditions ---- */

static void expect_not_modified(const char *path, const char *etag, const char *before,
                                const char *tag)
{
    struct answer a = get(path, api_text(&api, "If-None-Match: %s%s", before, tag));

    expect_status(a, 304, before);
    cr_expect_eq(a.body.n, 0);
    expect_header(&a, "etag", etag);
}

Test(conventions, a_get_is_conditional)
{
    struct answer a = get("/openapi.json", NULL);
    const char *etag = arena_str(&api.arena, answer_header(&a, "etag")).p;

    expect_not_modified("/openapi.json", etag, "", etag);
    expect_not_modified("/openapi.json", etag, "\"other\", W/", etag);
    expect_not_modified("/openapi.json", etag, "\"other\"\r\nIf-None-Match: ", etag);
    expect_not_modified("/openapi.json", etag, "", "* ");
    expect_status(get("/openapi.json", "If-None-Match: \"other\""), 200, "another tag");
}

static struct answer patch(const char *token, const char *path, const char *if_match)
{
    return call("PATCH", path, token, "{\"name\":\"Berta\"}", if_match);
}

Test(conventions, a_change_is_conditional)
{
    struct member m = api_member(&api);
    const char *path = api_text(&api, "/v1/users/%s", m.id);
    struct answer a = api_call(&api, "GET", path, m.token, NULL);
    const char *old =
        api_text(&api, "If-Match: %.*s", STR_FMT(answer_header(&a, "etag")));
    const char *fresh, *both;

    a = patch(m.token, path, old);
    expect_status(a, 200, "the version that is there");
    fresh = api_text(&api, "If-Match: %.*s", STR_FMT(answer_header(&a, "etag")));
    a = patch(m.token, path, old);
    expect_status(a, 412, "a version that was");
    cr_expect_str_eq(answer_get(&api, &a, "/code"), "request.version_mismatch");
    expect_status(patch(m.token, path, "If-Match: \"rubbish\""), 412, "no tag of ours");
    both = api_text(&api, "If-Match: \"rubbish\", W/\"9-a\"\r\n%s\r\n%s", fresh, old);
    expect_status(patch(m.token, path, both), 200, "the newest of several lines");
    expect_status(patch(m.token, path, "If-Match: *"), 200, "any version");
    expect_status(patch(m.token, path, fresh), 412, "the one before");
}

Test(conventions, options_and_head_are_answered_for_every_route)
{
    struct answer a = call("OPTIONS", "/v1/orders", NULL, NULL, NULL);

    expect_status(a, 204, "OPTIONS");
    expect_header(&a, "allow", "GET, HEAD, POST, OPTIONS");
    a = call("HEAD", "/v1/products", NULL, NULL, NULL);
    expect_status(a, 200, "HEAD");
    cr_expect_eq(a.body.n, 0);
    cr_expect_not_null(answer_header(&a, "etag").p);
    expect_status(call("HEAD", "/v1/nothing", NULL, NULL, NULL), 404, "HEAD");
    expect_status(call("HEAD", "/v1/auth/login", NULL, NULL, NULL), 405, "HEAD");
    a = raw(HEAD_OF("OPTIONS *", "X: y"));
    expect_status(a, 204, "of the whole API");
    expect_header(&a, "allow", "GET, HEAD, POST, PATCH, DELETE, OPTIONS");
}

Test(conventions, tokens_are_never_stored)
{
    struct answer a =
        call("POST", "/v1/auth/login", NULL,
             "{\"email\":\"admin@example.com\",\"password\":\"admin-password\"}", NULL);

    expect_status(a, 200, "login");
    expect_header(&a, "cache-control", "no-store");
    cr_expect_null(answer_header(&a, "etag").p);
}

/* ---- pages of other origins ---- */

Test(conventions, pages_of_allowed_origins_may_read_answers)
{
    struct answer a = get("/v1/products", "Origin: https://app.example");

    expect_header(&a, "access-control-allow-origin", "https://app.example");
    cr_expect_not_null(answer_header(&a, "access-control-expose-headers").p);
    expect_header(&a, "vary", "Accept-Encoding, Origin");
    a = get("/v1/nothing", "Origin: http://localhost:3000");
    expect_header(&a, "access-control-allow-origin", "http://localhost:3000");
    a = get("/v1/products", "Origin: https://app.example.evil");
    expect_status(a, 200, "the browser keeps it from the page");
    cr_expect_null(answer_header(&a, "access-control-allow-origin").p);
    a = get("/v1/products", "Origin: null");
    cr_expect_null(answer_header(&a, "access-control-allow-origin").p);
    expect_header(&a, "vary", "Accept-Encoding, Origin");
}

static struct answer preflight(const char *origin)
{
    const char *headers[] = {origin, "Access-Control-Request-Method: POST",
                             "Access-Control-Request-Headers: authorization", NULL};

    return api_call_with(&api, "OPTIONS", "/v1/orders", NULL, NULL, headers);
}

Test(conventions, a_preflight_tells_what_may_be_sent)
{
    struct answer a = preflight("Origin: https://app.example");

    expect_status(a, 204, "preflight");
    expect_header(&a, "access-control-allow-methods", "GET, HEAD, POST, OPTIONS");
    cr_expect_not_null(answer_header(&a, "access-control-allow-headers").p);
    expect_header(&a, "access-control-max-age", "600");
    a = preflight("Origin: https://evil.example");
    expect_status(a, 204, "preflight");
    cr_expect_null(answer_header(&a, "access-control-allow-methods").p);
}

/* ---- packed bodies ---- */

Test(conventions, json_is_packed_for_those_who_ask)
{
    struct answer a = get("/openapi.json", "Accept-Encoding: gzip");
    size_t n = a.body.n;
    const char *etag = arena_str(&api.arena, answer_header(&a, "etag")).p;

    expect_header(&a, "content-encoding", "gzip");
    cr_expect(n > 2 && (unsigned char)a.body.p[0] == 0x1f);
    cr_expect(strstr(etag, "-gzip\""), "%s", etag);
    a = get("/openapi.json", NULL);
    cr_expect(a.body.n > 2 * n && a.body.p[0] == '{');
    cr_expect_null(answer_header(&a, "content-encoding").p);
    a = get("/v1/nothing", "Accept-Encoding: gzip");
    cr_expect_null(answer_header(&a, "content-encoding").p, "too small");
}

Test(conventions, a_long_problem_is_packed_too)
{
    const char *bad = "{\"product_id\":\"x\",\"quantity\":-1}";
    const char *token = api_member(&api).token, *json = bad;
    struct answer a;

    for (int i = 0; i < 20; i++)
        json = api_text(&api, "%s,%s", json, bad);
    json = api_text(&api, "{\"items\":[%s]}", json);
    a = call("POST", "/v1/orders", token, json, "Accept-Encoding: gzip");
    expect_status(a, 422, "many fields");
    expect_header(&a, "content-type", "application/problem+json");
    expect_header(&a, "content-encoding", "gzip");
    a = call("POST", "/v1/orders", token, json, NULL);
    cr_expect_null(answer_header(&a, "content-encoding").p);
    cr_expect_str_eq(answer_get(&api, &a, "/code"), "request.invalid");
}

Test(conventions, of_two_idempotency_keys_none_is_believed)
{
    const char *json = "{\"items\":[{\"product_id\":"
                       "\"01890000-0000-7000-8000-000000000001\",\"quantity\":1}]}";
    struct answer a = call("POST", "/v1/orders", api_member(&api).token, json,
                           "Idempotency-Key: a\r\nIdempotency-Key: b");

    expect_status(a, 400, "two keys");
    cr_expect_str_eq(answer_get(&api, &a, "/code"), "request.bad_parameter");
}

Test(conventions, a_packed_body_has_a_tag_of_its_own)
{
    struct answer a = get("/openapi.json", "Accept-Encoding: gzip");
    const char *headers[] = {
        "Accept-Encoding: gzip",
        api_text(&api, "If-None-Match: %.*s", STR_FMT(answer_header(&a, "etag"))), NULL};

    expect_status(api_call_with(&api, "GET", "/openapi.json", NULL, NULL, headers), 304,
                  "its own tag");
    expect_status(get("/openapi.json", headers[1]), 200, "the tag of the other");
}

/* ---- who is calling ---- */

static const struct {
    const char *field;
    int status;
} callers[] = {
    {"X-Forwarded-For: 198.51.100.1", 200},
    {"X-Forwarded-For: 203.0.113.9", 403},
    {"X-Forwarded-For: 203.0.113.9, 10.1.2.3", 403},
    {"X-Forwarded-For: 203.0.113.9, 198.51.100.1", 200}, /* anybody can write the left */
    {"X-Forwarded-For: 198.51.100.1, 203.0.113.9", 403},
    {"X-Forwarded-For: 203.0.113.9:4711", 403},
    {"X-Forwarded-For: [2001:db8::7]:4711", 403},
    {"X-Forwarded-For: 2001:db8::7", 403},
    {"X-Forwarded-For: ::ffff:203.0.113.9", 403}, /* as dual-stack proxies write it */
    {"X-Forwarded-For: [::ffff:203.0.113.9]:4711", 403},
    {"X-Forwarded-For: 203.0.113.9, ::ffff:10.1.2.3", 403},
    {"X-Forwarded-For: 203.0.113.9, unknown", 200},
    {"X-Forwarded-For: ,,,", 200},
    {"X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 198.51.100.1", 200},
    {"X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 203.0.113.9", 403},
    {"Forwarded: for=203.0.113.9", 200}, /* not the field that was set */
};

Test(conventions, the_client_is_who_the_trusted_proxies_say)
{
    for (size_t i = 0; i < sizeof callers / sizeof *callers; i++)
        expect_status(get("/v1/products", callers[i].field), callers[i].status,
                      callers[i].field);
}

Test(conventions, routes_of_administrators_are_for_their_addresses)
{
    const char *token = api_login(&api, "admin@example.com", "admin-password");
    struct answer a =
        call("GET", "/v1/users", token, NULL, "X-Forwarded-For: 198.51.100.1");

    expect_status(a, 403, "from elsewhere");
    cr_expect_str_eq(answer_get(&api, &a, "/code"), "request.address_denied");
    expect_status(call("GET", "/v1/users", token, NULL, NULL), 200, "from here");
    expect_status(
        call("GET", "/v1/products", NULL, NULL, "X-Forwarded-For: 198.51.100.1"), 200,
        "what all may do");
}
