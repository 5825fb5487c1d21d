# Who gets in, as configured: the default of each directive, its levels, how
# it is inherited and overridden.  What nginx refuses is conf-refused.t's.

use lib 't/lib';
use WxOpenid;

$ENV{WX_TEST_SECRET} = $ENV{TEST_NGINX_SECRET};
$ENV{WX_BANNED} = wx_openid_of('delay-0-banned');

for my $file (['unix.secret', "\n"], ['dos.secret', "\r\n"]) {
    my ($name, $end) = @$file;
    open my $out, '>', "$ENV{TEST_NGINX_CERTS}/$name" or die "$name: $!";
    print $out $ENV{TEST_NGINX_SECRET} . $end;
    close $out or die "$name: $!";
}

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
    location /other {
        wx_openid   on;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
^GET /t HTTP
--- response_body_unlike
X-WX-
--- wechat_total: 0



=== TEST 2: on in http, off in a server
--- http_config eval
"$ENV{TEST_NGINX_WX_CONFIG}
    wx_openid   on;
    server {
        listen unix:$ENV{TEST_NGINX_CERTS}/off.sock;
        wx_openid  off;
        location / {
            return 200 \"off\\n\";
        }
        location /back {
            proxy_pass  http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT};
        }
    }"
--- config
    location /t {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /off {
        wx_openid   off;
        proxy_pass  http://unix:$TEST_NGINX_CERTS/off.sock:/back;
    }
--- request eval
["GET /t", "GET /off", "GET /t"]
--- more_headers eval
["", "", "X-WX-Code: %CODE%"]
--- error_code eval
[401, 200, 200]
--- response_body_like eval
[qr/login_required/, qr/^GET \/back/, qr/^X-WX-OPENID: %OPENID%$/m]
--- wechat_total: 1



=== TEST 3: on in a server; off, on and optional in locations and in theirs
--- config
    wx_openid   on;

    location /inherited {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /off {
        wx_openid   off;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;

        location /off/inherited {
            proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        }
        location /off/on {
            wx_openid   on;
            proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        }
    }
    location /optional {
        wx_openid   optional;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
[map { "GET $_" } "/inherited", "/off", "/off/inherited", "/off/on",
                  "/optional"]
--- error_code eval
[401, 200, 200, 401, 200]
--- response_body_like eval
[qr/login_required/, qr/^GET/, qr/^GET/, qr/login_required/, qr/^GET/]
--- wechat_total: 0
--- backend_count: 3



=== TEST 4: on in limit_except: for these methods alone
--- config
    location /t {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;

        limit_except GET {
            wx_openid   on;
        }
    }
--- no_http2: curl drops an answer that does not wait for the body
--- request eval
["GET /t", "POST /t\nbody", "POST /t\nbody"]
--- more_headers eval
["", "", "X-WX-Code: %CODE%"]
--- error_code eval
[200, 401, 200]
--- response_body_like eval
[qr/^GET \/t/, qr/login_required/, qr/^X-WX-OPENID: %OPENID%$/m]
--- wechat_count: %CODE%=1
--- backend_count: 2



=== TEST 5: off in limit_except, on around it
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;

        limit_except GET {
            wx_openid   off;
        }
    }
--- request eval
["GET /t", "DELETE /t"]
--- error_code eval
[401, 200]
--- response_body_like eval
[qr/login_required/, qr/^DELETE/]
--- wechat_total: 0



=== TEST 6: an "if" inherits on
--- config
    location /t {
        wx_openid   on;
        if ($arg_x) {
            proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        }
    }
--- request eval
["GET /t?x=1", "GET /t?x=1"]
--- more_headers eval
["", "X-WX-Code: %CODE%"]
--- error_code eval
[401, 200]
--- response_body_like eval
[qr/login_required/, qr/^X-WX-OPENID: %OPENID%$/m]



=== TEST 7: apps of http, of a server, of a location
--- http_config
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
    wx_openid_app   wxother $TEST_NGINX_OTHER_SECRET;
    server {
        listen unix:$TEST_NGINX_CERTS/http.sock;
        wx_openid   on;
        location / {
            proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        }
    }
--- config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;

    location /http {
        proxy_pass  http://unix:$TEST_NGINX_CERTS/http.sock:/;
        proxy_set_header  X-WX-Code $http_x_wx_code;
    }
    location /server {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /location {
        wx_openid   on;
        wx_openid_app  wxother $TEST_NGINX_OTHER_SECRET;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;

        location /location/nested {
            proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        }
    }
--- request eval
["GET /http", "GET /server", "GET /location", "GET /location/nested"]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%" } 1 .. 4]
--- response_body_like eval
[qr/^X-WX-OPENID: %OPENID(%CODE1%,wxother)%\nX-WX-APPID: wxother$/m,
 qr/^X-WX-OPENID: %OPENID2%\nX-WX-APPID: wxtest$/m,
 qr/^X-WX-OPENID: %OPENID(%CODE3%,wxother)%\nX-WX-APPID: wxother$/m,
 qr/^X-WX-OPENID: %OPENID(%CODE4%,wxother)%\nX-WX-APPID: wxother$/m]
--- wechat_total: 4



=== TEST 8: a list of apps hides the whole list above it
--- http_config
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_app   wxother $TEST_NGINX_OTHER_SECRET;
    wx_openid_appid $arg_appid;
--- config
    location /inherited {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /own {
        wx_openid   on;
        wx_openid_app  wxother $TEST_NGINX_OTHER_SECRET;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /inherited?appid=wxtest", "GET /inherited?appid=wxother",
 "GET /own?appid=wxother", "GET /own?appid=wxtest"]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%" } 1 .. 4]
--- error_code eval
[200, 200, 200, 403]
--- response_body_like eval
[qr/APPID: wxtest/, qr/APPID: wxother/, qr/APPID: wxother/, qr/unknown_app/]
--- wechat_total: 3



=== TEST 9: secrets of a file, of one beside nginx.conf, of the environment
--- main_config
    env WX_TEST_SECRET;
--- http_config
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
--- user_files eval
">>> secret
$ENV{TEST_NGINX_SECRET}
"
--- config
    location /file {
        wx_openid      on;
        wx_openid_app  wxtest file:$TEST_NGINX_CERTS/unix.secret;
        proxy_pass     http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /dos {
        wx_openid      on;
        wx_openid_app  wxtest file:$TEST_NGINX_CERTS/dos.secret;
        proxy_pass     http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /relative {
        wx_openid      on;
        wx_openid_app  wxtest file:../html/secret;
        proxy_pass     http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /env {
        wx_openid      on;
        wx_openid_app  wxtest env:WX_TEST_SECRET;
        proxy_pass     http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /file", "GET /dos", "GET /relative", "GET /env"]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%" } 1 .. 4]
--- response_body_like eval
[map { qr/^X-WX-OPENID: %OPENID$_%$/m } 1 .. 4]
--- wechat_total: 4
--- logs_never eval
[$ENV{TEST_NGINX_SECRET}]



=== TEST 10: wx_openid_appid not set or empty: the first app
--- config
    location /unset {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /arg {
        wx_openid   on;
        wx_openid_appid  $arg_appid;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /empty {
        wx_openid   on;
        wx_openid_appid  "";
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /unset?appid=wxother", "GET /arg", "GET /arg?appid=", "GET /empty"]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%" } 1 .. 4]
--- response_body_like eval
[(qr/^X-WX-APPID: wxtest$/m) x 4]
--- wechat_total: 4



=== TEST 11: wx_openid_appid in http, server and location
--- http_config eval
"$ENV{TEST_NGINX_WX_CONFIG}
    wx_openid_appid  \$arg_http;
    server {
        listen unix:$ENV{TEST_NGINX_CERTS}/appid.sock;
        wx_openid   on;
        location / {
            proxy_pass  http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT};
        }
    }"
--- config
    wx_openid_appid  $arg_server;
    location /http {
        rewrite ^ / break;
        proxy_pass  http://unix:$TEST_NGINX_CERTS/appid.sock;
        proxy_set_header  X-WX-Code $http_x_wx_code;
    }
    location /server {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /location {
        wx_openid   on;
        wx_openid_appid  wxother;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /http?http=wxother&server=bad", "GET /server?server=wxother&http=bad",
 "GET /location?server=bad&http=bad", "GET /server?server=wxtes"]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%" } 1 .. 4]
--- error_code eval
[200, 200, 200, 403]
--- response_body_like eval
[(qr/^X-WX-APPID: wxother$/m) x 3, qr/^\{"error":"unknown_app"\}$/]
--- wechat_total: 3



=== TEST 12: an app that is not declared: 403, WeChat is not asked
--- config
    location /t {
        wx_openid   on;
        wx_openid_appid  $arg_appid;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
[map { "GET /t?appid=$_" } "wxnone", "wxtest2", "WXTEST", "wxtest,wxother"]
--- more_headers
X-WX-Code: %CODE%
--- error_code eval
[(403) x 4]
--- response_body_like eval
[(qr/^\{"error":"unknown_app"\}$/) x 4]
--- error_log
wx_openid: unknown_app
--- wechat_total: 0
--- backend_count: 0



=== TEST 13: where a code is looked for by default, in order
--- request eval
["GET /t?code=%CODE2%", "GET /t?code=%CODE2%", "POST /t?code=%CODE3%
{\"code\":\"%CODE4%\"}", "POST /t
{\"code\":\"%CODE4%\"}", "POST /t
code=%CODE5%"]
--- more_headers eval
my $json = "Content-Type: application/json";
my $form = "Content-Type: application/x-www-form-urlencoded";
["X-WX-Code: %CODE1%", "", $json, $json, $form]
--- response_body_like eval
[map { qr/^X-WX-OPENID: %OPENID$_%$/m } 1 .. 5]
--- wechat_total: 5



=== TEST 14: under optional a header alone, unless told otherwise
--- config
    location /t {
        wx_openid   optional;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /told {
        wx_openid   optional;
        wx_openid_code  $arg_code json:code;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /t?code=%CODE%", "POST /t
{\"code\":\"%CODE%\"}", "GET /told?code=%CODE2%", "POST /told
{\"code\":\"%CODE3%\"}"]
--- more_headers
Content-Type: application/json
--- response_body_like eval
[qr/^GET(?!(?s:.*)X-WX-)/, qr/^POST(?!(?s:.*)X-WX-)/,
 qr/X-WX-OPENID: %OPENID2%/, qr/X-WX-OPENID: %OPENID3%/]
--- wechat_total: 2



=== TEST 15: sources of http, server and location; a list hides the one above
--- http_config eval
"$ENV{TEST_NGINX_WX_CONFIG}
    wx_openid_code  \$arg_http;
    wx_openid       on;
    server {
        listen unix:$ENV{TEST_NGINX_CERTS}/code.sock;
        location / {
            proxy_pass  http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT};
        }
    }"
--- config
    wx_openid_code  $arg_server;

    location /http {
        wx_openid   off;
        rewrite ^ / break;
        proxy_pass  http://unix:$TEST_NGINX_CERTS/code.sock;
    }
    location /server {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /location {
        wx_openid_code  $http_x_a $cookie_c $arg_location;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /http?http=%CODE1%", "GET /http?server=%CODE9%",
 "GET /server?server=%CODE2%", "GET /server?http=%CODE9%&code=%CODE9%",
 "GET /location", "GET /location?server=%CODE9%&http=%CODE9%"]
--- more_headers eval
["X-WX-Code: %CODE9%", "X-WX-Code: %CODE9%", "X-WX-Code: %CODE9%",
 "X-WX-Code: %CODE9%", "Cookie: c=%CODE3%", "X-WX-Code: %CODE9%"]
--- error_code eval
[200, 401, 200, 401, 200, 401]
--- response_body_like eval
[qr/X-WX-OPENID: %OPENID1%/, qr/login_required/,
 qr/X-WX-OPENID: %OPENID2%/, qr/login_required/,
 qr/X-WX-OPENID: %OPENID3%/, qr/login_required/]
--- wechat_total: 3



=== TEST 16: a body of 16k is searched by default, a longer one is not
--- config
    location /t {
        wx_openid   optional;
        wx_openid_code  json:code;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/sum;
    }
--- request eval
[map { "POST /t
" . '{"code":"bad","x":"' . "x" x ($_ - 21) . '"}' } 16384, 16385]
--- more_headers
Content-Type: application/json
--- error_code eval
[401, 200]
--- response_body_like eval
[qr/invalid_code/, qr/^16385 /]
--- wechat_total: 1



=== TEST 17: wx_openid_body_limit in http, server and location
--- http_config eval
"$ENV{TEST_NGINX_WX_CONFIG}
    wx_openid   on;
    wx_openid_body_limit  100;
    server {
        listen unix:$ENV{TEST_NGINX_CERTS}/limit.sock;
        location / {
            proxy_pass  http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT};
        }
    }"
--- config
    wx_openid_body_limit  200;

    location /http {
        wx_openid   off;
        proxy_pass  http://unix:$TEST_NGINX_CERTS/limit.sock;
    }
    location /server {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /location {
        wx_openid_body_limit  300;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;

        location /location/zero {
            wx_openid_body_limit  0;
            proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        }
    }
--- no_http2: curl drops an answer that does not wait for the body
--- request eval
[map { my ($uri, $n) = @$_; "POST $uri
" . '{"code":"bad","x":"' . "x" x ($n - 21) . '"}' }
     ["/http", 100], ["/http", 101], ["/server", 200], ["/server", 201],
     ["/location", 300], ["/location", 301], ["/location/zero", 50]]
--- more_headers
Content-Type: application/json
--- error_code eval
[(401) x 7]
--- response_body_like eval
[(qr/invalid_code/, qr/login_required/) x 3, qr/login_required/]
--- wechat_total: 3



=== TEST 18: the headers an upstream gets by default
--- request eval
["GET /t", "GET /t"]
--- more_headers eval
["X-WX-Code: union-%NEW%", "X-WX-Code: bare-%NEW%"]
--- response_body_like eval
[qr/^X-WX-OPENID: %OPENID(union-%NEW%)%
X-WX-APPID: wxtest
X-WX-UNIONID: %UNIONID(union-%NEW%)%
X-WX-SOURCE: wx_client

\z/m, qr/^X-WX-OPENID: %OPENID(bare-%NEW%)%
X-WX-APPID: wxtest
X-WX-SOURCE: wx_client

\z/m]



=== TEST 19: headers of http, server and location; a list hides the one above
--- http_config eval
"$ENV{TEST_NGINX_WX_CONFIG}
    wx_openid_set_header  X-Http \$wx_openid;
    wx_openid_set_header  X-Empty \$arg_empty;
    wx_openid       on;
    server {
        listen unix:$ENV{TEST_NGINX_CERTS}/header.sock;
        location / {
            proxy_pass  http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT};
        }
    }"
--- config
    wx_openid_set_header  X-Server "user=$wx_openid; app=$wx_openid_appid";

    location /http {
        wx_openid   off;
        rewrite ^ / break;
        proxy_pass  http://unix:$TEST_NGINX_CERTS/header.sock;
        proxy_set_header  X-WX-Code $http_x_wx_code;
    }
    location /server {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /location {
        wx_openid_set_header  x-location yes;
        wx_openid_set_header  X-WX-SOURCE "";
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;

        location /location/nested {
            proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        }
    }
--- request eval
["GET /http", "GET /http?empty=no", "GET /server", "GET /location",
 "GET /location/nested"]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%" } 1 .. 5]
--- response_body_like eval
[qr/^X-Http: %OPENID1%\n\n\z/m,
 qr/^X-Http: %OPENID2%\nX-Empty: no\n\n\z/m,
 qr/\nX-Server: user=%OPENID3%; app=wxtest\n\n\z/,
 qr/\nx-location: yes\n\n\z/, qr/\nx-location: yes\n\n\z/]
--- backend_never
X-WX-



=== TEST 20: names set in one place are removed everywhere
--- config
    location /t {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /optional {
        wx_openid   optional;
        wx_openid_set_header  X-Optional yes;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /other {
        wx_openid_set_header  X-Own-User $wx_openid;
    }
--- request eval
["GET /t", "GET /optional"]
--- more_headers
X-Own-User: forged
x-own-user: forged
X-Optional: forged
X-WX-UNIONID: forged
X-Own-Users: kept
--- response_body_like eval
[(qr/^X-Own-Users: kept$/m) x 2]
--- backend_never
forged
X-Optional
--- wechat_total: 0



=== TEST 21: set_header evaluated in the location that passes on
--- config
    location /t {
        wx_openid   on;
        wx_openid_set_header  X-User "$wx_openid$arg_a$request_method$uri";
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t?a=b
--- more_headers
X-WX-Code: %CODE%
X-User: forged
--- response_body_like
(?m)^X-User: %OPENID%bGET/t$
--- backend_never
forged



=== TEST 22: nothing is required by default; required values
--- http_config eval
"$ENV{TEST_NGINX_WX_CONFIG}
    wx_openid   on;
    map \$wx_openid \$allowed {
        volatile;
        default      1;
        $ENV{WX_BANNED}  0;
    }"
--- config
    location /free {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /map {
        wx_openid_require  $allowed;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /free", "GET /map", "GET /map"]
--- more_headers eval
["X-WX-Code: delay-0-banned", "X-WX-Code: delay-0-banned", "X-WX-Code: %CODE%"]
--- error_code eval
[200, 403, 200]
--- response_body_like eval
[qr/^GET/, qr/^\{"error":"forbidden"\}$/, qr/^GET/]
--- wechat_total: 3
--- backend_count: 2



=== TEST 23: a refusal for what is required is logged
--- config
    location /t {
        wx_openid   on;
        wx_openid_require  $wx_openid $wx_openid_unionid;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 403
--- response_body_like
^\{"error":"forbidden"\}$
--- error_log eval
qr/\[info\].*wx_openid: forbidden/
--- log_level: info



=== TEST 24: wx_openid_require in http, server and location
--- http_config eval
"$ENV{TEST_NGINX_WX_CONFIG}
    wx_openid   on;
    wx_openid_require  \$arg_a \$arg_b;
    server {
        listen unix:$ENV{TEST_NGINX_CERTS}/require.sock;
        location / {
            proxy_pass  http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT};
        }
    }"
--- config
    wx_openid_require  $arg_c;

    location /http {
        wx_openid   off;
        rewrite ^ / break;
        proxy_pass  http://unix:$TEST_NGINX_CERTS/require.sock;
        proxy_set_header  X-WX-Code $http_x_wx_code;
    }
    location /server {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /location {
        wx_openid_require  "$arg_d";
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
[map { "GET $_" } "/http?a=1&b=x", "/http?a=1", "/http?b=1&a=0&c=1",
                  "/server?c=00", "/server?a=1&b=1&c=0",
                  "/location?d=1", "/location?a=1&b=1&c=1"]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%" } 1 .. 7]
--- error_code eval
[200, 403, 403, 200, 403, 200, 403]
--- response_body_like eval
[map { $_ ? qr/^GET/ : qr/^\{"error":"forbidden"\}$/ } 1, 0, 0, 1, 0, 1, 0]
--- wechat_total: 7
--- backend_count: 3
