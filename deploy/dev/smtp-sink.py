#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An SMTP server that keeps every mail in a Maildir and delivers none.

usage: smtp-sink.py PORT MAILDIR

Some recipients are special, so that faults can be tried: `defer...@` is refused with 451
(try later), `reject...@` with 550 (never), and `slow...@` is taken after half a second.
"""
import asyncio
import signal
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox


class Sink(Mailbox):
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("defer"):
            return "451 4.3.0 try again later"
        if address.startswith("reject"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("slow"):
            await asyncio.sleep(0.5)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"


def main():
    port, maildir = int(sys.argv[1]), sys.argv[2]
    stop = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)  # before threads: they inherit it
    controller = Controller(Sink(maildir), hostname="127.0.0.1", port=port)
    controller.start()
    signal.sigwait(stop)
    controller.stop()


main()
