#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An SMTP server that keeps every mail in a Maildir and delivers none.

usage: smtp-sink.py [--listen ADDRESS] [--web PORT] PORT MAILDIR

With --web, a page at that port lists the mails and shows each.

Some recipients are special, so that faults can be tried: `defer...@` is refused with 451
(try later), `reject...@` with 550 (never), and `slow...@` is taken after half a second.
"""
import argparse
import asyncio
import email
import email.policy
import html
import mailbox
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

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


class Page(BaseHTTPRequestHandler):
    """/ lists the newest mails, /KEY shows one; mails are strangers' text, so all is escaped."""

    maildir = ""
    shown = 200

    def do_GET(self):
        box = mailbox.Maildir(self.maildir)
        key = self.path.lstrip("/")
        if key and key not in box:
            self.answer(404, "<p>There is no such mail.")
        else:
            self.answer(200, self.mail(box, key) if key else self.all(box))

    def mail(self, box, key):
        mail = email.message_from_bytes(box.get_bytes(key), policy=email.policy.default)
        heads = "\n".join(f"{name}: {value}" for name, value in mail.items())
        body = mail.get_body(("plain", "html"))
        text = body.get_content() if body else ""
        return f"<p><a href=/>all mails</a><pre>{html.escape(heads)}\n\n{html.escape(text)}</pre>"

    def all(self, box):
        keys = sorted(box.keys(), reverse=True)
        rows = "".join(
            f"<tr><td>{html.escape(str(box[key]['to']))}<td><a href='/{key}'>{html.escape(str(box[key]['subject']))}</a>"
            for key in keys[: self.shown]
        )
        return f"<p>{len(keys)} mails<table>{rows}</table>"

    def answer(self, status, page):
        page = f"<!doctype html><meta charset=utf-8><title>Mails</title>{page}".encode()
        self.send_response(status)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-security-policy", "default-src 'none'")
        self.send_header("content-length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *args):
        pass


def main():
    options = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].splitlines()[0])
    options.add_argument("--listen", default="127.0.0.1")
    options.add_argument("--web", type=int)
    options.add_argument("port", type=int)
    options.add_argument("maildir")
    o = options.parse_args()

    for part in ("tmp", "new", "cur"):  # also where somebody else has made the folder
        os.makedirs(os.path.join(o.maildir, part), exist_ok=True)
    stop = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)  # before threads: they inherit it
    controller = Controller(Sink(o.maildir), hostname=o.listen, port=o.port)
    controller.start()
    if o.web:
        Page.maildir = o.maildir
        server = ThreadingHTTPServer((o.listen, o.web), Page)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    signal.sigwait(stop)
    controller.stop()


main()
