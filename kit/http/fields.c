// SPDX-License-Identifier: Apache-2.0
/* See kit/http/fields.h. */
#include "kit/http/fields.h"

/* ---- lists ---- */

/* Where the first separator outside quotes is. */
static size_t element_end(struct str s, char separator)
{
    bool quoted = false;
    size_t i = 0;

    while (i < s.n && (quoted || s.p[i] != separator)) {
        if (quoted && s.p[i] == '\\')
            i++;
        else if (s.p[i] == '"')
            quoted = !quoted;
        i++;
    }
    return i < s.n ? i : s.n;
}

struct str http_part_next(struct str *rest, char separator)
{
    size_t n = element_end(*rest, separator);
    struct str part = {rest->p, n};

    *rest = n < rest->n ? (struct str){rest->p + n + 1, rest->n - n - 1}
                        : (struct str){NULL, 0};
    return str_trim(part);
}

struct str http_list_next(struct str *list)
{
    while (list->p) {
        struct str element = http_part_next(list, ',');

        if (element.n > 0)
            return element;
    }
    return (struct str){NULL, 0};
}

/* ---- weights ---- */

/* qvalue = "0" [ "." 0*3DIGIT ] / "1" [ "." 0*3("0") ]; -1: something else. */
static int read_weight(struct str s)
{
    struct str fraction;
    struct str whole = str_split(s, '.', &fraction);
    int weight = 0, unit = HTTP_QUALITY_MAX;

    if (whole.n != 1 || (*whole.p != '0' && *whole.p != '1') || fraction.n > 3)
        return -1;
    weight = *whole.p == '1' ? unit : 0;
    for (size_t i = 0; i < fraction.n; i++) {
        if (fraction.p[i] < '0' || fraction.p[i] > '9')
            return -1;
        weight += (fraction.p[i] - '0') * (unit /= 10);
    }
    return weight <= HTTP_QUALITY_MAX ? weight : -1;
}

int http_quality(struct str parameters)
{
    while (parameters.p) {
        struct str value;
        struct str name = str_split(http_part_next(&parameters, ';'), '=', &value);
        int weight;

        if (!value.p || !str_eq_nocase(str_trim(name), STR("q")))
            continue;
        weight = read_weight(str_trim(value));
        return weight < 0 ? HTTP_QUALITY_MAX : weight;
    }
    return HTTP_QUALITY_MAX;
}

/* ---- media types ---- */

/* 0: does not have it; then by how much it says. */
static int specificity(struct str range, struct str media)
{
    struct str sub, media_sub;
    struct str type = str_split(range, '/', &sub);
    struct str media_type = str_split(media, '/', &media_sub);

    if (str_eq(range, STR("*/*")) || str_eq(range, STR("*")))
        return 1;
    if (!str_eq_nocase(type, media_type))
        return 0;
    if (str_eq(sub, STR("*")))
        return 2;
    return str_eq_nocase(sub, media_sub) ? 3 : 0;
}

int http_accepts(struct str accept, struct str media)
{
    int best = 0, weight = 0;
    bool empty = true;
    struct str element;

    while ((element = http_list_next(&accept)).p) {
        struct str parameters = element;
        int is = specificity(http_part_next(&parameters, ';'), media);
        int q = http_quality(parameters);

        empty = false;
        if (is > best || (is == best && is > 0 && q > weight)) {
            best = is;
            weight = q;
        }
    }
    return empty ? HTTP_QUALITY_MAX : weight;
}
