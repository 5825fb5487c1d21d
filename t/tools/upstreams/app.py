"""A WSGI application that shows the headers and the body it got."""


def application(environ, start_response):
    length = int(environ.get('CONTENT_LENGTH') or 0)
    body = environ['wsgi.input'].read(length)
    lines = [f'{name}: {value}\n' for name, value in sorted(environ.items())
             if name.startswith('HTTP_')]

    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [''.join(lines).encode('latin-1'), b'\n', body]
