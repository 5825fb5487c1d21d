"""An nginx that a program of the tests starts, looks at and ends.

Knows processes, files and signals; nothing of what is configured.
"""

import os
import pathlib
import re
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]

TEMP = ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi')


def until(true, seconds):
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def free_ports(n):
    """Below those that the kernel gives to outgoing connections."""
    ports = []
    while len(ports) < n:
        port = 10000 + int.from_bytes(os.urandom(2), 'big') % 22000
        with socket.socket() as sock:
            try:
                sock.bind(('127.0.0.1', port))
            except OSError:
                continue
        if port not in ports:
            ports.append(port)
    return ports


def state(pid):
    """The letter of ps; X of one that is gone."""
    try:
        text = pathlib.Path('/proc/%d/stat' % pid).read_text()
    except OSError:
        return 'X'
    return text.rsplit(')', 1)[1].split()[0]


def running(pid):
    """One that only waits to be reaped runs no more."""
    return state(pid) not in 'ZX'


def children(pid):
    try:
        text = pathlib.Path('/proc/%d/task/%d/children'
                            % (pid, pid)).read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


def title(pid):
    try:
        text = pathlib.Path('/proc/%d/cmdline' % pid).read_bytes()
    except OSError:
        return ''
    return text.replace(b'\0', b' ').decode('latin-1').strip()


def rss(pid):
    """In kilobytes; 0 of one that is gone."""
    try:
        text = pathlib.Path('/proc/%d/status' % pid).read_text()
    except OSError:
        return 0
    match = re.search(r'VmRSS:\s+(\d+)', text)
    return int(match[1]) if match else 0


def files(pid):
    """What the process has open: descriptor to name."""
    found = {}
    try:
        for name in os.listdir('/proc/%d/fd' % pid):
            try:
                found[int(name)] = os.readlink('/proc/%d/fd/%s' % (pid, name))
            except OSError:
                pass
    except OSError:
        pass
    return found


class Nginx:
    """binary: its path; module: of the module, '' where it is built in."""

    def __init__(self, folder, binary, module=''):
        self.dir = pathlib.Path(folder)
        self.binary = binary
        self.module = module
        self.dir.mkdir(parents=True, exist_ok=True)

    def configure(self, main, http):
        lines = ['pid nginx.pid;', 'error_log error.log info;']
        if self.module:
            lines.insert(0, 'load_module %s;' % self.module)
        if os.getuid() == 0:
            lines.append('user root;')
        temp = ''.join('    %s_temp_path temp;\n' % name for name in TEMP)
        text = '\n'.join([*lines, main, 'http {', temp, http, '}', ''])
        (self.dir / 'nginx.conf').write_text(text)

    def command(self, *args):
        return [self.binary, '-p', '%s/' % self.dir, '-c',
                str(self.dir / 'nginx.conf'), '-e',
                str(self.dir / 'error.log'), *args]

    def start(self, env):
        """Under "daemon on": returns when it listens."""
        done = subprocess.run(self.command(), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False,
                              env={**os.environ, **env})
        if done.returncode:
            raise RuntimeError('nginx did not start\n%s%s'
                               % (done.stderr, self.log()))
        if not until(lambda: self.pid() and self.workers(), 20):
            raise RuntimeError('no worker came\n' + self.log())

    def pid(self, name='nginx.pid'):
        try:
            return int((self.dir / name).read_text())
        except (OSError, ValueError):
            return 0

    def workers(self, master=None):
        """Those that still let clients in."""
        return [pid for pid in children(master or self.pid())
                if re.search(r'worker process$', title(pid))]

    def signal(self, name):
        os.kill(self.pid(), getattr(signal, 'SIG' + name))

    def log(self):
        try:
            return (self.dir / 'error.log').read_text('latin-1')
        except OSError:
            return ''

    def stop(self, name='QUIT', seconds=20):
        """False: it had to be killed."""
        pid = self.pid()
        if not pid or not running(pid):
            return True
        family = [pid, *children(pid)]
        os.kill(pid, getattr(signal, 'SIG' + name))
        if until(lambda: not any(map(running, family)), seconds):
            return True
        for each in filter(running, family):
            os.kill(each, signal.SIGKILL)
        return False


def debian_nginx():
    for folder in (*os.environ.get('PATH', '').split(':'), '/usr/sbin'):
        if os.access(folder + '/nginx', os.X_OK):
            return folder + '/nginx'
    raise SystemExit('no nginx found')


def sanitizer_env(folder):
    """Reports go to FOLDER/report.*, which reports() reads."""
    options = 'detect_leaks=0,log_path=%s/report' % folder
    return {'ASAN_OPTIONS': options,
            'UBSAN_OPTIONS': 'print_stacktrace=1,log_path=%s/report' % folder}


def reports(folder):
    return ''.join(path.read_text('latin-1') for path in
                   sorted(pathlib.Path(folder).glob('report*')))
