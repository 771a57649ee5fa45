// SPDX-License-Identifier: Apache-2.0
/*
 * A mail as bytes (RFC 5322, 2045, 2047): multipart/alternative of text and HTML in
 * UTF-8, quoted- printable. Whatever the fields hold, no header can be added through
 * them: control characters become spaces, what is not ASCII becomes encoded words. Pure.
 */
#ifndef JOBS_KINDS_MIME_H
#define JOBS_KINDS_MIME_H

#include "kit/base/buf.h"
#include "kit/base/id.h"

struct mail_address {
    struct str name; /* may be absent */
    struct str address;
};

struct mail {
    struct mail_address from, to;
    struct str subject, text, html;
    struct uuid id; /* Message-ID: <id@domain of from> */
    int64_t date_us;
};

/* "Name <address>" or "address"; false when there is no usable address in it. */
bool mail_address_parse(struct str s, struct mail_address *out);
/* One that can stand between < and > in SMTP and in a header: printable, no blanks, one
 * @. */
bool mail_address_usable(struct str address);

/* Both addresses must be usable. */
void mail_write(struct buf *b, const struct mail *m);

/* Parts, for their tests. */
void mime_quoted_printable(struct buf *b, struct str text);
void mime_header(struct buf *b, const char *name, struct str text);

#endif
