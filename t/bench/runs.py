"""All gateways, started; and one run of one job by one of them.  Knows
nothing of what is compared with what.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import resource
import subprocess
import sys
import time

import gateways
import module
from client import Client
from servers import DEBIAN_MODULES, HERE, MODULE, cpu

TOKENS = 2000       # in turn: many more than a worker remembers
JWT_KEY = '0123456789abcdef0123456789abcdef'
LOADED = {
    'module': [MODULE],
    'bare': [MODULE],
    'lua': [DEBIAN_MODULES + 'ndk_http_module.so',
            DEBIAN_MODULES + 'ngx_http_lua_module.so'],
    'njs': [DEBIAN_MODULES + 'ngx_http_js_module.so'],
}

# job, gateway, path there; "go" alone is its own application

RUNS = [
    ('plain', 'plain', '/'),
    ('off', 'module', '/off'),
    ('first', 'module', '/session'),
    *(('session', name, '/session')
      for name in ('module', 'lua', 'njs', 'auth', 'go')),
    *(('hit', name, '/hit') for name in ('module', 'lua', 'auth', 'go')),
    *(('miss', name, '/miss')
      for name in ('module', 'lua', 'njs', 'auth', 'go')),
]

# to compare with alone

OTHER_RUNS = [
    ('off-hit', 'module', '/off'),
    ('miss', 'bare', '/miss'),
]

NAMES = ['wechat', 'backend',
         *dict.fromkeys(name for _, name, _ in RUNS + OTHER_RUNS)]


def jwt():
    """As the module's claims are, signed instead of sealed."""
    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b'=')

    now = int(time.time())
    text = b'.'.join(part(json.dumps(p, separators=(',', ':')).encode())
                     for p in ({'alg': 'HS256', 'typ': 'JWT'},
                               {'sub': module.OPENID, 'aud': module.APPID,
                                'iat': now, 'exp': now + 7200}))
    sign = hmac.new(JWT_KEY.encode(), text, hashlib.sha256).digest()
    return (text + b'.' + part(sign)).decode()


def start(servers):
    servers.keys()
    servers.values['jwt_key'] = JWT_KEY

    with open(HERE + '/identity.js') as js:
        text = js.read()
    for name, value in (('APPID', module.APPID), ('SECRET', module.SECRET),
                        ('JWT_KEY', JWT_KEY)):
        text = text.replace("'%s'" % name, "'%s'" % value)
    servers.path('identity.js', text)

    for name, conf in (
            ('wechat', module.WECHAT), ('backend', module.BACKEND),
            ('plain', module.PLAIN), ('module', module.MODULE),
            ('bare', module.BARE), ('lua', gateways.LUA),
            ('njs', gateways.NJS), ('auth', gateways.AUTH)):
        servers.nginx(name, conf, LOADED.get(name, ()))

    program = servers.dir + '/identity'
    subprocess.run(['go', 'build', '-o', program, HERE + '/identity.go'],
                   check=True, env={**os.environ, 'GO111MODULE': 'off',
                                    'GOCACHE': servers.dir + '/go-cache'})
    process = servers.spawn(
        'go', program, '127.0.0.1:%d' % servers.values['go'],
        'https://127.0.0.1:%d' % servers.values['wechat'],
        servers.values['certs'] + '/ca.pem', module.NAME, module.APPID,
        module.SECRET, JWT_KEY)
    servers.wait_for('go', process)


class Runs:
    """of gateways that start() started, by "at_once" clients."""

    def __init__(self, servers, at_once):
        self.servers = servers
        self.at_once = at_once
        self.count = 0
        self.tokens = {name: jwt() for name in servers.names}
        with Client(servers.values['module']) as client:
            self.tokens['module'] = client.login()
            servers.path('tokens', ''.join(client.login() + '\n'
                                           for _ in range(TOKENS)))

    def header(self, job, name):
        """What the requests of one run bring; codes of 32 characters."""
        if job == 'first':
            return 'X-WX-Session', '@' + self.servers.dir + '/tokens'
        if job in ('session', 'off'):
            return 'X-WX-Session', self.tokens[name]
        if job in ('hit', 'off-hit'):
            return 'X-WX-Code', 'a-code-that-is-known-%011d' % self.count
        return 'X-WX-Code', 'a-code-of-run-%07d-*' % self.count

    def ours(self):
        """Seconds of CPU that the servers and the clients took."""
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return ended.ru_utime + ended.ru_stime + time.process_time() + cpu(
            sum(self.servers.pids.values(), [])) / 1e9

    def check(self):
        """All of them must do the job, or comparing is idle."""
        for job, name, path in RUNS + OTHER_RUNS:
            for good in True, False:
                header, value = self.header(job, name)
                if job == 'first':
                    continue
                if not good:
                    if job != 'session':
                        continue
                    value = value[:-3] + 'AAA'
                said = subprocess.run(
                    ['curl', '-s', '--noproxy', '*', '-H',
                     '%s: %s' % (header, value.replace('*', 'check')),
                     self.servers.url(name, path)],
                    capture_output=True, text=True).stdout.strip()
                wanted = good and job not in ('plain', 'off', 'off-hit')
                if (said == module.OPENID) != wanted:
                    sys.exit('%s by %s: %r' % (job, name, said))
            self.count += 1

    def connections(self):
        """That WeChat and the application took so far."""
        total = 0
        for url in (self.servers.url('backend', '/count'),
                    self.servers.url('wechat', '/count').replace(
                        'http:', 'https:')):
            said = subprocess.run(
                ['curl', '-sS', '--noproxy', '*', '--cacert',
                 self.servers.values['certs'] + '/ca.pem', url],
                check=True, capture_output=True, text=True).stdout
            total += int(said.split()[7])
        return total

    def run(self, job, name, path, seconds):
        """Requests a second, microseconds of CPU a request, p99 in ms."""
        opened = self.connections()
        pids = self.servers.pids[name]
        if name == 'auth':
            pids = pids + self.servers.pids['go']
        header, value = self.header(job, name)
        self.count += 1

        taken = cpu(pids)
        said = subprocess.run(
            ['wrk', '-t1', '-c%d' % self.at_once, '-d%ds' % seconds,
             '--latency', '-s', HERE + '/requests.lua',
             self.servers.url(name, path), '--', header, value],
            check=True, capture_output=True, text=True).stdout
        taken = cpu(pids) - taken

        if 'Non-2xx' in said or 'Socket errors' in said:
            sys.exit('%s by %s:\n%s' % (job, name, said))

        # it would be no comparison with one that does not keep them

        opened = self.connections() - opened
        if opened > 10 * self.at_once:
            sys.exit('%s by %s: opened %d connections' % (job, name, opened))

        requests = int(re.search(r'(\d+) requests in', said)[1])
        rate = float(re.search(r'Requests/sec:\s+([\d.]+)', said)[1])
        p99, unit = re.search(r' 99%\s+([\d.]+)(us|ms|s)', said).groups()
        return {'rate': rate, 'cpu': taken / requests / 1000,
                'p99': float(p99) * {'us': 0.001, 'ms': 1, 's': 1000}[unit]}
