"""Requests of the soak: over HTTP/1.1, or as streams of one HTTP/2
connection; some of the clients hang up.

Knows how to send and to read; nothing of what a request is for.
"""

import asyncio
import socket
import struct
import time

import h2

PATIENCE = 20


class Request:
    """What to send, and what came of it."""

    def __init__(self, path, headers=(), body=b'', judge=None):
        self.method = 'POST' if body else 'GET'
        self.path = path
        self.headers = list(headers)
        self.body = body
        self.judge = judge              # says what is wrong with an answer
        self.hangs_up = False

        self.sends = 0
        self.start = self.end = 0
        self.status = 0
        self.answer = b''
        self.fields = ''                # of HTTP/1.1 alone
        self.lost = ''                  # why there is no answer
        self.unseen = False             # nginx said that it did not look

    def reset(self):
        self.status, self.answer, self.fields = 0, b'', ''
        self.lost, self.unseen = '', False
        self.start = time.time()

    def finish(self, status, answer, fields=''):
        self.status, self.answer, self.fields = status, answer, fields
        self.end = time.time()

    def lose(self, why):
        self.lost = why
        self.end = time.time()


def slam(writer):
    """A reset instead of an end."""
    if not writer.is_closing():
        writer.get_extra_info('socket').setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))


class Http1:
    """A client's connections to one port, some of them kept."""

    def __init__(self, port, rng):
        self.port = port
        self.rng = rng
        self.kept = None

    async def connect(self):
        return await asyncio.open_connection('127.0.0.1', self.port)

    def text(self, request):
        lines = ['%s %s HTTP/1.1' % (request.method, request.path),
                 'Host: soak', *('%s: %s' % pair for pair in request.headers)]
        if request.body:
            lines.append('Content-Length: %d' % len(request.body))
        return '\r\n'.join([*lines, '', '']).encode() + request.body

    async def ask(self, request):
        request.reset()
        if request.hangs_up:
            await self.hang_up(request)
            return

        kept, self.kept = self.kept, None

        # nginx may close a kept connection at any time
        if not kept or not await self.attempt(request, kept):
            request.lost = ''
            await self.attempt(request, None)

    async def attempt(self, request, stream):
        """Whether there was an answer; else request.lost says why."""
        request.sends += 1
        try:
            stream = stream or await self.connect()
            await asyncio.wait_for(self.once(request, *stream), PATIENCE)
            return True
        except (OSError, EOFError) as e:
            request.lose(type(e).__name__)
        except asyncio.TimeoutError:
            request.lose('no answer')
        if stream:
            stream[1].close()
        return False

    async def once(self, request, reader, writer):
        writer.write(self.text(request))
        head = (await reader.readuntil(b'\r\n\r\n')).decode('latin-1')
        fields = head.lower()
        length = fields.split('content-length: ')[1].split('\r')[0]
        body = await reader.readexactly(int(length))
        request.finish(int(head.split(' ')[1]), body, head)

        if 'connection: close' in fields or self.rng.random() < 0.3:
            writer.close()
        else:
            self.kept = reader, writer

    async def hang_up(self, request):
        """At a random moment: in its own words, waiting, or in the answer."""
        rng = self.rng
        request.sends += 1
        text = self.text(request)
        try:
            reader, writer = await self.connect()
            moment = rng.random()
            if moment < 0.2:
                text = text[:rng.randrange(len(text))]
            writer.write(text)
            await writer.drain()
            if moment > 0.9:
                await asyncio.wait_for(reader.read(rng.randint(1, 300)), 5)
            else:
                await asyncio.sleep(rng.choice((0, 0.002, 0.02, 0.2, 1))
                                    * rng.random())
            if rng.random() < 0.5:
                slam(writer)
            writer.close()
        except (OSError, asyncio.TimeoutError):
            pass
        request.lose('hung up')

    def close(self):
        if self.kept:
            self.kept[1].close()


class Http2:
    """Requests as streams of a connection."""

    def __init__(self, port, rng):
        self.port = port
        self.rng = rng

    def send(self, writer, number, request):
        pairs = [(':method', request.method), (':scheme', 'http'),
                 (':path', request.path), (':authority', 'soak')]
        pairs += [(name.lower(), value) for name, value in request.headers
                  if name.lower() not in ('connection', 'host')]
        block = b''.join(h2.header(name.encode(), value.encode())
                         for name, value in pairs)
        end = 0 if request.body else h2.END_STREAM
        writer.write(h2.frame(h2.HEADERS, end | h2.END_HEADERS, number,
                              block))
        if request.body:
            writer.write(h2.frame(h2.DATA, h2.END_STREAM, number,
                                  request.body))

    async def ask(self, requests):
        for request in requests:
            request.reset()
        try:
            reader, writer = await asyncio.open_connection('127.0.0.1',
                                                           self.port)
        except OSError as e:
            for request in requests:
                request.lose(type(e).__name__)
            return

        for request in requests:
            request.sends += 1
        streams = dict(zip(range(1, 999, 2), requests))
        writer.write(h2.PREFACE + h2.frame(h2.SETTINGS, 0, 0))
        for number, request in streams.items():
            self.send(writer, number, request)
        leaving = [asyncio.create_task(self.leave(writer, number, requests))
                   for number, request in streams.items()
                   if request.hangs_up]
        try:
            await asyncio.wait_for(self.read(reader, writer, streams),
                                   PATIENCE)
        except (OSError, EOFError) as e:
            self.lose_all(streams, type(e).__name__)
        except asyncio.TimeoutError:
            self.lose_all(streams, 'no answer')
        for task in leaving:
            task.cancel()
        if self.rng.random() < 0.2:
            slam(writer)
        writer.close()

    def lose_all(self, streams, why):
        for request in streams.values():
            request.lose('hung up' if request.hangs_up else why)

    async def leave(self, writer, number, requests):
        """Cancels its stream; now and then the client goes altogether."""
        await asyncio.sleep(self.rng.choice((0, 0.002, 0.02, 0.2, 1))
                            * self.rng.random())
        if self.rng.random() < 0.2:
            for each in requests:
                each.hangs_up = True
            writer.transport.abort()
        else:
            writer.write(h2.frame(h2.RST_STREAM, 0, number, h2.CANCEL))

    async def read(self, reader, writer, streams):
        waited = {n: r for n, r in streams.items() if not r.hangs_up}
        parts = {}
        while waited:
            head = await reader.readexactly(9)
            length = int.from_bytes(head[:3], 'big')
            kind, flags, number = struct.unpack('>BBI', head[3:])
            payload = await reader.readexactly(length)
            request = waited.get(number)

            if kind == h2.SETTINGS and not flags & h2.ACK:
                writer.write(h2.frame(h2.SETTINGS, h2.ACK, 0))
            elif kind == h2.PING and not flags & h2.ACK:
                writer.write(h2.frame(h2.PING, h2.ACK, 0, payload))
            elif kind == h2.GOAWAY:
                last = int.from_bytes(payload[:4], 'big')
                for late in [n for n in waited if n > last]:
                    waited[late].unseen = True
                    waited.pop(late).lose('GOAWAY')
            elif request is None:
                continue
            elif kind == h2.RST_STREAM:
                request.unseen = payload == struct.pack('>I', 7)
                waited.pop(number).lose('RST_STREAM')
                continue
            elif kind == h2.HEADERS:
                request.status = int(h2.status(payload))
            elif kind == h2.DATA:
                parts[number] = parts.get(number, b'') + payload

            if request and kind in (h2.DATA, h2.HEADERS) \
                    and flags & h2.END_STREAM:
                waited.pop(number).finish(request.status,
                                          parts.get(number, b''))
                streams.pop(number)
