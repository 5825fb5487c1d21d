"""Requests as streams of one HTTP/2 connection, as far as tests need it:
headers are written without compression, and of an answer's the status alone
is read.
"""

import struct

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
CANCEL = struct.pack('>I', 8)
END_STREAM, END_HEADERS, ACK = 1, 4, 1

PREFACE = b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

# what HPACK has a number for
STATUS = {0x88: '200', 0x89: '204', 0x8a: '206', 0x8b: '304', 0x8c: '400',
          0x8d: '404', 0x8e: '500'}


def frame(kind, flags, stream, payload=b''):
    return struct.pack('>I', len(payload))[1:] + struct.pack(
        '>BBI', kind, flags, stream) + payload


def text(s):
    """A string as HPACK has it, without Huffman's code."""
    if len(s) < 127:
        return bytes([len(s)]) + s
    length, rest = b'\x7f', len(s) - 127
    while rest > 127:
        length += bytes([rest & 127 | 128])
        rest >>= 7
    return length + bytes([rest]) + s


def header(name, value):
    return b'\0' + text(name) + text(value)


def status(block):
    if block[0] & 0xe0 == 0x20:         # a new size of the table
        block = block[1:]
    return STATUS.get(block[0]) or block[2:5].decode()


class Streams:
    """Connect, send() for each stream, then read() until all have ended."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer
        self.next = 1
        self.open = {}          # stream: [status, body]
        writer.write(PREFACE + frame(SETTINGS, 0, 0))

    def send(self, path, code):
        block = b''.join(header(*pair) for pair in (
            (b':method', b'GET'), (b':scheme', b'http'), (b':path', path),
            (b':authority', b'localhost'), (b'x-wx-code', code)))
        self.writer.write(frame(HEADERS, END_STREAM | END_HEADERS, self.next,
                                block))
        self.open[self.next] = ['', b'']
        self.next += 2

    async def read(self):
        """Yields the status and body of each stream that ends."""
        while self.open:
            head = await self.reader.readexactly(9)
            length = int.from_bytes(head[:3], 'big')
            kind, flags, stream = struct.unpack('>BBI', head[3:])
            payload = await self.reader.readexactly(length)

            if kind == SETTINGS and not flags & ACK:
                self.writer.write(frame(SETTINGS, ACK, 0))
            elif kind == PING and not flags & ACK:
                self.writer.write(frame(PING, ACK, 0, payload))
            elif kind == GOAWAY:
                raise EOFError('GOAWAY')
            elif kind == RST_STREAM:
                del self.open[stream]
                yield 'reset', b''
            elif kind == HEADERS:
                self.open[stream][0] = status(payload)
            elif kind == DATA:
                self.open[stream][1] += payload

            if kind in (DATA, HEADERS) and flags & END_STREAM:
                yield self.open.pop(stream)
