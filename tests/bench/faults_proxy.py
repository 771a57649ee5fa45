# SPDX-License-Identifier: Apache-2.0
"""faults_proxy.py CONTROL_PORT PORT:TO...: TCP proxies of 127.0.0.1 that delay what comes back,
or swallow everything. A line on the control port says which: "INDEX delay MS" or "INDEX lose 0|1"."""
import asyncio
import sys


class Way:
    """What one proxied address does; holds for what comes from then on."""

    def __init__(self):
        self.delay_s, self.lose, self.open = 0.0, False, set()

    def order(self, what, value):
        if what == "delay":
            self.delay_s = int(value) / 1000
            return
        self.lose = value == "1"
        if not self.lose: # what has holes cannot go on
            for writer in list(self.open):
                writer.close()


async def pump(way, reader, writer, back):
    loop = asyncio.get_running_loop()
    try:
        while data := await reader.read(65536):
            if way.lose:
                continue
            if back and way.delay_s:
                loop.call_later(way.delay_s, writer.write, data)
            else:
                writer.write(data)
    except OSError:
        pass
    finally:
        writer.close()


async def serve(way, port, to):
    async def connected(reader, writer):
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to)
        way.open |= {writer, far_writer}
        await asyncio.gather(pump(way, reader, far_writer, False), pump(way, far_reader, writer, True))
        way.open -= {writer, far_writer}

    return await asyncio.start_server(connected, "127.0.0.1", port)


async def main():
    ways = []
    for pair in sys.argv[2:]:
        port, to = map(int, pair.split(":"))
        ways.append(Way())
        await serve(ways[-1], port, to)

    async def control(reader, writer):
        while line := await reader.readline():
            index, what, value = line.decode().split()
            ways[int(index)].order(what, value)
            writer.write(b"ok\n")

    server = await asyncio.start_server(control, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


asyncio.run(main())
