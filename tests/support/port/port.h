// SPDX-License-Identifier: Apache-2.0
/* Ports that are kept while nobody listens there. */
#ifndef TESTS_SUPPORT_PORT_PORT_H
#define TESTS_SUPPORT_PORT_PORT_H

/* A port of 127.0.0.1 that nothing else gets while the test lives: not another test, nor
 * an outgoing connection, also between the end of who listened on it and the next one.
 * Who listens on it sets SO_REUSEADDR. */
int free_port(void);

#endif
