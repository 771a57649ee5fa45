// SPDX-License-Identifier: Apache-2.0
/*
 * The files of a folder, for people with a browser. All are read when the process starts;
 * a request finds one by its whole name in the table, so no path of a client's ever
 * reaches the file system. NAME.gz is NAME as it is sent to who takes gzip. Files whose
 * suffix is not in the table of media types are left out, hidden ones and folders too.
 * Read-only after loading: any thread.
 */
#ifndef GATEWAY_EDGE_PAGES_H
#define GATEWAY_EDGE_PAGES_H

#include "kit/base/arena.h"
#include "kit/base/err.h"

enum { PAGES_MAX = 32, PAGES_BYTES_MAX = 16 << 20 };

struct page {
    const char *name, *media;
    struct str body, packed; /* packed: absent when there is none */
    struct str etag;         /* of body */
};

struct pages;

/* `dir` "": no files. Fails when the folder cannot be read, lacks index.html, or holds
 * more than PAGES_MAX files or PAGES_BYTES_MAX bytes. */
MUST_CHECK const struct err *pages_load(struct arena *a, const char *dir,
                                        struct pages **out);
/* NULL is fine. */
void pages_destroy(struct pages *p);

/* NULL when there is none. */
const struct page *pages_find(const struct pages *p, struct str name);
/* All bodies lie in it. */
struct str pages_bytes(const struct pages *p);

#endif
