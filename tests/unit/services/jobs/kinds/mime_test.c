// SPDX-License-Identifier: Apache-2.0
/* Mails as bytes. */
#include "jobs/kinds/mime.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct buf b;

static void begin(void)
{
    buf_init(&b, 1 << 20);
}

static void end(void)
{
    buf_fini(&b);
}

TestSuite(mime, .init = begin, .fini = end);

static const char *text(void)
{
    buf_byte(&b, 0);
    return b.p;
}

/* No line over 76 bytes (RFC 2045, 2047), each ended by CRLF and no control byte
 * elsewhere. */
static void expect_short_lines(const char *p)
{
    while (*p) {
        size_t n = strcspn(p, "\r\n");

        cr_expect_leq(n, 76u, "%.*s", (int)n, p);
        for (size_t i = 0; i < n; i++)
            cr_expect_geq((unsigned char)p[i], (unsigned char)' ');
        cr_expect(strncmp(p + n, "\r\n", 2) == 0, "line ends with CRLF");
        p += n + 2;
    }
}

Test(mime, encodes_quoted_printable)
{
    mime_quoted_printable(&b, STR("a=b\nd\xc3\xa9j\xc3\xa0 \n.\nend"));
    cr_expect_str_eq(text(), "a=3Db\r\nd=C3=A9j=C3=A0=20\r\n=2E\r\nend");
}

Test(mime, breaks_long_lines_softly)
{
    char line[1000];

    memset(line, 'x', sizeof line);
    line[99] = '=';
    mime_quoted_printable(&b, (struct str){line, sizeof line});
    buf_str(&b, STR("\r\n"));
    expect_short_lines(text());
    cr_expect_not_null(strstr(b.p, "=\r\n"));
}

Test(mime, writes_plain_headers_as_they_are)
{
    mime_header(&b, "Subject", STR("Your order 17"));
    cr_expect_str_eq(text(), "Subject: Your order 17\r\n");
}

Test(mime, folds_long_plain_headers)
{
    mime_header(
        &b, "Subject",
        STR("a header with many words that goes on and on until it is too long to "
            "stand in one line and has to be folded"));
    expect_short_lines(text());
    cr_expect_not_null(strstr(b.p, "\r\n "));
}

Test(mime, encodes_other_headers_in_words_that_end_between_characters)
{
    mime_header(&b, "Subject",
                STR("Gr\xc3\xbc\xc3\x9f"
                    "e an alle, die das hier lesen, und noch "
                    "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
                    "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"));
    expect_short_lines(text());
    cr_expect(strncmp(b.p, "Subject: =?utf-8?B?R3LDvMOfZSBhbiBhbGxl", 39) == 0, "%s",
              b.p);
}

Test(mime, does_not_let_a_header_be_injected)
{
    static const struct str tries[] = {
        {"x\r\nBcc: evil@example.com", 25},
        {"x\nBcc: evil@example.com", 24},
        {"x\rBcc: evil@example.com", 24},
        {"x\0Bcc: evil@example.com", 24},
    };

    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        buf_reset(&b);
        mime_header(&b, "Subject", tries[i]);
        expect_short_lines(text());
        cr_expect_null(strstr(b.p, "Bcc:"), "%s", b.p);
    }
}

Test(mime, does_not_let_plain_text_pass_as_an_encoded_word)
{
    mime_header(&b, "Subject", STR("=?utf-8?Q?=0ABcc=3A_evil?="));
    cr_expect_null(strstr(text(), "?Q?"));
}

Test(mime, knows_usable_addresses)
{
    static const struct {
        const char *address;
        bool usable;
    } cases[] = {
        {"a@b", true},    {"ada@example.com", true},
        {"", false},      {"ada", false},
        {"@b", false},    {"a@", false},
        {"a@b@c", false}, {"a b@c", false},
        {"a@b>", false},  {"a@b\r\nRSET", false},
        {"<a@b", false},  {"a@b,c@d", false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(mail_address_usable(str_of(cases[i].address)), cases[i].usable, "%s",
                     cases[i].address);
}

Test(mime, reads_an_address_with_its_name)
{
    struct mail_address m;

    cr_assert(mail_address_parse(STR("Viaduct Shop <no-reply@shop.example>"), &m));
    cr_expect(str_eq(m.name, STR("Viaduct Shop")));
    cr_expect(str_eq(m.address, STR("no-reply@shop.example")));
    cr_assert(mail_address_parse(STR("a@b"), &m));
    cr_expect_eq(m.name.n, 0u);
    cr_expect_not(mail_address_parse(STR("Name <a@b"), &m));
    cr_expect_not(mail_address_parse(STR("Name <a@b> x"), &m));
    cr_expect_not(mail_address_parse(STR("Name"), &m));
}

static struct mail sample(void)
{
    return (struct mail){
        .from = {STR("Shop \"A\""), STR("shop@example.com")},
        .to = {STR("Ada L\xc3\xb6we"), STR("ada@example.org")},
        .subject = STR("Hello"),
        .text = STR("plain"),
        .html = STR("<p>rich</p>"),
        .id = {{0x01, 0x89, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 0x2a}},
        .date_us = INT64_C(1700000000) * 1000000,
    };
}

Test(mime, writes_a_whole_mail)
{
    struct mail m = sample();

    mail_write(&b, &m);
    cr_expect_str_eq(text(),
                     "From: \"Shop \\\"A\\\"\"\r\n"
                     " <shop@example.com>\r\n"
                     "To: =?utf-8?B?QWRhIEzDtndl?=\r\n"
                     " <ada@example.org>\r\n"
                     "Subject: Hello\r\n"
                     "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
                     "Message-ID: <01890000-0000-7000-8000-00000000002a@example.com>\r\n"
                     "Auto-Submitted: auto-generated\r\n"
                     "MIME-Version: 1.0\r\n"
                     "Content-Type: multipart/alternative; "
                     "boundary=\"=_01890000-0000-7000-8000-00000000002a\"\r\n"
                     "\r\n"
                     "--=_01890000-0000-7000-8000-00000000002a\r\n"
                     "Content-Type: text/plain; charset=utf-8\r\n"
                     "Content-Transfer-Encoding: quoted-printable\r\n"
                     "\r\n"
                     "plain\r\n"
                     "--=_01890000-0000-7000-8000-00000000002a\r\n"
                     "Content-Type: text/html; charset=utf-8\r\n"
                     "Content-Transfer-Encoding: quoted-printable\r\n"
                     "\r\n"
                     "<p>rich</p>\r\n"
                     "--=_01890000-0000-7000-8000-00000000002a--\r\n");
}

Test(mime, cannot_be_left_through_its_text)
{
    struct mail m = sample();
    int boundaries = 0;

    m.text = STR("--=_01890000-0000-7000-8000-00000000002a\nContent-Type: text/evil\n");
    mail_write(&b, &m);
    for (const char *p = text(); (p = strstr(p, "--=_0189")); p++)
        boundaries++;
    cr_expect_eq(boundaries, 3, "those of the two parts and of the end");
}
