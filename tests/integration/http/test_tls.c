// SPDX-License-Identifier: Apache-2.0
/* What is particular to TLS: versions, ALPN, names, tickets, new certificates, time. */
#include "harness.h"
#include "tls.h"

#include <criterion/criterion.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct harness h;
static struct http_tls *server_side;

static struct http_tls *load(const char *certificates, const char *secrets)
{
    const struct http_tls_conf conf = {certificates, secrets};
    struct http_tls *t = NULL;
    struct arena a;

    arena_init(&a);
    cr_assert_null(http_tls_load(&a, &conf, &t));
    arena_fini(&a);
    return t;
}

static const char *two_certificates(void)
{
    static char list[300];

    tls_make_certificate("one.pem", "one.example");
    tls_make_certificate("two.pem", "*.two.example");
    snprintf(list, sizeof list, "%s, %s.crt:%s.key", tls_file("one.pem"),
             tls_file("two.pem"), tls_file("two.pem"));
    return list;
}

static void begin(struct http_conf conf)
{
    conf.tls = server_side = load(two_certificates(), "");
    harness_start(&h, conf);
}

static void end(void)
{
    harness_stop(&h);
    http_tls_unref(server_side);
}

static const char ASK[] = "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/* ---- a client of our own: one request, its whole answer in `answer` ---- */

struct client {
    int version; /* 0: any */
    const char *name;
    const unsigned char *protocols; /* ALPN */
    unsigned n_protocols;
    SSL_SESSION *session; /* to resume; afterwards the newest */

    bool connected, resumed, clean_end;
    int got_version;
    char answer[4096], common_name[100], protocol[20];
};

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct client *c = SSL_get_app_data(ssl);

    SSL_SESSION_free(c->session);
    c->session = session;
    return 1;
}

static void look(struct client *c, SSL *ssl)
{
    X509 *cert = SSL_get0_peer_certificate(ssl);
    const unsigned char *p;
    unsigned n;

    c->connected = true;
    c->resumed = SSL_session_reused(ssl);
    c->got_version = SSL_version(ssl);
    if (cert)
        X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName,
                                  c->common_name, sizeof c->common_name);
    SSL_get0_alpn_selected(ssl, &p, &n);
    snprintf(c->protocol, sizeof c->protocol, "%.*s", (int)n, p ? (const char *)p : "");
}

static void talk(struct client *c, SSL *ssl)
{
    size_t at = 0;
    int n;

    SSL_write(ssl, ASK, sizeof ASK - 1);
    while ((n = SSL_read(ssl, c->answer + at, (int)(sizeof c->answer - at - 1))) > 0)
        at += (size_t)n;
    c->answer[at] = '\0';
    c->clean_end = SSL_get_error(ssl, n) == SSL_ERROR_ZERO_RETURN;
    if (SSL_version(ssl) == TLS1_2_VERSION) /* nobody is told of a ticket in exchange */
        keep_session(ssl, SSL_get1_session(ssl));
}

static void ask(struct client *c)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT |
                                                SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    ssl = SSL_new(context);
    SSL_set_app_data(ssl, c);
    SSL_set_min_proto_version(ssl, c->version);
    SSL_set_max_proto_version(ssl, c->version);
    SSL_set_security_level(ssl, 0);
    SSL_set_cipher_list(ssl, "ALL");
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             (void *)(uintptr_t)(c->name ? c->name : "one.example"));
    if (c->protocols)
        SSL_set_alpn_protos(ssl, c->protocols, c->n_protocols);
    if (c->session)
        SSL_set_session(ssl, c->session);
    cr_assert(client_connect_with(&h, fd));
    SSL_set_fd(ssl, fd);
    if (SSL_connect(ssl) == 1) {
        look(c, ssl);
        talk(c, ssl);
    }
    SSL_shutdown(ssl);
    SSL_free(ssl);
    SSL_CTX_free(context);
    close(fd);
}

static void expect_served(struct client *c)
{
    ask(c);
    cr_expect(c->connected);
    cr_expect_not_null(strstr(c->answer, "GET /echo  "), "%s", c->answer);
    cr_expect(c->clean_end, "no close_notify");
}

/* ---- versions, protocols, names ---- */

Test(tls, speaks_1_2_and_1_3_and_nothing_older)
{
    static const int old[] = {TLS1_VERSION, TLS1_1_VERSION};

    begin((struct http_conf){0});
    for (int v = TLS1_2_VERSION; v <= TLS1_3_VERSION; v++) {
        struct client c = {.version = v};

        expect_served(&c);
        cr_expect_eq(c.got_version, v);
        SSL_SESSION_free(c.session);
    }
    for (size_t i = 0; i < 2; i++) {
        struct client c = {.version = old[i]};

        ask(&c);
        cr_expect(!c.connected);
    }
    end();
}

Test(tls, agrees_on_http_1_1_and_refuses_clients_that_cannot)
{
    static const unsigned char both[] = "\x02h2\x08http/1.1", h2[] = "\x02h2";
    struct client c = {.protocols = both, .n_protocols = sizeof both - 1};
    struct client foreign = {.protocols = h2, .n_protocols = sizeof h2 - 1};

    begin((struct http_conf){0});
    expect_served(&c);
    cr_expect_str_eq(c.protocol, "http/1.1");
    ask(&foreign);
    cr_expect(!foreign.connected);
    SSL_SESSION_free(c.session);
    end();
}

Test(tls, the_name_chooses_the_certificate)
{
    static const struct {
        const char *name, *gets;
    } rows[] = {
        {"one.example", "one.example"},     {"a.two.example", "*.two.example"},
        {"A.Two.Example", "*.two.example"}, {"a.b.two.example", "one.example"},
        {"unknown.example", "one.example"},
    };

    begin((struct http_conf){0});
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct client c = {.name = rows[i].name};

        expect_served(&c);
        cr_expect_str_eq(c.common_name, rows[i].gets, "%s", rows[i].name);
        SSL_SESSION_free(c.session);
    }
    end();
}

Test(tls, replies_carry_hsts_and_say_so_in_refusals_too)
{
    struct client c = {0};

    begin((struct http_conf){.hsts_s = 600});
    expect_served(&c);
    cr_expect_not_null(
        strstr(c.answer, "\r\nStrict-Transport-Security: max-age=600\r\n"));
    SSL_SESSION_free(c.session);
    end();
}

/* ---- sessions ---- */

static void expect_resumes(int version)
{
    struct client c = {.version = version};

    expect_served(&c);
    cr_expect(!c.resumed);
    cr_assert_not_null(c.session);
    expect_served(&c);
    cr_expect(c.resumed, "%x", (unsigned)version);
    SSL_SESSION_free(c.session);
}

Test(tls, sessions_are_resumed_by_ticket)
{
    begin((struct http_conf){0});
    expect_resumes(TLS1_2_VERSION);
    expect_resumes(TLS1_3_VERSION);
    end();
}

static void put_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    cr_assert_not_null(f);
    fputs(text, f);
    fclose(f);
}

#define SECRET_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
#define SECRET_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n"

static void use_new(struct harness *harness)
{
    http_server_set_tls(harness->server, server_side);
}

static void change_to(const char *certificates, const char *secrets)
{
    http_tls_unref(server_side);
    server_side = load(certificates, secrets);
    harness_in_loop(&h, use_new);
}

/* Another gateway is one that has loaded the same files. */
Test(tls, gateways_that_share_a_secret_resume_each_others_sessions)
{
    const char *secrets = tls_file("secrets");
    struct client c = {0};

    begin((struct http_conf){0});
    put_file(secrets, SECRET_A);
    change_to(tls_file("one.pem"), secrets);
    expect_served(&c);
    change_to(tls_file("one.pem"), secrets);
    expect_served(&c);
    cr_expect(c.resumed);
    put_file(secrets, SECRET_B);
    change_to(tls_file("one.pem"), secrets);
    expect_served(&c);
    cr_expect(!c.resumed);
    SSL_SESSION_free(c.session);
    end();
}

/* Twice: a new ticket comes with it, made with the newer secret. */
static void expect_older_secret_opens(int version)
{
    const char *secrets = tls_file("secrets");
    struct client c = {.version = version};

    put_file(secrets, SECRET_A);
    change_to(tls_file("one.pem"), secrets);
    expect_served(&c);
    cr_expect(!c.resumed);
    put_file(secrets, SECRET_B SECRET_A);
    change_to(tls_file("one.pem"), secrets);
    expect_served(&c);
    cr_expect(c.resumed, "%x: by the older secret", (unsigned)version);
    put_file(secrets, SECRET_B);
    change_to(tls_file("one.pem"), secrets);
    expect_served(&c);
    cr_expect(c.resumed, "%x: by the ticket that came in exchange", (unsigned)version);
    SSL_SESSION_free(c.session);
}

Test(tls, a_ticket_of_an_older_secret_resumes_and_is_exchanged)
{
    begin((struct http_conf){0});
    expect_older_secret_opens(TLS1_2_VERSION);
    expect_older_secret_opens(TLS1_3_VERSION);
    end();
}

static _Atomic time_t ahead_s;

/* In place of libc's. */
time_t time(time_t *out)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec += ahead_s;
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

static bool resumes_after(int version, time_t s)
{
    struct client c = {.version = version};

    ahead_s = 0;
    expect_served(&c);
    ahead_s = s;
    expect_served(&c);
    SSL_SESSION_free(c.session);
    ahead_s = 0;
    return c.resumed;
}

Test(tls, a_ticket_resumes_in_the_next_period_and_not_later)
{
    begin((struct http_conf){0});
    for (int v = TLS1_2_VERSION; v <= TLS1_3_VERSION; v++) {
        cr_expect(resumes_after(v, HTTP_TLS_ROTATION_S));
        cr_expect(resumes_after(v, -HTTP_TLS_ROTATION_S), "another's clock is behind");
        cr_expect_not(resumes_after(v, 3 * (time_t)HTTP_TLS_ROTATION_S));
    }
    end();
}

/* ---- new certificates ---- */

Test(tls, new_certificates_are_for_new_connections)
{
    struct client before = {0}, after = {0};
    char answer[1000];
    int old;

    begin((struct http_conf){0});
    expect_served(&before);
    cr_expect_str_eq(before.common_name, "one.example");
    h.tls = true;
    old = client_connect(&h);
    tls_make_certificate("new.pem", "new.example");
    change_to(tls_file("new.pem"), "");
    expect_served(&after);
    cr_expect_str_eq(after.common_name, "new.example");
    client_send(old, str_of(ASK));
    client_read_all(old, answer, sizeof answer);
    cr_expect_not_null(strstr(answer, "GET /echo  "));
    close(old);
    SSL_SESSION_free(before.session);
    SSL_SESSION_free(after.session);
    end();
}

static void expect_bad(const char *certificates, const char *secrets, const char *says)
{
    const struct http_tls_conf conf = {certificates, secrets};
    struct http_tls *t = NULL;
    const struct err *e;
    struct arena a;

    arena_init(&a);
    e = http_tls_load(&a, &conf, &t);
    cr_assert(e && !t);
    cr_expect_not_null(strstr(e->detail.p, says), "%s", e->detail.p);
    arena_fini(&a);
}

Test(tls, bad_files_are_named)
{
    char mixed[300];

    two_certificates();
    put_file(tls_file("bad"), "nothing of use\n");
    expect_bad("", "", "needs a certificate");
    expect_bad("/nowhere.pem", "", "/nowhere.pem");
    expect_bad(tls_file("bad"), "", "bad: not a PEM certificate");
    snprintf(mixed, sizeof mixed, "%s:%s.key", tls_file("one.pem"), tls_file("two.pem"));
    expect_bad(mixed, "", "not a PEM key that fits");
    expect_bad(tls_file("one.pem"), "/nowhere", "/nowhere");
    expect_bad(tls_file("one.pem"), tls_file("bad"), "hex digits");
}

/* ---- time ---- */

Test(tls, a_handshake_that_does_not_come_ends_the_connection)
{
    int fd;

    begin((struct http_conf){.handshake_ms = 100});
    fd = client_connect(&h); /* says nothing at all */
    cr_expect(client_is_closed(fd));
    close(fd);
    fd = client_connect(&h);
    client_send(fd, STR("\x16\x03\x01\x02\x00\x01\x00")); /* and no more than that */
    cr_expect(client_is_closed(fd));
    close(fd);
    cr_expect_eq(h.requests, 0);
    end();
}

Test(tls, plain_http_and_noise_are_cut_off)
{
    static const struct str noise[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27},
        {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16},
        {"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", 10},
    };

    begin((struct http_conf){0});
    for (size_t i = 0; i < sizeof noise / sizeof *noise; i++) {
        int fd = client_connect(&h);
        char answer[200];

        client_send(fd, noise[i]);
        client_read_all(fd, answer, sizeof answer);
        cr_expect_null(strstr(answer, "HTTP/"));
        close(fd);
    }
    cr_expect_eq(h.requests, 0);
    end();
}
