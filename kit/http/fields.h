// SPDX-License-Identifier: Apache-2.0
/*
 * Reading header fields that are lists, and what they say of preference (RFC 9110
 * sections 5.6.1, 12.4.2 and 12.5.1). Pure; any thread.
 */
#ifndef KIT_HTTP_FIELDS_H
#define KIT_HTTP_FIELDS_H

#include "kit/base/str.h"

enum { HTTP_QUALITY_MAX = 1000 };

/* The next element, trimmed and not empty; absent at the end of the list. Commas in
 * quotes do not divide. */
struct str http_list_next(struct str *list);

/* Cuts the first of several parts off that `separator` divides, trimmed, maybe empty: "a"
 * of "a; b". Not in quotes. *rest is absent behind the last. */
struct str http_part_next(struct str *rest, char separator);

/* The weight among the parameters of an element, in thousandths: "q=0.5", "Q=1". Without
 * one, or with one that is none: HTTP_QUALITY_MAX. */
int http_quality(struct str parameters);

/* How welcome a media type is to an Accept field: the weight of the most specific range
 * that has it, the best of several equal ones; 0: not at all. An absent or empty field
 * takes all. Parameters of a range, but for its weight, are not compared. */
int http_accepts(struct str accept, struct str media);

#endif
