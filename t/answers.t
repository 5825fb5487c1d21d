# Every answer to a refused request: status, JSON, headers, log line with its
# level, and variables.

use lib 't/lib';
use WxOpenid;
use WxOpenid::Steps;

# the http_config of a block without one

$ENV{TEST_NGINX_WX_CONFIG} = <<'_EOC_';
    log_format      wx  '$status|$wx_openid_status|$wx_openid_errcode|'
                        '$wx_openid_error|$wx_openid_exchange_time';
    access_log      logs/access.log  wx;
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
_EOC_


# A refused request with a body, and the next one on its connection; at once,
# or after the refusal has come.

sub check_next {
    my ($name, $head, $body, $next) = @_;

    for my $late (0, 1) {
        my $before = backend('total');
        my $s = connect_nginx();
        my $what = $name . ($late ? ' - body later' : ' - body at once');

        send_text($s, $late ? $head : $head . $body . $next);
        my $refusal = read_answer($s);
        $refusal =~ s{\AHTTP/1\.1 100 Continue\r\n\r\n}{};
        $refusal = read_answer($s) if $refusal eq '';

        like(status_of($refusal), qr/^(?:401|502)$/, "$what - refused");
        is(header_of($refusal, 'Connection'), 'keep-alive', "$what - kept");

        send_text($s, $body . $next) if $late;
        my $answer = read_answer($s);
        is(status_of($answer), 200, "$what - the next is answered");
        like(body_of($answer), qr{^GET /next }, "$what - as itself");
        is(backend('total') - $before, 1, "$what - nothing else passed");
    }
}

repeat_each(2);

plan tests => wx_tests() + steps_tests();

no_long_string();
run_tests();

__DATA__

=== TEST 1: no code
--- request
GET /t
--- error_code: 401
--- response_headers
Content-Type: application/json
Cache-Control: no-store
WWW-Authenticate: Bearer realm="wx_openid"
! Retry-After
--- response_body_like
^\{"error":"login_required"\}$
--- error_log eval
qr/^\S+ \S+ \[info\] \S+ \*\d+ wx_openid: login_required: no code, client: /m
--- access_log eval
qr/^401\|ERROR\|\|login_required\|$/m
--- wechat_total: 0
--- backend_count: 0



=== TEST 2: no code, POST with a body that has none
--- request
POST /t
{"a":1}
--- more_headers
Content-Type: application/json
--- error_code: 401
--- response_headers
Content-Type: application/json
Cache-Control: no-store
WWW-Authenticate: Bearer realm="wx_openid"
! Retry-After
--- response_body_like
^\{"error":"login_required"\}$
--- error_log eval
qr/^\S+ \S+ \[info\] \S+ \*\d+ wx_openid: login_required: no code, client: /m
--- access_log eval
qr/^401\|ERROR\|\|login_required\|$/m
--- wechat_total: 0
--- backend_count: 0



=== TEST 3: 40029
--- request
GET /t
--- more_headers
X-WX-Code: err-40029-%NEW%
--- error_code: 401
--- response_headers
Content-Type: application/json
Cache-Control: no-store
WWW-Authenticate: Bearer realm="wx_openid", error="invalid_token"
! Retry-After
--- response_body_like
^\{"error":"invalid_code","errcode":40029,"errmsg":"invalid code, rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}"\}$
--- error_log eval
qr/^\S+ \S+ \[info\] \S+ \*\d+ wx_openid: invalid_code: WeChat\'s errcode 40029 "invalid code, rid: [\w-]+" for app "wxtest", client: /m
--- access_log eval
qr/^401\|ERROR\|40029\|invalid_code\|\d+\.\d{3}$/m
--- wechat_count: err-40029-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 4: 40163
--- request
GET /t
--- more_headers
X-WX-Code: err-40163-%NEW%
--- error_code: 401
--- response_headers
Content-Type: application/json
Cache-Control: no-store
WWW-Authenticate: Bearer realm="wx_openid", error="invalid_token"
! Retry-After
--- response_body_like
^\{"error":"invalid_code","errcode":40163,"errmsg":"code been used, rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}"\}$
--- error_log eval
qr/^\S+ \S+ \[info\] \S+ \*\d+ wx_openid: invalid_code: WeChat\'s errcode 40163 "code been used, rid: [\w-]+" for app "wxtest", client: /m
--- access_log eval
qr/^401\|ERROR\|40163\|invalid_code\|\d+\.\d{3}$/m
--- wechat_count: err-40163-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 5: 41008
--- request
GET /t
--- more_headers
X-WX-Code: err-41008-%NEW%
--- error_code: 401
--- response_headers
Content-Type: application/json
Cache-Control: no-store
WWW-Authenticate: Bearer realm="wx_openid", error="invalid_token"
! Retry-After
--- response_body_like
^\{"error":"invalid_code","errcode":41008,"errmsg":"missing code, rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}"\}$
--- error_log eval
qr/^\S+ \S+ \[info\] \S+ \*\d+ wx_openid: invalid_code: WeChat\'s errcode 41008 "missing code, rid: [\w-]+" for app "wxtest", client: /m
--- access_log eval
qr/^401\|ERROR\|41008\|invalid_code\|\d+\.\d{3}$/m
--- wechat_count: err-41008-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 6: a code of 513 bytes
--- request
GET /t
--- more_headers eval
"X-WX-Code: " . "x" x 513
--- error_code: 401
--- response_headers
Content-Type: application/json
Cache-Control: no-store
WWW-Authenticate: Bearer realm="wx_openid", error="invalid_token"
! Retry-After
--- response_body_like
^\{"error":"invalid_code"\}$
--- error_log eval
qr/^\S+ \S+ \[info\] \S+ \*\d+ wx_openid: invalid_code: it is too long, ambiguous, or has control characters, client: /m
--- access_log eval
qr/^401\|ERROR\|\|invalid_code\|$/m
--- wechat_total: 0
--- backend_count: 0



=== TEST 7: a code of 512 bytes is asked for
--- request
GET /t
--- more_headers eval
"X-WX-Code: " . "x" x 512
--- error_code: 401
--- response_headers
Content-Type: application/json
Cache-Control: no-store
WWW-Authenticate: Bearer realm="wx_openid", error="invalid_token"
! Retry-After
--- response_body_like
^\{"error":"invalid_code","errcode":40029,"errmsg":"invalid code, rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}"\}$
--- error_log eval
qr/^\S+ \S+ \[info\] \S+ \*\d+ wx_openid: invalid_code: WeChat\'s errcode 40029 "invalid code, rid: [\w-]+" for app "wxtest", client: /m
--- access_log eval
qr/^401\|ERROR\|40029\|invalid_code\|\d+\.\d{3}$/m
--- wechat_total: 1
--- backend_count: 0



=== TEST 8: a code with a control character
--- request
GET /t
--- more_headers eval
"X-WX-Code: a\x01b"
--- error_code: 401
--- response_headers
Content-Type: application/json
Cache-Control: no-store
WWW-Authenticate: Bearer realm="wx_openid", error="invalid_token"
! Retry-After
--- response_body_like
^\{"error":"invalid_code"\}$
--- error_log eval
qr/^\S+ \S+ \[info\] \S+ \*\d+ wx_openid: invalid_code: it is too long, ambiguous, or has control characters, client: /m
--- access_log eval
qr/^401\|ERROR\|\|invalid_code\|$/m
--- wechat_total: 0
--- backend_count: 0



=== TEST 9: a code with %00 in the arguments
--- request
GET /t?code=a%00b
--- error_code: 401
--- response_headers
Content-Type: application/json
Cache-Control: no-store
WWW-Authenticate: Bearer realm="wx_openid", error="invalid_token"
! Retry-After
--- response_body_like
^\{"error":"invalid_code"\}$
--- error_log eval
qr/^\S+ \S+ \[info\] \S+ \*\d+ wx_openid: invalid_code: it is too long, ambiguous, or has control characters, client: /m
--- access_log eval
qr/^401\|ERROR\|\|invalid_code\|$/m
--- wechat_total: 0
--- backend_count: 0



=== TEST 10: a code with %0a in the arguments
--- request
GET /t?code=a%0ab
--- error_code: 401
--- response_headers
Content-Type: application/json
Cache-Control: no-store
WWW-Authenticate: Bearer realm="wx_openid", error="invalid_token"
! Retry-After
--- response_body_like
^\{"error":"invalid_code"\}$
--- error_log eval
qr/^\S+ \S+ \[info\] \S+ \*\d+ wx_openid: invalid_code: it is too long, ambiguous, or has control characters, client: /m
--- access_log eval
qr/^401\|ERROR\|\|invalid_code\|$/m
--- wechat_total: 0
--- backend_count: 0



=== TEST 11: a code with %0d%0a in the arguments
--- request
GET /t?code=a%0d%0ab
--- error_code: 401
--- response_headers
Content-Type: application/json
Cache-Control: no-store
WWW-Authenticate: Bearer realm="wx_openid", error="invalid_token"
! Retry-After
--- response_body_like
^\{"error":"invalid_code"\}$
--- error_log eval
qr/^\S+ \S+ \[info\] \S+ \*\d+ wx_openid: invalid_code: it is too long, ambiguous, or has control characters, client: /m
--- access_log eval
qr/^401\|ERROR\|\|invalid_code\|$/m
--- wechat_total: 0
--- backend_count: 0



=== TEST 12: a code with %1f in the arguments
--- request
GET /t?code=a%1fb
--- error_code: 401
--- response_headers
Content-Type: application/json
Cache-Control: no-store
WWW-Authenticate: Bearer realm="wx_openid", error="invalid_token"
! Retry-After
--- response_body_like
^\{"error":"invalid_code"\}$
--- error_log eval
qr/^\S+ \S+ \[info\] \S+ \*\d+ wx_openid: invalid_code: it is too long, ambiguous, or has control characters, client: /m
--- access_log eval
qr/^401\|ERROR\|\|invalid_code\|$/m
--- wechat_total: 0
--- backend_count: 0



=== TEST 13: a code with %7f in the arguments
--- request
GET /t?code=a%7fb
--- error_code: 401
--- response_headers
Content-Type: application/json
Cache-Control: no-store
WWW-Authenticate: Bearer realm="wx_openid", error="invalid_token"
! Retry-After
--- response_body_like
^\{"error":"invalid_code"\}$
--- error_log eval
qr/^\S+ \S+ \[info\] \S+ \*\d+ wx_openid: invalid_code: it is too long, ambiguous, or has control characters, client: /m
--- access_log eval
qr/^401\|ERROR\|\|invalid_code\|$/m
--- wechat_total: 0
--- backend_count: 0



=== TEST 14: 40226
--- request
GET /t
--- more_headers
X-WX-Code: err-40226-%NEW%
--- error_code: 403
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"user_blocked","errcode":40226,"errmsg":"code blocked, rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}"\}$
--- error_log eval
qr/^\S+ \S+ \[info\] \S+ \*\d+ wx_openid: user_blocked: WeChat\'s errcode 40226 "code blocked, rid: [\w-]+" for app "wxtest", client: /m
--- access_log eval
qr/^403\|ERROR\|40226\|user_blocked\|\d+\.\d{3}$/m
--- wechat_count: err-40226-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 15: an app that is not declared
--- config
    location /t {
        wx_openid   on;
        wx_openid_appid  $arg_appid;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t?appid=wxstranger
--- more_headers
X-WX-Code: %CODE%
--- error_code: 403
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"unknown_app"\}$
--- error_log eval
qr/^\S+ \S+ \[info\] \S+ \*\d+ wx_openid: unknown_app: .*"wxstranger".*, client: /m
--- access_log eval
qr/^403\|ERROR\|\|unknown_app\|$/m
--- wechat_count: %CODE%=0
--- wechat_total: 0
--- backend_count: 0



=== TEST 16: wx_openid_require
--- config
    location /t {
        wx_openid   on;
        wx_openid_require  $arg_nothing;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 403
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"forbidden"\}$
--- error_log eval
qr/^\S+ \S+ \[info\] \S+ \*\d+ wx_openid: forbidden: a value of "wx_openid_require" is empty or 0, client: /m
--- access_log eval
qr/^403\|ERROR\|\|forbidden\|\d+\.\d{3}$/m
--- wechat_count: %CODE%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 17: wx_openid_require, 0
--- config
    location /t {
        wx_openid   on;
        wx_openid_require  $wx_openid 0;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 403
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"forbidden"\}$
--- error_log eval
qr/^\S+ \S+ \[info\] \S+ \*\d+ wx_openid: forbidden: a value of "wx_openid_require" is empty or 0, client: /m
--- access_log eval
qr/^403\|ERROR\|\|forbidden\|\d+\.\d{3}$/m
--- wechat_count: %CODE%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 18: 45011
--- request
GET /t
--- more_headers
X-WX-Code: err-45011-%NEW%
--- error_code: 429
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
Retry-After: 60
--- response_body_like
^\{"error":"rate_limited","errcode":45011,"errmsg":"api minute-quota reach limit, must slower, retry next minute, rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}"\}$
--- error_log eval
qr/^\S+ \S+ \[info\] \S+ \*\d+ wx_openid: rate_limited: WeChat\'s errcode 45011 "api minute-quota reach limit, must slower, retry next minute, rid: [\w-]+" for app "wxtest", client: /m
--- access_log eval
qr/^429\|ERROR\|45011\|rate_limited\|\d+\.\d{3}$/m
--- wechat_count: err-45011-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 19: 40002
--- request
GET /t
--- more_headers
X-WX-Code: err-40002-%NEW%
--- error_code: 500
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"misconfigured"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: misconfigured: WeChat\'s errcode 40002 "invalid grant_type, rid: [\w-]+" for app "wxtest", client: /m
--- access_log eval
qr/^500\|ERROR\|40002\|misconfigured\|\d+\.\d{3}$/m
--- wechat_count: err-40002-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 20: 40013
--- request
GET /t
--- more_headers
X-WX-Code: err-40013-%NEW%
--- error_code: 500
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"misconfigured"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: misconfigured: WeChat\'s errcode 40013 "invalid appid, rid: [\w-]+" for app "wxtest", client: /m
--- access_log eval
qr/^500\|ERROR\|40013\|misconfigured\|\d+\.\d{3}$/m
--- wechat_count: err-40013-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 21: 40125
--- request
GET /t
--- more_headers
X-WX-Code: err-40125-%NEW%
--- error_code: 500
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"misconfigured"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: misconfigured: WeChat\'s errcode 40125 "invalid appsecret, rid: [\w-]+" for app "wxtest", client: /m
--- access_log eval
qr/^500\|ERROR\|40125\|misconfigured\|\d+\.\d{3}$/m
--- wechat_count: err-40125-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 22: 40164
--- request
GET /t
--- more_headers
X-WX-Code: err-40164-%NEW%
--- error_code: 500
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"misconfigured"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: misconfigured: WeChat\'s errcode 40164 "invalid ip 192\.0\.2\.1, not in whitelist, rid: [\w-]+" for app "wxtest", client: /m
--- access_log eval
qr/^500\|ERROR\|40164\|misconfigured\|\d+\.\d{3}$/m
--- wechat_count: err-40164-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 23: 40243
--- request
GET /t
--- more_headers
X-WX-Code: err-40243-%NEW%
--- error_code: 500
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"misconfigured"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: misconfigured: WeChat\'s errcode 40243 "appsecret frozen, rid: [\w-]+" for app "wxtest", client: /m
--- access_log eval
qr/^500\|ERROR\|40243\|misconfigured\|\d+\.\d{3}$/m
--- wechat_count: err-40243-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 24: 41002
--- request
GET /t
--- more_headers
X-WX-Code: err-41002-%NEW%
--- error_code: 500
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"misconfigured"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: misconfigured: WeChat\'s errcode 41002 "appid missing, rid: [\w-]+" for app "wxtest", client: /m
--- access_log eval
qr/^500\|ERROR\|41002\|misconfigured\|\d+\.\d{3}$/m
--- wechat_count: err-41002-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 25: 41004
--- request
GET /t
--- more_headers
X-WX-Code: err-41004-%NEW%
--- error_code: 500
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"misconfigured"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: misconfigured: WeChat\'s errcode 41004 "appsecret missing, rid: [\w-]+" for app "wxtest", client: /m
--- access_log eval
qr/^500\|ERROR\|41004\|misconfigured\|\d+\.\d{3}$/m
--- wechat_count: err-41004-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 26: 1, of which the interface says nothing
--- request
GET /t
--- more_headers
X-WX-Code: err-1-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: WeChat\'s errcode 1 "error, rid: [\w-]+" for app "wxtest", client: /m
--- access_log eval
qr/^502\|ERROR\|1\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: err-1-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 27: -2, of which the interface says nothing
--- request
GET /t
--- more_headers
X-WX-Code: err--2-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: WeChat\'s errcode -2 "error, rid: [\w-]+" for app "wxtest", client: /m
--- access_log eval
qr/^502\|ERROR\|-2\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: err--2-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 28: 40001, of which the interface says nothing
--- request
GET /t
--- more_headers
X-WX-Code: err-40001-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: WeChat\'s errcode 40001 "error, rid: [\w-]+" for app "wxtest", client: /m
--- access_log eval
qr/^502\|ERROR\|40001\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: err-40001-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 29: 40014, of which the interface says nothing
--- request
GET /t
--- more_headers
X-WX-Code: err-40014-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: WeChat\'s errcode 40014 "error, rid: [\w-]+" for app "wxtest", client: /m
--- access_log eval
qr/^502\|ERROR\|40014\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: err-40014-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 30: 43001, of which the interface says nothing
--- request
GET /t
--- more_headers
X-WX-Code: err-43001-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: WeChat\'s errcode 43001 "require GET method, rid: [\w-]+" for app "wxtest", client: /m
--- access_log eval
qr/^502\|ERROR\|43001\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: err-43001-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 31: 48001, of which the interface says nothing
--- request
GET /t
--- more_headers
X-WX-Code: err-48001-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: WeChat\'s errcode 48001 "error, rid: [\w-]+" for app "wxtest", client: /m
--- access_log eval
qr/^502\|ERROR\|48001\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: err-48001-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 32: 99999, of which the interface says nothing
--- request
GET /t
--- more_headers
X-WX-Code: err-99999-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: WeChat\'s errcode 99999 "error, rid: [\w-]+" for app "wxtest", client: /m
--- access_log eval
qr/^502\|ERROR\|99999\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: err-99999-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 33: 2147483647, of which the interface says nothing
--- request
GET /t
--- more_headers
X-WX-Code: err-2147483647-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: WeChat\'s errcode 2147483647 "error, rid: [\w-]+" for app "wxtest", client: /m
--- access_log eval
qr/^502\|ERROR\|2147483647\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: err-2147483647-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 34: status 201
--- request
GET /t
--- more_headers
X-WX-Code: status-201-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: "127\.0\.0\.1:\d+" at 127\.0\.0\.1:\d+ replied with status 201, client: /m
--- access_log eval
qr/^502\|ERROR\|\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: status-201-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 35: status 202
--- request
GET /t
--- more_headers
X-WX-Code: status-202-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: "127\.0\.0\.1:\d+" at 127\.0\.0\.1:\d+ replied with status 202, client: /m
--- access_log eval
qr/^502\|ERROR\|\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: status-202-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 36: status 204
--- request
GET /t
--- more_headers
X-WX-Code: status-204-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: "127\.0\.0\.1:\d+" at 127\.0\.0\.1:\d+ replied with status 204, client: /m
--- access_log eval
qr/^502\|ERROR\|\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: status-204-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 37: status 206
--- request
GET /t
--- more_headers
X-WX-Code: status-206-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: "127\.0\.0\.1:\d+" at 127\.0\.0\.1:\d+ replied with status 206, client: /m
--- access_log eval
qr/^502\|ERROR\|\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: status-206-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 38: status 301
--- request
GET /t
--- more_headers
X-WX-Code: status-301-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: "127\.0\.0\.1:\d+" at 127\.0\.0\.1:\d+ replied with status 301, client: /m
--- access_log eval
qr/^502\|ERROR\|\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: status-301-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 39: status 302
--- request
GET /t
--- more_headers
X-WX-Code: status-302-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: "127\.0\.0\.1:\d+" at 127\.0\.0\.1:\d+ replied with status 302, client: /m
--- access_log eval
qr/^502\|ERROR\|\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: status-302-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 40: status 304
--- request
GET /t
--- more_headers
X-WX-Code: status-304-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: "127\.0\.0\.1:\d+" at 127\.0\.0\.1:\d+ replied with status 304, client: /m
--- access_log eval
qr/^502\|ERROR\|\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: status-304-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 41: status 307
--- request
GET /t
--- more_headers
X-WX-Code: status-307-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: "127\.0\.0\.1:\d+" at 127\.0\.0\.1:\d+ replied with status 307, client: /m
--- access_log eval
qr/^502\|ERROR\|\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: status-307-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 42: status 400
--- request
GET /t
--- more_headers
X-WX-Code: status-400-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: "127\.0\.0\.1:\d+" at 127\.0\.0\.1:\d+ replied with status 400, client: /m
--- access_log eval
qr/^502\|ERROR\|\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: status-400-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 43: status 401
--- request
GET /t
--- more_headers
X-WX-Code: status-401-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: "127\.0\.0\.1:\d+" at 127\.0\.0\.1:\d+ replied with status 401, client: /m
--- access_log eval
qr/^502\|ERROR\|\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: status-401-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 44: status 403
--- request
GET /t
--- more_headers
X-WX-Code: status-403-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: "127\.0\.0\.1:\d+" at 127\.0\.0\.1:\d+ replied with status 403, client: /m
--- access_log eval
qr/^502\|ERROR\|\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: status-403-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 45: status 404
--- request
GET /t
--- more_headers
X-WX-Code: status-404-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: "127\.0\.0\.1:\d+" at 127\.0\.0\.1:\d+ replied with status 404, client: /m
--- access_log eval
qr/^502\|ERROR\|\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: status-404-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 46: status 407
--- request
GET /t
--- more_headers
X-WX-Code: status-407-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: "127\.0\.0\.1:\d+" at 127\.0\.0\.1:\d+ replied with status 407, client: /m
--- access_log eval
qr/^502\|ERROR\|\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: status-407-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 47: status 429
--- request
GET /t
--- more_headers
X-WX-Code: status-429-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: "127\.0\.0\.1:\d+" at 127\.0\.0\.1:\d+ replied with status 429, client: /m
--- access_log eval
qr/^502\|ERROR\|\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: status-429-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 48: status 500
--- request
GET /t
--- more_headers
X-WX-Code: status-500-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: "127\.0\.0\.1:\d+" at 127\.0\.0\.1:\d+ replied with status 500, client: /m
--- access_log eval
qr/^502\|ERROR\|\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: status-500-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 49: status 502
--- request
GET /t
--- more_headers
X-WX-Code: status-502-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: "127\.0\.0\.1:\d+" at 127\.0\.0\.1:\d+ replied with status 502, client: /m
--- access_log eval
qr/^502\|ERROR\|\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: status-502-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 50: status 503
--- request
GET /t
--- more_headers
X-WX-Code: status-503-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: "127\.0\.0\.1:\d+" at 127\.0\.0\.1:\d+ replied with status 503, client: /m
--- access_log eval
qr/^502\|ERROR\|\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: status-503-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 51: status 504
--- request
GET /t
--- more_headers
X-WX-Code: status-504-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: "127\.0\.0\.1:\d+" at 127\.0\.0\.1:\d+ replied with status 504, client: /m
--- access_log eval
qr/^502\|ERROR\|\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: status-504-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 52: a reply that is no JSON
--- request
GET /t
--- more_headers
X-WX-Code: fault-html-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: unusable reply of "127\.0\.0\.1:\d+" at 127\.0\.0\.1:\d+: not a JSON object, client: /m
--- access_log eval
qr/^502\|ERROR\|\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: fault-html-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 53: a reply without openid
--- request
GET /t
--- more_headers
X-WX-Code: fault-openid_missing-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: unusable reply of "127\.0\.0\.1:\d+" at 127\.0\.0\.1:\d+: no usable openid, client: /m
--- access_log eval
qr/^502\|ERROR\|\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: fault-openid_missing-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 54: a host that cannot be resolved
--- http_config
    log_format      wx  '$status|$wx_openid_status|$wx_openid_errcode|'
                        '$wx_openid_error|$wx_openid_exchange_time';
    access_log      logs/access.log  wx;
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  https://no-such-host.invalid;
    wx_openid_ssl_trusted_certificate  $TEST_NGINX_CERTS/ca.pem;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: no address of "no-such-host\.invalid" is known, client: /m
--- access_log eval
qr/^502\|ERROR\|\|bad_gateway\|$/m
--- wechat_count: %CODE%=0
--- wechat_total: 0
--- backend_count: 0



=== TEST 55: connection refused
--- http_config
    log_format      wx  '$status|$wx_openid_status|$wx_openid_errcode|'
                        '$wx_openid_error|$wx_openid_exchange_time';
    access_log      logs/access.log  wx;
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_DEAD_PORT;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: connect failed, "127\.0\.0\.1:\d+" at 127\.0\.0\.1:\d+, client: /m
--- access_log eval
qr/^502\|ERROR\|\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: %CODE%=0
--- wechat_total: 0
--- backend_count: 0



=== TEST 56: TLS that fails
--- http_config
    log_format      wx  '$status|$wx_openid_status|$wx_openid_errcode|'
                        '$wx_openid_error|$wx_openid_exchange_time';
    access_log      logs/access.log  wx;
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_UNTRUSTED_PORT;
    wx_openid_host  api.weixin.qq.com;
    wx_openid_ssl_trusted_certificate  $TEST_NGINX_CERTS/ca.pem;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: TLS handshake failed, "api\.weixin\.qq\.com" at 127\.0\.0\.1:\d+, client: /m
--- access_log eval
qr/^502\|ERROR\|\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: %CODE%=0
--- wechat_total: 0
--- backend_count: 0



=== TEST 57: connection lost
--- request
GET /t
--- more_headers
X-WX-Code: fault-close-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: bad_gateway: connection closed before a reply, "127\.0\.0\.1:\d+" at 127\.0\.0\.1:\d+, client: /m
--- access_log eval
qr/^502\|ERROR\|\|bad_gateway\|\d+\.\d{3}$/m
--- wechat_count: fault-close-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 58: -1
--- request
GET /t
--- more_headers
X-WX-Code: err--1-%NEW%
--- error_code: 503
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
Retry-After: 1
--- response_body_like
^\{"error":"wechat_busy"\}$
--- error_log eval
qr/^\S+ \S+ \[warn\] \S+ \*\d+ wx_openid: wechat_busy: WeChat\'s errcode -1 "system error, rid: [\w-]+" for app "wxtest", client: /m
--- access_log eval
qr/^503\|ERROR\|-1\|wechat_busy\|\d+\.\d{3}$/m
--- wechat_count: err--1-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 59: 45009
--- request
GET /t
--- more_headers
X-WX-Code: err-45009-%NEW%
--- error_code: 503
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"quota_exceeded"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: quota_exceeded: WeChat\'s errcode 45009 "reach max api daily quota limit, rid: [\w-]+" for app "wxtest", client: /m
--- access_log eval
qr/^503\|ERROR\|45009\|quota_exceeded\|\d+\.\d{3}$/m
--- wechat_count: err-45009-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 60: wx_openid_timeout
--- config
    location /t {
        wx_openid   on;
        wx_openid_timeout  200ms;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: fault-stall-%NEW%
--- error_code: 504
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"wechat_timeout"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: wechat_timeout: no reply in time, "127\.0\.0\.1:\d+" at 127\.0\.0\.1:\d+, client: /m
--- access_log eval
qr/^504\|ERROR\|\|wechat_timeout\|0\.[2-9]\d\d$/m
--- wechat_count: fault-stall-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 61: wx_openid_read_timeout
--- config
    location /t {
        wx_openid   on;
        wx_openid_read_timeout  200ms;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: fault-stall-%NEW%
--- error_code: 504
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"wechat_timeout"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: wechat_timeout: no reply in time, "127\.0\.0\.1:\d+" at 127\.0\.0\.1:\d+, client: /m
--- access_log eval
qr/^504\|ERROR\|\|wechat_timeout\|0\.[2-9]\d\d$/m
--- wechat_count: fault-stall-%NEW%=1
--- wechat_total: 1
--- backend_count: 0



=== TEST 62: wx_openid_connect_timeout
--- http_config
    log_format      wx  '$status|$wx_openid_status|$wx_openid_errcode|'
                        '$wx_openid_error|$wx_openid_exchange_time';
    access_log      logs/access.log  wx;
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_FULL_PORT;
--- config
    location /t {
        wx_openid   on;
        wx_openid_connect_timeout  200ms;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 504
--- response_headers
Content-Type: application/json
Cache-Control: no-store
! WWW-Authenticate
! Retry-After
--- response_body_like
^\{"error":"wechat_timeout"\}$
--- error_log eval
qr/^\S+ \S+ \[error\] \S+ \*\d+ wx_openid: wechat_timeout: connect timed out, "127\.0\.0\.1:\d+" at 127\.0\.0\.1:\d+, client: /m
--- access_log eval
qr/^504\|ERROR\|\|wechat_timeout\|0\.[2-9]\d\d$/m
--- wechat_count: %CODE%=0
--- wechat_total: 0
--- backend_count: 0



=== TEST 63: granted: the variables
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- access_log eval
qr/^200\|MISS\|\|\|\d+\.\d{3}$/m
--- no_error_log
wx_openid:
[error]
[alert]
[crit]
[emerg]
--- wechat_total: 1



=== TEST 64: anonymous: the variables
--- config
    location /t {
        wx_openid   optional;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- access_log eval
qr/^200\|NONE\|\|\|$/m
--- wechat_total: 0



=== TEST 65: optional refuses a code that is refused, as on does
--- config
    location /t {
        wx_openid   optional;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: err-40029-%NEW%
--- error_code: 401
--- response_headers
Cache-Control: no-store
WWW-Authenticate: Bearer realm="wx_openid", error="invalid_token"
--- response_body_like
^\{"error":"invalid_code","errcode":40029,"errmsg":"invalid code, rid: .*"\}$
--- access_log eval
qr/^401\|ERROR\|40029\|invalid_code\|\d+\.\d{3}$/m
--- backend_count: 0



=== TEST 66: off: no variables
--- config
    location /t {
        wx_openid   off;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- access_log eval
qr/^200\|\|\|\|$/m
--- wechat_total: 0



=== TEST 67: HEAD, no code: the headers alone
--- request
HEAD /t
--- error_code: 401
--- response_headers
Content-Type: application/json
Cache-Control: no-store
Content-Length: 26
--- response_body
--- backend_count: 0



=== TEST 68: HEAD, 40029: the headers alone
--- request
HEAD /t
--- more_headers
X-WX-Code: err-40029-%NEW%
--- error_code: 401
--- response_headers
Content-Type: application/json
Cache-Control: no-store
--- response_body
--- backend_count: 0



=== TEST 69: HEAD, 502: the headers alone
--- request
HEAD /t
--- more_headers
X-WX-Code: fault-close-%NEW%
--- error_code: 502
--- response_headers
Content-Type: application/json
Cache-Control: no-store
Content-Length: 23
--- response_body
--- backend_count: 0



=== TEST 70: HTTP/2, no code
--- h2
--- request
GET /t
--- error_code: 401
--- response_headers
cache-control: no-store
--- response_body_like
^\{"error":"login_required"\}$
--- backend_count: 0



=== TEST 71: HTTP/2, 45011
--- h2
--- request
GET /t
--- more_headers
X-WX-Code: err-45011-%NEW%
--- error_code: 429
--- response_headers
cache-control: no-store
--- response_body_like
^\{"error":"rate_limited","errcode":45011,"errmsg":".*"\}$
--- backend_count: 0



=== TEST 72: HTTP/2, bad_gateway
--- h2
--- request
GET /t
--- more_headers
X-WX-Code: fault-html-%NEW%
--- error_code: 502
--- response_headers
cache-control: no-store
--- response_body_like
^\{"error":"bad_gateway"\}$
--- backend_count: 0



=== TEST 73: a body that was not read is no request
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /next {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location = /ready {
        return  204;
    }
--- request
GET /ready
--- error_code: 204
--- steps
my $body = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
my $length = length $body;
my $next = "GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n";

my %framed = (
    'Content-Length' => ["Content-Length: $length\r\n", $body],
    'chunked' => ["Transfer-Encoding: chunked\r\n",
                  sprintf("%x\r\n%s\r\n0\r\n\r\n", $length, $body)],
);

for my $framing (sort keys %framed) {
    my ($field, $sent) = @{ $framed{$framing} };

    for my $expect ('', "Expect: 100-continue\r\n") {
        for my $code (undef, new_code('err-40029'), new_code('fault-close')) {
            check_next("$name - $framing" . ($expect ? ', Expect' : '')
                       . ', ' . ($code // 'no code'),
                       "POST /t HTTP/1.1\r\nHost: localhost\r\n"
                       . ($code ? "X-WX-Code: $code\r\n" : '')
                       . "$field$expect\r\n",
                       $sent, $next);
        }
    }
}
--- checks: 120



=== TEST 74: pipelined requests, refused and granted
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /next {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- pipelined_requests eval
["GET /t", "GET /next", "GET /t", "GET /next"]
--- more_headers eval
["", "", "X-WX-Code: %CODE%", ""]
--- error_code eval
[401, 200, 200, 200]
--- response_body_like eval
['^\{"error":"login_required"\}$', '^GET /next ', '^GET /t ', '^GET /next ']
--- wechat_total: 1
--- backend_count: 3
