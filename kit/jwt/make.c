// SPDX-License-Identifier: Apache-2.0
/* A new signing key, as a file. */
#include "kit/base/clock.h"
#include "kit/jwt/jwt.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* By the time first: the newest sorts last, and signs. */
static struct str new_kid(struct arena *a)
{
    char now[64];
    uint8_t tail[4];

    clock_format_rfc3339(clock_wall_us(), now);
    random_bytes(tail, sizeof tail);
    return arena_printf(a, "%.4s%.2s%.2s%.2s%.2s%.2s-%02x%02x%02x%02x", now, now + 5,
                        now + 8, now + 11, now + 14, now + 17, tail[0], tail[1], tail[2],
                        tail[3]);
}

static bool write_key(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    EVP_PKEY *key = f ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") : NULL;
    bool ok = key && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1 &&
              fflush(f) == 0 && fsync(fd) == 0;

    EVP_PKEY_free(key);
    ERR_clear_error();
    if (f)
        (void)fclose(f);
    else if (fd >= 0)
        (void)close(fd);
    return ok;
}

const struct err *jwt_key_make(struct arena *a, const char *dir)
{
    struct str kid = new_kid(a);
    struct str part = arena_printf(a, "%s/.%.*s", dir, STR_FMT(kid));
    struct str path = arena_printf(a, "%s/%.*s.pem", dir, STR_FMT(kid));

    if (write_key(part.p) && rename(part.p, path.p) == 0)
        return NULL;
    const struct err *e = err_new(a, &ERR_CODE_BAD_KEYS, "%s cannot be written: %s",
                                  path.p, strerror(errno));
    (void)unlink(part.p);
    return e;
}
