"""What a reply of WeChat's entitles to, by an independent strict reading.

Reads whole raw replies as RFC 9112 and RFC 8259 have them, with Python's own
JSON, and says which identity they give, if any.  Knows the module's public
rules and nothing of how it follows them: tests compare the two.
"""

import json
import re

MOST = 16 * 1024

STATUS = re.compile(rb'HTTP/1\.([01]) ([1-5]\d\d)(?: [^\r\0]*)?')
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\0]*?)[ \t]*")
CHUNK = re.compile(rb'([0-9A-Fa-f]{1,8})([ \t;][^\x00-\x08\x0a-\x1f\x7f]*)?')
NAME = re.compile(r'[A-Za-z0-9_.-]{1,128}')
KEY = re.compile(r'(?:[A-Za-z0-9+/]{4}){0,15}'
                 r'(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}='
                 r'|[A-Za-z0-9+/]{2}==)')


class Unusable(Exception):
    """The reply gives no identity; the text says why."""


def need(true, why):
    if not true:
        raise Unusable(why)


def line_of(data):
    """A line without its end, CRLF or LF, and what follows it."""
    line, end, rest = data.partition(b'\n')
    need(end, 'cut in a line')
    return line[:-1] if line.endswith(b'\r') else line, rest


def fields_of(data):
    """Fields by name in lower case, and what follows the header."""
    fields = {}
    while True:
        line, data = line_of(data)
        if not line:
            return fields, data
        match = FIELD.fullmatch(line)
        need(match, 'bad field')
        fields.setdefault(match[1].lower(), []).append(match[2].lower())


def header_of(data):
    """Version, status, fields and the rest of the final reply."""
    while True:
        line, data = line_of(data)
        match = STATUS.fullmatch(line)
        need(match, 'bad status line')
        status = int(match[2])
        need(status != 101, 'switched')
        fields, data = fields_of(data)
        if status >= 200:
            return int(match[1]), status, fields, data


def unchunked(data):
    body = b''
    while True:
        line, end, data = data.partition(b'\n')
        match = CHUNK.fullmatch(line[:-1])
        need(end and line.endswith(b'\r') and match, 'bad chunk')
        size = int(match[1], 16)
        if size == 0:
            line, data = line_of(data)
            while line:
                line, data = line_of(data)
            return body, data
        need(len(data) >= size + 2 and data[size:size + 2] == b'\r\n',
             'bad end of chunk')
        body += data[:size]
        data = data[size + 2:]


def framed(data, ended):
    """Status, body and what follows the reply."""
    minor, status, fields, data = header_of(data)
    codings = fields.get(b'transfer-encoding', [])
    lengths = fields.get(b'content-length', [])

    need(not set(fields.get(b'content-encoding', [])) - {b'identity'},
         'encoded')

    if status in (204, 304):
        return status, b'', data

    if codings:
        need(codings == [b'chunked'] and not lengths and minor == 1,
             'bad transfer coding')
        return status, *unchunked(data)

    if lengths:
        need(len(lengths) == 1 and re.fullmatch(rb'\d+', lengths[0]),
             'bad length')
        size = int(lengths[0])
        need(len(data) >= size, 'cut in the body')
        return status, data[:size], data[size:]

    need(ended, 'no end')
    return status, data, b''


def object_of(body):
    def once(pairs):
        members = dict(pairs)
        for name in ('openid', 'unionid', 'session_key', 'errcode'):
            if sum(key == name for key, _ in pairs) > 1:
                members['twice'] = True
        return members

    def never(text):
        raise Unusable(text)

    try:
        # RFC 8259, 8.1: a reader may ignore a byte order mark
        text = body.removeprefix(b'\xef\xbb\xbf').decode('latin-1')
        found = json.loads(text, object_pairs_hook=once, parse_constant=never)
        json.dumps(found, ensure_ascii=False).encode()  # half a surrogate
    except (ValueError, RecursionError) as e:
        raise Unusable('not JSON: %s' % e) from None

    need(isinstance(found, dict), 'no object')
    need('twice' not in found, 'a member twice')
    return found


def optional(found, name, pattern):
    value = found.get(name)
    if value is None or value == '':
        return ''
    need(isinstance(value, str) and len(value) <= 128
         and pattern.fullmatch(value), 'bad ' + name)
    return value


def complete(raw):
    """Whether a reply ends within these bytes, whatever it says."""
    try:
        framed(raw, False)
        return True
    except Unusable:
        return False


def identity(raw, ended):
    """(openid, unionid, session_key) of a reply's bytes, or None.

    "ended": after them the connection was closed, without an error.
    """
    try:
        # what ends within this many bytes ends the same in all
        status, body, _ = framed(raw[:MOST], ended and len(raw) <= MOST)
        need(status == 200, 'status')
        found = object_of(body)
        errcode = found.get('errcode', 0)
        need(isinstance(errcode, (int, float))
             and not isinstance(errcode, bool) and errcode == 0, 'errcode')

        openid = found.get('openid')
        need(isinstance(openid, str) and NAME.fullmatch(openid), 'openid')
        return (openid, optional(found, 'unionid', NAME),
                optional(found, 'session_key', KEY))
    except Unusable:
        return None
