"""The nginx of the soak as it is configured, and its secrets."""

import base64
import json
import os
import re
import subprocess

import expect

TTL, ERROR_TTL = 5, 3           # seconds

MAIN = '''
env ASAN_OPTIONS;
env UBSAN_OPTIONS;
worker_processes  3;
events {
    worker_connections  2048;
}
'''

HTTP = '''
    log_format soak  '$remote_addr $request_method $uri $status '
                     '$wx_openid $wx_openid_status $wx_openid_error '
                     '$wx_openid_errcode $wx_openid_exchange_time';
    access_log  access.log soak;

    underscores_in_headers  on;
    ignore_invalid_headers  off;
    client_body_buffer_size  4k;
    proxy_http_version  1.1;
    proxy_set_header    Connection "";
    resolver            127.0.0.1:%(DNS)d valid=1s ipv6=off;
    resolver_timeout    2s;

    wx_openid_app       wxsoak file:secret;
    wx_openid_pass      https://127.0.0.1:%(TLS)d;
    wx_openid_host      api.weixin.qq.com;
    wx_openid_ssl_trusted_certificate  %(certs)s/ca.pem;
    wx_openid_connect_timeout  2s;
    wx_openid_read_timeout     3s;
    wx_openid_timeout          6s;
    wx_openid_busy_retries     1;
    wx_openid_cache            size=256k ttl=%(ttl)ds error_ttl=%(error_ttl)ds;
    wx_openid_session_keys     keys.json;

    upstream app {
        server     127.0.0.1:%(APP)d;
        keepalive  32;
    }

    upstream two {
        server     127.0.0.1:%(DEAD)d;
        server     127.0.0.1:%(PLAIN)d;
        keepalive  8;
    }

    server {
        listen  127.0.0.1:%(http1)d backlog=1024;
        %(listen_http2)s

        location = /status { wx_openid_status json; }
        location = /login  { wx_openid_login; }

        location /on       { wx_openid on;        proxy_pass http://app; }
        location /optional { wx_openid optional;  proxy_pass http://app; }
        location /off      { proxy_pass http://app; }

        location /key {
            wx_openid             on;
            wx_openid_set_header  X-WX-OPENID   $wx_openid;
            wx_openid_set_header  X-WX-APPID    $wx_openid_appid;
            wx_openid_set_header  X-WX-UNIONID  $wx_openid_unionid;
            wx_openid_set_header  X-WX-SOURCE   wx_client;
            wx_openid_set_header  X-Soak-Key    $wx_openid_session_key;
            proxy_pass            http://app;
        }

        location /cookie {
            wx_openid                 on;
            wx_openid_session_cookie  wxsoak;
            proxy_pass                http://app;
        }

        location /plain {
            wx_openid       on;
            wx_openid_pass  http://127.0.0.1:%(PLAIN)d;
            proxy_pass      http://app;
        }

        location /two {
            wx_openid       on;
            wx_openid_pass  http://two;
            proxy_pass      http://app;
        }

        location /dns {
            wx_openid       on;
            wx_openid_pass  http://wechat.test:%(PLAIN)d;
            proxy_pass      http://app;
        }

        location /probe {
            wx_openid       on;
            wx_openid_pass  http://127.0.0.1:%(PLAIN)d;
            empty_gif;
        }

        # bytes after a reply could be taken for the next one's
        location /late {
            wx_openid       on;
            wx_openid_pass  http://127.0.0.1:%(LATE)d;
            proxy_pass      http://app;
        }

%(lines)s
    }
'''

LINE = '''
        location /at/%(name)s {
            wx_openid          on;
            wx_openid_pass     https://127.0.0.1:%(port)d;
            wx_openid_ssl_crl  %(certs)s/crl.pem;
            proxy_pass         http://app;
        }
'''


def listeners(certs):
    tls = {'evil': 'good', 'old': 'good'}
    options = {'evil': ',plaintext-first', 'old': ',tls1.1'}
    specs = ['TLS=127.0.0.1:0,tls=%s/good' % certs, 'PLAIN=127.0.0.1:0',
             'LATE=127.0.0.1:0', 'DEAD=127.0.0.1:0,dead']
    for name in expect.BAD_LINES:
        if name in ('dead', 'full', 'mute'):
            specs.append('%s=127.0.0.1:0,%s' % (name, name))
        else:
            specs.append('%s=127.0.0.1:0,tls=%s/%s%s' % (
                name, certs, tls.get(name, name), options.get(name, '')))
    return [word for spec in specs for word in ('--listen', spec)]


def secrets(folder):
    """Files of secrets for nginx; what is in them."""
    secret = 'SOAK' + os.urandom(14).hex()
    keys = [base64.urlsafe_b64encode(os.urandom(32)).rstrip(b'=').decode()
            for _ in range(2)]
    text = json.dumps({'keys': [{'kty': 'oct', 'kid': 'k%d' % i, 'k': key}
                                for i, key in enumerate(keys)]})
    for name, content in ('secret', secret + '\n'), ('keys.json', text):
        path = folder / name
        path.touch(0o600)
        path.write_text(content)
    return [secret, *keys]


def version(binary):
    text = subprocess.run([binary, '-v'], stderr=subprocess.PIPE, text=True,
                          check=True).stderr
    return tuple(map(int, re.search(r'nginx/(\d+)\.(\d+)\.(\d+)',
                                    text).groups()))


def nginx(ports, http1, http2, certs, binary):
    new = version(binary) >= (1, 25, 1)
    lines = ''.join(LINE % {'name': name, 'port': ports[name],
                            'certs': certs} for name in expect.BAD_LINES)
    return MAIN, HTTP % {
        **ports, 'http1': http1, 'certs': certs, 'lines': lines, 'ttl': TTL,
        'error_ttl': ERROR_TTL,
        'listen_http2': 'listen  127.0.0.1:%d%s backlog=1024;%s' % (
            http2, '' if new else ' http2', ' http2 on;' if new else '')}
