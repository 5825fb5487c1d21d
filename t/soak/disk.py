"""Whether a secret lies in a file of nginx's."""

import re
import urllib.parse

import expect

SECRETS = {'secret', 'keys.json'}       # they are there to be read

CODE = re.compile(r'(?:0c0de0|1inkc0de)')
TOKEN = 'eyJhbGciOiJBMjU2S1ci'
KEY = re.compile(r'(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{22}==')

# nginx's own lines have a request's line, arguments included, once we are
# through with its code; README says so
LINKS = re.compile(r'(?:request|upstream): "[^"]*1inkc0de[^"]*"')


def found_in(text, secrets, keys):
    plain = urllib.parse.unquote(text).replace('\\/', '/')

    for line in plain.splitlines():
        if 'wx_openid: ' not in line:
            line = LINKS.sub('', line)
        for what, true in (
                ('a code', CODE.search(line)), ('a token', TOKEN in line),
                ('a secret', any(secret in line for secret in secrets)),
                ('a session_key', keys.intersection(KEY.findall(line)))):
            if true:
                yield what, line


def findings(folder, secrets, codes):
    """What was found where, in words."""
    keys = {expect.WECHAT.session_key(expect.APPID, code) for code in codes}
    wrong = []

    for path in sorted(folder.rglob('*')):
        if not path.is_file() or path.name in SECRETS:
            continue
        if path.parent.name == 'temp':
            wrong.append('%s was left' % path.name)
        for what, line in found_in(path.read_text('latin-1'), secrets, keys):
            wrong.append('%s has %s: %s' % (path.name, what, line[:300]))
    return wrong
