// SPDX-License-Identifier: Apache-2.0
/*
 * orders.export: a stream of lines of JSON. A page of rows is asked of the database when
 * the caller has room for one more chunk, so a slow reader slows the reading; a page is a
 * flow of its own, whose memory goes with it. Between pages nothing is held in
 * PostgreSQL: no transaction, no cursor, no connection that a slow reader could keep.
 */
#include "orders/api/handlers.h"

#include "kit/base/clock.h"
#include "kit/rpc/stream.h"
#include "orders/rules/orders.h"
#include "proto/orders.h"

/* A line is at most 250 bytes. */
enum { PAGE_ROWS = 200, CURSOR_MAX = 200 };

struct export
{
    struct wait wait;         /* for the page */
    struct flow *page;        /* under way */
    struct order_period next; /* the page after */
    char cursor[CURSOR_MAX];
    struct buf lines; /* of the page that has come */
};

static enum step ask_page(struct flow *f);

static void free_lines(void *export)
{
    buf_fini(&((struct export *)export)->lines);
}

static enum step write_page(struct flow *f)
{
    const struct export *e = f->state;

    if (e->lines.failed)
        return flow_fail(f, ERR_STATIC(INTERNAL));
    if (e->lines.n > 0)
        rpc_stream_write(f, buf_view(&e->lines));
    return e->next.has_cursor ? rpc_stream_ready(f, ask_page) : flow_done(f);
}

/* ---- a page ----------------------------------------------------------------- */

static void take_rows(struct export *e, const struct order_rows *rows)
{
    for (size_t i = 0; i < rows->items.n; i++) {
        wire_to_json(&e->lines, &order_row_msg, &rows->items.v[i]);
        buf_byte(&e->lines, '\n');
    }
    e->next.has_cursor = rows->has_next_cursor && rows->next_cursor.n <= CURSOR_MAX;
    if (!e->next.has_cursor)
        return;
    memcpy(e->cursor, rows->next_cursor.p, rows->next_cursor.n);
    e->next.cursor = (struct str){e->cursor, rows->next_cursor.n};
}

static void page_ended(struct flow *page, const struct err *err)
{
    struct export *e = page->owner;

    if (e->page != page)
        return;
    e->page = NULL;
    if (!err)
        take_rows(e, page->out);
    wait_end(&e->wait, err ? err_copy(&e->wait.flow->arena, err) : NULL);
}

static void drop_page(struct wait *w)
{
    struct export *e = CONTAINER_OF(w, struct export, wait);
    struct flow *page = e->page;

    e->page = NULL;
    flow_cancel(page, ERR_STATIC(CANCELLED));
}

static enum step ask_page(struct flow *f)
{
    struct export *e = f->state;
    struct flow *page = flow_child(f, page_ended, e);

    page->in = &e->next;
    page->out = ARENA_NEW(&page->arena, struct order_rows);
    buf_reset(&e->lines);
    wait_begin(f, &e->wait, drop_page, true);
    e->page = page;
    flow_start(page, order_period);
    return flow_await(f, write_page);
}

/* ---- start ------------------------------------------------------------------ */

/* What is placed from now on is not in it, so that it has an end. */
enum step order_export(struct flow *f)
{
    const struct order_export *in = f->in;
    struct export *e = f->state = ARENA_NEW(&f->arena, struct export);
    int64_t now_us = clock_wall_us();

    buf_init(&e->lines, RPC_CHUNK_MAX);
    arena_defer(&f->arena, free_lines, e);
    WIRE_SET(&e->next, from, in->has_from ? in->from : 0);
    WIRE_SET(&e->next, to, in->has_to && in->to < now_us ? in->to : now_us);
    WIRE_SET(&e->next, limit, PAGE_ROWS);
    return rpc_stream_ready(f, ask_page);
}
