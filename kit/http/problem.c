// SPDX-License-Identifier: Apache-2.0
/* RFC 9457 bodies. */
#include "kit/http/http.h"
#include "kit/wire/wire.h"

enum { USUAL_BYTES = 512 };

/* The name with its comma, quotes and colon: no printf, as refusals must cost little. */
static void put_member(struct buf *b, struct str name, struct str value)
{
    if (value.p == NULL)
        return;
    buf_str(b, name);
    wire_json_string(b, value);
}

static void put_fields(struct buf *b, const struct err_field *f)
{
    if (f == NULL)
        return;
    buf_str(b, STR(",\"errors\":["));
    for (const struct err_field *it = f; it; it = it->next) {
        buf_str(b, it == f ? STR("{\"pointer\":") : STR(",{\"pointer\":"));
        wire_json_string(b, it->pointer);
        buf_str(b, STR(",\"detail\":"));
        wire_json_string(b, it->detail);
        buf_byte(b, '}');
    }
    buf_byte(b, ']');
}

void http_problem(struct buf *b, const struct err *e, struct str instance,
                  struct str request_id)
{
    char status[STR_I64_MAX];
    struct str detail = e->detail.n > 0 ? e->detail : (struct str){NULL, 0};

    buf_reserve(b, USUAL_BYTES);
    buf_str(b, STR("{\"type\":\"urn:viaduct:error:"));
    buf_str(b, str_of(e->code->name));
    put_member(b, STR("\",\"title\":"), str_of(e->code->title));
    buf_str(b, STR(",\"status\":"));
    buf_put(b, status, str_from_i64(err_info(e)->http_status, status));
    put_member(b, STR(",\"detail\":"), detail);
    put_member(b, STR(",\"instance\":"), instance);
    put_member(b, STR(",\"code\":"), str_of(e->code->name));
    put_member(b, STR(",\"request_id\":"), request_id);
    put_fields(b, e->fields);
    buf_byte(b, '}');
}
