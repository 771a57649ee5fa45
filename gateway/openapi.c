// SPDX-License-Identifier: Apache-2.0
/* See gateway/openapi.h. Top-down: document, path, operation, its parts. */
#include "gateway/openapi.h"

#include "gateway/answers.h"
#include "gateway/examples.h"
#include "gateway/schemas.h"
#include "kit/apikey/apikey.h"
#include "kit/http/head.h"

#include <ctype.h>

static const char problem_schema[] =
    "\"problem\":{\"type\":\"object\",\"description\":\"RFC 9457\",\"properties\":{"
    "\"type\":{\"type\":\"string\",\"format\":\"uri\"},"
    "\"title\":{\"type\":\"string\"},"
    "\"status\":{\"type\":\"integer\",\"minimum\":400,\"maximum\":599},"
    "\"detail\":{\"type\":\"string\"},"
    "\"instance\":{\"type\":\"string\",\"format\":\"uri-reference\"},"
    "\"code\":{\"type\":\"string\",\"description\":\"stable, to be matched on\"},"
    "\"request_id\":{\"type\":\"string\"},"
    "\"errors\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
    "\"pointer\":{\"type\":\"string\",\"description\":"
    "\"JSON pointer into the body, ?name of a query parameter, {name} of one in the "
    "path\"},"
    "\"detail\":{\"type\":\"string\"}},\"required\":[\"pointer\",\"detail\"]}}},"
    "\"required\":[\"type\",\"title\",\"status\",\"code\",\"request_id\"]}";

static void put_text(struct buf *b, const char *text)
{
    wire_json_string(b, str_of(text));
}

/* ---- what an operation takes ---- */

static void put_parameter(struct buf *b, const char *in, struct str name,
                          const struct wire_field *f, bool required)
{
    buf_printf(b, "{\"name\":\"%.*s\",\"in\":\"%s\",\"required\":%s,\"description\":",
               STR_FMT(name), in, required ? "true" : "false");
    put_text(b, f->doc);
    buf_str(b, STR(",\"schema\":"));
    wire_field_schema(b, f);
    if (f->kind == WIRE_KIND_strs)
        buf_str(b, STR(",\"explode\":false"));
    if (required) { /* a viewer fills it in: nobody wants every filter set */
        buf_str(b, STR(",\"example\":"));
        example_write_field(b, f);
    }
    buf_byte(b, '}');
}

static void put_path_parameters(struct buf *b, const struct route *r, const char **sep)
{
    for (const char *p = strchr(r->path, '{'); p; p = strchr(p + 1, '{')) {
        const struct str name = {p + 1, strcspn(p + 1, "}")};

        buf_str(b, str_of(*sep));
        put_parameter(b, "path", name, wire_field_find(route_in(r), name), true);
        *sep = ",";
    }
}

/* filter_status is the parameter filter[status]. */
static void put_query_parameter(struct buf *b, const struct wire_field *f)
{
    struct buf name;
    bool filter = strncmp(f->name, "filter_", 7) == 0;

    buf_init(&name, 300);
    if (filter)
        buf_printf(&name, "filter[%s]", f->name + 7);
    else
        buf_str(&name, str_of(f->name));
    put_parameter(b, "query", buf_view(&name), f, f->required);
    buf_fini(&name);
}

static void put_header_parameter(struct buf *b, const char **sep, const char *name,
                                 bool required, const char *text, const char *schema)
{
    buf_printf(b,
               "%s{\"name\":\"%s\",\"in\":\"header\",\"required\":%s,"
               "\"description\":\"%s\",\"schema\":%s}",
               *sep, name, required ? "true" : "false", text, schema);
    *sep = ",";
}

static void put_parameters(struct buf *b, const struct route *r)
{
    const char *sep = "";

    buf_str(b, STR(",\"parameters\":["));
    put_path_parameters(b, r, &sep);
    for (unsigned i = 0; r->query && i < r->query->count; i++) {
        buf_str(b, str_of(sep));
        put_query_parameter(b, &r->query->fields[i]);
        sep = ",";
    }
    if (r->if_match)
        put_header_parameter(b, &sep, "If-Match", r->if_match == IF_MATCH_REQUIRED,
                             "ETag of the version to change; * for any",
                             "{\"type\":\"string\"}");
    if (r->binds)
        put_header_parameter(
            b, &sep, "DPoP", false,
            "A proof of a key (RFC 9449; ES256 or EdDSA): the tokens are then good with "
            "that key only.",
            "{\"type\":\"string\",\"minLength\":1,\"maxLength\":4096}");
    if (r->keyed)
        put_header_parameter(
            b, &sep, "Idempotency-Key", false,
            "Made by the client, new for each thing to be done, the same when it asks "
            "again: "
            "the thing is done once, and the first answer is given again for 24 hours. "
            "The same key with another request is 422, with one that is under way 409.",
            "{\"type\":\"string\",\"minLength\":1,\"maxLength\":255}");
    buf_byte(b, ']');
}

static void put_request_body(struct buf *b, const struct route *r)
{
    if (!r->body)
        return;
    buf_printf(b,
               ",\"requestBody\":{\"required\":true,\"content\":{\"application/json\":"
               "{\"schema\":{\"$ref\":\"#/components/schemas/%s\"},\"example\":",
               r->body->name);
    example_write(b, r->body);
    buf_str(b, STR("}}}"));
}

/* What an API key needs, as OpenAPI 3.1 lists roles of a scheme. */
static void put_key_scopes(struct buf *b, const struct route *r)
{
    const char *sep = "";

    if (!r->scopes)
        return;
    buf_str(b, STR(",{\"api_key\":["));
    for (uint32_t bit = 1; bit < 1u << SCOPES_COUNT; bit <<= 1) {
        if (!(r->scopes & bit))
            continue;
        buf_printf(b, "%s\"%s\"", sep, scope_name(bit));
        sep = ",";
    }
    buf_str(b, STR("]}"));
}

static void put_security(struct buf *b, const struct route *r)
{
    if (r->auth == ROUTE_PUBLIC) {
        buf_str(b, STR(",\"security\":[]"));
        return;
    }
    buf_str(b, STR(",\"security\":[{\"bearer\":[]},{\"dpop\":[]}"));
    put_key_scopes(b, r);
    buf_byte(b, ']');
    if (r->permission != PERM_NONE) {
        buf_str(b, STR(",\"description\":"));
        buf_printf(b, "\"Takes the permission %s.\"", permission_name(r->permission));
    }
}

/* "get_v1_users_id_overview" */
static void put_operation_id(struct buf *b, const struct route *r)
{
    bool gap = true;

    for (const char *p = http_method_name(r->method); *p; p++)
        buf_byte(b, (uint8_t)tolower((unsigned char)*p));
    for (const char *p = r->path; *p; p++) {
        if (!isalnum((unsigned char)*p)) {
            gap = true;
            continue;
        }
        if (gap)
            buf_byte(b, '_');
        gap = false;
        buf_byte(b, (uint8_t)*p);
    }
}

static void put_operation(struct buf *b, const struct route *r, size_t body_bytes)
{
    buf_byte(b, '"');
    for (const char *p = http_method_name(r->method); *p; p++)
        buf_byte(b, (uint8_t)tolower((unsigned char)*p));
    buf_str(b, STR("\":{\"operationId\":\""));
    put_operation_id(b, r);
    buf_printf(b, "\",\"tags\":[\"%s\"],\"summary\":", r->tag);
    put_text(b, r->summary);
    if (r->deprecated_s)
        buf_str(b, STR(",\"deprecated\":true"));
    put_security(b, r);
    put_parameters(b, r);
    put_request_body(b, r);
    if (answers_to_body(r))
        buf_printf(b, ",\"x-max-body-bytes\":%zu", route_body_max(r, body_bytes));
    answers_write(b, r, route_body_max(r, body_bytes));
    buf_byte(b, '}');
}

/* ---- the document ---- */

static bool is_first_of_path(const struct route *routes, const struct route *r)
{
    for (const struct route *it = routes; it < r; it++)
        if (strcmp(it->path, r->path) == 0)
            return false;
    return true;
}

static void put_path(struct buf *b, const struct route *first, size_t body_bytes)
{
    const char *sep = "";

    buf_printf(b, "\"%s\":{", first->path);
    for (const struct route *r = first; r->path; r++) {
        if (strcmp(r->path, first->path) != 0)
            continue;
        buf_str(b, str_of(sep));
        put_operation(b, r, body_bytes);
        sep = ",";
    }
    buf_byte(b, '}');
}

static void put_paths(struct buf *b, const struct route *routes, size_t body_bytes)
{
    const char *sep = "";

    buf_str(b, STR(",\"paths\":{"));
    for (const struct route *r = routes; r->path; r++) {
        if (r->page || !is_first_of_path(routes, r))
            continue;
        buf_str(b, str_of(sep));
        put_path(b, r, body_bytes);
        sep = ",";
    }
    buf_byte(b, '}');
}

static void put_components(struct buf *b, const struct route *routes)
{
    static const struct schemas none;
    struct schemas s = none;

    for (const struct route *r = routes; r->path; r++) {
        schemas_add(&s, r->body);
        schemas_add(&s, r->status == 204 ? NULL : route_reply(r));
        if (r->query)
            schemas_add_fields(&s, r->query);
    }
    buf_str(b, STR(",\"components\":{\"schemas\":{"));
    schemas_write(b, &s);
    buf_byte(b, ',');
    buf_str(b, str_of(problem_schema));
    buf_str(b, STR("},\"responses\":{"));
    answers_write_shared(b);
    buf_str(b, STR("},\"securitySchemes\":{\"bearer\":{\"type\":\"http\",\"scheme\":"
                   "\"bearer\",\"bearerFormat\":\"JWT\",\"description\":"
                   "\"access_token of POST /v1/auth/login\"},"
                   "\"dpop\":{\"type\":\"http\",\"scheme\":\"dpop\",\"description\":"
                   "\"access_token of a sign-in with a DPoP proof (RFC 9449); each "
                   "request takes a proof of its own in the field DPoP\"},"
                   "\"api_key\":{\"type\":\"http\",\"scheme\":\"bearer\","
                   "\"bearerFormat\":\"" APIKEY_PREFIX "...\",\"description\":"
                   "\"key of POST /v1/api-keys, with the scopes named here\"}}}"));
}

static const char *tag_description(const char *tag)
{
    static const struct {
        const char *tag, *description;
    } table[] = {
        {"users", "Accounts"},
        {"auth", "Signing in, and the tokens that come of it"},
        {"api-keys", "Keys for programs: named, good for some things only, revocable"},
        {"products", "The catalogue: public to read, administrators change it"},
        {"orders", "Orders and what becomes of them"},
        {"jobs", "Slow work: asked for here, looked at until it is done"},
        {"about", "What describes the API itself"},
    };

    for (unsigned i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].tag, tag) == 0)
            return table[i].description;
    return "";
}

static void put_tags(struct buf *b, const struct route *routes)
{
    const char *sep = "", *last = "";

    buf_str(b, STR(",\"tags\":["));
    for (const struct route *r = routes; r->path; r++) { /* rows of a tag are together */
        if (strcmp(r->tag, last) == 0)
            continue;
        buf_printf(b, "%s{\"name\":\"%s\",\"description\":", sep, r->tag);
        put_text(b, tag_description(r->tag));
        buf_byte(b, '}');
        last = r->tag;
        sep = ",";
    }
    buf_byte(b, ']');
}

static void put_limits(struct buf *b, const struct openapi_limits *l)
{
    buf_printf(b,
               ",\"x-limits\":{\"head_bytes\":%zu,\"target_bytes\":%d,"
               "\"header_fields\":%d,\"body_bytes\":%zu}",
               l->head_bytes, HEAD_TARGET_MAX, HEAD_FIELDS_MAX, l->body_bytes);
}

void openapi_write(struct buf *b, const struct route *routes,
                   const struct openapi_limits *limits)
{
    buf_str(b,
            STR("{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Viaduct\",\"version\":\""
                "1.0.0\",\"description\":\"Accounts, catalogue, orders and slow work.\","
                "\"license\":{\"name\":\"Apache-2.0\",\"identifier\":\"Apache-2.0\"}},"
                "\"servers\":[{\"url\":\"/\"}]"));
    put_tags(b, routes);
    put_limits(b, limits);
    put_paths(b, routes, limits->body_bytes);
    put_components(b, routes);
    buf_byte(b, '}');
}
