"""What the test servers share: listeners, a log of requests, a control port,
and a lifetime tied to whoever started them.

Knows nothing of WeChat or of the sample upstream.
"""

import asyncio
import ctypes
import json
import os
import signal
import socket
import ssl
import sys

from conn import Conn


class Listener:
    """NAME=ADDRESS[,option...]; see the heads of the programs."""

    def __init__(self, spec):
        self.name, rest = spec.split('=', 1)
        self.address, *words = rest.split(',')
        self.options = dict((w + '=').split('=')[:2] for w in words)
        self.accepts = 0
        self.handshakes = 0
        self.resumed = 0
        self.open = 0
        self.context = self.tls_context() if 'tls' in self.options else None

    def tls_context(self):
        base = self.options['tls']
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(base + '.crt', base + '.key')
        if 'tls1.1' in self.options:
            context.set_ciphers('DEFAULT:@SECLEVEL=0')
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        if 'tls1.2' in self.options:
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        return context

    def use_certificate(self, name):
        """Another of the same folder; sessions and their keys stay."""
        base = os.path.join(os.path.dirname(self.options['tls']), name)
        self.context.load_cert_chain(base + '.crt', base + '.key')

    def bind(self):
        if self.address.startswith('unix:'):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.bind(self.address[5:])
            self.port = self.address
        else:
            host, port = self.address.rsplit(':', 1)
            host = host.strip('[]')
            self.sock = socket.socket(socket.AF_INET6 if ':' in host
                                      else socket.AF_INET)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.sock.bind((host, int(port)))
            self.port = self.sock.getsockname()[1]

        self.sock.setblocking(False)

        # "dead": bound and not listening, so every connect is refused and
        # nobody else can get the port
        if 'dead' in self.options:
            return False

        # "full": nobody accepts and the queue is full, so a connect hangs
        if 'full' in self.options:
            self.sock.listen(0)
            self.fillers = [socket.socket() for _ in range(4)]
            for filler in self.fillers:
                filler.setblocking(False)
                filler.connect_ex(self.sock.getsockname())
            return False

        self.sock.listen(1024)
        return True

    def counts(self):
        return {'accepts': self.accepts, 'handshakes': self.handshakes,
                'resumed': self.resumed, 'open': self.open}


class Server:
    """Listeners, their log, and the control port.

    A subclass writes serve(conn, req): answer, and return whether the
    connection stays; and may write control(path, args).
    """

    def __init__(self, specs):
        self.listeners = [Listener(spec) for spec in specs]
        self.log = []
        self.numbers = 0
        self.changed = asyncio.Condition()
        self.tasks = set()
        self.conns = set()

    def spawn(self, coroutine):
        task = asyncio.get_running_loop().create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def accept(self, listener, handle):
        loop = asyncio.get_running_loop()
        while True:
            sock, address = await loop.sock_accept(listener.sock)
            sock.setblocking(False)
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            listener.accepts += 1
            self.numbers += 1
            conn = Conn(self, listener, sock, self.numbers)
            if sock.family != socket.AF_UNIX:
                conn.peer = address[1]
            self.spawn(self.converse(conn, handle))

    async def converse(self, conn, handle):
        conn.listener.open += 1
        self.conns.add(conn)
        try:
            await handle(conn)
        except (OSError, ssl.SSLError, ValueError):
            pass
        finally:
            conn.listener.open -= 1
            self.conns.discard(conn)
            conn.sock.close()
            await self.notify()

    async def notify(self):
        async with self.changed:
            self.changed.notify_all()

    async def client(self, conn):
        await self.greet(conn)

        if 'mute' in conn.listener.options:
            await conn.wait_closed()
            return

        if conn.listener.context:
            await conn.handshake(conn.listener.context)
            conn.listener.handshakes += 1
            conn.listener.resumed += bool(conn.tls.session_reused)

        while True:
            req = await conn.request()
            if req is None:
                return
            entry = self.record(req)
            self.log.append(entry)
            await self.notify()
            try:
                stays = await self.serve(conn, req)
                entry['done'] = 'yes'
            finally:
                self.served(conn, entry)
            await self.notify()
            if not stays:
                return

    async def greet(self, conn):
        pass

    def record(self, req):
        return req.record()

    def served(self, conn, entry):
        """The request was answered, or its connection broke."""

    async def operator(self, conn):
        while True:
            req = await conn.request()
            if req is None:
                return
            answer = await self.control(req.path(), req.args())
            if not isinstance(answer, str):
                answer = json.dumps(answer)
            body = answer.encode('latin-1', 'replace')
            await conn.write(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n'
                             % len(body) + body)

    async def control(self, path, args):
        if path == '/_ctl/certificate':
            for listener in self.listeners:
                if listener.name == args['listener']:
                    listener.use_certificate(args['name'])
            return 'ok'
        if path == '/_ctl/log':
            return self.log
        if path == '/_ctl/total':
            return len(self.log)
        if path == '/_ctl/last':
            return self.last()
        if path == '/_ctl/connections':
            return self.connections(args.get('listener'))
        if path == '/_ctl/reset':
            self.log = []
            for listener in self.listeners:
                listener.accepts = listener.handshakes = 0
                listener.resumed = 0
            return 'ok'
        if path == '/_ctl/count':
            return self.count(args)
        if path == '/_ctl/wait':
            return await self.wait(args)
        return 'unknown'

    def last(self):
        """The last request as text, or nothing."""
        if not self.log:
            return ''
        entry = self.log[-1]
        return '\n'.join([entry['line'], *entry['lines'], '',
                          entry['body']])

    def count(self, args):
        """How many logged requests have all of the members given."""
        return sum(all(str(entry.get(key)) == value
                       for key, value in args.items()) for entry in self.log)

    async def wait(self, args):
        """Answers when as many (n, 1 if not given) have come, or after ms."""
        wanted = int(args.pop('n', 1))
        ms = int(args.pop('ms', 5000))
        async with self.changed:
            try:
                await asyncio.wait_for(self.changed.wait_for(
                    lambda: self.count(args) >= wanted), ms / 1000)
            except asyncio.TimeoutError:
                pass
        return self.count(args)

    def connections(self, name):
        chosen = [item for item in self.listeners
                  if name is None or item.name == name]
        return {key: sum(item.counts()[key] for item in chosen)
                for key in ('accepts', 'handshakes', 'resumed', 'open')}

    async def run(self, ctl):
        for listener in self.listeners:
            if listener.bind():
                self.spawn(self.accept(listener, self.client))
            print(listener.name, listener.port)

        door = Listener('ctl=' + ctl)
        door.bind()
        self.spawn(self.accept(door, self.operator))
        print('ctl', door.port)
        print('ready', flush=True)

        await lifetime()


async def lifetime():
    """Returns when standard input ends or the parent is gone."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def readable():
        try:
            if not os.read(0, 4096):
                ended.set()
        except OSError:
            ended.set()

    try:
        loop.add_reader(0, readable)
    except OSError:             # a regular file
        pass

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)

    parent = os.getppid()
    while not ended.is_set() and os.getppid() == parent:
        try:
            await asyncio.wait_for(ended.wait(), 0.5)
        except asyncio.TimeoutError:
            pass


def main(make_server, ctl):
    # dies with its parent even if it hangs
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    async def start():
        await make_server().run(ctl)

    try:
        asyncio.run(start())
    except KeyboardInterrupt:
        pass
    except OSError as e:
        sys.exit('%s: %s' % (os.path.basename(sys.argv[0]), e))

    # held connections would keep the loop; there is nothing to save
    os._exit(0)
