// SPDX-License-Identifier: Apache-2.0
/*
 * Host names in connection parameters. A host may be a list, with a list of ports beside
 * it; libpq takes the address of each from a third list, `hostaddr`. A name with several
 * addresses becomes as many entries.
 */
#include "kit/pg/conninfo.h"

#include <string.h>

enum { HOSTS_MAX = RESOLVE_HOSTS_MAX };

struct hosts {
    unsigned n, n_ports;
    const char *name[HOSTS_MAX], *port[HOSTS_MAX];
};

/* The three lists that are being made. */
struct lists {
    unsigned n;
    struct str host, address, port;
};

static const char *value_of(const char *const *keywords, const char *const *values,
                            const char *keyword)
{
    for (unsigned i = 0; keywords[i]; i++)
        if (strcmp(keywords[i], keyword) == 0)
            return values[i];
    return NULL;
}

static unsigned split(struct arena *a, const char *list, const char *out[HOSTS_MAX])
{
    struct str rest = str_of(list);
    unsigned n = 0;

    while (rest.p && n < HOSTS_MAX)
        out[n++] = arena_str(a, str_split(rest, ',', &rest)).p;
    return n;
}

static struct hosts hosts_of(struct arena *a, const char *const *keywords,
                             const char *const *values)
{
    struct hosts h = {0};

    h.n = split(a, value_of(keywords, values, "host"), h.name);
    h.n_ports = split(a, value_of(keywords, values, "port"), h.port);
    return h;
}

unsigned pg_conninfo_names(struct arena *a, const char *const *keywords,
                           const char *const *values,
                           const char *names[RESOLVE_HOSTS_MAX])
{
    struct hosts h = hosts_of(a, keywords, values);
    unsigned n = 0;

    if (value_of(keywords, values, "hostaddr"))
        return 0;
    for (unsigned i = 0; i < h.n; i++)
        if (resolve_needed(h.name[i]))
            names[n++] = h.name[i];
    return n;
}

/* One port is for all hosts. */
static const char *port_of(const struct hosts *h, unsigned i)
{
    if (h->n_ports == 0)
        return "";
    return h->n_ports == 1 ? h->port[0] : i < h->n_ports ? h->port[i] : "";
}

static void append(struct arena *a, struct str *list, unsigned n, const char *entry)
{
    *list = n ? arena_printf(a, "%s,%s", list->p, entry) : arena_str(a, str_of(entry));
}

static void add(struct arena *a, struct lists *l, const char *host, const char *address,
                const char *port)
{
    append(a, &l->host, l->n, host);
    append(a, &l->address, l->n, address);
    append(a, &l->port, l->n, port);
    l->n++;
}

static const struct resolve_host *found(const struct resolve_answer *answer,
                                        const char *name)
{
    for (unsigned i = 0; i < answer->n; i++)
        if (strcmp(answer->host[i].name, name) == 0)
            return &answer->host[i];
    return NULL;
}

static struct lists make_lists(struct arena *a, const struct hosts *h,
                               const struct resolve_answer *answer)
{
    struct lists l = {0};

    for (unsigned i = 0; i < h->n; i++) {
        const struct resolve_host *host = found(answer, h->name[i]);

        if (!host)
            add(a, &l, h->name[i], "", port_of(h, i));
        for (unsigned k = 0; host && k < host->n; k++)
            add(a, &l, h->name[i], host->address[k], port_of(h, i));
    }
    return l;
}

bool pg_conninfo_resolved(struct arena *a, const char *const *keywords,
                          const char *const *values, const struct resolve_answer *answer,
                          const char ***new_keywords, const char ***new_values)
{
    struct hosts h = hosts_of(a, keywords, values);
    struct lists l = make_lists(a, &h, answer);
    unsigned n = 0, to = 0;

    while (keywords[n])
        n++;
    *new_keywords = ARENA_ARRAY(a, const char *, n + 4);
    *new_values = ARENA_ARRAY(a, const char *, n + 4);
    for (unsigned i = 0; i < n; i++) {
        if (strcmp(keywords[i], "host") == 0 || strcmp(keywords[i], "port") == 0)
            continue;
        (*new_keywords)[to] = keywords[i];
        (*new_values)[to++] = values[i];
    }
    (*new_keywords)[to] = "host";
    (*new_values)[to++] = l.host.p;
    (*new_keywords)[to] = "hostaddr";
    (*new_values)[to++] = l.address.p;
    (*new_keywords)[to] = "port";
    (*new_values)[to++] = l.port.p;
    return l.n > 0;
}
