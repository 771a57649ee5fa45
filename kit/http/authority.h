// SPDX-License-Identifier: Apache-2.0
/*
 * Host and port of a Host field or of an absolute target, by RFC 3986 section 3.2 without
 * user information: "a.example", "a.example:80", "192.0.2.1", "[2001:db8::1]:8080". What
 * reads it afterwards (a redirect, a log, the check of a proof) can trust its form.
 */
#ifndef KIT_HTTP_AUTHORITY_H
#define KIT_HTTP_AUTHORITY_H

#include "kit/base/str.h"

/* The host must be there; the port may be missing or empty, as the RFC allows. */
bool authority_is_valid(struct str s);

#endif
