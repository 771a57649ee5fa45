// SPDX-License-Identifier: Apache-2.0
/* The table of proto/scopes.h as data. */
#include "proto/scopes.h"

static const struct {
    uint32_t bit;
    struct str name;
    uint32_t roles;
} table[] = {
#define SCOPE_ROW(symbol, bit, name, roles) \
    [bit] = {symbol, {name, sizeof(name) - 1}, roles},
    SCOPES(SCOPE_ROW)
#undef SCOPE_ROW
};

_Static_assert(sizeof table / sizeof *table == SCOPES_COUNT,
               "SCOPES_COUNT is their number");

uint32_t scope_of(struct str name)
{
    for (unsigned i = 0; i < SCOPES_COUNT; i++)
        if (str_eq(table[i].name, name))
            return table[i].bit;
    return 0;
}

const char *scope_name(uint32_t scope)
{
    return table[__builtin_ctz(scope)].name.p;
}

struct str scopes_text(struct arena *a, uint32_t scopes)
{
    struct str text = STR("");

    for (unsigned i = 0; i < SCOPES_COUNT; i++)
        if (scopes & table[i].bit)
            text = arena_printf(a, "%.*s%s%.*s", STR_FMT(text), text.n ? " " : "",
                                STR_FMT(table[i].name));
    return text;
}

uint32_t scopes_of(struct str text)
{
    uint32_t scopes = 0;

    while (text.p)
        scopes |= scope_of(str_split(text, ' ', &text));
    return scopes;
}

uint32_t scopes_roles(uint32_t scopes, uint32_t roles)
{
    return scopes & SCOPE_ADMIN ? roles : roles & ROLE_USER;
}

uint32_t scopes_beyond(uint32_t scopes, uint32_t roles)
{
    uint32_t beyond = 0;

    for (unsigned i = 0; i < SCOPES_COUNT; i++) {
        /* admin itself is asked of the account, all else of what the key will be */
        uint32_t have = table[i].bit == SCOPE_ADMIN ? roles : scopes_roles(scopes, roles);

        if (scopes & table[i].bit && !(table[i].roles & have))
            beyond |= table[i].bit;
    }
    return beyond;
}
