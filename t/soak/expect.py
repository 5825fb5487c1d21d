"""Which answer a request of the soak must get.

From README's tables, from what the stand-in would send for a code, and from
t/tools/strict.py's reading of it.
"""

import importlib.machinery
import importlib.util
import json
import pathlib

import strict
from contents import CONTENT, compact
from faults import CLOSE, NOTIFY, STALE, TRANSPORT, HalfRecord, plain

TOOLS = pathlib.Path(__file__).resolve().parents[1] / 'tools'


def program(name):
    """A program of t/tools as a module; it has no .py."""
    loader = importlib.machinery.SourceFileLoader(name, str(TOOLS / name))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


WECHAT = program('wechat')

APPID = 'wxsoak'

FAULTS = sorted([*TRANSPORT, *CONTENT])

# these a stand-in gives once; then the code is used
ONCE = {'good', 'union', 'zero', 'bare'}

# no exchange may ever be seen there
BAD_LINES = ('wrong', 'expired', 'revoked', 'untrusted', 'old', 'evil',
             'dead', 'full', 'mute')

ERRCODES = {
    40029: (401, 'invalid_code'), 40163: (401, 'invalid_code'),
    41008: (401, 'invalid_code'), 40226: (403, 'user_blocked'),
    45011: (429, 'rate_limited'), 40013: (500, 'misconfigured'),
    40125: (500, 'misconfigured'), 41002: (500, 'misconfigured'),
    41004: (500, 'misconfigured'), 40164: (500, 'misconfigured'),
    40243: (500, 'misconfigured'), 40002: (500, 'misconfigured'),
    -1: (503, 'wechat_busy'), 45009: (503, 'quota_exceeded'),
    99999: (502, 'bad_gateway'),
}

TABLE = {*ERRCODES.values(), (504, 'wechat_timeout')}


def told(request):
    try:
        found = json.loads(request.answer)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def name(request):
    if request.lost:
        return request.lost
    return ('%d %s' % (request.status, told(request).get('error', ''))).strip()


def session(request):
    return told(request).get('session', '') if request.status == 200 else ''


# identities

def given(code):
    """(openid, unionid, session_key) that a code is good for, or None."""
    key = WECHAT.session_key(APPID, code)
    openid = WECHAT.openid(APPID, code)
    kind, _, rest = code.partition('-')

    if kind != 'fault':
        return (openid, WECHAT.unionid(code) if kind == 'union' else '',
                '' if kind == 'bare' else key)

    fault = rest.split('-')[0]
    good = {'session_key': key, 'openid': openid}
    steps = (plain(CONTENT[fault](good)) if fault in CONTENT
             else TRANSPORT[fault](compact(good)))
    raw = b''
    for step in steps:
        if step == NOTIFY:
            continue
        if isinstance(step, bytes):
            raw += step
        elif isinstance(step, HalfRecord):
            raw += step.data[:len(step.data) // 2]
        elif isinstance(step, str):
            return strict.identity(raw, step == CLOSE)
    return strict.identity(raw, False)


def header(code, path):
    """X-Expect for t/soak/upstream."""
    identity = given(code)
    if identity is None:
        return 'never'
    openid, unionid, key = identity
    return ';'.join((openid, unionid, key if path == '/key' else ''))


# judges: what is wrong with an answer, or None

def identity(code):
    openid, unionid, _ = given(code)

    def judge(request):
        answer = told(request)
        if request.status == 200 and answer.get('openid') == openid \
                and answer.get('unionid', '') == unionid:
            return None
        return 'not the identity: %s %s' % (name(request),
                                            answer.get('openid'))
    return judge


def refusal(status, error):
    def judge(request):
        if request.status == status and told(request).get('error') == error:
            return None
        return 'not %d %s: %s' % (status, error, name(request))
    return judge


def refused_by(errcode):
    return refusal(*ERRCODES[errcode])


def failure(request):
    return (request.status, told(request).get('error')) in TABLE


def identity_or_failure(code):
    """Where the line may be down."""
    is_identity = identity(code)

    def judge(request):
        if request.status in (502, 504) and failure(request):
            return None
        return is_identity(request)
    return judge


# such a reply takes long, or has a kept connection to fail on
MAY_FAIL = {*STALE, 'late', 'chunked_one', 'slow_header', 'slow_body',
            'slow_all'}


def fault(name_, code):
    if given(code) is None:
        return refused_somehow
    if name_ in MAY_FAIL:
        return identity_or_failure(code)
    return identity(code)


def refused_somehow(request):
    return None if failure(request) else 'not refused: ' + name(request)


def no_line(request):
    if request.status in (502, 504) and failure(request):
        return None
    return 'not a failure of the line: ' + name(request)


def anonymous(request):
    if request.status == 200 and not told(request).get('openid'):
        return None
    return 'not anonymous: ' + name(request)
