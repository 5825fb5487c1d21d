"""Runs a soak: servers, nginx, clients, and what is done to them meanwhile;
gathers the evidence that t/soak/checks.py judges and report.py shows.

Two thirds are a storm, with reloads, kills and one binary upgrade.  Then,
under the same load, a calm shows whether workers that live longer grow.
"""

import argparse
import ctypes
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

import config
import disk
import expect
import nginx
import report
import sockets

ROOT = nginx.ROOT
TOOLS = ROOT / 't' / 'tools'
SOAK = ROOT / 't' / 'soak'

SAMPLE, FLAP = 0.5, 1.5

PR_SET_CHILD_SUBREAPER = 36


def fetch(port, path):
    with urllib.request.urlopen('http://127.0.0.1:%d%s' % (port, path),
                                timeout=10) as answer:
        return json.load(answer)


class Tool:
    """A program that prints its ports and "ready", and ends with its
    standard input."""

    def __init__(self, *command):
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self.ports = {}
        for line in self.process.stdout:
            if line == 'ready\n':
                return
            name, port = line.split()
            self.ports[name] = int(port)
        raise RuntimeError('%s did not start' % command[0])

    def control(self, what):
        url = 'http://127.0.0.1:%d/_ctl/%s' % (self.ports['ctl'], what)
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read().decode()

    def end(self, seconds=60):
        """The rest of what it prints."""
        try:
            return self.process.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.communicate()[0]


class Soak:
    def __init__(self, args, folder):
        self.args = args
        self.dir = folder
        self.rng = random.Random(args.seed)
        self.server = nginx.Nginx(folder / 'nginx', args.nginx, args.module)
        self.evidence = {
            'kills': [], 'hups': [], 'upgrade': None, 'samples': [],
            'ttl': config.TTL, 'error_ttl': config.ERROR_TTL,
            'rss_share': 1.1 if 'asan' in args.nginx else 1.02,
        }
        self.phase = 'early'
        self.upgrading = None

    # starting

    def start(self):
        certs = self.dir / 'certs'
        subprocess.run([TOOLS / 'make-certs', certs], check=True)
        self.secrets = config.secrets(self.server.dir)
        self.journal = self.dir / 'journal'

        self.wechat = Tool(
            TOOLS / 'wechat', '--journal', self.journal, '--app',
            'wxsoak=' + self.secrets[0],
            *config.listeners(certs))
        self.dns = Tool(TOOLS / 'dns')
        self.dns.control('set?name=wechat.test&a=127.0.0.1')
        self.upstream = Tool(SOAK / 'upstream', '--listen', 'APP=127.0.0.1:0')

        self.ports = {**self.wechat.ports, **self.upstream.ports,
                      'DNS': self.dns.ports['PORT']}
        self.http1, self.http2 = nginx.free_ports(2)
        main, http = config.nginx(self.ports, self.http1, self.http2, certs,
                                  self.args.nginx)
        self.server.configure(main, http)
        self.server.start(self.environment())
        self.file_names = sockets.names(self.server.pid(), self.ports)
        self.worker_names = sockets.names(self.server.workers()[0],
                                          self.ports)

    def environment(self):
        env = nginx.sanitizer_env(self.dir)
        env['ASAN_OPTIONS'] += ',quarantine_size_mb=8'
        return env

    def start_load(self):
        self.load = Tool(SOAK / 'load', '--http1', self.http1, '--http2',
                         self.http2, '--tasks', self.args.tasks, '--seed',
                         self.args.seed)

    # what is done to it

    def reload(self):
        if self.upgrading != 'starting':
            self.evidence['hups'].append(time.time())
            self.server.signal('HUP')

    def kill(self):
        """A worker, stopped first so that its connections can be told."""
        if self.upgrading:
            return
        pid = self.rng.choice(self.server.workers() or [0])
        if not pid:
            return
        os.kill(pid, signal.SIGSTOP)
        nginx.until(lambda: nginx.state(pid) in 'TZX', 2)
        ports = sockets.ends(pid, self.ports)
        self.evidence['kills'].append({'time': time.time(), 'pid': pid,
                                       'ports': ports})
        os.kill(pid, signal.SIGKILL)

    def flap(self):
        self.dns.control('set?name=wechat.test&' + self.rng.choice(
            ('a=127.0.0.1', 'a=127.0.0.1', 'a=127.0.0.2',
             'a=127.0.0.2,127.0.0.1', 'is=nxdomain', 'is=servfail',
             'is=silent', 'a=127.0.0.1&ms=300')))

    def upgrade(self):
        """One step at a time; True when it is done."""
        server = self.server
        if self.upgrading is None:
            self.old = server.pid()
            self.upgrade_start = time.time()
            os.kill(self.old, signal.SIGUSR2)
            self.upgrading = 'starting'
        elif self.upgrading == 'starting':
            if server.pid() not in (0, self.old) and server.workers():
                os.kill(self.old, signal.SIGWINCH)
                self.upgrading = 'retiring'
        elif self.upgrading == 'retiring':
            workers = [pid for pid in nginx.children(self.old)
                       if 'worker' in nginx.title(pid)]
            if not workers:
                os.kill(self.old, signal.SIGQUIT)
                self.upgrading = 'ending'
        elif not nginx.running(self.old):
            self.upgrading = None
            self.evidence['upgrade'] = self.upgrade_start, time.time()
            return True
        return False

    def sample(self):
        master = self.server.pid()
        workers = [nginx.rss(pid) for pid in self.server.workers()]
        status = self.status()
        self.evidence['samples'].append({
            'phase': self.phase, 'time': time.time(),
            'master': nginx.rss(master), 'workers': workers,
            'entries': status['cache']['entries'],
            'evictions': status['cache']['evictions']})

    def status(self):
        try:
            return fetch(self.http1, '/status')
        except (OSError, ValueError, http.client.HTTPException):
            # its worker was killed
            return {'cache': {'entries': 0, 'evictions': 0},
                    'exchanges': {'in_flight': -1}}

    def run(self):
        seconds = self.args.minutes * 60
        begin = time.monotonic()
        due = {self.reload: self.args.reload, self.kill: self.args.kill,
               self.sample: SAMPLE, self.flap: FLAP}
        pauses = dict(due)
        calm, settled, upgraded = seconds * 2 / 3, seconds * 3 / 4, False

        while (now := time.monotonic() - begin) < seconds:
            for do, at in due.items():
                if now >= at:
                    due[do] = max(now, at + pauses[do])
                    if now < calm or do in (self.sample, self.flap):
                        do()
            if now > seconds * 0.15 and not upgraded:
                upgraded = self.upgrade()
            self.phase = ('calm' if now > settled else
                          'settling' if now > calm else
                          'storm' if upgraded else 'early')
            time.sleep(0.05)

    # the end

    def finish(self):
        evidence = self.evidence
        evidence['load'] = json.loads(self.load.end())
        nginx.until(self.idle, 20)
        evidence['in_flight'] = self.in_flight()
        evidence['worker_files'] = {
            pid: sockets.strange(sockets.names(pid, self.ports),
                                 self.worker_names)
            for pid in self.server.workers()}
        evidence['master_files'] = (
            self.file_names, sockets.names(self.server.pid(), self.ports))
        evidence['journal'] = self.exchanges()
        old = self.probe('a')
        evidence['ended'] = self.server.stop()
        evidence['disk'] = disk.findings(
            self.server.dir, self.secrets,
            {entry['code'] for entry in self.exchanges()})

        # the same of a new zone
        evidence['log'] = self.server.log()
        self.server.start(self.environment())
        evidence['zone'] = (self.probe('b'), old)
        evidence['ended'] &= self.server.stop()

        evidence['reports'] = nginx.reports(self.dir)
        evidence['upstream'] = json.loads(self.upstream.control('report'))
        seen = {re.match(r'fault-(\w+)', entry['code'])
                for entry in evidence['journal']} - {None}
        names = {m[1] for m in seen}
        evidence['faults'] = len(names) / len(expect.FAULTS)

    def in_flight(self):
        return self.status()['exchanges']['in_flight']

    def idle(self):
        return self.in_flight() == 0 and not any(
            sockets.strange(sockets.names(pid, self.ports),
                            self.worker_names)
            for pid in self.server.workers())

    def exchanges(self):
        return [json.loads(line) for line
                in self.journal.read_text().splitlines()]

    def probe(self, name):
        """How many entries the zone holds when it is full of the same, of
        one cell and of two; 0 when nginx does not serve."""
        for form in 'err-40029-0c0de0-%s-%%d', 'union-0c0de0-%s-%%d':
            subprocess.run(
                [TOOLS / 'flood', '--port', str(self.http1), '--path',
                 '/probe', '--clients', '8', '--make',
                 form % name + ',2200'], check=False,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return self.status()['cache']['entries']

    def clean_up(self):
        for name in 'nginx.pid', 'nginx.pid.oldbin':
            pid = self.server.pid(name)
            if pid and nginx.running(pid):
                os.kill(pid, signal.SIGTERM)
        for name in 'load', 'wechat', 'dns', 'upstream':
            if tool := getattr(self, name, None):
                tool.end(10)


def main():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument('--minutes', type=float, default=5)
    parser.add_argument('--nginx', default=None)
    parser.add_argument('--module', default='')
    parser.add_argument('--reload', type=float, default=2)
    parser.add_argument('--kill', type=float, default=30)
    parser.add_argument('--tasks', type=int, default=48)
    parser.add_argument('--seed', type=int,
                        default=random.SystemRandom().randrange(10 ** 6))
    parser.add_argument('--keep', action='store_true')
    args = parser.parse_args()
    args.nginx = args.nginx or nginx.debian_nginx()

    # what nginx leaves behind when it is upgraded shall be ours to end
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)

    folder = pathlib.Path(tempfile.mkdtemp(prefix='wx_openid_'))
    soak = Soak(args, folder)
    print('soak: %s, --seed=%d' % (args.nginx, args.seed), flush=True)
    try:
        soak.start()
        soak.start_load()
        soak.run()
        soak.finish()
        failed = report.judge(soak.evidence, args.minutes)
    finally:
        soak.clean_up()
        if args.keep:
            print('kept in %s' % folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print('soak: %s' % ('FAILED' if failed else 'ok'))
    sys.exit(failed)
