// SPDX-License-Identifier: Apache-2.0
/* The table of kit/http/chars.h, 16 characters a row from NUL on. */
#include "kit/http/chars.h"

#define T CHAR_TEXT         /* SP " < > and obs-text */
#define N (T | CHAR_TOKEN)  /* # */
#define Q (T | CHAR_TARGET) /* ? { } \ [ ] */
#define X (N | CHAR_TARGET) /* ^ ` | */
#define P (Q | CHAR_PATH)   /* / @ */
#define S (P | CHAR_HOST)   /* ( ) , ; = : */
#define A (S | CHAR_TOKEN)  /* letters, digits and ! $ % & ' * + - . _ ~ */

const unsigned char char_classes[256] = {
    /* clang-format off */
    0, 0, 0, 0, 0, 0, 0, 0, 0, T, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    T, A, T, N, A, A, A, A, S, S, A, A, S, A, A, P, /*  !"#$%&'()*+,-./ */
    A, A, A, A, A, A, A, A, A, A, S, S, T, S, T, Q, /* 0123456789:;<=>? */
    P, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, /* @ABCDEFGHIJKLMNO */
    A, A, A, A, A, A, A, A, A, A, A, Q, Q, Q, X, A, /* PQRSTUVWXYZ[\]^_ */
    X, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, /* `abcdefghijklmno */
    A, A, A, A, A, A, A, A, A, A, A, Q, X, Q, A, 0, /* pqrstuvwxyz{|}~ */
    T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
    T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
    T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
    T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
    T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
    T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
    T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
    T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
    /* clang-format on */
};
