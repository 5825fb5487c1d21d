"""nginx configurations: the application, the stand-in for WeChat, and the
module in each of its ways.  Knows nothing of other gateways.
"""

NAME = 'api.weixin.qq.com'
APPID = 'wx0123456789abcdef'
SECRET = '0123456789abcdef0123456789abcdef'
OPENID = 'oGZUI0egBJY1zhBYw2KhdUfwVJJE'
REPLY = ('{"session_key":"HyVFkGl5F5OQWJZZaNzBBg==",'
         '"openid":"%s"}' % OPENID)

# every code is good, for what is measured is not WeChat

WECHAT = '''
    server {
        listen 127.0.0.1:%%(wechat)d ssl backlog=65535;
        ssl_certificate %%(certs)s/good.crt;
        ssl_certificate_key %%(certs)s/good.key;
        default_type application/json;
        location = /sns/jscode2session { return 200 '%s'; }
        location = /count { stub_status; }
    }
''' % REPLY

BACKEND = '''
    server {
        listen 127.0.0.1:%(backend)d backlog=65535;
        location / { return 200 "$http_x_wx_openid\\n"; }
        location = /count { stub_status; }
    }
'''

TO_BACKEND = '''
    upstream backend {
        server 127.0.0.1:%(backend)d;
        keepalive 256;
        keepalive_requests 100000000;
    }
'''

PLAIN = TO_BACKEND + '''
    server {
        listen 127.0.0.1:%(plain)d backlog=65535;
        location / { proxy_pass http://backend; }
    }
'''

LINE = '''
    wx_openid_app            %s %s;
    wx_openid_pass           https://127.0.0.1:%%(wechat)d;
    wx_openid_host           %s;
    wx_openid_ssl_trusted_certificate  %%(certs)s/ca.pem;
    wx_openid_max_exchanges  1024;
    wx_openid_keepalive      256;
''' % (APPID, SECRET, NAME)

SERVER = TO_BACKEND + '''
    wx_openid_session_renew  0;

    server {
        listen 127.0.0.1:%(module)d backlog=65535 reuseport;
        location /off { proxy_pass http://backend; }
        location /session {
            wx_openid               on;
            wx_openid_session_keys  %(dir)s/keys.json;
            proxy_pass              http://backend;
        }
        location /hit { wx_openid on; proxy_pass http://backend; }
        location /miss { wx_openid on; proxy_pass http://backend; }
        location = /login {
            wx_openid_login;
            wx_openid_session_keys  %(dir)s/keys.json;
        }
    }
'''

MODULE = LINE + SERVER + '    wx_openid_cache  size=4m ttl=60s error_ttl=5s;'

# the exchange alone: no result is kept

BARE = TO_BACKEND + LINE + '''
    wx_openid_cache  off;
    server {
        listen 127.0.0.1:%(bare)d backlog=65535;
        location / { wx_openid on; proxy_pass http://backend; }
    }
'''
