// SPDX-License-Identifier: Apache-2.0
/*
 * Proofs from outside. The first byte says what the rest is: a proof as it came; or
 * header and body, a line each, that are signed with a good key, so that what comes
 * behind the signature is reached too. Of such a header %K stands for the key.
 */
#include "kit/base/id.h"
#include "kit/dpop/dpop.h"
#include "tests/support/dpop/signer.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1900000000 };

static struct signer *signers[2];

static void must(bool true_thing)
{
    if (!true_thing)
        abort();
}

/* Same and different: each comes to the same verdict twice, and says who it is. */
static void read_proof(struct arena *a, struct str proof, const struct signer *s)
{
    struct dpop_proof one, two;
    enum dpop_verdict v = dpop_read(a, proof, NOW, &one);

    must(v <= DPOP_NOT_NOW && dpop_read(a, proof, NOW, &two) == v);
    if (v != DPOP_OK)
        return;
    must(one.htm.n > 0 && one.htu.n > 0 && proof.n <= DPOP_PROOF_MAX);
    must(one.iat >= NOW - DPOP_PAST_S && one.iat <= NOW + DPOP_FUTURE_S);
    must(sha256_eq(&one.id, &two.id) && sha256_eq(&one.jkt, &two.jkt));
    if (s)
        must(str_eq(dpop_jkt_text(a, &one.jkt), signer_jkt(a, s)));
}

static struct str with_key(struct arena *a, struct str header, const struct signer *s)
{
    for (size_t i = 0; i + 1 < header.n; i++)
        if (header.p[i] == '%' && header.p[i + 1] == 'K')
            return arena_printf(a, "%.*s%.*s%.*s", (int)i, header.p,
                                STR_FMT(signer_jwk(a, s)), (int)(header.n - i - 2),
                                header.p + i + 2);
    return header;
}

static void read_signed(struct arena *a, struct str in, const struct signer *s)
{
    struct str body, header = str_split(in, '\n', &body);

    if (!body.p)
        body = STR("");
    read_proof(a, signer_jws(a, s, with_key(a, header, s), body), s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data + 1, size - 1};
    struct arena a;

    if (size == 0)
        return 0;
    if (!signers[0]) {
        signers[0] = signer_create(SIGNER_ES256);
        signers[1] = signer_create(SIGNER_ED25519);
    }
    arena_init(&a);
    if (data[0] % 3 == 0)
        read_proof(&a, rest, NULL);
    else
        read_signed(&a, rest, signers[data[0] % 3 - 1]);
    arena_fini(&a);
    return 0;
}
