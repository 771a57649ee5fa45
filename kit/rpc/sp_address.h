// SPDX-License-Identifier: Apache-2.0
/* Where kit/rpc/sp.h connects to. */
#ifndef KIT_RPC_SP_ADDRESS_H
#define KIT_RPC_SP_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

struct sp_address {
    struct sockaddr_storage to;
    socklen_t len;
    bool ipc;
};

/* tcp://1.2.3.4:5, tcp://[::1]:5, ipc:///path; false for all else, names too. */
bool sp_address_parse(const char *url, struct sp_address *out);

#endif
