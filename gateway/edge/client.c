// SPDX-License-Identifier: Apache-2.0
/* See gateway/edge/client.h. */
#include "gateway/edge/client.h"

#include "kit/http/fields.h"

static const char *const fields[] = {
    [CLIENT_X_FORWARDED_FOR] = "x-forwarded-for", [CLIENT_FORWARDED] = "forwarded"};

/* ---- settings ---- */

static const struct {
    const char *allow, *deny;
} settings[] = {
#define CLASS_SETTINGS(X, symbol, member, env, doc) \
    [symbol] = {"VIADUCT_IP_ALLOW_" env, "VIADUCT_IP_DENY_" env},
    ROUTE_CLASSES(CLASS_SETTINGS, )
#undef CLASS_SETTINGS
};

static const struct err *read_list(struct arena *a, const char *setting, const char *text,
                                   struct cidr_list *out)
{
    const struct err *e = cidr_list_parse(a, text, out);

    return e ? err_new(a, e->code, "%s: %.*s", setting, STR_FMT(e->detail)) : NULL;
}

static const struct err *read_field(struct arena *a, const char *text,
                                    enum client_field *out)
{
    for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++)
        if (str_eq_nocase(str_of(text), str_of(fields[i]))) {
            *out = i;
            return NULL;
        }
    return err_new(a, &ERR_CODE_BAD_REQUEST,
                   "VIADUCT_PROXY_FIELD is x-forwarded-for or forwarded");
}

const struct err *client_rules_read(struct arena *a, const struct client_conf *c,
                                    struct client_rules *out)
{
    const struct err *e = read_field(a, c->field, &out->field);

    if (!e)
        e = read_list(a, "VIADUCT_TRUSTED_PROXIES", c->trusted, &out->trusted);
    if (!e)
        e = read_list(a, "VIADUCT_IP_DENY", c->deny, &out->deny);
    for (unsigned i = 0; i < ROUTE_CLASS_COUNT && !e; i++) {
        e = read_list(a, settings[i].allow, c->of_class[i].allow,
                      &out->of_class[i].allow);
        if (!e)
            e = read_list(a, settings[i].deny, c->of_class[i].deny,
                          &out->of_class[i].deny);
    }
    return e;
}

/* ---- the client ---- */

/* Not one that is escaped, which the client may have had the proxy write. */
static bool is_quote(struct str s, size_t at)
{
    size_t backslashes = 0;

    while (backslashes < at && s.p[at - backslashes - 1] == '\\')
        backslashes++;
    return s.p[at] == '"' && backslashes % 2 == 0;
}

/* The last element of a list; quotes may hold commas, an odd one spoils what is left. */
static struct str cut_last(struct str *list)
{
    bool quoted = false;
    size_t i = list->n;
    struct str last;

    while (i > 0 && (quoted || list->p[i - 1] != ','))
        quoted ^= is_quote(*list, --i);
    last = (struct str){list->p + i, list->n - i};
    *list = i > 0 ? (struct str){list->p, i - 1} : (struct str){NULL, 0};
    return str_trim(last);
}

static struct str unquoted(struct str s)
{
    if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
        return (struct str){s.p + 1, s.n - 2};
    return s;
}

/* RFC 7239 section 6: [IPv6]:port, IPv4:port; ports are not for us. A second colon makes
 * it IPv6, also with dots: proxies on dual-stack sockets write ::ffff:192.0.2.43. */
static struct str without_port(struct str node)
{
    struct str port;
    struct str host;

    if (node.n > 0 && node.p[0] == '[')
        return str_split((struct str){node.p + 1, node.n - 1}, ']', &port);
    host = str_split(node, ':', &port);
    return port.p && memchr(port.p, ':', port.n) ? node : host;
}

/* for=192.0.2.43;proto=https. Host in it is what the client said, with ';' perhaps: that
 * may be in quotes, and of two `for` none is believed. */
static struct str forwarded_for(struct str element)
{
    struct str found = STR("");
    unsigned n = 0;

    while (element.p) {
        struct str pair = http_part_next(&element, ';');
        struct str value;

        if (str_eq_nocase(str_split(pair, '=', &value), STR("for")) && value.p) {
            found = unquoted(value);
            n++;
        }
    }
    return n == 1 ? found : STR("");
}

/* Reads one line of the field from its end on; false when the client is found. */
static bool read_line(const struct client_rules *rules, struct str line, struct ip *ip,
                      struct str *client)
{
    while (line.p) {
        struct str node = cut_last(&line);

        if (rules->field == CLIENT_FORWARDED)
            node = forwarded_for(node);
        node = without_port(node);
        if (!ip_parse(node, ip))
            return false;
        *client = node;
        if (!cidr_list_has(&rules->trusted, ip))
            return false;
    }
    return true;
}

/* The field's lines are one list, in order (RFC 9110 section 5.3). */
struct str client_address(const struct client_rules *rules, const struct http_req *http,
                          struct str peer)
{
    const char *name = fields[rules->field];
    struct str client = peer;
    struct ip ip;
    unsigned n;

    if (rules->trusted.n == 0 || !ip_parse(peer, &ip) ||
        !cidr_list_has(&rules->trusted, &ip))
        return peer;
    n = http_header_count(http, name);
    while (n > 0 && read_line(rules, http_header_at(http, name, n - 1), &ip, &client))
        n--;
    return client;
}

struct str client_counted(struct arena *a, struct str address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char net[16];
    struct ip ip;

    if (!memchr(address.p, ':', address.n) || !ip_parse(address, &ip))
        return address;
    if (memcmp(ip.bytes, mapped, sizeof mapped) == 0)
        return arena_printf(a, "%u.%u.%u.%u", ip.bytes[12], ip.bytes[13], ip.bytes[14],
                            ip.bytes[15]);
    hex_encode(ip.bytes, 8, net);
    return arena_str(a, (struct str){net, sizeof net});
}

/* An address that is none is in every list that denies and in none that allows. */
static bool denies(const struct cidr_list *l, const struct ip *ip)
{
    return l->n > 0 && (!ip || cidr_list_has(l, ip));
}

static bool allows(const struct cidr_list *l, const struct ip *ip)
{
    return l->n == 0 || (ip && cidr_list_has(l, ip));
}

static bool has_lists(const struct client_rules *rules, const struct route *route)
{
    return rules->deny.n > 0 || (route && (rules->of_class[route->class].deny.n > 0 ||
                                           rules->of_class[route->class].allow.n > 0));
}

bool client_may(const struct client_rules *rules, struct str address,
                const struct route *route)
{
    struct ip parsed;
    const struct ip *ip;

    if (!has_lists(rules, route))
        return true;
    ip = ip_parse(address, &parsed) ? &parsed : NULL;
    if (denies(&rules->deny, ip))
        return false;
    return !route || (!denies(&rules->of_class[route->class].deny, ip) &&
                      allows(&rules->of_class[route->class].allow, ip));
}
