// SPDX-License-Identifier: Apache-2.0
/* Certificates: one OpenSSL context each, chosen by the name that the client asks for. */
#include "kit/base/mem.h"
#include "kit/http/tls_internal.h"
#include "kit/obs/metrics.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>

static const char SUITES_12[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
/* not const, as the macro that takes it casts that away */
static char GROUPS[] = "?X25519MLKEM768:X25519:prime256v1:secp384r1";
static const unsigned char SESSIONS_OF[] = "viaduct";

/* ---- callbacks of a handshake; in the loop of its connection ---- */

/* A client that speaks other protocols only is told so; one without ALPN is fine. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *n,
                           const unsigned char *offered, unsigned offered_n, void *arg)
{
    static const unsigned char OURS[] = "\x08http/1.1";
    unsigned char *chosen;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&chosen, n, OURS, sizeof OURS - 1, offered, offered_n) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int choose_certificate(SSL *ssl, int *alert, void *arg)
{
    const struct http_tls *t = arg;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    (void)alert;
    for (size_t i = 0; name && i < t->n; i++) {
        X509 *cert = SSL_CTX_get0_certificate(t->contexts[i]);

        if (X509_check_host(cert, name, 0, 0, NULL) != 1)
            continue;
        SSL_set_SSL_CTX(ssl, t->contexts[i]);
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_NOACK;
}

/* A key that needs a password is an error, not a question on the terminal. */
static int no_password(char *out, int size, int writing, void *arg)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

/* ---- loading ---- */

static SSL_CTX *make_context(struct http_tls *t)
{
    SSL_CTX *c = SSL_CTX_new(TLS_server_method());

    if (!c || !SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) ||
        !SSL_CTX_set_cipher_list(c, SUITES_12) || !SSL_CTX_set1_groups_list(c, GROUPS) ||
        !SSL_CTX_set_session_id_context(c, SESSIONS_OF, sizeof SESSIONS_OF - 1))
        mem_die("http: OpenSSL does not know what it is asked for");
    SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(c, 1);
    SSL_CTX_set_timeout(c, HTTP_TLS_ROTATION_S);
    SSL_CTX_set_default_passwd_cb(c, no_password);
    SSL_CTX_set_alpn_select_cb(c, choose_protocol, NULL);
    SSL_CTX_set_tlsext_servername_callback(c, choose_certificate);
    SSL_CTX_set_tlsext_servername_arg(c, t);
    SSL_CTX_set_app_data(c, t);
    http_tickets_enable(c);
    return c;
}

static const struct err *refuse(struct arena *a, const char *path, const char *what)
{
    unsigned long code = ERR_peek_last_error();
    const char *why = code ? ERR_reason_error_string(code) : NULL;

    ERR_clear_error();
    return err_new(a, &ERR_CODE_BAD_REQUEST, "%s: %s%s%s", path, what, why ? ": " : "",
                   why ? why : "");
}

static const struct err *check_time(struct arena *a, const char *path, const X509 *cert)
{
    struct tm ends;

    if (X509_cmp_current_time(X509_get0_notAfter(cert)) < 0)
        return refuse(a, path, "the certificate has expired");
    if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &ends))
        metric_set(metrics_gauge("viaduct_tls_certificate_not_after_seconds",
                                 "When a certificate ends, in Unix time", "file", path,
                                 NULL),
                   (int64_t)timegm(&ends));
    return NULL;
}

/* One "CERT.pem:KEY.pem". */
static const struct err *load_one(struct arena *a, struct http_tls *t, struct str pair)
{
    struct str key;
    struct str cert = str_split(pair, ':', &key);
    const char *cert_path = arena_str(a, cert).p;
    const char *key_path = key.p ? arena_str(a, key).p : cert_path;
    SSL_CTX *c;

    if (t->n == HTTP_TLS_CERTIFICATES_MAX)
        return refuse(a, cert_path, "too many certificates");
    c = t->contexts[t->n++] = make_context(t);
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(c, cert_path) != 1)
        return refuse(a, cert_path, "not a PEM certificate that can be read");
    if (SSL_CTX_use_PrivateKey_file(c, key_path, SSL_FILETYPE_PEM) != 1)
        return refuse(a, key_path, "not a PEM key that fits the certificate");
    return check_time(a, cert_path, SSL_CTX_get0_certificate(c));
}

static const struct err *load_all(struct arena *a, struct http_tls *t, struct str list)
{
    const struct err *e = NULL;

    while (!e && list.p) {
        struct str pair = str_trim(str_split(list, ',', &list));

        if (pair.n > 0)
            e = load_one(a, t, pair);
    }
    if (!e && t->n == 0)
        e = err_new(a, &ERR_CODE_BAD_REQUEST, "TLS needs a certificate");
    return e;
}

const struct err *http_tls_load(struct arena *a, const struct http_tls_conf *conf,
                                struct http_tls **out)
{
    struct http_tls *t = MEM_NEW(struct http_tls);
    const struct err *e;

    atomic_init(&t->refs, 1);
    e = load_all(a, t, str_of(conf->certificates));
    if (!e)
        e = http_tickets_load(a, t, conf->ticket_secrets);
    if (e)
        http_tls_unref(t);
    else
        *out = t;
    return e;
}

struct http_tls *http_tls_ref(struct http_tls *t)
{
    if (t)
        atomic_fetch_add(&t->refs, 1);
    return t;
}

void http_tls_unref(struct http_tls *t)
{
    if (!t || atomic_fetch_sub(&t->refs, 1) != 1)
        return;
    for (size_t i = 0; i < t->n; i++)
        SSL_CTX_free(t->contexts[i]);
    OPENSSL_cleanse(t->secrets, sizeof t->secrets);
    free(t);
}
