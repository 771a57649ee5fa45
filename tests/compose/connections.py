#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: connections.py HOST PORT COUNT

Opens COUNT connections, asks something on each, then once more on each, and says "held";
holds them until its standard input ends."""
import asyncio
import resource
import sys

ASK = b"GET /v1/products?limit=5 HTTP/1.1\r\nHost: api\r\n\r\n"
AT_ONCE = 64


async def ask(stream):
    reader, writer = stream
    writer.write(ASK)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        sys.exit(head.decode())
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.split(b":")[1]))
    return stream


async def main(host, port, count):
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, max(count + 100, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    gate = asyncio.Semaphore(AT_ONCE)

    async def open_one():
        async with gate:
            return await ask(await asyncio.open_connection(host, port))

    async def again(stream):
        async with gate:
            await ask(stream)

    streams = await asyncio.gather(*[open_one() for _ in range(count)])
    await asyncio.gather(*[again(s) for s in streams])
    print("held", flush=True)
    await asyncio.to_thread(sys.stdin.read)


asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
