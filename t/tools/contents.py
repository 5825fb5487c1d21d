"""What a reply of the stand-in says, and every way in which that is wrong.

Knows nothing of how it travels: see faults.py.
"""

import json
import time


MESSAGES = {
    -1: 'system error', 40002: 'invalid grant_type', 40013: 'invalid appid',
    40029: 'invalid code', 40125: 'invalid appsecret',
    40163: 'code been used', 40164: 'invalid ip 192.0.2.1, not in whitelist',
    40226: 'code blocked', 40243: 'appsecret frozen',
    41002: 'appid missing', 41004: 'appsecret missing',
    41008: 'missing code', 43001: 'require GET method',
    45009: 'reach max api daily quota limit',
    45011: 'api minute-quota reach limit, must slower, retry next minute',
}


def compact(value):
    return json.dumps(value, separators=(',', ':')).encode()


def error(errcode, message=None):
    message = message or MESSAGES.get(errcode, 'error')
    rid = '%08x-%08x-%08x' % (int(time.time()), 0x4157f271, 0x729ca238)
    return compact({'errcode': errcode,
                    'errmsg': '%s, rid: %s' % (message, rid)})


def evil():
    return compact({'session_key': 'AAAAAAAAAAAAAAAAAAAAAA==',
                    'openid': 'EVIL'})


# What is in the reply: name -> body made of a good one (a dict)

def change(**members):
    return lambda good: compact({**good, **members})


def edit(function):
    return lambda good: function(compact(good))


def add(text):
    """One more member at the end, as raw bytes."""
    return edit(lambda body: body[:-1] + b',' + text + b'}')


def raw_openid(text):
    return lambda good: b'{"session_key":"%s","openid":%s}' % (
        good['session_key'].encode(), text)


CONTENT = {
    'json_cut': edit(lambda body: body[:-1]),
    'json_open': edit(lambda body: b'{'),
    'json_comma': edit(lambda body: body[:-1] + b',}'),
    'json_single': edit(lambda body: body.replace(b'"', b"'")),
    'json_comment': edit(lambda body: b'/* x */' + body),
    'html': edit(lambda body: b'<html><body>Log in to this hotel</body>'),
    'trailing': edit(lambda body: body + b'x'),
    'trailing_object': edit(lambda body: body + body),
    'trailing_space': edit(lambda body: body + b' \r\n\t'),
    'trailing_nul': edit(lambda body: body + b'\0'),
    'leading_space': edit(lambda body: b' \r\n\t' + body),
    'leading_nul': edit(lambda body: b'\0' + body),
    'nul_between': edit(lambda body: body.replace(b',', b',\0')),
    'bom': edit(lambda body: b'\xef\xbb\xbf' + body),
    'utf16': edit(lambda body: body.decode().encode('utf-16')),
    'array': edit(lambda body: b'[' + body + b']'),
    'string': edit(lambda body: b'"ok"'),
    'number': edit(lambda body: b'1'),
    'null': edit(lambda body: b'null'),
    'object_empty': edit(lambda body: b'{}'),
    'deep_64': add(b'"x":' + b'[' * 64 + b']' * 64),
    'deep_6000': add(b'"x":' + b'[' * 6000 + b']' * 6000),
    'deep_open': edit(lambda body: b'[' * 12000),
    'many_members': add(b','.join(b'"m%d":%d' % (i, i)
                                  for i in range(1000))),
    'number_huge': add(b'"x":1e999'),
    'bad_utf8': add(b'"x":"\xff\xfe"'),
    'bad_escape': add(b'"x":"\\q"'),
    'surrogate': add(b'"x":"\\ud800"'),
    'raw_newline': add(b'"x":"a\nb"'),
    'extra_members': change(expires_in=7200, other={'openid': 'no'}),

    'dup_openid': add(b'"openid":"EVIL"'),
    'dup_unionid': add(b'"unionid":"a","unionid":"EVIL"'),
    'dup_session_key': add(b'"session_key":"EVIL"'),
    'dup_errcode': add(b'"errcode":0,"errcode":40029'),
    'dup_escaped': add(b'"openi\\u0064":"EVIL"'),

    'openid_missing': lambda good: compact(
        {'session_key': good['session_key']}),
    'openid_upper': lambda good: compact({'OPENID': good['openid']}),
    'openid_key_nul': lambda good: compact({'openid\0x': good['openid']}),
    'openid_number': change(openid=12345),
    'openid_null': change(openid=None),
    'openid_true': change(openid=True),
    'openid_object': change(openid={'a': 'b'}),
    'openid_array': change(openid=['a']),
    'openid_empty': change(openid=''),
    'openid_1': change(openid='a'),
    'openid_128': change(openid='a' * 128),
    'openid_129': change(openid='a' * 129),
    'openid_charset': change(openid='aZ09_-.'),
    'openid_space': change(openid='a b'),
    'openid_slash': change(openid='a/b'),
    'openid_utf8': change(openid='\u4e2d'),
    'openid_crlf': change(openid='a\r\nX-Evil: 1'),
    'openid_raw_crlf': raw_openid(b'"a\r\nX-Evil: 1"'),
    'openid_nul': change(openid='admin\0x'),
    'openid_raw_nul': raw_openid(b'"admin\0x"'),
    'openid_escaped': lambda good: raw_openid(
        b'"' + b''.join(b'\\u%04x' % ord(c) for c in good['openid'])
        + b'"')(good),

    'unionid_null': change(unionid=None),
    'unionid_number': change(unionid=5),
    'unionid_empty': change(unionid=''),
    'unionid_128': change(unionid='u' * 128),
    'unionid_129': change(unionid='u' * 129),
    'unionid_crlf': change(unionid='a\r\nX-Evil: 1'),
    'unionid_nul': change(unionid='a\0b'),

    'session_key_number': change(session_key=5),
    'session_key_null': change(session_key=None),
    'session_key_empty': change(session_key=''),
    'session_key_64': change(session_key='A' * 64),
    'session_key_65': change(session_key='A' * 65),
    'session_key_charset': change(session_key='a b*'),
    'session_key_crlf': change(session_key='AAAA\r\nX-Evil: 1'),

    'errcode_zero': change(errcode=0, errmsg='ok'),
    'errcode_alone': lambda good: compact({'errcode': 0, 'errmsg': 'ok'}),
    'errcode_with_openid': change(errcode=40029, errmsg='invalid code'),
    'errcode_string': lambda good: compact(
        {'errcode': '40029', 'errmsg': 'invalid code'}),
    'errcode_string_zero': change(errcode='0'),
    'errcode_null': change(errcode=None),
    'errcode_false': change(errcode=False),
    'errcode_object': change(errcode={}),
    'errcode_float': lambda good: compact(
        {'errcode': 40029.5, 'errmsg': 'invalid code'}),
    'errcode_small': change(errcode=0.5),
    'errcode_exponent': lambda good: b'{"errcode":4.0029e4,"errmsg":"x"}',
    'errcode_huge': lambda good: b'{"errcode":1e300,"errmsg":"x"}',
    'errcode_unknown': lambda good: error(99999, 'something new'),

    'errmsg_missing': lambda good: compact({'errcode': 40029}),
    'errmsg_number': lambda good: compact({'errcode': 40029, 'errmsg': 5}),
    'errmsg_quotes': lambda good: error(40029, 'a "b" \\ c / d'),
    'errmsg_crlf': lambda good: error(40029, 'a\r\n2026/01/01 [alert] b'),
    'errmsg_nul': lambda good: error(40029, 'a\0b'),
    'errmsg_html': lambda good: error(40029, '<script>alert(1)</script>'),
    'errmsg_utf8': lambda good: '{"errcode":40029,"errmsg":"无效 code"}'
    .encode(),
    'errmsg_long': lambda good: error(40029, 'a' * 8000),
    'errmsg_old': lambda good: b'{"errcode":40029,"errmsg":"invalid code, '
    b'view more at http:\\/\\/t.cn\\/RAEkdVq, hints: [ req_id: x ]"}',
}
