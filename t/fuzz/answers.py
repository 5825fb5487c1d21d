"""Which answers nginx may give a client of t/fuzz/nginx.

From README's table, and from what t/tools/strict.py reads in the reply.
"""

import json
import re

SECRET = 'FUZZSECRET0123456789abcdef012345'

# README's table, as far as WeChat's reply decides
ANSWERS = {
    'invalid_code': 401, 'user_blocked': 403, 'rate_limited': 429,
    'misconfigured': 500, 'bad_gateway': 502, 'wechat_busy': 503,
    'quota_exceeded': 503, 'wechat_timeout': 504,
}
RETRY = {'rate_limited': '60', 'wechat_busy': '1'}
TOLD = {'invalid_code', 'user_blocked', 'rate_limited'}


class Violation(Exception):
    pass


def need(true, text):
    if not true:
        raise Violation(text)


def check_refusal(case, status, head, body):
    answer = json.loads(body)
    error = answer.get('error')
    errmsg = answer.get('errmsg', '')

    need(ANSWERS.get(error) == status, 'no answer of the table')
    need(set(answer) <= {'error', 'errcode', 'errmsg'}
         and (error in TOLD or set(answer) == {'error'}),
         'the client is told too much')
    need(not re.search(r'[\x00-\x1f]', errmsg) and len(errmsg) < 1000,
         'errmsg is as it came')
    need('Cache-Control: no-store' in head, 'no-store is missing')
    need(RETRY.get(error) == field(head, 'Retry-After'),
         'Retry-After')
    need((status == 401) == ('WWW-Authenticate: Bearer' in head),
         'WWW-Authenticate')
    need(not case.upstream, 'refused, and let in')
    need(case.replies, 'refused, and WeChat was not asked')
    need(not case.replies[-1].pristine, 'a good reply was refused')
    return error


def field(head, name):
    found = re.search(r'(?mi)^%s: (.*)\r$' % name, head)
    return found and found[1]


def check_identity(case, body):
    identity = case.identity()
    need(identity, 'an identity that the reply does not give')
    openid, unionid, _ = identity

    if case.path == '/login':
        answer = json.loads(body)
        need((answer['openid'], answer.get('unionid', ''))
             == (openid, unionid), 'another identity')
        return

    wanted = {('X-WX-OPENID', openid), ('X-WX-APPID', 'wxfuzz'),
              ('X-WX-SOURCE', 'wx_client')}
    if unionid:
        wanted.add(('X-WX-UNIONID', unionid))
    need(all(got == sorted(wanted) for got in case.upstream),
         'the upstream got %r' % case.upstream)


def check(case, head, body):
    status = int(head.split(' ', 2)[1])
    need(SECRET not in head and SECRET.encode() not in body,
         'the secret got out')
    if status != 200:
        return check_refusal(case, status, head, body)
    check_identity(case, body)
    return 'identity'
