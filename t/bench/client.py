"""A client that keeps its connection and does one request at a time."""

import json
import socket

TOKEN_HEADER = 'X-WX-Session: '
CODE_HEADER = 'X-WX-Code: '


class Client:
    def __init__(self, port):
        self.port = port
        self.sock = socket.create_connection(('127.0.0.1', port))
        self.file = self.sock.makefile('rwb')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.sock.close()

    def ask(self, path, *headers):
        """The body; whatever is no 200 ends the benchmark."""
        lines = ['GET %s HTTP/1.1' % path, 'Host: localhost', *headers]
        self.file.write(('\r\n'.join(lines) + '\r\n\r\n').encode())
        self.file.flush()

        status = self.file.readline()
        size = 0
        while True:
            line = self.file.readline()
            if line in (b'\r\n', b''):
                break
            name, _, value = line.partition(b':')
            if name.lower() == b'content-length':
                size = int(value)

        body = self.file.read(size)
        if b' 200 ' not in status:
            raise SystemExit('%s was answered %r %r' % (path, status, body))
        return body

    def login(self, arguments=''):
        """A token of the module's."""
        return json.loads(self.ask('/login' + arguments,
                                   CODE_HEADER + 'good-login'))[
            'session']
