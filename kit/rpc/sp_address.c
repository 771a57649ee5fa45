// SPDX-License-Identifier: Apache-2.0
/* See kit/rpc/sp_address.h. */
#include "kit/rpc/sp_address.h"

#include "kit/base/str.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

enum { HOST_MAX = 64 };

static bool parse_ipc(struct str path, struct sp_address *out)
{
    struct sockaddr_un *to = (struct sockaddr_un *)&out->to;

    if (path.n == 0 || path.n >= sizeof to->sun_path)
        return false;
    to->sun_family = AF_UNIX;
    memcpy(to->sun_path, path.p, path.n);
    out->len = sizeof *to;
    out->ipc = true;
    return true;
}

static bool set_host(const char *host, in_port_t port, struct sp_address *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&out->to;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out->to;

    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = port;
        out->len = sizeof *v4;
        return true;
    }
    if (inet_pton(AF_INET6, host, &v6->sin6_addr) != 1)
        return false;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = port;
    out->len = sizeof *v6;
    return true;
}

static bool parse_tcp(struct str at, struct sp_address *out)
{
    const char *colon = memrchr(at.p, ':', at.n);
    char host[HOST_MAX] = "";
    struct str name, port;
    int64_t number;

    if (!colon)
        return false;
    name = (struct str){at.p, (size_t)(colon - at.p)};
    port = (struct str){colon + 1, at.n - name.n - 1};
    if (name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']')
        name = (struct str){name.p + 1, name.n - 2};
    if (name.n >= sizeof host || !str_to_i64(port, 1, UINT16_MAX, &number))
        return false;
    memcpy(host, name.p, name.n);
    return set_host(host, htons((uint16_t)number), out);
}

bool sp_address_parse(const char *url, struct sp_address *out)
{
    const struct str tcp = STR("tcp://"), ipc = STR("ipc://");
    struct str u = str_of(url);

    *out = (struct sp_address){.len = 0};
    if (str_starts(u, tcp))
        return parse_tcp((struct str){u.p + tcp.n, u.n - tcp.n}, out);
    return str_starts(u, ipc) && parse_ipc((struct str){u.p + ipc.n, u.n - ipc.n}, out);
}
