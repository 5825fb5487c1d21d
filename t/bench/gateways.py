"""nginx configurations: the same jobs done without the module, by Lua, by
njs, and by auth_request with a server in Go.  Written as their manuals would
have it, and to be fast: kept connections everywhere, TLS verified.

Each does all three: opens a token (theirs is a JWT signed with HMAC-SHA256),
knows a code that was exchanged in the last minute, exchanges one that is new.
"""

from module import APPID, NAME, SECRET, TO_BACKEND
from servers import HERE

# By a subrequest: njs's ngx.fetch() opens a connection for each call, and
# Debian has no client for Lua that could verify and keep one.

TO_WECHAT = '''
    upstream wechat {
        server 127.0.0.1:%(wechat)d;
        keepalive 256;
        keepalive_requests 100000000;
    }
'''

CODE2SESSION = '''
        location = /jscode2session {
            internal;
            proxy_pass                     https://wechat/sns/jscode2session;
            proxy_pass_request_headers     off;
            proxy_pass_request_body        off;
            proxy_set_header               Host %s;
            proxy_set_header               Connection "";
            proxy_ssl_name                 %s;
            proxy_ssl_server_name          on;
            proxy_ssl_verify               on;
            proxy_ssl_verify_depth         3;
            proxy_ssl_trusted_certificate  %%(certs)s/ca.pem;
        }
''' % (NAME, NAME)

LUA = TO_BACKEND + TO_WECHAT + '''
    lua_package_path "%s/?.lua;;";
    lua_shared_dict codes 4m;
    init_by_lua_block {
        identity = require("identity").new("%s", "%s", "%%(jwt_key)s")
    }
    server {
        listen 127.0.0.1:%%(lua)d backlog=65535;
%s
        location / {
            access_by_lua_block { identity() }
            proxy_pass http://backend;
        }
    }
''' % (HERE, APPID, SECRET, CODE2SESSION)

# A token takes no waiting, so a variable can check it; a code does, and of
# what waits Debian's njs has js_content alone.  It has no memory that
# requests share (js_shared_dict_zone came later), so there is no HIT.

NJS = TO_BACKEND + TO_WECHAT + '''
    js_path    "%%(dir)s";
    js_import  identity from identity.js;
    js_set     $token_openid identity.open;
    server {
        listen 127.0.0.1:%%(njs)d backlog=65535;
        js_var $openid;
%s
        location /session {
            if ($token_openid = "") { return 401; }
            proxy_set_header  Connection "";
            proxy_set_header  X-WX-OPENID $token_openid;
            proxy_set_header  X-WX-APPID %s;
            proxy_set_header  X-WX-SOURCE wx_client;
            proxy_set_header  X-WX-Session "";
            proxy_pass        http://backend;
        }
        location /miss { js_content identity.exchange; }
        location @backend {
            proxy_set_header  Connection "";
            proxy_set_header  X-WX-OPENID $openid;
            proxy_set_header  X-WX-APPID %s;
            proxy_set_header  X-WX-SOURCE wx_client;
            proxy_set_header  X-WX-Code "";
            proxy_pass        http://backend;
        }
    }
''' % (CODE2SESSION, APPID, APPID)

AUTH = TO_BACKEND + '''
    upstream sidecar {
        server 127.0.0.1:%%(go)d;
        keepalive 256;
        keepalive_requests 100000000;
    }
    server {
        listen 127.0.0.1:%%(auth)d backlog=65535;
        location = /auth {
            internal;
            proxy_pass               http://sidecar;
            proxy_pass_request_body  off;
            proxy_set_header         Connection "";
            proxy_set_header         Content-Length "";
        }
        location / {
            auth_request      /auth;
            auth_request_set  $openid $upstream_http_x_wx_openid;
            proxy_set_header  Connection "";
            proxy_set_header  X-WX-OPENID $openid;
            proxy_set_header  X-WX-APPID %s;
            proxy_set_header  X-WX-SOURCE wx_client;
            proxy_set_header  X-WX-Code "";
            proxy_set_header  X-WX-Session "";
            proxy_pass        http://backend;
        }
    }
''' % APPID
