// SPDX-License-Identifier: Apache-2.0
/* Headers, encoded words, quoted-printable, the two parts. */
#include "jobs/kinds/mime.h"

#include <time.h>

enum {
    LINE_MAX = 76,
    WORD_BYTES =
        39, /* of one encoded word: 64 characters with its frame, after "Subject: " too */
};

/* ---- addresses ------------------------------------------------------------------- */

bool mail_address_usable(struct str address)
{
    size_t ats = 0;

    for (size_t i = 0; i < address.n; i++) {
        unsigned char c = (unsigned char)address.p[i];

        if (c <= ' ' || c == 0x7f || c == '<' || c == '>' || c == ',' || c == '"')
            return false;
        ats += c == '@';
    }
    return ats == 1 && address.p[0] != '@' && address.p[address.n - 1] != '@';
}

bool mail_address_parse(struct str s, struct mail_address *out)
{
    struct str rest, name = str_trim(str_split(s, '<', &rest));

    *out = (struct mail_address){.address = name};
    if (rest.p) {
        struct str after;

        *out =
            (struct mail_address){.name = name, .address = str_split(rest, '>', &after)};
        if (!after.p || str_trim(after).n)
            return false;
    }
    return mail_address_usable(out->address);
}

/* ---- headers --------------------------------------------------------------------- */

static bool is_plain(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if (c < ' ' || c > '~')
            return false;
    }
    return true;
}

static void put_base64(struct buf *b, const unsigned char *p, size_t n)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < n; i += 3) {
        unsigned v = (unsigned)p[i] << 16;

        v |= i + 1 < n ? (unsigned)p[i + 1] << 8 : 0;
        v |= i + 2 < n ? (unsigned)p[i + 2] : 0;
        buf_byte(b, (uint8_t)digits[v >> 18]);
        buf_byte(b, (uint8_t)digits[v >> 12 & 63]);
        buf_byte(b, i + 1 < n ? (uint8_t)digits[v >> 6 & 63] : '=');
        buf_byte(b, i + 2 < n ? (uint8_t)digits[v & 63] : '=');
    }
}

/* The longest start of text that fits in one word and ends between characters. */
static size_t word_length(struct str text)
{
    size_t n = text.n < WORD_BYTES ? text.n : WORD_BYTES;

    while (n < text.n && n > 1 && ((unsigned char)text.p[n] & 0xc0) == 0x80)
        n--;
    return n;
}

static void put_encoded_words(struct buf *b, struct str text)
{
    unsigned char clean[WORD_BYTES];

    while (text.n) {
        size_t n = word_length(text);

        for (size_t i = 0; i < n; i++) {
            unsigned char c = (unsigned char)text.p[i];

            clean[i] = c < ' ' || c == 0x7f ? ' ' : c;
        }
        buf_str(b, STR("=?utf-8?B?"));
        put_base64(b, clean, n);
        buf_str(b, STR("?="));
        text.p += n;
        text.n -= n;
        if (text.n)
            buf_str(b, STR("\r\n "));
    }
}

/* Folded at blanks, so that lines stay short where the text lets them. */
static void put_folded(struct buf *b, struct str text, size_t column)
{
    struct str rest = text;

    while (rest.p) {
        struct str word = str_split(rest, ' ', &rest);

        if (column + word.n + 1 > LINE_MAX && word.p != text.p) {
            buf_str(b, STR("\r\n "));
            column = 1;
        } else if (word.p != text.p) {
            buf_byte(b, ' ');
            column++;
        }
        buf_str(b, word);
        column += word.n;
    }
}

/* Text that is plain but looks like an encoded word would be decoded, and no line may be
 * over 998 bytes. */
static bool goes_as_it_is(struct str text)
{
    return is_plain(text) && text.n <= 500 && !memmem(text.p, text.n, "=?", 2);
}

void mime_header(struct buf *b, const char *name, struct str text)
{
    buf_printf(b, "%s: ", name);
    if (goes_as_it_is(text))
        put_folded(b, text, strlen(name) + 2);
    else
        put_encoded_words(b, text);
    buf_str(b, STR("\r\n"));
}

static void put_phrase(struct buf *b, struct str name)
{
    if (!goes_as_it_is(name)) {
        put_encoded_words(b, name);
        return;
    }
    buf_byte(b, '"');
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '"' || name.p[i] == '\\')
            buf_byte(b, '\\');
        buf_byte(b, (uint8_t)name.p[i]);
    }
    buf_byte(b, '"');
}

static void put_address(struct buf *b, const char *header, const struct mail_address *a)
{
    buf_printf(b, "%s: ", header);
    if (a->name.n) {
        put_phrase(b, a->name);
        buf_str(b, STR("\r\n "));
    }
    buf_printf(b, "<%.*s>\r\n", STR_FMT(a->address));
}

/* RFC 5322 section 3.3; strftime would speak the process's language. */
static void put_date(struct buf *b, int64_t wall_us)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    buf_printf(b, "Date: %.3s, %d %.3s %d %02d:%02d:%02d +0000\r\n",
               days + tm.tm_wday * 3, tm.tm_mday, months + tm.tm_mon * 3,
               tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* ---- quoted-printable ------------------------------------------------------------ */

static bool stands_for_itself(struct str text, size_t i, size_t column)
{
    unsigned char c = (unsigned char)text.p[i];

    if (c == ' ' || c == '\t') /* blanks at the end of a line get lost on the way */
        return i + 1 < text.n && text.p[i + 1] != '\n' && text.p[i + 1] != '\r';
    if (c == '.' && column == 0) /* alone on its line it would end the mail */
        return false;
    return c > ' ' && c <= '~' && c != '=';
}

void mime_quoted_printable(struct buf *b, struct str text)
{
    size_t column = 0;

    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\r' && i + 1 < text.n && text.p[i + 1] == '\n')
            continue;
        if (text.p[i] == '\n') {
            buf_str(b, STR("\r\n"));
            column = 0;
            continue;
        }
        if (column > LINE_MAX - 4) { /* room for =XX and the soft break */
            buf_str(b, STR("=\r\n"));
            column = 0;
        }
        if (stands_for_itself(text, i, column)) {
            buf_byte(b, (uint8_t)text.p[i]);
            column++;
        } else {
            buf_printf(b, "=%02X", (unsigned char)text.p[i]);
            column += 3;
        }
    }
}

/* ---- the whole ------------------------------------------------------------------- */

static void put_part(struct buf *b, const char *boundary, const char *type,
                     struct str text)
{
    buf_printf(b,
               "--%s\r\nContent-Type: %s; charset=utf-8\r\n"
               "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
               boundary, type);
    mime_quoted_printable(b, text);
    buf_str(b, STR("\r\n"));
}

void mail_write(struct buf *b, const struct mail *m)
{
    char id[UUID_TEXT_LEN + 1] = {0};
    char boundary[UUID_TEXT_LEN + 3] = "=_"; /* cannot occur in quoted-printable text */
    struct str domain;

    uuid_format(m->id, id);
    memcpy(boundary + 2, id, UUID_TEXT_LEN + 1);
    (void)str_split(m->from.address, '@', &domain);

    put_address(b, "From", &m->from);
    put_address(b, "To", &m->to);
    mime_header(b, "Subject", m->subject);
    put_date(b, m->date_us);
    buf_printf(b, "Message-ID: <%s@%.*s>\r\n", id, STR_FMT(domain));
    buf_str(b, STR("Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"));
    buf_printf(b, "Content-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n",
               boundary);
    put_part(b, boundary, "text/plain", m->text);
    put_part(b, boundary, "text/html", m->html);
    buf_printf(b, "--%s--\r\n", boundary);
}
