// SPDX-License-Identifier: Apache-2.0
/*
 * The PROXY protocol's header, version 2 (haproxy's proxy-protocol.txt, section 2.2):
 * what a proxy says of a connection before its first byte. The machine takes the header
 * as it comes and never a byte behind it: give it at most what it wants.
 *
 *   12 bytes  signature       1 byte  version and command   1 byte  family and protocol
 *    2 bytes  length of the rest: addresses, ports, and TLVs, which are skipped but for
 *             the CRC-32C: that is checked when it is there
 *
 * Life: {0} -> proxy_header_feed() until state is PROXY_HEADER_DONE or _REJECTED.
 */
#ifndef KIT_HTTP_PROXY_HEADER_H
#define KIT_HTTP_PROXY_HEADER_H

#include "kit/base/str.h"

#include <stdint.h>
#include <sys/socket.h>

enum {
    PROXY_HEADER_FIXED = 16,
    PROXY_HEADER_MAX = 2048, /* in all; longer ones are refused by their length */
};

enum proxy_header_state {
    PROXY_HEADER_COMING,
    PROXY_HEADER_DONE,
    PROXY_HEADER_REJECTED,
};

struct proxy_header {
    enum proxy_header_state state;
    const char *why;                /* of a rejection; for logs */
    struct sockaddr_storage source; /* family AF_UNSPEC: ask the socket */
    size_t n;
    unsigned char bytes[PROXY_HEADER_MAX];
};

/* Bytes that may be given now, at least 1 until it is over, then 0. */
size_t proxy_header_wants(const struct proxy_header *h);
/* in.n is at most what it wants. */
void proxy_header_feed(struct proxy_header *h, struct str in);

/* Castagnoli's CRC, as TLVs have it. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t n);

#endif
