// SPDX-License-Identifier: Apache-2.0
/* See packing.h. */
#include "tests/unit/kit/wire/packing.h"

static void put_letter(struct buf *b, char letter)
{
    switch (letter) {
    case 'T':
    case 'F': mp_put_bool(b, letter == 'T'); break;
    case 'N': mp_put_nil(b); break;
    case 'D': mp_put_double(b, 0.5); break;
    case 'B': mp_put_bin(b, STR("\xff\xfe")); break;
    case 'U': mp_put_bin(b, STR("0123456789abcdef")); break;
    default: buf_str(b, STR("\xd4\x01x"));
    }
}

static void put_word(struct buf *b, struct str word)
{
    int64_t number;

    if (word.p[0] == '{')
        mp_put_map(b, (uint32_t)(word.p[1] - '0'));
    else if (word.p[0] == '[')
        mp_put_array(b, (uint32_t)(word.p[1] - '0'));
    else if (str_to_i64(word, INT64_MIN, INT64_MAX, &number))
        mp_put_int(b, number);
    else if (word.n == 1 && strchr("TFNDBUX", word.p[0]))
        put_letter(b, word.p[0]);
    else
        mp_put_str(b, word);
}

struct str pack(struct arena *a, const char *format)
{
    struct str rest = str_of(format), bytes;
    struct buf b;

    buf_init(&b, 1 << 16);
    while (rest.n > 0)
        put_word(&b, str_split(rest, ' ', &rest));
    bytes = arena_str(a, buf_view(&b));
    buf_fini(&b);
    return bytes;
}
