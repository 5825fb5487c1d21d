"""One connection of a test server: a plain socket driven by hand, with TLS on
top where asked, because the faults need every byte under control.

Reads HTTP/1.1 requests; writes only bytes.
"""

import asyncio
import socket
import ssl
import struct
import time
import urllib.parse

KEPT_BODY = 65536


class Conn:
    """One accepted connection."""

    def __init__(self, server, listener, sock, number):
        self.server = server
        self.listener = listener
        self.sock = sock
        self.number = number
        self.peer = 0           # the port at the other end, of TCP
        self.requests = 0
        self.started = 0        # when the last request was read, and
        self.written = 0        # what was written since
        self.buf = b''
        self.tls = None
        self.loop = asyncio.get_running_loop()

    async def handshake(self, context):
        self.bio_in = ssl.MemoryBIO()
        self.bio_out = ssl.MemoryBIO()
        tls = context.wrap_bio(self.bio_in, self.bio_out, server_side=True)

        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self.flush()
                if not await self.feed():
                    raise ConnectionError('closed in handshake')
            except ssl.SSLError:
                await self.flush()
                raise

        await self.flush()
        self.tls = tls

    async def flush(self):
        data = self.bio_out.read()
        if data:
            await self.loop.sock_sendall(self.sock, data)

    async def feed(self):
        data = await self.loop.sock_recv(self.sock, 65536)
        if data:
            self.bio_in.write(data)
        return bool(data)

    async def read(self):
        if self.tls is None:
            return await self.loop.sock_recv(self.sock, 65536)

        while True:
            try:
                return self.tls.read(65536)
            except ssl.SSLWantReadError:
                if not await self.feed():
                    return b''
            except ssl.SSLError:
                return b''

    async def write(self, data):
        self.written += len(data)

        if self.tls is None:
            await self.loop.sock_sendall(self.sock, data)
            return

        self.tls.write(data)
        await self.flush()

    async def write_records(self, data, size):
        """TLS: records of so many bytes, as one write to the socket."""
        if self.tls is None:
            await self.write(data)
            return

        self.written += len(data)
        for i in range(0, len(data), size):
            self.tls.write(data[i:i + size])
        await self.flush()

    async def write_half_record(self, data):
        """TLS: a record that stops in its middle."""
        if self.tls is None:
            await self.write(data[:len(data) // 2])
            return

        self.written += len(data)
        self.tls.write(data)
        record = self.bio_out.read()
        await self.loop.sock_sendall(self.sock, record[:len(record) // 2])

    async def notify(self):
        """TLS: close_notify."""
        if self.tls is None:
            return

        try:
            self.tls.unwrap()
        except ssl.SSLError:
            pass                # the other end has not said it too
        await self.flush()

    def reset(self):
        linger = struct.pack('ii', 1, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    async def wait_closed(self):
        while await self.read():
            pass

    async def request(self):
        """The next request, or None at the end of the connection."""
        while b'\r\n\r\n' not in self.buf:
            data = await self.read()
            if not data:
                return None
            self.buf += data

        head, self.buf = self.buf.split(b'\r\n\r\n', 1)
        lines = head.decode('latin-1').split('\r\n')
        words = lines[0].split(' ')
        self.requests += 1
        self.started = time.time()
        self.written = 0

        req = Request()
        req.line = lines[0]
        req.lines = lines[1:]
        req.method = words[0]
        req.target = words[1] if len(words) > 1 else ''
        req.headers = [tuple(s.strip(' \t') for s in line.split(':', 1))
                       for line in lines[1:] if ':' in line]
        req.connection = self.number
        req.number = self.requests
        req.listener = self.listener.name

        if req.header('Expect').lower() == '100-continue':
            await self.write(b'HTTP/1.1 100 Continue\r\n\r\n')

        req.body = await self.body(req)
        return req

    async def body(self, req):
        if req.header('Transfer-Encoding').lower() == 'chunked':
            return await self.chunks()
        return await self.exactly(int(req.header('Content-Length') or 0))

    async def chunks(self):
        body = b''
        while True:
            size = int((await self.line()).split(b';')[0], 16)
            if size == 0:
                while await self.line():
                    pass
                return body
            body += await self.exactly(size)
            await self.line()

    async def exactly(self, size):
        while len(self.buf) < size:
            data = await self.read()
            if not data:
                raise ConnectionError('closed in a body')
            self.buf += data
        body, self.buf = self.buf[:size], self.buf[size:]
        return body

    async def line(self):
        while b'\r\n' not in self.buf:
            data = await self.read()
            if not data:
                raise ConnectionError('closed in a chunk')
            self.buf += data
        line, self.buf = self.buf.split(b'\r\n', 1)
        return line


class Request:
    """One request as it came; names and values are not changed."""

    def header(self, name):
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return ''

    def path(self):
        return self.target.split('?', 1)[0]

    def args(self):
        query = self.target.split('?', 1)[1] if '?' in self.target else ''
        pairs = urllib.parse.parse_qsl(query, keep_blank_values=True,
                                       encoding='latin-1')
        args = {}
        for key, value in pairs:
            args.setdefault(key, value)
        return args

    def record(self):
        body = self.body[:KEPT_BODY].decode('latin-1')
        return {
            'listener': self.listener, 'connection': self.connection,
            'number': self.number, 'line': self.line, 'method': self.method,
            'target': self.target, 'headers': self.headers,
            'lines': self.lines, 'body_length': len(self.body), 'body': body,
        }
