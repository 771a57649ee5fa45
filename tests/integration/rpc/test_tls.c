// SPDX-License-Identifier: Apache-2.0
/* Mutual TLS: who gets in, who does not, and certificates that change while it runs. */
#include "kit/base/mem.h"
#include "kit/obs/metrics.h"
#include "kit/rpc/tls.h"
#include "tests/support/port/port.h"
#include "tests/support/rpc/rig.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 400, HANDSHAKE_MS = 30000 };

#define URL "tls+tcp://127.0.0.1:0"

static char folder[100];

/* NNG 1.10 never frees the last connection that a TLS listener has refused: one per
 * listener, however many were. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libnng\nleak:libmbed\n";
}

/* ---- certificates ----------------------------------------------------------- */

static __attribute__((format(printf, 1, 2))) void shell(const char *format, ...)
{
    char command[2000];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    cr_assert_eq(system(command), 0, "%s", command);
}

static const char *in_folder(const char *name)
{
    static char paths[16][ROOM];
    static unsigned n;
    char *path = paths[n++ % 16];

    snprintf(path, ROOM, "%s/%s", folder, name);
    return path;
}

static void make_ca(const char *name)
{
    shell("cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc "
          "-keyout %s.key -out %s.pem -subj /CN=%s -days 2 2>/dev/null",
          folder, name, name, name);
}

/* A folder with cert.pem, key.pem and ca.pem; `more`: further arguments of openssl. */
static void issue(const char *who, const char *ca, const char *san, const char *more)
{
    shell("cd %s && mkdir -p %s && openssl req -x509 -CA %s.pem -CAkey %s.key -newkey ec "
          "-pkeyopt ec_paramgen_curve:P-256 -noenc -keyout %s/key.pem -out %s/cert.pem "
          "-subj /CN=%s -addext subjectAltName=%s -addext basicConstraints=CA:FALSE %s "
          "2>/dev/null && cp %s.pem %s/ca.pem",
          folder, who, ca, ca, who, who, who, san, more, ca, who);
}

#define LOCAL "IP:127.0.0.1,DNS:localhost"
#define LONG  "-days 2"
#define PAST  "-not_before 20200101000000Z -not_after 20200102000000Z"

static void start(void)
{
    rig_init();
    snprintf(folder, sizeof folder, "/tmp/viaduct-tls-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    make_ca("ca");
    make_ca("other");
    issue("good", "ca", LOCAL, LONG);
}

static void stop(void)
{
    rpc_tls_stop();
    shell("rm -r %s", folder);
}

TestSuite(rpc_tls, .init = start, .fini = stop);

/* ---- raw peers -------------------------------------------------------------- */

static char *text_of(const char *who, const char *file)
{
    char path[ROOM], *text = mem_alloc(RPC_TLS_FILE_MAX);
    FILE *f;

    snprintf(path, sizeof path, "%s/%s/%s", folder, who, file);
    f = fopen(path, "re");
    cr_assert_not_null(f, "%s", path);
    cr_assert_gt(fread(text, 1, RPC_TLS_FILE_MAX - 1, f), 0u);
    fclose(f);
    return text;
}

/* `who` NULL: no certificate; the peer must be of `ca`. */
static nng_tls_config *config_of(nng_tls_mode mode, const char *who, const char *ca)
{
    char *cas = text_of(ca, "ca.pem");
    nng_tls_config *c;

    cr_assert_eq(nng_tls_config_alloc(&c, mode), 0);
    cr_assert_eq(nng_tls_config_auth_mode(c, NNG_TLS_AUTH_MODE_REQUIRED), 0);
    cr_assert_eq(nng_tls_config_ca_chain(c, cas, NULL), 0);
    free(cas);
    if (mode == NNG_TLS_MODE_CLIENT)
        nng_tls_config_server_name(c, "127.0.0.1");
    if (who) {
        char *cert = text_of(who, "cert.pem"), *key = text_of(who, "key.pem");

        cr_assert_eq(nng_tls_config_own_cert(c, cert, key, NULL), 0);
        free(cert);
        free(key);
    }
    return c;
}

/* Does a caller get in that is `who`? */
static bool gets_in(const char *url, const char *who, const char *ca)
{
    nng_tls_config *c = config_of(NNG_TLS_MODE_CLIENT, who, ca);
    nng_socket s;
    nng_dialer d;
    int rv;

    cr_assert_eq(nng_req0_open_raw(&s), 0);
    cr_assert_eq(nng_dialer_create(&d, s, url), 0);
    cr_assert_eq(nng_dialer_set_ptr(d, NNG_OPT_TLS_CONFIG, c), 0);
    rv = nng_dialer_start(d, 0);
    nng_close(s);
    nng_tls_config_free(c);
    return rv == 0;
}

static int64_t refused(void)
{
    return metric_value(metrics_counter("viaduct_hop_tls_refused_total", "", NULL));
}

/* A caller may know before the service has counted. */
static void wait_refused(int64_t n)
{
    for (int i = 0; i < HANDSHAKE_MS && refused() < n; i++)
        usleep(1000);
    cr_assert_geq(refused(), n);
}

static bool refused_more_than(void *n)
{
    return refused() > *(int64_t *)n;
}

static void expect_echo(void)
{
    struct rig_outcome o;

    rig_do(&(struct rig_call){.method = &RIG_ECHO, .text = "alive"}, &o);
    cr_assert_str_eq(o.text, "alive");
}

/* ---- who gets in ------------------------------------------------------------ */

Test(rpc_tls, peers_with_certificates_of_the_ca_talk)
{
    struct rig_server *server;
    struct rig_outcome o;

    rig_tls_start(in_folder("good"));
    server = rig_server_start(&(struct rig_conf){.url = URL, .loops = 2});
    rig_connect(rig_server_url(server));
    expect_echo();
    rig_do(&(struct rig_call){.method = &RIG_GROW, .number = 900000}, &o);
    cr_assert_eq(o.text_len, 900000u);
    rig_disconnect();
    rig_server_stop(server);
}

Test(rpc_tls, a_host_name_is_resolved_and_verified)
{
    struct rig_server *server;
    char url[ROOM];

    rig_tls_start(in_folder("good"));
    server = rig_server_start(&(struct rig_conf){.url = URL});
    snprintf(url, sizeof url, "tls+tcp://localhost%s",
             strrchr(rig_server_url(server), ':'));
    rig_connect(url);
    expect_echo();
    rig_disconnect();
    rig_server_stop(server);
}

Test(rpc_tls, a_service_refuses_who_is_not_of_the_ca)
{
    struct rig_server *server;
    const char *url;

    issue("stranger", "other", LOCAL, LONG);
    issue("expired", "ca", LOCAL, PAST);
    rig_tls_start(in_folder("good"));
    server = rig_server_start(&(struct rig_conf){.url = URL});
    url = rig_server_url(server);
    cr_assert(gets_in(url, "good", "good"));
    cr_assert_not(gets_in(url, NULL, "good"), "no certificate");
    cr_assert_not(gets_in(url, "stranger", "good"), "another CA");
    cr_assert_not(gets_in(url, "expired", "good"), "expired");
    wait_refused(3);
    cr_assert(gets_in(url, "good", "good"));
    rig_server_stop(server);
}

/* Connects a caller and waits until it has refused the service twice. */
static void expect_refusal(const char *url)
{
    const struct rpc_client_conf conf = {.self = "test"};
    struct rpc_client *c;
    struct arena a;
    int64_t twice = refused() + 1;

    arena_init(&a);
    rpc_process_init();
    rig_loop = loop_create();
    c = rpc_client_create(rig_loop, &conf);
    cr_assert_null(rpc_client_add(c, &a, "rig", url));
    cr_assert(rig_until(refused_more_than, &twice));
    cr_assert_not(rpc_client_up(c, "rig"));
    rpc_client_destroy(c);
    loop_destroy(rig_loop);
    arena_fini(&a);
}

static pid_t spawn_as(const char *who, const char *asked, char *url)
{
    setenv("RIG_TLS", in_folder(who), 1);
    return rig_spawn(&(struct rig_conf){.url = asked, .loops = 1}, url, ROOM);
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    rig_reap(pid);
}

Test(rpc_tls, a_caller_refuses_a_service_of_another_ca)
{
    char url[ROOM];
    pid_t pid;

    issue("stranger", "other", LOCAL, LONG);
    pid = spawn_as("stranger", URL, url);
    rig_tls_start(in_folder("good"));
    expect_refusal(url);
    end(pid);
}

Test(rpc_tls, a_caller_refuses_a_service_of_another_name)
{
    char url[ROOM];
    pid_t pid;

    issue("misnamed", "ca", "DNS:orders,IP:127.0.0.2", LONG);
    pid = spawn_as("misnamed", URL, url);
    rig_tls_start(in_folder("good"));
    expect_refusal(url);
    end(pid);
}

Test(rpc_tls, a_caller_refuses_a_service_whose_certificate_has_expired)
{
    char url[ROOM];
    nng_tls_config *c;
    nng_listener l;
    nng_socket s;
    int port;

    issue("expired", "ca", LOCAL, PAST);
    rig_tls_start(in_folder("good"));
    c = config_of(NNG_TLS_MODE_SERVER, "expired", "good");
    cr_assert_eq(nng_rep0_open_raw(&s), 0);
    cr_assert_eq(nng_listener_create(&l, s, URL), 0);
    cr_assert_eq(nng_listener_set_ptr(l, NNG_OPT_TLS_CONFIG, c), 0);
    cr_assert_eq(nng_listener_start(l, 0), 0);
    cr_assert_eq(nng_listener_get_int(l, NNG_OPT_TCP_BOUND_PORT, &port), 0);
    snprintf(url, sizeof url, "tls+tcp://127.0.0.1:%d", port);
    expect_refusal(url);
    nng_close(s);
    nng_tls_config_free(c);
}

/* ---- hostile connections ---------------------------------------------------- */

static int tcp_connect(const char *url)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons((uint16_t)strtol(strrchr(url, ':') + 1, NULL, 10));
    cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

Test(rpc_tls, silent_and_senseless_connections_keep_nobody_out)
{
    static const char JUNK[] = "GET / HTTP/1.1\r\n\r\n";
    struct rig_server *server;
    int fds[40];

    rig_tls_start(in_folder("good"));
    server = rig_server_start(&(struct rig_conf){.url = URL});
    for (int i = 0; i < 40; i++) {
        fds[i] = tcp_connect(rig_server_url(server));
        if (i % 2)
            send(fds[i], JUNK, sizeof JUNK - 1, MSG_NOSIGNAL);
    }
    rig_connect(rig_server_url(server));
    expect_echo();
    for (int i = 0; i < 40; i++)
        close(fds[i]);
    expect_echo();
    rig_disconnect();
    rig_server_stop(server);
}

/* ---- renewal ---------------------------------------------------------------- */

static int64_t renewals(const char *outcome)
{
    return metric_value(
        metrics_counter("viaduct_hop_tls_renewals_total", "", "outcome", outcome, NULL));
}

static bool renewed(void *outcome)
{
    return renewals(outcome) > 0;
}

/* As Kubernetes does it: all three files change in one moment. */
static void turn_to(const char *who)
{
    shell("cd %s && ln -sfn %s next && mv -T next current", folder, who);
}

Test(rpc_tls, new_files_are_for_new_connections)
{
    struct rig_server *server;
    const char *url;

    issue("renewed", "other", LOCAL, LONG);
    turn_to("good");
    rig_tls_start(in_folder("current"));
    server = rig_server_start(&(struct rig_conf){.url = URL});
    url = rig_server_url(server);
    rig_connect(url);
    cr_assert_not(gets_in(url, "renewed", "renewed"));
    turn_to("renewed");
    cr_assert(rig_until(renewed, "ok"));
    cr_assert_not(gets_in(url, "good", "good"), "the first one after it");
    cr_assert(gets_in(url, "renewed", "renewed"));
    expect_echo(); /* the connection from before */
    rig_disconnect();
    rig_server_stop(server);
}

Test(rpc_tls, a_caller_dials_with_the_new_files)
{
    char kept[ROOM], url[ROOM], same[ROOM];
    pid_t pid;

    issue("renewed", "other", LOCAL, LONG);
    turn_to("good");
    snprintf(kept, sizeof kept, "tls+tcp://127.0.0.1:%d", free_port());
    pid = spawn_as("good", kept, url);
    rig_tls_start(in_folder("current"));
    rig_connect(url);
    turn_to("renewed");
    cr_assert(rig_until(renewed, "ok"));
    end(pid);
    cr_assert(rig_until(rig_is_down, NULL));
    pid = spawn_as("renewed", url, same);
    cr_assert(rig_until(rig_is_up, NULL));
    expect_echo();
    rig_disconnect();
    end(pid);
}

Test(rpc_tls, bad_new_files_leave_the_last_good_ones)
{
    struct rig_server *server;
    const char *url;

    shell("cd %s && cp -r good bad && echo nonsense >bad/key.pem", folder);
    issue("renewed", "other", LOCAL, LONG);
    turn_to("good");
    rig_tls_start(in_folder("current"));
    server = rig_server_start(&(struct rig_conf){.url = URL});
    url = rig_server_url(server);
    rig_connect(url);
    turn_to("bad");
    cr_assert(rig_until(renewed, "failed"));
    cr_assert_eq(renewals("ok"), 0);
    cr_assert(gets_in(url, "good", "good"));
    turn_to("renewed");
    cr_assert(rig_until(renewed, "ok"));
    cr_assert(gets_in(url, "renewed", "renewed"));
    rig_disconnect();
    rig_server_stop(server);
}

/* ---- settings --------------------------------------------------------------- */

static void expect_complaint(const struct rpc_tls_files *files, const char *what)
{
    const char *const urls[] = {"tls+tcp://users:7101", NULL};
    const struct err *err;
    struct arena a;

    arena_init(&a);
    err = rpc_tls_check(&a, files, urls);
    cr_assert_not_null(err, "nobody says: %s", what);
    cr_assert_not_null(strstr(arena_str(&a, err->detail).p, what), "%.*s, not %s",
                       STR_FMT(err->detail), what);
    arena_fini(&a);
}

Test(rpc_tls, the_check_names_the_bad_setting)
{
    const char *cert = in_folder("good/cert.pem"), *key = in_folder("good/key.pem");
    const char *ca = in_folder("good/ca.pem"), *none = in_folder("none.pem");
    const char *junk = in_folder("junk.pem");

    shell(
        "cd %s && echo junk >junk.pem && (cat good/cert.pem; echo '-----BEGIN "
        "CERTIFICATE-----') >half.pem && openssl genpkey -algorithm ed25519 -out ed.pem",
        folder);
    issue("expired", "ca", LOCAL, PAST);
    issue("stranger", "other", LOCAL, LONG);
    const struct {
        struct rpc_tls_files files;
        const char *what;
    } rows[] = {
        {{"", "", ""}, "tls+tcp://users:7101 needs VIADUCT_HOP_TLS_CERT"},
        {{"", key, ca}, "VIADUCT_HOP_TLS_CERT is not set"},
        {{cert, "", ca}, "VIADUCT_HOP_TLS_KEY is not set"},
        {{cert, key, ""}, "VIADUCT_HOP_TLS_CA is not set"},
        {{none, key, ca}, "VIADUCT_HOP_TLS_CERT: "},
        {{junk, key, ca}, "VIADUCT_HOP_TLS_CERT: "},
        {{in_folder("half.pem"), key, ca}, "VIADUCT_HOP_TLS_CERT: "},
        {{in_folder("expired/cert.pem"), key, ca}, "expired"},
        {{cert, junk, ca}, "VIADUCT_HOP_TLS_KEY: "},
        {{cert, in_folder("ed.pem"), ca}, "RSA and EC"},
        {{cert, in_folder("stranger/key.pem"), ca}, "it is not the key"},
        {{cert, key, junk}, "VIADUCT_HOP_TLS_CA: "},
        {{cert, key, in_folder("other.pem")}, "VIADUCT_HOP_TLS_CA: "},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_complaint(&rows[i].files, rows[i].what);
}

Test(rpc_tls, without_files_only_urls_with_tls_are_refused)
{
    const char *const plain[] = {"tcp://127.0.0.1:7101", "ipc:///x", NULL};
    const struct rpc_tls_files none = {"", "", ""};
    const struct rpc_client_conf conf = {.self = "test"};
    struct rpc_client *c;
    struct arena a;

    arena_init(&a);
    rig_loop = loop_create();
    c = rpc_client_create(rig_loop, &conf);
    cr_assert_null(rpc_tls_check(&a, &none, plain));
    cr_assert_null(rpc_tls_start(&a, &none));
    cr_assert_not_null(rpc_client_add(c, &a, "rig", "tls+tcp://127.0.0.1:1"));
    rpc_client_destroy(c);
    loop_destroy(rig_loop);
    arena_fini(&a);
}
