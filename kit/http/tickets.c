// SPDX-License-Identifier: Apache-2.0
/* Session tickets. Their keys are made when they are needed, from a secret and the number
 * of the period: nothing to hand round, nothing to lock, nothing to expire. */
#include "kit/base/mem.h"
#include "kit/http/tls_internal.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

enum { NAME_BYTES = 16, KEY_BYTES = 32, TICKET_FAILED = -1 };
/* What OpenSSL is told about a ticket it wants to open. */
enum { TICKET_UNKNOWN = 0, TICKET_GOOD = 1, TICKET_RENEW = 2 };

struct ticket_key {
    unsigned char name[KEY_BYTES], cipher[KEY_BYTES], mac[KEY_BYTES];
};

/* ---- keys ---- */

static void derive_part(const unsigned char *secret, const char *label, int64_t period,
                        unsigned char out[KEY_BYTES])
{
    char input[64];
    int n =
        snprintf(input, sizeof input, "viaduct ticket %s %lld", label, (long long)period);

    if (!HMAC(EVP_sha256(), secret, HTTP_TICKET_SECRET_BYTES,
              (const unsigned char *)input, (size_t)n, out, NULL))
        mem_die("http: no HMAC");
}

static struct ticket_key derive(const unsigned char *secret, int64_t period)
{
    struct ticket_key k;

    derive_part(secret, "name", period, k.name);
    derive_part(secret, "cipher", period, k.cipher);
    derive_part(secret, "mac", period, k.mac);
    return k;
}

static int64_t period_now(void)
{
    return (int64_t)time(NULL) / HTTP_TLS_ROTATION_S;
}

/* The key that makes tickets, of this thread: deriving it costs as much as the rest. */
static const struct ticket_key *making_key(const struct http_tls *t)
{
    static _Thread_local struct {
        unsigned char secret[HTTP_TICKET_SECRET_BYTES];
        int64_t period;
        struct ticket_key key;
    } last;
    const unsigned char *secret = t->secrets[0];
    const int64_t now = period_now();

    if (last.period != now || CRYPTO_memcmp(last.secret, secret, sizeof last.secret)) {
        last.key = derive(secret, now);
        last.period = now;
        memcpy(last.secret, secret, sizeof last.secret);
    }
    return &last.key;
}

/* The period before, this one, and the next, as other gateways' clocks may be ahead. */
static int find(const struct http_tls *t, const unsigned char *name, struct ticket_key *k)
{
    const int64_t now = period_now();

    for (size_t i = 0; i < t->n_secrets; i++) {
        for (int64_t at = now - 1; at <= now + 1; at++) {
            *k = derive(t->secrets[i], at);
            if (CRYPTO_memcmp(k->name, name, NAME_BYTES) == 0)
                return i == 0 && at == now ? TICKET_GOOD : TICKET_RENEW;
        }
    }
    return TICKET_UNKNOWN;
}

/* ---- OpenSSL's callback ---- */

static bool set_keys(const struct ticket_key *k, const unsigned char *iv,
                     EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int making)
{
    char digest[] = "SHA256";
    unsigned char key[KEY_BYTES];
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key, sizeof key),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    memcpy(key, k->mac, sizeof key);
    return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, k->cipher, iv, making) &&
           EVP_MAC_CTX_set_params(mac, params);
}

static int ticket(SSL *ssl, unsigned char *name, unsigned char *iv,
                  EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int making)
{
    const struct http_tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    struct ticket_key k;
    int verdict = TICKET_GOOD;

    if (making) {
        k = *making_key(t);
        memcpy(name, k.name, NAME_BYTES);
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
            return TICKET_FAILED;
    } else {
        verdict = find(t, name, &k);
    }
    if (verdict != TICKET_UNKNOWN && !set_keys(&k, iv, cipher, mac, making))
        verdict = TICKET_FAILED;
    OPENSSL_cleanse(&k, sizeof k);
    return verdict;
}

void http_tickets_enable(SSL_CTX *c)
{
    if (!SSL_CTX_set_tlsext_ticket_key_evp_cb(c, ticket))
        mem_die("http: no session tickets");
}

/* ---- secrets ---- */

static unsigned char own_secret[HTTP_TICKET_SECRET_BYTES];

static void make_own_secret(void)
{
    if (RAND_bytes(own_secret, sizeof own_secret) != 1)
        mem_die("http: no random bytes");
}

static bool take_secret(struct http_tls *t, const char *hex)
{
    size_t n = 0;

    if (t->n_secrets == HTTP_TICKET_SECRETS_MAX ||
        OPENSSL_hexstr2buf_ex(t->secrets[t->n_secrets], HTTP_TICKET_SECRET_BYTES, &n, hex,
                              '\0') != 1)
        return false;
    t->n_secrets++;
    return n == HTTP_TICKET_SECRET_BYTES;
}

static bool take_secrets(struct http_tls *t, FILE *f)
{
    char line[2 * HTTP_TICKET_SECRET_BYTES + 4];
    bool good = true;

    while (good && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\r\n")] = '\0';
        good = *line == '\0' || take_secret(t, line);
    }
    OPENSSL_cleanse(line, sizeof line);
    return good && t->n_secrets > 0;
}

const struct err *http_tickets_load(struct arena *a, struct http_tls *t, const char *path)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    bool good;
    FILE *f;

    if (!path || !*path) {
        pthread_once(&once, make_own_secret);
        memcpy(t->secrets[t->n_secrets++], own_secret, sizeof own_secret);
        return NULL;
    }
    f = fopen(path, "re");
    if (!f)
        return err_new(a, &ERR_CODE_BAD_REQUEST, "%s: %s", path, strerror(errno));
    good = take_secrets(t, f);
    fclose(f);
    return good ? NULL
                : err_new(a, &ERR_CODE_BAD_REQUEST,
                          "%s: not one to %d lines of %d hex digits", path,
                          HTTP_TICKET_SECRETS_MAX, 2 * HTTP_TICKET_SECRET_BYTES);
}
