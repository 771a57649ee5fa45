// SPDX-License-Identifier: Apache-2.0
/* Query strings as application/x-www-form-urlencoded pairs. */
#include "kit/http/http.h"
#include "kit/http/target.h"

int http_query_pairs(struct http_req *r, struct http_pair *out, int max)
{
    struct str rest = r->query;
    int n = 0;

    while (rest.p) {
        struct str pair = str_split(rest, '&', &rest);
        struct str value;
        struct str name = str_split(pair, '=', &value);

        if (pair.n == 0)
            continue;
        if (n == max)
            return -1;
        out[n].name = target_decode(&r->arena, name, true);
        out[n].value = value.p ? target_decode(&r->arena, value, true) : STR("");
        if (out[n].name.p == NULL || out[n].value.p == NULL)
            return -1;
        n++;
    }
    return n;
}
