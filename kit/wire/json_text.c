// SPDX-License-Identifier: Apache-2.0
/*
 * Single JSON values into a buffer. Whatever the value, what is written is valid JSON.
 */
#include "kit/wire/internal.h"

#include "kit/base/clock.h"
#include "kit/base/swar.h"

#include <math.h>
#include <yyjson.h>

/* ---- strings ---- */

static void put_escape(struct buf *b, uint8_t c)
{
    static const char short_forms[] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
        ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};
    char letter = c < sizeof short_forms ? short_forms[c] : '\0';

    if (letter)
        buf_put(b, (const char[]){'\\', letter}, 2);
    else
        buf_printf(b, "\\u%04x", c);
}

static bool needs_escape(uint8_t c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

/* Well-formed UTF-8. */
static void put_escaped(struct buf *b, struct str s)
{
    size_t start = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (!needs_escape((uint8_t)s.p[i]))
            continue;
        buf_put(b, s.p + start, i - start);
        put_escape(b, (uint8_t)s.p[i]);
        start = i + 1;
    }
    buf_put(b, s.p + start, s.n - start);
}

static void put_plain(struct buf *b, struct str s)
{
    char *out = buf_grow(b, s.n + 2);

    if (!out)
        return;
    out[0] = '"';
    memcpy(out + 1, s.p, s.n);
    out[s.n + 1] = '"';
}

bool wire_json_utf8(struct buf *b, struct str s)
{
    if (!s.p)
        s = STR("");
    if (swar_json_plain_prefix(s.p, s.n) == s.n) {
        put_plain(b, s);
        return true;
    }
    if (!str_is_utf8(s))
        return false;
    buf_byte(b, '"');
    put_escaped(b, s);
    buf_byte(b, '"');
    return true;
}

/* Each byte that is not part of UTF-8 becomes U+FFFD. */
static void put_repaired(struct buf *b, struct str s)
{
    buf_byte(b, '"');
    while (s.n > 0) {
        size_t n = str_utf8_step(s), taken = n ? n : 1;

        if (n)
            put_escaped(b, (struct str){s.p, n});
        else
            buf_str(b, STR("\xef\xbf\xbd"));
        s = (struct str){s.p + taken, s.n - taken};
    }
    buf_byte(b, '"');
}

void wire_json_string(struct buf *b, struct str s)
{
    if (!wire_json_utf8(b, s))
        put_repaired(b, s);
}

void wire_json_key(struct buf *b, char sep, const struct wire_field *f)
{
    char *out = buf_grow(b, f->name_len + (size_t)4);

    if (!out)
        return;
    out[0] = sep;
    out[1] = '"';
    memcpy(out + 2, f->name, f->name_len);
    out[f->name_len + 2] = '"';
    out[f->name_len + 3] = ':';
}

/* ---- numbers ---- */

void wire_json_int(struct buf *b, int64_t v)
{
    char digits[STR_I64_MAX];

    buf_put(b, digits, str_from_i64(v, digits));
}

/* The shortest digits that read back as the same double; JSON has no infinity. */
void wire_json_double(struct buf *b, double v)
{
    yyjson_mut_val val = {0};
    char memory[1024];
    yyjson_alc alc;
    size_t n = 0;
    char *text;

    yyjson_mut_set_real(&val, isfinite(v) ? v : 0);
    yyjson_alc_pool_init(&alc, memory, sizeof memory);
    text = yyjson_mut_val_write_opts(&val, YYJSON_WRITE_NOFLAG, &alc, &n, NULL);
    if (text)
        buf_put(b, text, n);
}

/* ---- kinds that are strings in JSON ---- */

void wire_json_uuid(struct buf *b, struct uuid u)
{
    char *out = buf_grow(b, UUID_TEXT_LEN + 2);

    if (!out)
        return;
    out[0] = '"';
    uuid_format(u, out + 1);
    out[UUID_TEXT_LEN + 1] = '"';
}

void wire_json_time(struct buf *b, int64_t wall_us)
{
    char *out = buf_grow(b, CLOCK_RFC3339_LEN + 2);

    if (!out)
        return;
    if (wall_us < WIRE_TIME_MIN_US)
        wall_us = WIRE_TIME_MIN_US;
    if (wall_us > WIRE_TIME_MAX_US)
        wall_us = WIRE_TIME_MAX_US;
    out[0] = '"';
    clock_format_rfc3339(wall_us, out + 1);
    out[CLOCK_RFC3339_LEN + 1] = '"';
}

/* Up to three bytes as up to four letters; base64url_encode needs an arena, and there is
 * none here. */
static size_t base64_group(const uint8_t *in, size_t n, char *out)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t bits = (uint32_t)in[0] << 16;

    if (n > 1)
        bits |= (uint32_t)in[1] << 8;
    if (n > 2)
        bits |= in[2];
    for (size_t i = 0; i <= n; i++)
        out[i] = letters[bits >> (18 - 6 * i) & 63];
    return n + 1;
}

void wire_json_bytes(struct buf *b, struct str s)
{
    size_t letters = s.n / 3 * 4 + (s.n % 3 ? s.n % 3 + 1 : 0);
    char *out = buf_grow(b, letters + 2);

    if (!out)
        return;
    *out++ = '"';
    for (size_t i = 0; i < s.n; i += 3)
        out += base64_group((const uint8_t *)s.p + i, s.n - i < 3 ? s.n - i : 3, out);
    *out = '"';
}
