// SPDX-License-Identifier: Apache-2.0
/* One function per state, each takes one byte; only data is taken in runs. */
#include "kit/http/chunk.h"
#include "kit/http/chars.h"

void chunk_init(struct chunk *c, const struct head_limits *limits)
{
    *c = (struct chunk){.limits = limits};
}

static enum chunk_state reject(struct chunk *c, enum head_reject why)
{
    c->reject = why;
    return CHUNK_REJECTED;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum chunk_state take_size(struct chunk *c, char byte)
{
    int digit = hex_digit(byte);

    if (digit >= 0 && c->digits < CHUNK_SIZE_DIGITS_MAX) {
        c->left = c->left * 16 + (unsigned)digit;
        c->digits++;
        return CHUNK_SIZE;
    }
    if (c->digits == 0)
        return reject(c, HEAD_REJECT_CHUNK);
    if (digit >= 0)
        return reject(c, HEAD_REJECT_BODY_LENGTH);
    if (byte == '\r')
        return CHUNK_SIZE_LF;
    c->blank = byte == ' ' || byte == '\t';
    return c->blank || byte == ';' ? CHUNK_EXT : reject(c, HEAD_REJECT_CHUNK);
}

static enum chunk_state take_ext(struct chunk *c, char byte)
{
    if (byte == '\r' && !c->blank)
        return CHUNK_SIZE_LF;
    if (!char_is(byte, CHAR_TEXT) || ++c->extra > CHUNK_EXTRA_MAX)
        return reject(c, HEAD_REJECT_CHUNK);
    if (c->blank && byte != ' ' && byte != '\t') {
        c->blank = false;
        if (byte != ';')
            return reject(c, HEAD_REJECT_CHUNK);
    }
    return CHUNK_EXT;
}

static enum chunk_state take_size_lf(struct chunk *c, char byte)
{
    if (byte != '\n')
        return reject(c, HEAD_REJECT_CHUNK);
    c->digits = 0;
    c->total += c->left;
    if (c->total > c->limits->body_bytes)
        return reject(c, HEAD_REJECT_BODY_LENGTH);
    return c->left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
}

static enum chunk_state take_data_cr(struct chunk *c, char byte)
{
    return byte == '\r' ? CHUNK_DATA_LF : reject(c, HEAD_REJECT_CHUNK);
}

static enum chunk_state take_data_lf(struct chunk *c, char byte)
{
    return byte == '\n' ? CHUNK_SIZE : reject(c, HEAD_REJECT_CHUNK);
}

static enum chunk_state take_trailer(struct chunk *c, char byte)
{
    if (byte == '\r')
        return CHUNK_LAST_LF;
    return char_is(byte, CHAR_TOKEN) ? CHUNK_TRAILER_NAME : reject(c, HEAD_REJECT_CHUNK);
}

static enum chunk_state take_trailer_name(struct chunk *c, char byte)
{
    if (byte == ':')
        return CHUNK_TRAILER_VALUE;
    return char_is(byte, CHAR_TOKEN) ? CHUNK_TRAILER_NAME : reject(c, HEAD_REJECT_CHUNK);
}

static enum chunk_state take_trailer_value(struct chunk *c, char byte)
{
    if (byte == '\r')
        return CHUNK_TRAILER_LF;
    return char_is(byte, CHAR_TEXT) ? CHUNK_TRAILER_VALUE : reject(c, HEAD_REJECT_CHUNK);
}

static enum chunk_state take_trailer_lf(struct chunk *c, char byte)
{
    return byte == '\n' ? CHUNK_TRAILER : reject(c, HEAD_REJECT_CHUNK);
}

static enum chunk_state take_last_lf(struct chunk *c, char byte)
{
    return byte == '\n' ? CHUNK_DONE : reject(c, HEAD_REJECT_CHUNK);
}

static enum chunk_state (*const take[])(struct chunk *c, char byte) = {
    [CHUNK_SIZE] = take_size,
    [CHUNK_EXT] = take_ext,
    [CHUNK_SIZE_LF] = take_size_lf,
    [CHUNK_DATA_CR] = take_data_cr,
    [CHUNK_DATA_LF] = take_data_lf,
    [CHUNK_TRAILER] = take_trailer,
    [CHUNK_TRAILER_NAME] = take_trailer_name,
    [CHUNK_TRAILER_VALUE] = take_trailer_value,
    [CHUNK_TRAILER_LF] = take_trailer_lf,
    [CHUNK_LAST_LF] = take_last_lf,
};

static size_t take_data(struct chunk *c, struct str in, struct str *data)
{
    size_t n = in.n < c->left ? in.n : (size_t)c->left;

    *data = (struct str){in.p, n};
    c->left -= n;
    if (c->left == 0)
        c->state = CHUNK_DATA_CR;
    return n;
}

static size_t take_byte(struct chunk *c, char byte)
{
    bool trailer = c->state >= CHUNK_TRAILER;

    c->state = take[c->state](c, byte);
    if (trailer && ++c->trailer > c->limits->head_bytes)
        c->state = reject(c, HEAD_REJECT_HEAD_LENGTH);
    return 1;
}

size_t chunk_feed(struct chunk *c, struct str in, struct str *data)
{
    *data = (struct str){in.p, 0};
    if (in.n == 0 || c->state >= CHUNK_DONE)
        return 0;
    if (c->state == CHUNK_DATA)
        return take_data(c, in, data);
    return take_byte(c, in.p[0]);
}
