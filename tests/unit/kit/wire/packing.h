// SPDX-License-Identifier: Apache-2.0
/*
 * Short msgpack documents for tests, written as a format: "{" and "[" with a count digit
 * open a map or an array, words are strings, numbers are integers, and T F N are true,
 * false and nil, D is the double 0.5, B a two-byte bin, U the 16 bytes of a UUID, X an
 * ext.
 * "{2 name ok count 5" is {"name": "ok", "count": 5}.
 */
#ifndef TESTS_UNIT_KIT_WIRE_PACKING_H
#define TESTS_UNIT_KIT_WIRE_PACKING_H

#include "kit/wire/wire.h"

struct str pack(struct arena *a, const char *format);

#endif
