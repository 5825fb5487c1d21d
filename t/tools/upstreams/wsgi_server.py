"""app.py behind Python's own HTTP server; prints its port."""

from wsgiref.simple_server import make_server

from app import application

server = make_server('127.0.0.1', 0, application)
print(server.server_port, flush=True)
server.serve_forever()
