use lib 't/lib';
use WxOpenid;

repeat_each(2);

plan tests => wx_tests();

no_long_string();
run_tests();

__DATA__

=== TEST 1: off by default
--- config
    location /t {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
^GET /t HTTP
--- backend_never
X-WX-OPENID
--- wechat_total: 0
--- backend_count: 1
--- no_error_log
[error]
[alert]
[crit]
[emerg]



=== TEST 2: a code in the header becomes an identity
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        proxy_http_version  1.1;
        proxy_set_header  Connection "";
    }
--- request
GET /t?a=b
--- more_headers
X-WX-Code: %CODE%
X-Other: kept
--- response_body eval
"GET /t?a=b HTTP/1.1
Host: 127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT}
X-Other: kept
X-WX-OPENID: %OPENID%
X-WX-APPID: wxtest
X-WX-SOURCE: wx_client

"
--- wechat_count: %CODE%=1
--- wechat_total: 1
--- backend_never
%CODE%
%SESSION_KEY%
--- our_log_never
%CODE%
--- logs_never eval
[$ENV{TEST_NGINX_SECRET}, "%SESSION_KEY%"]
--- no_error_log
[error]
[alert]
[crit]
[emerg]



=== TEST 3: the request as WeChat gets it
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
POST /t
the client's body
--- more_headers
X-WX-Code: %CODE%
Cookie: c=lient
Authorization: Basic Y2xpZW50
Range: bytes=0-1
Referer: http://client/
--- error_code: 200
--- wechat_request_like eval
"(?s)^GET /sns/jscode2session\\?appid=wxtest&secret=$ENV{TEST_NGINX_SECRET}"
. "&js_code=%CODE%&grant_type=authorization_code HTTP/1.1\n"
. ".*Host: 127.0.0.1:$ENV{TEST_NGINX_WECHAT_PORT}\n"
--- wechat_never
lient
Range
--- wechat_count: %CODE%=1



=== TEST 4: a code in a JSON body, which the upstream gets unchanged
--- config
    location = /openid {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
POST /openid
{ "code" : "%CODE%", "name":"\u4e2d" }
--- more_headers
Content-Type: application/json
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$(?s:.*)
\{ "code" : "%CODE%", "name":"\\u4e2d" \}$
--- wechat_count: %CODE%=1



=== TEST 5: a code in a form
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
POST /t
a=b&code=%CODE%&c=d
--- more_headers
Content-Type: application/x-www-form-urlencoded
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$(?s:.*)
a=b&code=%CODE%&c=d$
--- wechat_count: %CODE%=1



=== TEST 6: a code in the query
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t?a=b&code=%CODE%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$
--- wechat_count: %CODE%=1



=== TEST 7: a unionid
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: union-%NEW%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID(union-%NEW%)%$
(?s:.*)^X-WX-UNIONID: %UNIONID(union-%NEW%)%$
--- wechat_total: 1



=== TEST 8: forged identity headers are replaced
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
X-WX-OPENID: forged
x-wx-openid: forged
X-WX-UNIONID: forged
X-WX-APPID: forged
X-WX-SOURCE: forged
X-WX-ENV: forged
X-WX-FROM-OPENID: forged
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$
--- backend_never
forged
--- backend_count: 1



=== TEST 9: forged identity headers are removed where it is off
--- config
    location /t {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /on {
        wx_openid   on;
    }
--- request
GET /t
--- more_headers
X-WX-OPENID: forged
X-WX-Code: stolen
--- backend_never
forged
stolen
--- backend_count: 1
--- wechat_total: 0



=== TEST 10: optional, without a code: anonymous
--- config
    location /t {
        wx_openid   optional;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-OPENID: forged
--- response_body_like
^GET /t HTTP
--- backend_never
forged
X-WX-
--- backend_count: 1
--- wechat_total: 0



=== TEST 11: optional, with a bad code: refused
--- config
    location /t {
        wx_openid   optional;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: bad-%NEW%
--- error_code: 401
--- response_body_like
"error":"invalid_code"
--- backend_count: 0
--- wechat_count: bad-%NEW%=1



=== TEST 12: no code: 401
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- error_code: 401
--- response_headers
WWW-Authenticate: Bearer realm="wx_openid"
Cache-Control: no-store
Content-Type: application/json
--- response_body_like
^\{"error":"login_required"\}\s*$
--- wechat_total: 0
--- backend_count: 0



=== TEST 13: a code that WeChat does not know: 401 with its words
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: bad-%NEW%
--- error_code: 401
--- response_headers
WWW-Authenticate: Bearer realm="wx_openid", error="invalid_token"
--- response_body_like
^\{"error":"invalid_code","errcode":40029,"errmsg":"invalid code, rid: [^"]+"\}
--- wechat_count: bad-%NEW%=1
--- backend_count: 0
--- our_log_never
bad-%NEW%
--- logs_never eval
[$ENV{TEST_NGINX_SECRET}]



=== TEST 14: a used code: 401
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: err-40163-%NEW%
--- error_code: 401
--- response_body_like
^\{"error":"invalid_code","errcode":40163,"errmsg":"code been used, 
--- wechat_count: err-40163-%NEW%=1
--- backend_count: 0



=== TEST 15: the operator's fault is told to the log, not to the client
--- http_config
    wx_openid_app   wxtest wrong-secret-0123456789;
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 500
--- response_body_like
^\{"error":"misconfigured"\}\s*$
--- error_log eval
qr/\[error\].*40125/
--- wechat_count: %CODE%=1
--- backend_count: 0
--- logs_never
wrong-secret-0123456789



=== TEST 16: WeChat is busy: 503
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: err--1-%NEW%
--- error_code: 503
--- response_headers
Retry-After: 1
--- response_body_like
"error":"wechat_busy"
--- wechat_count: err--1-%NEW%=1
--- backend_count: 0



=== TEST 17: an openid of the wrong type: 502
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: fault-openid_number-%NEW%
--- error_code: 502
--- response_body_like
^\{"error":"bad_gateway"\}\s*$
--- wechat_count: fault-openid_number-%NEW%=1
--- backend_count: 0



=== TEST 18: WeChat is down: 502
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_DEAD_PORT;
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- response_body_like
^\{"error":"bad_gateway"\}\s*$
--- wechat_total: 0
--- backend_count: 0



=== TEST 19: verified TLS
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT;
    wx_openid_host  api.weixin.qq.com;
    wx_openid_ssl_trusted_certificate  $TEST_NGINX_CERTS/ca.pem;
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$
--- wechat_count: %CODE%=1
--- wechat_handshakes: 1
--- wechat_request_like: ^Host: api.weixin.qq.com$
--- no_error_log
[error]
[alert]
[crit]
[emerg]



=== TEST 20: a certificate for another host: 502, and nothing is sent
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_WRONG_PORT;
    wx_openid_host  api.weixin.qq.com;
    wx_openid_ssl_trusted_certificate  $TEST_NGINX_CERTS/ca.pem;
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- response_body_like
^\{"error":"bad_gateway"\}\s*$
--- wechat_total: 0
--- backend_count: 0



=== TEST 21: HTTP/2, code in a header
--- h2
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
X-WX-OPENID: forged
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$
--- wechat_count: %CODE%=1
--- backend_never
forged
%CODE%



=== TEST 22: HTTP/2, code in a JSON body
--- h2
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
POST /t
{"code":"%CODE%"}
--- more_headers
Content-Type: application/json
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$(?s:.*)
\{"code":"%CODE%"\}$
--- wechat_count: %CODE%=1



=== TEST 23: on without an app is refused
--- http_config
--- config
    location /t {
        wx_openid   on;
    }
--- must_die
--- suppress_stderr
--- error_log
[emerg]
wx_openid_app
