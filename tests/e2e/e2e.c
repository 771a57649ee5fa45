// SPDX-License-Identifier: Apache-2.0
/* The stack is started before the first case and stopped after the last, in Criterion's
 * runner; cases are processes of their own that find it by VIADUCT_E2E_URL. When that is
 * set already, the cases run against what is there (./dev compose does so). */
#include "tests/e2e/e2e.h"

#include "tests/support/stack/stack.h"

#include <criterion/hooks.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct stack stack;
static struct api client;
struct api *const api = &client;

static bool given; /* somebody else's stack */

static void save_openapi(const char *dir)
{
    struct api a;
    struct answer document;
    char path[512];
    FILE *out;

    api_open(&a, getenv("VIADUCT_E2E_URL"));
    document = api_call(&a, "GET", "/openapi.json", NULL, NULL);
    (void)snprintf(path, sizeof path, "%s/openapi.json", dir);
    out = fopen(path, "w");
    if (!out || fwrite(document.body.p, 1, document.body.n, out) != document.body.n)
        abort();
    (void)fclose(out);
    api_close(&a);
}

ReportHook(PRE_ALL)(struct criterion_test_set *tests)
{
    const char *dir = getenv("VIADUCT_E2E_DIR");
    char path[512];

    (void)tests;
    if (!dir || (mkdir(dir, 0755) != 0 && access(dir, W_OK) != 0))
        abort();
    (void)snprintf(path, sizeof path, "%s/record.jsonl", dir);
    (void)unlink(path);
    given = getenv("VIADUCT_E2E_URL") != NULL;
    if (!given) {
        stack_start(&stack, dir);
        (void)setenv("VIADUCT_E2E_URL", stack.url, 1);
    }
    save_openapi(dir);
    (void)setenv("VIADUCT_E2E_RECORD", path, 1);
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
    (void)stats;
    if (!given)
        stack_stop(&stack);
}

void e2e_open(void)
{
    api_open(api, getenv("VIADUCT_E2E_URL"));
}

void e2e_close(void)
{
    api_close(api);
}

const char *admin_token(void)
{
    return api_login(api, "admin@example.com", "admin-password");
}

bool names_field(const struct answer *a, const char *pointer)
{
    for (int i = 0;; i++) {
        const char *at = answer_get(api, a, api_text(api, "/errors/%d/pointer", i));

        if (!at)
            return false;
        if (strcmp(at, pointer) == 0)
            return true;
    }
}

const char *new_product(const char *admin, int stock)
{
    struct str id = uuid_str(&api->arena, uuid_new());
    struct answer a =
        api_call(api, "POST", "/v1/products", admin,
                 api_text(api,
                          "{\"sku\":\"%s\",\"name\":\"Thing\",\"price\":1250,"
                          "\"currency\":\"EUR\",\"stock\":%d}",
                          id.p, stock));

    assert_status(a, 201);
    return answer_get(api, &a, "/id");
}

struct answer order_one(struct api *c, const char *token, const char *product,
                        int quantity)
{
    return api_call(c, "POST", "/v1/orders", token,
                    api_text(c, "{\"items\":[{\"product_id\":\"%s\",\"quantity\":%d}]}",
                             product, quantity));
}
