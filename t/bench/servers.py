"""The servers of a benchmark: free ports, nginx with few workers, other
programs, certificates, and what CPU and memory they took.  Knows nothing of
what is measured.
"""

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.realpath(os.path.dirname(__file__) + '/../..')
HERE = ROOT + '/t/bench'
MODULE = ROOT + '/build/ngx_http_wx_openid_module.so'
COMMAND = ROOT + '/build/wx-openid'
DEBIAN_MODULES = '/usr/lib/nginx/modules/'
NGINX = os.environ.get('TEST_NGINX_BINARY') or shutil.which(
    'nginx', path=os.environ['PATH'] + ':/usr/sbin')

CONF = '''
%(load)s
daemon off;
worker_processes %(workers)d;
pid %(dir)s/%(name)s.pid;
error_log %(dir)s/%(name)s.log warn;
events { worker_connections %(connections)d; }
http {
    access_log off;
    keepalive_requests 100000000;
    keepalive_timeout 1h;
    client_body_temp_path %(dir)s/b; proxy_temp_path %(dir)s/p;
    fastcgi_temp_path %(dir)s/f; uwsgi_temp_path %(dir)s/u;
    scgi_temp_path %(dir)s/s;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    %(http)s
}
'''


def tasks(pid):
    return os.listdir('/proc/%d/task' % pid)


def cpu(pids):
    """Nanoseconds that these processes ran, in all their threads."""
    total = 0
    for pid in pids:
        for task in tasks(pid):
            with open('/proc/%d/task/%s/schedstat' % (pid, task)) as stat:
                total += int(stat.read().split()[0])
    return total


def busy():
    """Seconds that all CPUs together had work since they started."""
    with open('/proc/stat') as stat:
        user, nice, system, _, _, irq, softirq, steal = [
            int(n) for n in stat.readline().split()[1:9]]
    return (user + nice + system + irq + softirq + steal) / os.sysconf(
        'SC_CLK_TCK')


def memory(pid):
    """Bytes of heap and stack, also where a parent has the same."""
    with open('/proc/%d/smaps_rollup' % pid) as rollup:
        for line in rollup:
            if line.startswith('Anonymous:'):
                return int(line.split()[1]) * 1024


class Servers:
    """As a context: the folder and all processes end with it."""

    def __init__(self, names):
        self.processes = []
        self.pids = {}
        self.values = {}
        self.names = names

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix='wx_openid.')
        os.chmod(self.dir, 0o755)

        # many clients have many descriptors, where the machine lets them
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

        self.values = {'dir': self.dir, 'certs': self.dir + '/certs',
                       'connections': min(most - 64, 32768)}

        # all at once, lest two get the same
        socks = [socket.create_server(('127.0.0.1', 0)) for _ in self.names]
        for name, s in zip(self.names, socks):
            self.values[name] = s.getsockname()[1]
            s.close()

        subprocess.run([HERE + '/../tools/make-certs', self.values['certs']],
                       check=True)
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            self.stop(process)
        shutil.rmtree(self.dir)

    def stop(self, process):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait()

    def path(self, name, text):
        """A new file of that text, with our values filled in."""
        path = '%s/%s' % (self.dir, name)
        with open(path, 'w') as out:
            out.write(text)
        return path

    def keys(self):
        keys = subprocess.run([COMMAND, 'keygen'], check=True,
                              capture_output=True, text=True).stdout
        os.chmod(self.path('keys.json', keys), 0o600)

    def spawn(self, name, *command, **options):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                   **options)
        self.processes.append(process)
        self.pids[name] = [process.pid]
        return process

    def nginx(self, name, http, modules=(), under=(), workers=1):
        """Starts one, also under another program, till it serves; its pids
        are those of its workers."""
        values = {**self.values, 'name': name, 'workers': workers,
                  'load': '\n'.join('load_module %s;' % m for m in modules)}
        values['http'] = http % values
        conf = self.path(name + '.conf', CONF % values)
        log = '%s/%s.log' % (self.dir, name)

        process = self.spawn(name, *under, NGINX, '-p', self.dir, '-c', conf,
                             '-e', log)
        self.wait_for(name, process)
        self.pids[name] = self.children(process.pid, workers)
        return process

    def children(self, master, count):
        path = '/proc/%d/task/%d/children' % (master, master)
        for _ in range(600):
            with open(path) as children:
                pids = children.read().split()
            if len(pids) == count:
                return [int(pid) for pid in pids]
            time.sleep(0.05)
        sys.exit('the workers do not start')

    def wait_for(self, name, process):
        for _ in range(1200):
            try:
                socket.create_connection(
                    ('127.0.0.1', self.values[name])).close()
                return
            except OSError:
                if process.poll() is not None:
                    break
                time.sleep(0.05)
        sys.exit('%s does not listen' % name)

    def url(self, name, path='/'):
        return 'http://127.0.0.1:%d%s' % (self.values[name], path)
