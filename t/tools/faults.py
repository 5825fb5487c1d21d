"""How a reply of the stand-in travels, and every way in which that fails.

Knows nothing of what it says, but for the reply that must never be believed.
"""

import gzip

from contents import evil


# A reply is a list of steps: bytes to send, or one of these.

CLOSE, RESET, STALL, RELEASED = 'close', 'reset', 'stall', 'released'
NOTIFY = 'notify'               # TLS's own word that nothing follows


class Sleep:
    def __init__(self, ms):
        self.ms = ms


class HalfRecord:
    def __init__(self, data):
        self.data = data


class Records(bytes):
    """TLS: sent at once, in records of so many bytes."""

    def __new__(cls, data, size):
        self = super().__new__(cls, data)
        self.size = size
        return self


def extra_record(body, size=0):
    """A reply of so many bytes or more, in a record, and one more reply."""
    body += b' ' * (size - len(head(size // 2) + body))
    reply = head(len(body)) + body
    return [Records(reply + plain(evil())[0], len(reply))]


def head(length, status='200 OK', extra=b'', version=b'HTTP/1.1'):
    text = version + b' ' + status.encode() + b'\r\n'
    text += b'Connection: keep-alive\r\nContent-Type: text/plain\r\n'
    text += b'Date: Thu, 22 Aug 2024 01:14:57 GMT\r\n' + extra
    if length is not None:
        text += b'Content-Length: %d\r\n' % length
    return text + b'\r\n'


def plain(body, **options):
    return [head(len(body), **options) + body]


def drip(data, ms):
    for i in range(len(data)):
        yield data[i:i + 1]
        yield Sleep(ms)


def chunks(body, sizes=16, extension=b''):
    return b''.join(b'%x%s\r\n%s\r\n' % (len(part), extension, part)
                    for part in (body[i:i + sizes]
                                 for i in range(0, len(body), sizes)))


CHUNKED = b'Transfer-Encoding: chunked\r\n'


def chunked(raw):
    return [head(None, extra=CHUNKED) + raw]


# How the reply travels: name -> steps made of its body

TRANSPORT = {
    'slow_header': lambda b: [*drip(head(len(b)), 2), b],
    'slow_body': lambda b: [head(len(b)), *drip(b, 2)],
    'slow_all': lambda b: [*drip(head(len(b)) + b, 2)],
    'split_header': lambda b: [head(len(b))[:40], Sleep(20),
                               head(len(b))[40:], Sleep(20), b],

    # the end comes too early, or not at all
    'stall': lambda b: [STALL],
    'stall_line': lambda b: [b'HTTP/1.1 20', STALL],
    'stall_header': lambda b: [head(len(b))[:60], STALL],
    'stall_body': lambda b: [head(len(b)) + b[:20], STALL],
    'stall_chunk': lambda b: [head(None, extra=CHUNKED) + chunks(b)[:30],
                              STALL],
    'close': lambda b: [CLOSE],
    'reset': lambda b: [RESET],
    'half_line': lambda b: [b'HTTP/1.1 20', CLOSE],
    'half_header': lambda b: [head(len(b))[:60], CLOSE],
    'reset_header': lambda b: [head(len(b))[:60], Sleep(20), RESET],
    'no_body': lambda b: [head(len(b)), CLOSE],
    'short': lambda b: [head(len(b)) + b[:20], CLOSE],
    'short_by_one': lambda b: [head(len(b) + 1) + b, CLOSE],
    'reset_body': lambda b: [head(len(b)) + b[:20], Sleep(20), RESET],
    'half_record': lambda b: [head(len(b)), HalfRecord(b), CLOSE],
    'tls_notify': lambda b: [head(len(b)) + b[:20], NOTIFY, CLOSE],

    # a kept connection: stale_ ones misbehave on it alone
    'stale_close': lambda b: plain(b),
    'stale_reset': lambda b: plain(b),
    'stale_partial': lambda b: plain(b),
    'stale_stall': lambda b: plain(b),
    'idle_close': lambda b: [*plain(b), CLOSE],
    'idle_reset': lambda b: [*plain(b), Sleep(20), RESET],
    'late': lambda b: [*plain(b), Sleep(5), *plain(evil())],
    'extra': lambda b: [head(len(b)) + b + plain(evil())[0]],
    'extra_bytes': lambda b: [head(len(b)) + b + b'x'],
    'extra_record': extra_record,
    'extra_buffer': lambda b: extra_record(b, 1024),
    'records': lambda b: [Records(head(len(b)) + b, 7)],
    'records_late': lambda b: [Records(head(len(b)) + b[:20], 50), Sleep(20),
                               Records(b[20:], 50)],
    'conn_close': lambda b: [head(len(b)).replace(b'keep-alive', b'close')
                             + b, CLOSE],
    'conn_close_kept': lambda b: [
        head(len(b)).replace(b'keep-alive', b'close') + b],

    # framing
    'chunked': lambda b: chunked(chunks(b) + b'0\r\n\r\n'),
    'chunked_one': lambda b: [head(None, extra=CHUNKED),
                              *drip(chunks(b, 1) + b'0\r\n\r\n', 1)],
    'chunked_extras': lambda b: chunked(
        chunks(b, 16, b';name="v;1"') + b'000;last\r\nX-Trailer: 1\r\n\r\n'),
    'chunked_after': lambda b: chunked(chunks(b) + b'0\r\n\r\n'
                                       + plain(evil())[0]),
    'chunk_bad_size': lambda b: chunked(b'zz\r\n' + b + b'\r\n0\r\n\r\n'),
    'chunk_negative': lambda b: chunked(b'-5\r\n' + b + b'\r\n0\r\n\r\n'),
    'chunk_overflow': lambda b: chunked(
        b'1%016x\r\n' % len(b) + b + b'\r\n0\r\n\r\n'),
    'chunk_huge': lambda b: chunked(b'7fffffffffffffff\r\n' + b),
    'chunk_no_crlf': lambda b: chunked(
        b'%x\r\n%sXX0\r\n\r\n' % (len(b), b)),
    'chunk_short': lambda b: chunked(chunks(b)) + [CLOSE],
    'chunk_cut': lambda b: chunked(chunks(b)[:30]) + [CLOSE],
    'chunk_empty': lambda b: chunked(b'0\r\n\r\n'),
    'cl_te': lambda b: [head(len(b), extra=CHUNKED)
                        + chunks(b) + b'0\r\n\r\n'],
    'two_te': lambda b: [head(None, extra=CHUNKED + CHUNKED)
                         + chunks(b) + b'0\r\n\r\n'],
    'te_gzip': lambda b: [
        head(None, extra=b'Transfer-Encoding: gzip, chunked\r\n')
        + chunks(gzip.compress(b)) + b'0\r\n\r\n'],
    'te_unknown': lambda b: [
        head(len(b), extra=b'Transfer-Encoding: none\r\n') + b],
    'two_cl': lambda b: [head(len(b), extra=b'Content-Length: 5\r\n') + b],
    'two_cl_same': lambda b: [
        head(len(b), extra=b'Content-Length: %d\r\n' % len(b)) + b],
    'cl_list': lambda b: [
        head(None, extra=b'Content-Length: %d, 5\r\n' % len(b)) + b],
    'cl_negative': lambda b: [
        head(None, extra=b'Content-Length: -1\r\n') + b],
    'cl_plus': lambda b: [
        head(None, extra=b'Content-Length: +%d\r\n' % len(b)) + b],
    'cl_text': lambda b: [
        head(None, extra=b'Content-Length: ten\r\n') + b],
    'cl_empty': lambda b: [head(None, extra=b'Content-Length:\r\n') + b],
    'cl_huge': lambda b: [
        head(None, extra=b'Content-Length: 9223372036854775807\r\n') + b],
    'cl_overflow': lambda b: [
        head(None, extra=b'Content-Length: 1' + b'0' * 30 + b'\r\n') + b],
    'empty': lambda b: plain(b''),
    'no_length': lambda b: [head(None).replace(b'keep-alive', b'close')
                            + b, CLOSE],
    'http10': lambda b: [head(None, version=b'HTTP/1.0')
                         .replace(b'Connection: keep-alive\r\n', b'')
                         + b, CLOSE],
    'http10_length': lambda b: [head(len(b), version=b'HTTP/1.0')
                                .replace(b'Connection: keep-alive\r\n', b'')
                                + b, CLOSE],
    'http09': lambda b: [b, CLOSE],
    'http2': lambda b: plain(b, version=b'HTTP/2.0'),

    # the header
    'lf_only': lambda b: [head(len(b)).replace(b'\r\n', b'\n') + b],
    'garbage': lambda b: [bytes(range(256)) * 4, CLOSE],
    'bad_status': lambda b: plain(b, status='abc'),
    'long_status': lambda b: plain(b, status='2000 OK'),
    'no_reason': lambda b: plain(b, status='200'),
    'folded': lambda b: plain(b, extra=b'X-Folded: a\r\n b\r\n'),
    'header_nul': lambda b: plain(b, extra=b'X-Nul: a\0b\r\n'),
    'header_no_colon': lambda b: plain(b, extra=b'nocolon\r\n'),
    'huge_header': lambda b: plain(b, extra=b'X-Huge: %s\r\n'
                                   % (b'a' * 65536)),
    'many_headers': lambda b: plain(b, extra=b'X-Many: some value\r\n'
                                    * 4000),
    'endless_header': lambda b: [head(len(b))[:-2]]
    + [b'X-Endless: %s\r\n' % (b'a' * 1000)] * 1000 + [STALL],
    'early_100': lambda b: [b'HTTP/1.1 100 Continue\r\n\r\n', *plain(b)],
    'early_103': lambda b: [
        b'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n', *plain(b)],
    'early_split': lambda b: [b'HTTP/1.1 100 Con', Sleep(20),
                              b'tinue\r\n\r\nHTTP/1.1 10', Sleep(20),
                              b'3 Early Hints\r\n\r\n', *plain(b)],
    'early_many': lambda b: [b'HTTP/1.1 103 Early Hints\r\n\r\n' * 20,
                             *plain(b)],
    'early_endless': lambda b: [b'HTTP/1.1 100 Continue\r\n\r\n'
                                * 100] * 1000 + [STALL],
    'switching': lambda b: [
        b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n' + b],
    'gzip': lambda b: plain(gzip.compress(b),
                            extra=b'Content-Encoding: gzip\r\n'),
    'identity': lambda b: plain(b, extra=b'Content-Encoding: identity\r\n'),
    'headers': lambda b: plain(
        b, extra=b'Set-Cookie: evil=1\r\nX-Accel-Redirect: /evil\r\n'
        b'X-Accel-Buffering: no\r\nX-Accel-Limit-Rate: 1\r\n'
        b'X-Accel-Expires: 600\r\nX-Accel-Charset: x\r\n'
        b'Refresh: 0; /evil\r\nLocation: /evil\r\n'
        b'WWW-Authenticate: Basic realm="evil"\r\n'),

    # size
    'huge_body': lambda b: plain(b + b' ' * (1024 * 1024 - len(b))),
    'endless_body': lambda b: [head(None).replace(b'keep-alive', b'close')
                               + b] + [b' ' * 4096] * 1000 + [STALL],
    'endless_chunks': lambda b: [head(None, extra=CHUNKED) + chunks(b)]
    + [chunks(b' ' * 4096, 4096)] * 1000 + [STALL],
}


# What the stale_ ones do on a kept connection

STALE = {
    'stale_close': [CLOSE],
    'stale_reset': [RESET],
    'stale_partial': [b'HTTP/1.1 20', CLOSE],
    'stale_stall': [STALL],
}
