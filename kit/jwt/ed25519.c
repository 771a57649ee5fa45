// SPDX-License-Identifier: Apache-2.0
/* struct ed25519_key is an EVP_PKEY of that one type, and never any other. */
#include "kit/jwt/ed25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <stdio.h>

static struct ed25519_key *of_pkey(EVP_PKEY *p)
{
    ERR_clear_error(); /* the queue is per thread and would be blamed on someone else */
    if (!p || EVP_PKEY_get_base_id(p) == EVP_PKEY_ED25519)
        return (struct ed25519_key *)p;
    EVP_PKEY_free(p);
    return NULL;
}

/* OpenSSL's functions take no const, but do not change the key. */
static EVP_PKEY *pkey(const struct ed25519_key *k)
{
    return (EVP_PKEY *)(uintptr_t)k;
}

struct ed25519_key *ed25519_from_private(const uint8_t bytes[ED25519_KEY_BYTES])
{
    return of_pkey(
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, bytes, ED25519_KEY_BYTES));
}

struct ed25519_key *ed25519_from_public(const uint8_t bytes[ED25519_KEY_BYTES])
{
    return of_pkey(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, ED25519_KEY_BYTES));
}

/* Without it OpenSSL asks for the passphrase on the terminal. */
static int no_passphrase(char *buf, int size, int for_writing, void *arg)
{
    (void)buf;
    (void)size;
    (void)for_writing;
    (void)arg;
    return -1;
}

struct ed25519_key *ed25519_read_pem(const char *path)
{
    FILE *f = fopen(path, "re");
    EVP_PKEY *p;

    if (!f)
        return NULL;
    p = PEM_read_PrivateKey(f, NULL, no_passphrase, NULL);
    fclose(f);
    return of_pkey(p);
}

void ed25519_destroy(struct ed25519_key *k)
{
    EVP_PKEY_free(pkey(k));
}

bool ed25519_public(const struct ed25519_key *k, uint8_t out[ED25519_KEY_BYTES])
{
    size_t n = ED25519_KEY_BYTES;

    return EVP_PKEY_get_raw_public_key(pkey(k), out, &n) == 1 && n == ED25519_KEY_BYTES;
}

bool ed25519_sign(const struct ed25519_key *k, struct str text,
                  uint8_t out[ED25519_SIGNATURE_BYTES])
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    size_t n = ED25519_SIGNATURE_BYTES;
    bool done = c && EVP_DigestSignInit(c, NULL, NULL, NULL, pkey(k)) == 1 &&
                EVP_DigestSign(c, out, &n, (const uint8_t *)text.p, text.n) == 1;

    EVP_MD_CTX_free(c);
    ERR_clear_error();
    return done && n == ED25519_SIGNATURE_BYTES;
}

bool ed25519_verify(const struct ed25519_key *k, struct str text, struct str signature)
{
    EVP_MD_CTX *c;
    bool good;

    if (signature.n != ED25519_SIGNATURE_BYTES)
        return false;
    c = EVP_MD_CTX_new();
    good = c && EVP_DigestVerifyInit(c, NULL, NULL, NULL, pkey(k)) == 1 &&
           EVP_DigestVerify(c, (const uint8_t *)signature.p, signature.n,
                            (const uint8_t *)text.p, text.n) == 1;
    EVP_MD_CTX_free(c);
    ERR_clear_error();
    return good;
}
