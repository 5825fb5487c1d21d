use lib 't/lib';
use WxOpenid;

# The module is loaded and no level uses it: what its names mean then.  That
# nginx is as it was in all else is t/untouched.t's.

repeat_each(2);

our $Headers = "X-WX-OPENID: kept\nX-WX-Code: kept-code\nX-WX-Source: kept\n"
               . "X-User: kept\nx-wx-openid: again";

sub echo {
    my ($line) = @_;
    return proxied($line) . "$Headers\n\n";
}

plan tests => wx_tests();

no_long_string();
run_tests();

__DATA__

=== TEST 1: no directive at all: nothing is removed, nobody is asked
--- http_config
--- config
    location /t {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /redirected {
        try_files  /none /t;
    }
--- request eval
["GET /t", "GET /redirected"]
--- more_headers eval
$main::Headers
--- response_body eval
[main::echo('GET /t'), main::echo('GET /t')]
--- wechat_total: 0
--- no_error_log
wx_openid
[error]
[alert]
[crit]
[emerg]



=== TEST 2: apps and lists alone do not make it used
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    wx_openid_set_header  X-User $wx_openid;
    wx_openid_code        $http_x_wx_code $arg_code json:code;
    wx_openid_require     $wx_openid;
    wx_openid_appid       $arg_appid;
'
--- config
    wx_openid  off;
    location /t {
        wx_openid  off;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /redirected {
        error_page  404 = /t;
        try_files   /none =404;
    }
--- request eval
["GET /t?code=%CODE%", "GET /redirected"]
--- more_headers eval
$main::Headers
--- response_body eval
[main::echo('GET /t?code=%CODE%'), main::echo('GET /t')]
--- wechat_total: 0
--- no_error_log
wx_openid
[error]
[alert]
[crit]
[emerg]



=== TEST 3: off alone needs no app
--- http_config
    wx_openid  off;
--- config
    location /t {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers eval
$main::Headers
--- response_body eval
main::echo('GET /t')
--- wechat_total: 0



=== TEST 4: variables are there, and empty
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    log_format  wx  "log [$wx_openid] [$wx_openid_appid] "
                    "[$wx_openid_unionid] [$wx_openid_session_key] "
                    "[$wx_openid_status] [$wx_openid_errcode] "
                    "[$wx_openid_error] [$wx_openid_exchange_time]";
'
--- config
    location /t {
        access_log  logs/access.log  wx;
        set  $who "$wx_openid$wx_openid_appid$wx_openid_unionid";
        add_header  X-Who "[$who$wx_openid_session_key]";
        add_header  X-How "[$wx_openid_status$wx_openid_errcode]";
        add_header  X-Why "[$wx_openid_error$wx_openid_exchange_time]";
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_headers
X-Who: []
X-How: []
X-Why: []
--- access_log eval
[qr/log (?:\[-?\] ?){8}$/]
--- wechat_total: 0



=== TEST 5: $http_ variables are the client's own
--- config
    location /t {
        proxy_set_header  X-Copy "$http_x_wx_openid $http_x_wx_code";
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-OPENID: one
X-WX-Code: two
--- response_body_like
(?m)^X-Copy: one two$
--- wechat_total: 0



=== TEST 6: a body is left alone
--- config
    location /t {
        proxy_request_buffering  off;
        proxy_http_version       1.1;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
POST /t
{"code":"%CODE%"}
--- more_headers
Content-Type: application/json
--- response_body_like
(?m)^\{"code":"%CODE%"\}$
--- wechat_total: 0
