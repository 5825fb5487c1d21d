"""Replies for t/fuzz/nginx: a corpus of good and faulty ones, and what may
become of them on their way.

All follows from the generator of random numbers that is given.  Knows
nothing of nginx or of what a reply is worth.
"""

import itertools
import pathlib
import re

import strict
from contents import CONTENT, compact, error
from faults import (
    CLOSE, RESET, STALL, TRANSPORT, HalfRecord, chunked, chunks, head, plain,
)

CORPUS = pathlib.Path(__file__).parent / 'corpus' / 'http_reply'

LONGEST = 40000

ERRCODES = (-1, 0, 40002, 40013, 40029, 40125, 40163, 40164, 40226, 40243,
            41002, 41004, 41008, 45009, 45011, 43001, 99999)

# what a reader may trip over
WORDS = (
    b'\r\n', b'\n', b'\r', b'\r\n\r\n', b'\0', b' ', b'\t', b':', b';', b',',
    b'"', b'\\', b'{', b'}', b'[', b']', b'0', b'-1', b'1e999', b'null',
    b'\\u0000', b'\\u', b'\xef\xbb\xbf', b'\xff', b'HTTP/1.1 200 OK\r\n',
    b'HTTP/1.1 100 Continue\r\n\r\n', b'HTTP/1.0 200\r\n\r\n',
    b'Content-Length: 0\r\n', b'Content-Length: 5\r\n',
    b'Transfer-Encoding: chunked\r\n', b'Content-Encoding: gzip\r\n',
    b'Connection: close\r\n', b'0\r\n\r\n', b'5\r\nhello\r\n',
    b'"openid":"EVIL"', b',"openid":"EVIL"', b'"errcode":0', b'"errcode":',
    b'"unionid":"u"', b'"session_key":""', b'{"openid":"EVIL"}',
)

HOSTILE = (b'0', b'1', b'00', b'-1', b'+5', b'7fffffff', b'ffffffff',
           b'80000000', b'7fffffffffffffff', b'ffffffffffffffff',
           b'10000000000000000', b'9' * 40, b'0x10', b'1;a=b', b'')


class Reply:
    """Bytes in the pieces they are sent in, and what comes after them."""

    def __init__(self, raw, ending, pieces=None, pristine=False):
        self.raw = raw
        self.ending = ending            # '', CLOSE, RESET or STALL
        self.pieces = pieces or [raw]
        self.pristine = pristine

    def ended(self):
        return self.ending in ('', CLOSE)


def flat(steps):
    """A stand-in's steps as bytes and ending."""
    raw = b''
    for step in steps:
        if isinstance(step, bytes):
            raw += step
        elif isinstance(step, HalfRecord):
            return raw + step.data[:len(step.data) // 2], CLOSE
        elif step in (CLOSE, RESET, STALL):
            return raw, step
        if len(raw) > LONGEST:
            return raw[:LONGEST], CLOSE
    return raw, ''


def makers():
    """The corpus: each makes its reply for an identity, a dict."""
    def travels(make):
        return lambda good: flat(make(compact(good)))

    def says(make):
        return lambda good: flat(plain(make(good)))

    def refuses(errcode):
        return lambda good: flat(plain(error(errcode)))

    def stored(path):
        raw = path.read_bytes()[1:]     # it begins with where to cut
        return lambda good: (raw, CLOSE)

    return [*map(travels, TRANSPORT.values()), *map(says, CONTENT.values()),
            *map(refuses, ERRCODES),
            *map(stored, sorted(CORPUS.iterdir()))]


SEEDS = makers()


def pristine(rng, good):
    """A reply as WeChat sends it, whatever the pieces."""
    body = compact(good)
    steps = rng.choice([plain(body), chunked(chunks(body, rng.randint(1, 99))
                                             + b'0\r\n\r\n'),
                        [head(None).replace(b'keep-alive', b'close') + body,
                         CLOSE]])
    raw, ending = flat(steps)
    return Reply(raw, ending, cut(rng, raw), True)


# Mutations: bytes to bytes

def flip(rng, raw):
    i = rng.randrange(len(raw))
    return raw[:i] + bytes([raw[i] ^ 1 << rng.randrange(8)]) + raw[i + 1:]


def overwrite(rng, raw):
    i = rng.randrange(len(raw))
    return raw[:i] + bytes([rng.randrange(256)]) + raw[i + 1:]


def insert(rng, raw):
    i = rng.randrange(len(raw) + 1)
    return raw[:i] + rng.choice(WORDS) * rng.choice((1, 1, 1, 2, 50)) + raw[i:]


def some(rng, raw):
    i = rng.randrange(len(raw) + 1)
    return i, min(len(raw), i + rng.choice((1, 2, 4, 16, 64, len(raw))))


def delete(rng, raw):
    i, j = some(rng, raw)
    return raw[:i] + raw[j:]


def repeat(rng, raw):
    i, j = some(rng, raw)
    return raw[:j] + raw[i:j] * rng.choice((1, 1, 2, 30)) + raw[j:]


def truncate(rng, raw):
    return raw[:rng.randrange(len(raw) + 1)]


def header_again(rng, raw):
    """A line of the header somewhere else too, perhaps in capitals."""
    lines = raw.split(b'\r\n')
    end = lines.index(b'') if b'' in lines else len(lines)
    line = rng.choice(lines[:max(end, 1)])
    line = rng.choice((line, line.upper(), line + b', x', b' ' + line))
    lines.insert(rng.randrange(end + 1), line)
    return b'\r\n'.join(lines)


def number(rng, raw):
    """A length, a chunk's size, a status or an errcode that lies."""
    found = list(re.finditer(rb'-?[0-9a-f]+', raw))
    if not found:
        return raw
    match = rng.choice(found)
    value = rng.choice((*HOSTILE, b'%x' % rng.randrange(1 << 16),
                        b'%d' % rng.randrange(1 << 16)))
    return raw[:match.start()] + value + raw[match.end():]


def member(rng, raw):
    """A member of the JSON twice, or with another's value."""
    found = list(re.finditer(rb'"\w+":("[^"]*"|[^,}"]+)', raw))
    if not found:
        return raw
    one, other = rng.choice(found), rng.choice(found)
    text = rng.choice((one[0] + b',' + one[0], one[0] + b',' + other[0],
                       one[0].split(b':')[0] + b':' + other[1]))
    return raw[:one.start()] + text + raw[one.end():]


MUTATIONS = (flip, flip, overwrite, insert, insert, delete, repeat, truncate,
             header_again, number, number, member)


def cut(rng, raw):
    """The pieces that it is sent in.

    What follows the end of a reply goes out with that end: later it could
    meet the next request on a kept connection, and be its answer.
    """
    how = rng.random()
    if how < 0.5 or len(raw) < 2:
        return [raw]
    if how < 0.6 and len(raw) < 1000:
        places = range(1, len(raw))
    else:
        places = sorted({rng.randrange(1, len(raw))
                         for _ in range(rng.choice((1, 1, 2, 5)))})

    places = [0, *itertools.takewhile(
        lambda place: not strict.complete(raw[:place]), places)]
    return [raw[i:j] for i, j in zip(places, [*places[1:], len(raw)])]


def mutated(rng, good):
    if rng.random() < 0.5:
        first = pristine(rng, good)
        raw, ending = first.raw, first.ending
    else:
        raw, ending = rng.choice(SEEDS)(good)

    for _ in range(rng.choice((0, 1, 1, 1, 1, 2, 2, 3, 6))):
        if rng.random() < 0.1:
            other = rng.choice(SEEDS)(good)[0]
            raw = truncate(rng, raw) + other[rng.randrange(len(other) + 1):]
        elif raw:
            raw = rng.choice(MUTATIONS)(rng, raw)
        raw = raw[:LONGEST]

    if rng.random() < 0.2:
        ending = rng.choice(('', CLOSE, CLOSE, RESET))
    elif ending == STALL and rng.random() < 0.7:
        ending = CLOSE
    return Reply(raw, ending, cut(rng, raw))


def reply(rng, good):
    return pristine(rng, good) if rng.random() < 0.1 else mutated(rng, good)
