// SPDX-License-Identifier: Apache-2.0
/* RFC 9457 bodies. */
#include "kit/http/http.h"
#include "kit/wire/wire.h"

static void put_member(struct buf *b, const char *name, struct str value)
{
    if (value.p == NULL)
        return;
    buf_printf(b, ",\"%s\":", name);
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
    buf_printf(b, "{\"type\":\"urn:viaduct:error:%s\",\"title\":", e->code->name);
    wire_json_string(b, str_of(e->code->title));
    buf_printf(b, ",\"status\":%d", err_info(e)->http_status);
    put_member(b, "detail", e->detail.n > 0 ? e->detail : (struct str){NULL, 0});
    put_member(b, "instance", instance);
    put_member(b, "code", str_of(e->code->name));
    put_member(b, "request_id", request_id);
    put_fields(b, e->fields);
    buf_byte(b, '}');
}
