use lib 't/lib';
use WxOpenid;

# A request is exchanged once however it is redirected inside nginx, and each
# location it comes to decides for itself what the result is worth.

repeat_each(2);

# no line of the echoed request is an identity header
our $Anonymous = '\A(?:(?!x.wx.)[^\n]+\n)+\n';

plan tests => wx_tests();

no_long_string();
run_tests();

__DATA__

=== TEST 1: one exchange: try_files, index, error_page
--- config
    wx_openid  on;
    location /final {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location @final {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /try {
        try_files  /none /final;
    }
    location /try-named {
        try_files  /none @final;
    }
    location /index/ {
        index  none.html /final;
    }
    location /error {
        error_page  404 /final;
        try_files   /none =404;
    }
    location /error-named {
        error_page  404 @final;
        try_files   /none =404;
    }
    location /error-200 {
        error_page  404 =200 /final;
        try_files   /none =404;
    }
    location /error-upstream {
        error_page  404 = @final;
        try_files   /none =404;
    }
--- user_files
>>> index/x
x
--- request eval
[map { "GET $_" } qw(/try /try-named /index/ /error /error-named /error-200
                     /error-upstream)]
--- more_headers eval
[map { "X-WX-OPENID: forged\nX-WX-Code: %CODE$_%" } '', 2 .. 7]
--- error_code eval
[200, 200, 200, 404, 404, 200, 200]
--- response_body_like eval
[map { "(?m)^X-WX-OPENID: %OPENID$_%\$" } '', 2 .. 7]
--- wechat_count eval
[map { "%CODE$_%=1" } '', 2 .. 7]
--- wechat_total: 7
--- backend_count: 7
--- backend_never
forged



=== TEST 2: one exchange: rewrite, X-Accel-Redirect, recursive_error_pages
--- config
    wx_openid  on;
    location /final {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location @final {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /last {
        rewrite  ^ /final last;
    }
    location /break {
        rewrite  ^ /final break;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /accel {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location @echo {
        rewrite  ^ /echo break;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /recursive {
        recursive_error_pages  on;
        error_page  404 = /second;
        try_files   /none =404;
    }
    location /second {
        recursive_error_pages  on;
        error_page  410 = @third;
        try_files   /none =410;
    }
    location @third {
        recursive_error_pages  on;
        error_page  403 = /final;
        try_files   /none =403;
    }
    location /intercepted {
        proxy_intercept_errors  on;
        error_page  503 = @final;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/503;
    }
    location /chain {
        try_files  /none /try;
    }
    location /try {
        error_page  404 = @accel;
        try_files   /none =404;
    }
    location @accel {
        rewrite  ^ /accel?to=/last break;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
[map { "GET $_" } '/last', '/break', '/accel?to=/final', '/accel?to=@echo',
                  '/recursive', '/intercepted', '/chain']
--- more_headers eval
[map { "X-WX-OPENID: forged\nX-WX-Code: %CODE$_%" } '', 2 .. 7]
--- response_body_like eval
[map { "(?m)^X-WX-OPENID: %OPENID$_%\$" } '', 2 .. 7]
--- wechat_count eval
[map { "%CODE$_%=1" } '', 2 .. 7]
--- wechat_total: 7
--- backend_count: 11
--- backend_never
forged



=== TEST 3: one exchange of a code in a body
--- config
    wx_openid  on;
    location /t {
        try_files  /none @final;
    }
    location @final {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
POST /t
{"code":"%CODE%"}
--- more_headers
Content-Type: application/json
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$.*^\{"code":"%CODE%"\}$
--- wechat_total: 1



=== TEST 4: from off or optional into on: refused without a code
--- config
    location /off {
        try_files  /none /on;
    }
    location /optional {
        wx_openid  optional;
        try_files  /none /on;
    }
    location /accel {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /rewrite {
        rewrite  ^ /on last;
    }
    location /error {
        error_page  404 /on;
        try_files   /none =404;
    }
    location /error-200 {
        error_page  404 =200 /on;
        try_files   /none =404;
    }
    location /on {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
[map { "GET $_" } '/off', '/optional', '/accel?to=/on', '/rewrite', '/error',
                  '/error-200']
--- more_headers
X-WX-OPENID: forged
--- error_code eval
[(401) x 6]
--- response_body eval
[('{"error":"login_required"}') x 6]
--- raw_response_headers_like eval
[(qr/^WWW-Authenticate: Bearer realm="wx_openid"\r$/m) x 6]
--- wechat_total: 0
--- backend_count: 1



=== TEST 5: from off or optional into on: exchanged there with a code
--- config
    location /off {
        try_files  /none /on;
    }
    location /optional {
        wx_openid  optional;
        try_files  /none /on?$args;
    }
    location /error {
        error_page  404 = /on;
        try_files   /none =404;
    }
    location /on {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /off", "GET /optional", "GET /optional?code=%CODE3%", "GET /error"]
--- more_headers eval
["X-WX-Code: %CODE%", "X-WX-Code: %CODE2%", "", "X-WX-Code: %CODE4%"]
--- response_body_like eval
['(?m)^X-WX-OPENID: %OPENID%$', '(?m)^X-WX-OPENID: %OPENID2%$',
 '(?m)\AGET /on\?code=%CODE3% .*^X-WX-OPENID: %OPENID3%$',
 '(?m)^X-WX-OPENID: %OPENID4%$'] 
--- wechat_count eval
[map { "%CODE$_%=1" } '', 2 .. 4]
--- wechat_total: 4



=== TEST 6: from one app to another: refused, and not exchanged again
--- config
    location /a {
        wx_openid      on;
        wx_openid_app  wxtest $TEST_NGINX_SECRET;
        try_files      /none /b;
    }
    location /b {
        wx_openid      on;
        wx_openid_app  wxother $TEST_NGINX_OTHER_SECRET;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /chosen-a {
        wx_openid        on;
        wx_openid_appid  wxtest$arg_none;
        try_files        /none @chosen-b;
    }
    location @chosen-b {
        wx_openid        on;
        wx_openid_appid  wxother$arg_none;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /unknown {
        wx_openid        on;
        error_page       404 = @unknown;
        try_files        /none =404;
    }
    location @unknown {
        wx_openid        on;
        wx_openid_appid  wxnobody$arg_none;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /secret {
        wx_openid      on;
        try_files      /none @secret;
    }
    location @secret {
        wx_openid      on;
        wx_openid_app  wxtest another-secret;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /a", "GET /chosen-a", "GET /unknown", "GET /secret"]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%" } '', 2, 3, 4]
--- error_code eval
[401, 401, 403, 401]
--- response_body eval
['{"error":"invalid_code"}', '{"error":"invalid_code"}',
 '{"error":"unknown_app"}', '{"error":"invalid_code"}']
--- wechat_count eval
[map { "%CODE$_%=1" } '', 2 .. 4]
--- wechat_total: 4
--- backend_count: 0



=== TEST 7: the same app declared again is the same app
--- config
    location /a {
        wx_openid      on;
        wx_openid_app  wxtest $TEST_NGINX_SECRET;
        try_files      /none /b;
    }
    location /b {
        wx_openid        on;
        wx_openid_app    wxother $TEST_NGINX_OTHER_SECRET;
        wx_openid_app    wxtest $TEST_NGINX_SECRET;
        wx_openid_appid  wxtest$arg_none;
        wx_openid_pass   http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /a
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$
--- wechat_total: 1



=== TEST 8: what a stand-in said, or an unverified line, is worth nothing
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT;
    wx_openid_host  api.weixin.qq.com;
    wx_openid_ssl_trusted_certificate  $TEST_NGINX_CERTS/ca.pem;
--- config
    location /staging {
        wx_openid       on;
        wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
        try_files       /none /production;
    }
    location /unverified {
        wx_openid             on;
        wx_openid_ssl_verify  off;
        error_page  404 =200 /production;
        try_files   /none =404;
    }
    location /host {
        wx_openid       on;
        wx_openid_host  localhost;
        try_files       /none @production;
    }
    location /accel {
        wx_openid       optional;
        wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT/staging;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /production {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location @production {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /staging", "GET /unverified", "GET /host",
 "GET /accel?to=/production", "GET /production"]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%" } '', 2 .. 5]
--- error_code eval
[401, 401, 401, 401, 200]
--- response_body_like eval
[('^\{"error":"invalid_code"\}$') x 4, '(?m)^X-WX-OPENID: %OPENID5%$']
--- wechat_count eval
[map { "%CODE$_%=1" } '', 2 .. 5]
--- wechat_total: 5
--- backend_count: 2



=== TEST 9: from on into off: no headers, and the variables stay for the log
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    log_format  wx  "[$wx_openid_status] [$wx_openid] [$wx_openid_appid] $uri";
'
--- config
    access_log  logs/access.log  wx;
    location /try {
        wx_openid  on;
        try_files  /none /off;
    }
    location /error {
        wx_openid   on;
        error_page  404 = @off;
        try_files   /none =404;
    }
    location /off {
        add_header  X-Openid $wx_openid;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location @off {
        add_header  X-Openid $wx_openid;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /try", "GET /error"]
--- more_headers eval
["X-WX-OPENID: forged\nX-WX-Code: %CODE%",
 "X-WX-OPENID: forged\nX-WX-Code: %CODE2%"]
--- response_body_like eval
[$main::Anonymous, $main::Anonymous]
--- response_headers eval
["X-Openid: %OPENID%", "X-Openid: %OPENID2%"]
--- access_log eval
[qr/\[MISS\] \[o[^\]]{27}\] \[wxtest\]/]
--- wechat_total: 2



=== TEST 10: from on into optional or another on: its own headers
--- config
    location /try {
        wx_openid  on;
        try_files  /none /optional;
    }
    location /accel {
        wx_openid             on;
        wx_openid_set_header  X-Other $wx_openid;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /optional {
        wx_openid   optional;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /user {
        wx_openid             on;
        wx_openid_set_header  X-User $wx_openid;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /try", "GET /accel?to=/optional", "GET /accel?to=/user"]
--- more_headers eval
[map { "X-WX-OPENID: forged\nX-WX-Code: %CODE$_%" } '', 2, 3]
--- response_body eval
[(map { main::proxied('GET /optional') . "X-WX-OPENID: %OPENID$_%\n"
        . "X-WX-APPID: wxtest\nX-WX-SOURCE: wx_client\n\n" } '', 2),
 main::proxied('GET /user') . "X-User: %OPENID3%\n\n"]
--- wechat_total: 3



=== TEST 11: admitted by another check under "satisfy any": no identity
--- config
    location /try {
        wx_openid  on;
        try_files  /none /any;
    }
    location /accel {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /any {
        wx_openid   on;
        satisfy     any;
        allow       all;
        add_header  X-Openid "[$wx_openid$wx_openid_appid]";
        proxy_set_header  X-Copy "[$wx_openid$http_x_wx_openid]";
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /try", "GET /accel?to=/any", "GET /any"]
--- more_headers eval
[map { "X-WX-OPENID: forged\nX-WX-Code: %CODE$_%" } '', 2, 3]
--- response_body_like eval
[("$main::Anonymous") x 3]
--- response_headers eval
[("X-Openid: []") x 3]
--- wechat_total: 2
--- backend_never
forged
X-Copy: [o



=== TEST 12: a refusal with an error_page: the page, with what a 401 needs
--- config
    location /t {
        wx_openid   on;
        error_page  401 /login.html;
        error_page  429 /later.html;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /named {
        wx_openid   on;
        error_page  401 =402 @login;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location @login {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- user_files
>>> login.html
please log in
>>> later.html
please wait
--- request eval
["GET /t", "GET /t", "GET /t", "GET /named"]
--- more_headers eval
["", "X-WX-Code: err-40029-%NEW%", "X-WX-Code: err-45011-%NEW%",
 "X-WX-OPENID: forged"]
--- error_code eval
[401, 401, 429, 402]
--- response_body_like eval
['^please log in$', '^please log in$', '^please wait$',
 '\AGET /named (?!.*X-WX)']
--- response_headers eval
["WWW-Authenticate: Bearer realm=\"wx_openid\"",
 "WWW-Authenticate: Bearer realm=\"wx_openid\", error=\"invalid_token\"",
 "Retry-After: 60", ""]
--- wechat_total: 2
--- error_log
wx_openid: 



=== TEST 13: an error_page whose location refuses too: the JSON, once
--- config
    wx_openid   on;
    error_page  401 403 429 502 /page.html;
    location /t {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /redirected {
        error_page  401 =200 @page;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location @page {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /recursive {
        recursive_error_pages  on;
        error_page  401 = /recursive2;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /recursive2 {
        recursive_error_pages  on;
        error_page  401 =200 /page.html;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- user_files
>>> page.html
never seen
--- request eval
["GET /t", "GET /t", "GET /t", "GET /redirected", "GET /recursive"]
--- more_headers eval
["", "X-WX-Code: err-40029-%NEW%", "X-WX-Code: err-45011-%NEW%", "", ""]
--- error_code eval
[401, 401, 429, 401, 401]
--- response_body_like eval
['^\{"error":"login_required"\}$',
 '^\{"error":"invalid_code","errcode":40029,"errmsg":"[^"]+"\}$',
 '^\{"error":"rate_limited","errcode":45011,"errmsg":"[^"]+"\}$',
 '^\{"error":"login_required"\}$', '^\{"error":"login_required"\}$']
--- raw_response_headers_unlike eval
[(qr/(WWW-Authenticate|Retry-After|Cache-Control|Content-Type):.*\1:/s) x 5]
--- response_headers eval
["WWW-Authenticate: Bearer realm=\"wx_openid\"",
 "WWW-Authenticate: Bearer realm=\"wx_openid\", error=\"invalid_token\"",
 "Retry-After: 60",
 "WWW-Authenticate: Bearer realm=\"wx_openid\"",
 "WWW-Authenticate: Bearer realm=\"wx_openid\""]
--- wechat_total: 2
--- backend_count: 0



=== TEST 14: "error_page 404 =200" into a refusal keeps the refusal's status
--- config
    location /t {
        error_page  404 =200 /on;
        try_files   /none =404;
    }
    location /on {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /t", "GET /t", "GET /t"]
--- more_headers eval
["", "X-WX-Code: err-40226-%NEW%", "X-WX-Code: err--1-%NEW%"]
--- error_code eval
[401, 403, 503]
--- response_body_like eval
['"login_required"', '"user_blocked"', '"wechat_busy"']
--- backend_count: 0



=== TEST 15: a success after a refusal has none of its headers
--- config
    location /t {
        wx_openid       on;
        wx_openid_code  $arg_code;
        error_page      401 = @next;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location @next {
        wx_openid       on;
        wx_openid_code  $http_x_wx_code;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /anonymous {
        wx_openid       on;
        error_page      401 = @anonymous;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location @anonymous {
        wx_openid   optional;
        add_header  X-Status "$wx_openid_status $wx_openid_error";
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /t", "GET /anonymous", "GET /t"]
--- more_headers eval
["X-WX-Code: %CODE%", "", ""]
--- error_code eval
[200, 200, 401]
--- response_body_like eval
['(?m)^X-WX-OPENID: %OPENID%$', $main::Anonymous, 'login_required']
--- raw_response_headers_unlike eval
[qr/WWW-Authenticate/, qr/WWW-Authenticate/,
 qr/WWW-Authenticate.*WWW-Authenticate/s]
--- wechat_total: 1



=== TEST 16: a refused code stays refused in every location, asked once
--- config
    location /t {
        wx_openid   on;
        error_page  401 429 502 = @next;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location @next {
        wx_openid       optional;
        wx_openid_app   wxother $TEST_NGINX_OTHER_SECRET;
        wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT/other;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /t", "GET /t", "GET /t"]
--- more_headers eval
["X-WX-Code: err-40163-%NEW%", "X-WX-Code: err-45011-%NEW%",
 "X-WX-Code: status-500-%NEW%"]
--- error_code eval
[401, 429, 502]
--- response_body_like eval
['invalid_code', 'rate_limited', 'bad_gateway']
--- wechat_total: 3
--- backend_count: 0



=== TEST 17: each location's own wx_openid_require
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    map $wx_openid_appid $no_wxtest {
        volatile;
        default  1;
        wxtest   0;
    }
'
--- config
    location /try {
        wx_openid  on;
        try_files  /none /strict;
    }
    location /off {
        try_files  /none /strict;
    }
    location /strict {
        wx_openid          on;
        wx_openid_require  $no_wxtest;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /lax {
        wx_openid          on;
        wx_openid_require  $no_wxtest;
        error_page         403 = @lax;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location @lax {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /try", "GET /off", "GET /lax"]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%" } '', 2, 3]
--- error_code eval
[403, 403, 200]
--- response_body_like eval
['^\{"error":"forbidden"\}$', '^\{"error":"forbidden"\}$',
 '(?m)^X-WX-OPENID: %OPENID3%$']
--- wechat_total: 3
--- backend_count: 1



=== TEST 18: a refusal after X-Accel-Redirect is not cached by its headers
--- config
    location /headers {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /on {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /headers?X-Accel-Redirect=/on&Cache-Control=max-age=100&Expires=1
--- error_code: 401
--- response_body_like: login_required
--- response_headers
Cache-Control: no-store
Expires:
--- raw_response_headers_unlike: max-age



=== TEST 19: a general error_page for 50x hides the JSON
--- config
    location /t {
        wx_openid   on;
        error_page  500 502 503 504 /50x.html;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- user_files
>>> 50x.html
sorry
--- request eval
["GET /t", "GET /t", "GET /t"]
--- more_headers eval
["X-WX-Code: err-40013-%NEW%", "X-WX-Code: status-500-%NEW%",
 "X-WX-Code: err--1-%NEW%"]
--- error_code eval
[500, 502, 503]
--- response_body_like eval
[('^sorry$') x 3]
--- raw_response_headers_unlike eval
[qr/Retry-After/, qr/Retry-After/, qr/^$/]
--- wechat_total: 3



=== TEST 20: variables after redirects, in headers and in the log
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    log_format  wx  "[$wx_openid_status] [$wx_openid] [$wx_openid_unionid] "
                    "[$wx_openid_errcode$wx_openid_error] "
                    "[$wx_openid_exchange_time]";
'
--- config
    access_log  logs/access.log  wx;
    location /t {
        wx_openid   on;
        error_page  404 =200 /next;
        try_files   /none =404;
    }
    location /next {
        wx_openid   on;
        add_header  X-Openid $wx_openid;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: union-%NEW%
--- response_headers
X-Openid: %OPENID(union-%NEW%)%
--- access_log eval
[qr/\[MISS\] \[o[^\]]{27}\] \[o6[^\]]{27}\] \[-{0,2}\] \[\d+\.\d{3}\]/]
--- wechat_total: 1



=== TEST 21: variables of a refusal after redirects
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    log_format  wx  "[$wx_openid_status] [$wx_openid] [$wx_openid_error] "
                    "[$wx_openid_errcode] [$wx_openid_exchange_time]";
'
--- config
    access_log  logs/access.log  wx;
    location /t {
        wx_openid   on;
        error_page  401 =200 /page;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /page {
        add_header  X-Error "$wx_openid_status $wx_openid_error";
        add_header  X-Errcode $wx_openid_errcode;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: err-40163-%NEW%
--- response_headers
X-Error: ERROR invalid_code
X-Errcode: 40163
--- access_log eval
[qr/\[ERROR\] \[-?\] \[invalid_code\] \[40163\] \[\d+\.\d{3}\]/]
--- wechat_total: 1



=== TEST 22: another resolver is no other line to WeChat
--- config
    location /t {
        wx_openid   on;
        try_files   /none @app;
    }
    location @app {
        resolver    127.0.0.1:9;
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$
--- wechat_total: 1



=== TEST 23: recursive_error_pages: who refuses again is answered in JSON
--- config
    recursive_error_pages  on;
    wx_openid              on;
    error_page  401  /401.html;
    error_page  403  /403.html;
    location /t {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /other {
        deny  all;
    }
    location = /403.html {
        satisfy  any;
        deny     all;
    }
    location = /open {
        error_page  401  /page;
    }
    location = /page {
        wx_openid  off;
        return     200  "a page\n";
    }
--- request eval
['GET /t', 'GET /other', 'GET /open']
--- error_code eval
[401, 401, 401]
--- response_body eval
[('{"error":"login_required"}') x 2, "a page\n"]
--- wechat_total: 0
