// SPDX-License-Identifier: Apache-2.0
/*
 * The chunked transfer coding (RFC 9112 section 7.1), byte by byte. Extensions and
 * trailers are checked, bounded and dropped. Pure, sticky like the head machine.
 */
#ifndef KIT_HTTP_CHUNK_H
#define KIT_HTTP_CHUNK_H

#include "kit/http/head.h"

enum {
    CHUNK_SIZE_DIGITS_MAX = 8,
    CHUNK_EXTRA_MAX = 4096, /* bytes of all extensions of a body */
};

enum chunk_state {
    CHUNK_SIZE,
    CHUNK_EXT,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_TRAILER, /* at the start of a trailer line */
    CHUNK_TRAILER_NAME,
    CHUNK_TRAILER_VALUE,
    CHUNK_TRAILER_LF,
    CHUNK_LAST_LF,
    CHUNK_DONE,
    CHUNK_REJECTED,
};

struct chunk {
    const struct head_limits *limits;
    enum chunk_state state;
    enum head_reject reject;
    uint64_t left;  /* of the chunk; while the size is read: so far */
    uint64_t total; /* of the body */
    unsigned digits;
    bool blank; /* white space after the size: an extension must follow */
    size_t extra, trailer;
};

void chunk_init(struct chunk *c, const struct head_limits *limits);

/* Takes some bytes and returns how many (at least one unless it is over); *data is the
 * part of them that is body, maybe none. */
size_t chunk_feed(struct chunk *c, struct str in, struct str *data);

#endif
