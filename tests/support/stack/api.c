// SPDX-License-Identifier: Apache-2.0
/* The REST client of the tests. */
#include "tests/support/stack/api.h"

#include "kit/base/buf.h"
#include "kit/base/id.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <yyjson.h>

enum { ANSWER_MAX = 64 * 1024 * 1024 };

void api_open(struct api *api, const char *url)
{
    arena_init(&api->arena);
    api->curl = curl_easy_init();
    (void)snprintf(api->url, sizeof api->url, "%s", url);
}

void api_close(struct api *api)
{
    curl_easy_cleanup(api->curl);
    arena_fini(&api->arena);
}

const char *api_text(struct api *api, const char *fmt, ...)
{
    struct str s;
    va_list ap;

    va_start(ap, fmt);
    s = arena_vprintf(&api->arena, fmt, ap);
    va_end(ap);
    return s.p;
}

static size_t collect(char *p, size_t size, size_t n, void *arg)
{
    buf_put(arg, p, size * n);
    return size * n;
}

/* ---- the record for the OpenAPI check -------------------------------------------------
 */

static void record(const char *method, const char *path, const char *json,
                   const struct answer *a)
{
    const char *file = getenv("VIADUCT_E2E_RECORD");
    struct str type = answer_header(a, "content-type");
    yyjson_mut_doc *doc;
    yyjson_mut_val *root;
    char *line;
    size_t n;
    int fd;

    if (!file || a->status == 0)
        return;
    doc = yyjson_mut_doc_new(NULL);
    root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_str(doc, root, "method", method);
    yyjson_mut_obj_add_str(doc, root, "path", path);
    yyjson_mut_obj_add_bool(doc, root, "has_body", json != NULL);
    yyjson_mut_obj_add_int(doc, root, "status", a->status);
    yyjson_mut_obj_add_strn(doc, root, "type", type.p ? type.p : "", type.n);
    yyjson_mut_obj_add_strn(doc, root, "body", a->body.p, a->body.n);
    line = yyjson_mut_write(
        doc, YYJSON_WRITE_NEWLINE_AT_END | YYJSON_WRITE_ALLOW_INVALID_UNICODE, &n);
    fd = open(file, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (fd < 0 || write(fd, line, n) != (ssize_t)n)
        abort();
    close(fd);
    free(line);
    yyjson_mut_doc_free(doc);
}

/* ---- calls
 * ------------------------------------------------------------------------------- */

static struct curl_slist *header_lines(struct api *api, const char *token,
                                       const char *json, const char *const *headers)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    if (json)
        list = curl_slist_append(list, "Content-Type: application/json");
    if (token)
        list = curl_slist_append(list, api_text(api, "Authorization: Bearer %s", token));
    for (; headers && *headers; headers++)
        list = curl_slist_append(list, *headers);
    return list;
}

struct answer api_call_with(struct api *api, const char *method, const char *path,
                            const char *token, const char *json,
                            const char *const *headers)
{
    struct curl_slist *list = header_lines(api, token, json, headers);
    struct buf body, head;
    struct answer a = {0};
    CURL *curl = api->curl;
    long status = 0;

    buf_init(&body, ANSWER_MAX);
    buf_init(&head, ANSWER_MAX);
    curl_easy_reset(curl);
    (void)curl_easy_setopt(curl, CURLOPT_URL, api_text(api, "%s%s", api->url, path));
    (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    (void)curl_easy_setopt(curl, CURLOPT_NOBODY, (long)(strcmp(method, "HEAD") == 0));
    (void)curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 30000L);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
    (void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, collect);
    (void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, &head);
    if (json)
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, json);
    if (curl_easy_perform(curl) == CURLE_OK)
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    a.status = (int)status;
    a.body = arena_str(&api->arena, buf_view(&body));
    a.headers = arena_str(&api->arena, buf_view(&head));
    buf_fini(&body);
    buf_fini(&head);
    curl_slist_free_all(list);
    record(method, path, json, &a);
    return a;
}

struct answer api_call(struct api *api, const char *method, const char *path,
                       const char *token, const char *json)
{
    return api_call_with(api, method, path, token, json, NULL);
}

/* ---- answers
 * ------------------------------------------------------------------------------- */

struct str answer_header(const struct answer *a, const char *name)
{
    struct str rest = a->headers;

    while (rest.p) {
        struct str line = str_split(rest, '\n', &rest), value;
        struct str key = str_split(line, ':', &value);

        if (value.p && str_eq_nocase(key, str_of(name))) {
            if (value.n > 0 && value.p[value.n - 1] == '\r')
                value.n--;
            return str_trim(value);
        }
    }
    return (struct str){0};
}

const char *answer_get(struct api *api, const struct answer *a, const char *pointer)
{
    yyjson_doc *doc = yyjson_read(a->body.p, a->body.n, 0);
    yyjson_val *v = yyjson_doc_ptr_get(doc, pointer);
    const char *text = NULL;

    if (yyjson_is_str(v)) {
        text =
            arena_str(&api->arena, (struct str){yyjson_get_str(v), yyjson_get_len(v)}).p;
    } else if (v) {
        char *json = yyjson_val_write(v, 0, NULL);

        text = arena_str(&api->arena, str_of(json)).p;
        free(json);
    }
    yyjson_doc_free(doc);
    return text;
}

static const char *expect(struct api *api, const struct answer *a, int status,
                          const char *pointer)
{
    const char *value = answer_get(api, a, pointer);

    if (a->status == status && value)
        return value;
    (void)fprintf(stderr, "expected %d with %s, got %d: %s\n", status, pointer, a->status,
                  a->body.p);
    abort();
}

const char *api_login(struct api *api, const char *email, const char *password)
{
    struct answer a = api_call(
        api, "POST", "/v1/auth/login", NULL,
        api_text(api, "{\"email\":\"%s\",\"password\":\"%s\"}", email, password));

    return expect(api, &a, 200, "/access_token");
}

struct member api_member(struct api *api)
{
    return api_member_called(api, "member");
}

struct member api_member_called(struct api *api, const char *prefix)
{
    struct str id = uuid_str(&api->arena, uuid_new());
    struct member m = {.email = api_text(api, "%s-%s@example.com", prefix, id.p)};
    struct answer a = api_call(
        api, "POST", "/v1/users", NULL,
        api_text(
            api,
            "{\"email\":\"%s\",\"name\":\"Member\",\"password\":\"a long password\"}",
            m.email));

    m.id = expect(api, &a, 201, "/id");
    a = api_call(
        api, "POST", "/v1/auth/login", NULL,
        api_text(api, "{\"email\":\"%s\",\"password\":\"a long password\"}", m.email));
    m.token = expect(api, &a, 200, "/access_token");
    m.refresh_token = expect(api, &a, 200, "/refresh_token");
    return m;
}
