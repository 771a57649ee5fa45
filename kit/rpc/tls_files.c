// SPDX-License-Identifier: Apache-2.0
/*
 * The files of the hop's TLS, read and judged by OpenSSL, which says what is wrong with
 * them; NNG's own TLS says only that something is.
 */
#include "kit/base/mem.h"
#include "kit/conf/conf.h"
#include "kit/rpc/tls.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

/* What is found out about the three, in this order. */
struct judging {
    const struct rpc_tls_files *files;
    struct rpc_tls_pem *pem;
    STACK_OF(X509) * chain; /* the certificate, then those between it and the CA */
    EVP_PKEY *key;
    X509_STORE *store;
};

static const struct err *bad(struct arena *a, const char *setting, const char *path,
                             const char *why)
{
    return err_new(a, &ERR_CODE_BAD_SETTING, "%s: %s: %s", setting, path, why);
}

/* ---- reading ---------------------------------------------------------------- */

static const char *why_not_read(void)
{
    const char *why = strerror(errno);

    return why ? why : "it cannot be read";
}

static const char *read_open_file(FILE *f, char *text)
{
    size_t n = fread(text, 1, RPC_TLS_FILE_MAX, f);

    if (ferror(f))
        return why_not_read();
    if (n == RPC_TLS_FILE_MAX)
        return "it is too long";
    return strlen(text) == n ? NULL : "it is not a text";
}

static const char *read_file(const char *path, char **out)
{
    FILE *f = fopen(path, "re");
    const char *why;

    if (!f)
        return why_not_read();
    *out = mem_alloc(RPC_TLS_FILE_MAX + 1);
    why = read_open_file(f, *out);
    (void)fclose(f);
    return why;
}

/* A key with a password: nobody is there to give it. */
static int no_password(char *buf, int size, int writing, void *arg)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

/* NULL when there is not one, or one that cannot be parsed. */
static STACK_OF(X509) * parse_certificates(const char *text)
{
    STACK_OF(X509) *all = sk_X509_new_null();
    BIO *bio = BIO_new_mem_buf(text, -1);
    unsigned begun = 0, parsed = 0;
    X509 *one;

    for (const char *p = text; (p = strstr(p, "-----BEGIN ")); p++)
        begun++;
    while (bio && all && (one = PEM_read_bio_X509(bio, NULL, no_password, NULL))) {
        parsed++;
        if (!sk_X509_push(all, one))
            X509_free(one);
    }
    BIO_free(bio);
    if (parsed > 0 && parsed == begun)
        return all;
    sk_X509_pop_free(all, X509_free);
    return NULL;
}

/* ---- judging: NULL or why not ----------------------------------------------- */

static const char *judge_cert(struct judging *j)
{
    X509 *own;
    struct tm end;

    j->chain = parse_certificates(j->pem->cert);
    if (!j->chain)
        return "it is not a PEM certificate, or a list of them";
    own = sk_X509_value(j->chain, 0);
    if (X509_cmp_current_time(X509_get0_notBefore(own)) > 0)
        return "the certificate is not valid yet";
    if (X509_cmp_current_time(X509_get0_notAfter(own)) < 0)
        return "the certificate has expired";
    if (ASN1_TIME_to_tm(X509_get0_notAfter(own), &end))
        j->pem->expires_s = timegm(&end);
    return NULL;
}

static const char *judge_key(struct judging *j)
{
    BIO *bio = BIO_new_mem_buf(j->pem->key, -1);

    j->key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    BIO_free(bio);
    if (!j->key)
        return "it is not a PEM private key without a password";
    if (!EVP_PKEY_is_a(j->key, "RSA") && !EVP_PKEY_is_a(j->key, "EC"))
        return "NNG's TLS can use RSA and EC keys only";
    if (!X509_check_private_key(sk_X509_value(j->chain, 0), j->key))
        return "it is not the key of the certificate";
    return NULL;
}

static const char *verify(X509_STORE *store, STACK_OF(X509) * chain)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    const char *why = NULL;

    if (!ctx || !X509_STORE_CTX_init(ctx, store, sk_X509_value(chain, 0), chain))
        why = "out of memory";
    else if (X509_verify_cert(ctx) != 1)
        why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
    X509_STORE_CTX_free(ctx);
    return why;
}

/* The certificate is known to be good in itself, so it is the CA that does not fit. */
static const char *judge_ca(struct judging *j)
{
    STACK_OF(X509) *cas = parse_certificates(j->pem->ca);
    const char *why = "it is not a PEM certificate, or a list of them";

    if (!cas)
        return why;
    j->store = X509_STORE_new();
    for (int i = 0; i < sk_X509_num(cas); i++)
        X509_STORE_add_cert(j->store, sk_X509_value(cas, i));
    X509_STORE_set_flags(j->store, X509_V_FLAG_PARTIAL_CHAIN);
    why = verify(j->store, j->chain);
    sk_X509_pop_free(cas, X509_free);
    return why;
}

static void judging_fini(struct judging *j)
{
    sk_X509_pop_free(j->chain, X509_free);
    EVP_PKEY_free(j->key);
    X509_STORE_free(j->store);
}

/* ---- all three -------------------------------------------------------------- */

static const struct err *judge(struct arena *a, struct judging *j)
{
    const struct {
        const char *setting, *path;
        char **text;
        const char *(*judge)(struct judging *j);
    } rows[] = {
        {"VIADUCT_HOP_TLS_CERT", j->files->cert, &j->pem->cert, judge_cert},
        {"VIADUCT_HOP_TLS_KEY", j->files->key, &j->pem->key, judge_key},
        {"VIADUCT_HOP_TLS_CA", j->files->ca, &j->pem->ca, judge_ca},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *why;

        if (!*rows[i].path)
            return err_new(a, &ERR_CODE_BAD_SETTING,
                           "%s is not set: TLS on the hop needs a certificate, its key "
                           "and a CA",
                           rows[i].setting);
        why = read_file(rows[i].path, rows[i].text);
        if (!why)
            why = rows[i].judge(j);
        if (why)
            return bad(a, rows[i].setting, rows[i].path, why);
    }
    return NULL;
}

const struct err *rpc_tls_read(struct arena *a, const struct rpc_tls_files *files,
                               struct rpc_tls_pem *out)
{
    struct judging j = {.files = files, .pem = out};
    const struct err *err;

    *out = (struct rpc_tls_pem){0};
    err = judge(a, &j);
    judging_fini(&j);
    if (err)
        rpc_tls_pem_fini(out);
    return err;
}

static void forget(char *text)
{
    if (text)
        OPENSSL_cleanse(text, RPC_TLS_FILE_MAX);
    free(text);
}

void rpc_tls_pem_fini(struct rpc_tls_pem *pem)
{
    forget(pem->cert);
    forget(pem->key);
    forget(pem->ca);
    *pem = (struct rpc_tls_pem){0};
}
