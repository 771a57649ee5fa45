// SPDX-License-Identifier: Apache-2.0
/* The odd methods, and servers for them in threads and in processes. */
#include "tests/support/rpc/rig.h"

#include "kit/base/mem.h"
#include "kit/obs/trace.h"
#include "kit/rpc/stream.h"
#include "kit/rpc/tls.h"
#include "tests/support/port/port.h"

#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

WIRE_DEFINE(rig_text, RIG_TEXT)
#define RIG_METHOD(...) RPC_METHOD_DEFINE("rig", __VA_ARGS__)
RIG_METHODS(RIG_METHOD)

const struct err_code RIG_OUT_OF_STOCK = {"rig.out_of_stock", ERR_CONFLICT, "Too few"};
static const struct err_code UNHEARD_OF = {"rig.unheard_of", ERR_SHED, "Unheard of"};

struct rig_counts *rig_counts;

/* ---- handlers --------------------------------------------------------------- */

struct work {
    bool done;
    unsigned chunks;
    char *chunk;
};

static void on_flow_freed(void *ptr)
{
    const struct work *w = ptr;

    atomic_fetch_add(w->done ? &rig_counts->done : &rig_counts->cut_off, 1);
}

static void begin(struct flow *f)
{
    struct work *w = ARENA_NEW(&f->arena, struct work);

    f->state = w;
    atomic_fetch_add(&rig_counts->begun, 1);
    arena_defer(&f->arena, on_flow_freed, w);
}

static enum step give_back(struct flow *f)
{
    const struct rig_text *in = f->in;
    struct work *w = f->state;

    w->done = true;
    WIRE_SET((struct rig_text *)f->out, text, in->text);
    return flow_done(f);
}

static enum step echo(struct flow *f)
{
    begin(f);
    return give_back(f);
}

static enum step nap(struct flow *f)
{
    const struct rig_text *in = f->in;

    begin(f);
    return flow_sleep(f, in->number, give_back);
}

static enum step fail(struct flow *f)
{
    struct err *err = err_new(&f->arena, &RIG_OUT_OF_STOCK, "only %d left", 3);

    err_add_field(&f->arena, err, STR("/items/0"), "wants %d", 5);
    err_add_field(&f->arena, err, STR("/items/1"), "wants %d", 7);
    err->retry_after_ms = 1500;
    return flow_fail(f, err);
}

static enum step odd(struct flow *f)
{
    return flow_fail_code(f, &UNHEARD_OF, "what?");
}

static enum step break_down(struct flow *f)
{
    return flow_fail(f, ERR_STATIC(INTERNAL));
}

static enum step flake(struct flow *f)
{
    begin(f);
    if (atomic_load(&rig_counts->begun) % 5 < 2)
        return flow_fail(f, ERR_STATIC(UNAVAILABLE));
    return give_back(f);
}

static enum step grow(struct flow *f)
{
    const struct rig_text *in = f->in;
    size_t n = (size_t)in->number;
    char *text = arena_alloc(&f->arena, n);

    begin(f);
    ((struct work *)f->state)->done = true;
    memset(text, 'x', n);
    WIRE_SET((struct rig_text *)f->out, text, ((struct str){text, n}));
    return flow_done(f);
}

static enum step who(struct flow *f)
{
    char user[UUID_TEXT_LEN];
    struct str key = rpc_request(f)->key;
    struct str text;

    uuid_format(f->caller.user, user);
    text =
        arena_printf(&f->arena,
                     "request=%.*s trace=%.*s user=%.*s roles=%u key=%.*s route=%.*s "
                     "env=%s left=%d",
                     STR_FMT(f->log.request_id), STR_FMT(f->log.trace_id), UUID_TEXT_LEN,
                     user, f->caller.roles, STR_FMT(key), STR_FMT(f->log.route),
                     (const char *)f->env, flow_left_ms(f) <= 10000);
    WIRE_SET((struct rig_text *)f->out, text, text);
    return flow_done(f);
}

/* ---- chunks ---- */

static enum step chunks_written(struct flow *f)
{
    const struct rig_text *in = f->in;

    if (str_eq(in->text, STR("fail")))
        return fail(f);
    return str_eq(in->text, STR("hang")) ? flow_sleep(f, 100000, give_back)
                                         : give_back(f);
}

static enum step next_chunk(struct flow *f);

static enum step write_chunk(struct flow *f)
{
    struct work *w = f->state;

    memcpy(w->chunk, &w->chunks, sizeof w->chunks);
    rpc_stream_write(f, (struct str){w->chunk, RIG_CHUNK});
    w->chunks++;
    atomic_fetch_add(&rig_counts->chunks, 1);
    return next_chunk(f);
}

static enum step next_chunk(struct flow *f)
{
    const struct rig_text *in = f->in;
    struct work *w = f->state;

    return w->chunks < in->number ? rpc_stream_ready(f, write_chunk) : chunks_written(f);
}

static enum step stream(struct flow *f)
{
    struct work *w;

    begin(f);
    w = f->state;
    w->chunk = arena_alloc(&f->arena, RIG_CHUNK);
    return next_chunk(f);
}

static const struct rpc_handler HANDLERS[] = {
    {&RIG_ECHO, echo}, {&RIG_SLEEP, nap},        {&RIG_WORK, nap},    {&RIG_FAIL, fail},
    {&RIG_ODD, odd},   {&RIG_BREAK, break_down}, {&RIG_GROW, grow},   {&RIG_WHO, who},
    {&RIG_BRIEF, nap}, {&RIG_STREAM, stream},    {&RIG_FLAKY, flake}, {NULL, NULL},
};

/* ---- in threads ------------------------------------------------------------- */

enum { LOOPS_MAX = 4 };

struct lane {
    struct rig_server *server;
    struct loop *loop;
    pthread_t thread;
};

struct rig_server {
    struct rpc_server *rpc;
    pthread_barrier_t joined;
    struct lane lanes[LOOPS_MAX];
    unsigned n;
};

static void *run_lane(void *arg)
{
    struct lane *lane = arg;
    struct rpc_server *rpc = lane->server->rpc;

    rpc_server_join(rpc, lane->loop, "the env");
    pthread_barrier_wait(&lane->server->joined);
    loop_run(lane->loop);
    rpc_server_leave(rpc, lane->loop);
    return NULL;
}

static struct rpc_server *listen_at(const struct rig_conf *conf)
{
    const struct rpc_server_conf sc = {
        .service = "rig",
        .zone = conf->zone,
        .url = conf->url,
        .handlers = HANDLERS,
        .max_in_flight = conf->max_in_flight ? conf->max_in_flight : 10000,
    };
    struct rpc_server *rpc;
    const struct err *err;
    struct arena a;

    arena_init(&a);
    rpc_process_init();
    err = rpc_server_create(&a, &sc, &rpc);
    if (err)
        mem_die("rig: %.*s", STR_FMT(err->detail));
    arena_fini(&a);
    return rpc;
}

struct rig_server *rig_server_start(const struct rig_conf *conf)
{
    struct rig_server *s = MEM_NEW(struct rig_server);

    s->rpc = listen_at(conf);
    s->n = conf->loops ? conf->loops : 1;
    pthread_barrier_init(&s->joined, NULL, s->n + 1);
    for (unsigned i = 0; i < s->n; i++) {
        struct lane *lane = &s->lanes[i];

        lane->server = s;
        lane->loop = loop_create();
        pthread_create(&lane->thread, NULL, run_lane, lane);
    }
    pthread_barrier_wait(&s->joined);
    return s;
}

const char *rig_server_url(const struct rig_server *s)
{
    return rpc_server_url(s->rpc);
}

unsigned rig_server_in_flight(const struct rig_server *s)
{
    return rpc_server_in_flight(s->rpc);
}

void rig_server_drain(struct rig_server *s)
{
    rpc_server_drain(s->rpc);
}

void rig_server_stop(struct rig_server *s)
{
    for (unsigned i = 0; i < s->n; i++)
        loop_stop(s->lanes[i].loop);
    for (unsigned i = 0; i < s->n; i++)
        pthread_join(s->lanes[i].thread, NULL);
    rpc_server_destroy(s->rpc);
    for (unsigned i = 0; i < s->n; i++)
        loop_destroy(s->lanes[i].loop);
    pthread_barrier_destroy(&s->joined);
    free(s);
}

/* ---- in processes ----------------------------------------------------------- */

static int counts_fd = -1;

static void map_counts(void)
{
    rig_counts =
        mmap(NULL, sizeof *rig_counts, PROT_READ | PROT_WRITE, MAP_SHARED, counts_fd, 0);
    if (rig_counts == MAP_FAILED)
        mem_die("rig: no shared memory");
}

void rig_init(void)
{
    counts_fd = memfd_create("rig-counts", 0);
    if (counts_fd < 0 || ftruncate(counts_fd, sizeof *rig_counts) != 0)
        mem_die("rig: no shared memory");
    map_counts();
}

void rig_init_child(int fd)
{
    counts_fd = fd;
    map_counts();
}

static pid_t run(char *const argv[], int out)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    if (posix_spawn(&pid, argv[0], &actions, NULL, argv, environ) != 0)
        mem_die("rig: cannot run %s", argv[0]);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

/* The program says its URL on standard output when it listens. */
static void read_url(int fd, char *url, size_t room)
{
    ssize_t n = read(fd, url, room - 1);

    if (n <= 0)
        mem_die("rig: the server has not started");
    url[n] = '\0';
}

pid_t rig_spawn(const struct rig_conf *conf, char *url, size_t url_room)
{
    char program[400], fd[12], loops[12], max[12], bound[200], asked[200];
    char *argv[] = {program, fd, asked, loops, max, NULL};
    int out[2];
    pid_t pid;

    snprintf(program, sizeof program, "%s/rpc-rig-server", getenv("VIADUCT_BIN"));
    snprintf(asked, sizeof asked, "%s", conf->url);
    snprintf(fd, sizeof fd, "%d", counts_fd);
    snprintf(loops, sizeof loops, "%u", conf->loops);
    snprintf(max, sizeof max, "%u", conf->max_in_flight);
    if (pipe2(out, O_CLOEXEC) != 0)
        mem_die("rig: no pipe");
    pid = run(argv, out[1]);
    close(out[1]);
    read_url(out[0], bound, sizeof bound);
    close(out[0]);
    if (url)
        snprintf(url, url_room, "%s", bound);
    return pid;
}

int rig_reap(pid_t pid)
{
    int status = -1;

    waitpid(pid, &status, 0);
    return status;
}

void rig_tls_start(const char *folder)
{
    static char cert[200], key[200], ca[200];
    const struct rpc_tls_files files = {cert, key, ca};
    const struct err *err;
    struct arena a;

    snprintf(cert, sizeof cert, "%s/cert.pem", folder);
    snprintf(key, sizeof key, "%s/key.pem", folder);
    snprintf(ca, sizeof ca, "%s/ca.pem", folder);
    arena_init(&a);
    err = rpc_tls_start(&a, &files);
    if (err)
        mem_die("rig: %.*s", STR_FMT(err->detail));
    arena_fini(&a);
}

static char urls[8][100];

static char *next_url(void)
{
    static unsigned n;

    return urls[n++ % 8];
}

const char *rig_ipc(const char *name)
{
    char *url = next_url();

    snprintf(url, sizeof urls[0], "ipc:///tmp/viaduct-rig-%d-%s", (int)getpid(), name);
    return url;
}

const char *rig_tcp(void)
{
    char *url = next_url();

    snprintf(url, sizeof urls[0], "tcp://127.0.0.1:%d", free_port());
    return url;
}
