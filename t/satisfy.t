use lib 't/lib';
use WxOpenid;

# Beside nginx's own access control: who is asked first, who may grant, and
# what a refusal looks like; other modules' subrequests; wx_openid_require.

repeat_each(2);

# no line of the echoed request is an identity header
our $Anonymous = '\A(?:(?!x.wx.)[^\n]+\n)+\n';

# Every check x mode x code under one "satisfy"

our %Checks = (
    'allow' => ['allow all;', 200],
    'deny' => ['deny all;', 403],
    'basic-good' => ['auth_basic closed; auth_basic_user_file ../html/users;',
                     200],
    'basic-bad' => ['auth_basic closed; auth_basic_user_file ../html/users;',
                    401],
    'auth-200' => ['auth_request /auth/200;', 200],
    'auth-401' => ['auth_request /auth/401;', 401],
    'auth-403' => ['auth_request /auth/403;', 403],
);

sub cases {
    my @cases;

    for my $check (sort keys %Checks) {
        for my $mode (qw(on optional off)) {
            for my $code ('', 'good', 'err-40029') {
                push @cases, { check => $check, mode => $mode, kind => $code,
                               code => "$code-%NEW%-" . @cases,
                               status => $Checks{$check}[1] };
            }
        }
    }

    return @cases;
}

# what must come of a case: who answers and with which status
sub outcome {
    my ($satisfy, $case) = @_;
    my $others = $case->{status} == 200 ? 'granted' : 'refused';

    return ('others', $case->{status})
        if $satisfy eq 'all' ? $others eq 'refused' : $others eq 'granted';
    return ('others', $case->{status}) if $case->{mode} eq 'off';
    return ('identity', 200) if $case->{kind} eq 'good';
    return ('invalid_code', 401) if $case->{kind} ne '';
    return ('login_required', 401) if $case->{mode} eq 'on';
    return ('others', $case->{status});
}

sub body_of {
    my ($satisfy, $case) = @_;
    my ($who, $status) = outcome($satisfy, $case);

    return "(?m)^X-WX-OPENID: %OPENID($case->{code})%\$"
        if $who eq 'identity';
    return "^\\{\"error\":\"$who\"" if $who ne 'others';
    return $status == 200 ? $Anonymous : '^<html>';
}

sub matrix_config {
    my ($satisfy) = @_;
    my $config = '';

    for my $check (sort keys %Checks) {
        for my $mode (qw(on optional off)) {
            $config .= <<_EOC_;
    location = /$check-$mode {
        wx_openid  $mode;
        satisfy    $satisfy;
        $Checks{$check}[0]
        proxy_set_header  Authorization "";
        proxy_pass  http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT};
    }
_EOC_
        }
    }

    return $config . '
    location /auth/200 { return 200; }
    location /auth/401 { return 401; }
    location /auth/403 { return 403; }
';
}

sub headers_of {
    my ($case) = @_;
    my $headers = 'X-WX-OPENID: forged';
    $headers .= "\nX-WX-Code: $case->{code}" if $case->{kind} ne '';
    $headers .= "\nAuthorization: Basic dXNlcjpwYXNz"
        if $case->{check} eq 'basic-good';
    return $headers;
}

sub calls {
    my ($satisfy) = @_;
    return scalar grep { (outcome($satisfy, $_))[0]
                         =~ /identity|invalid_code/ } cases();
}

sub passed {
    my ($satisfy) = @_;
    return scalar grep { (outcome($satisfy, $_))[1] == 200 } cases();
}

plan tests => wx_tests();

no_long_string();
run_tests();

__DATA__

=== TEST 1: satisfy all: a client that others refuse costs no call
--- config eval
main::matrix_config('all')
--- user_files
>>> users
user:{PLAIN}pass
--- request eval
[map { "GET /$_->{check}-$_->{mode}" } main::cases()]
--- more_headers eval
[map { main::headers_of($_) } main::cases()]
--- error_code eval
[map { (main::outcome('all', $_))[1] } main::cases()]
--- response_body_like eval
[map { main::body_of('all', $_) } main::cases()]
--- wechat_total eval
main::calls('all')
--- backend_count eval
main::passed('all')
--- backend_never
forged



=== TEST 2: satisfy any: a client that others admit costs no call
--- config eval
main::matrix_config('any')
--- user_files
>>> users
user:{PLAIN}pass
--- request eval
[map { "GET /$_->{check}-$_->{mode}" } main::cases()]
--- more_headers eval
[map { main::headers_of($_) } main::cases()]
--- error_code eval
[map { (main::outcome('any', $_))[1] } main::cases()]
--- response_body_like eval
[map { main::body_of('any', $_) } main::cases()]
--- wechat_total eval
main::calls('any')
--- backend_count eval
main::passed('any')
--- backend_never
forged



=== TEST 3: limit_req: a client over its limit costs no call
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    limit_req_zone    $arg_k zone=limit:1m rate=1r/m;
    limit_req_status  429;
'
--- config
    limit_req  zone=limit;
    location /all {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /any {
        wx_openid   on;
        satisfy     any;
        deny        all;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /optional {
        wx_openid   optional;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
[map { ("GET $_?k=$_%NEW%") x 2 } qw(/all /any /optional)]
--- more_headers eval
[map { "X-WX-OPENID: forged\nX-WX-Code: %CODE$_%" } '', 2 .. 6]
--- error_code eval
[(200, 429) x 3]
--- response_body_like eval
[map { ("(?m)^X-WX-OPENID: %OPENID$_%\$", '^<html>') } '', 3, 5]
--- wechat_count
%CODE2%=0
%CODE4%=0
%CODE6%=0
--- wechat_total: 3
--- backend_count: 3



=== TEST 4: satisfy any: both challenges are sent, none on success
--- config
    location /t {
        wx_openid             on;
        satisfy               any;
        auth_basic            closed;
        auth_basic_user_file  ../html/users;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- user_files
>>> users
user:{PLAIN}pass
--- request eval
["GET /t", "GET /t", "GET /t", "GET /t"]
--- more_headers eval
["", "X-WX-Code: err-40029-%NEW%", "X-WX-Code: %CODE%",
 "Authorization: Basic dXNlcjpwYXNz"]
--- error_code eval
[401, 401, 200, 200]
--- response_body_like eval
['^\{"error":"login_required"\}$', '^\{"error":"invalid_code"',
 '(?m)^X-WX-OPENID: %OPENID%$', $main::Anonymous]
--- raw_response_headers_like eval
[(map { my $error = $_;
        qr/\A(?=.*^WWW-Authenticate:\ Basic\ realm="closed"\r\n)
           .*^WWW-Authenticate:\ Bearer\ realm="wx_openid"$error\r\n/msx }
  '', ',\ error="invalid_token"'),
 qr/\r\n(?!.*WWW-Authenticate)/s, qr/\r\n(?!.*WWW-Authenticate)/s]
--- wechat_total: 2



=== TEST 5: satisfy any with an error_page: that page
--- config
    location /t {
        wx_openid   on;
        satisfy     any;
        deny        all;
        error_page  401 /login.html;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /other {
        wx_openid   on;
        satisfy     any;
        deny        all;
        error_page  403 /login.html;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- user_files
>>> login.html
please log in
--- request eval
["GET /t", "GET /t", "GET /other"]
--- more_headers eval
["", "X-WX-Code: err-40029-%NEW%", ""]
--- error_code eval
[401, 401, 401]
--- response_body_like eval
['^please log in$', '^please log in$', '^\{"error":"login_required"\}$']
--- response_headers eval
["WWW-Authenticate: Bearer realm=\"wx_openid\"",
 "WWW-Authenticate: Bearer realm=\"wx_openid\", error=\"invalid_token\"",
 "WWW-Authenticate: Bearer realm=\"wx_openid\""]
--- backend_count: 0



=== TEST 6: satisfy any: every refusal of ours is JSON
--- config
    location /t {
        wx_openid   on;
        satisfy     any;
        deny        all;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /app {
        wx_openid        on;
        wx_openid_appid  nobody$arg_none;
        satisfy          any;
        deny             all;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /required {
        wx_openid          on;
        wx_openid_require  $arg_none;
        satisfy            any;
        deny               all;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
[("GET /t") x 6, "GET /app", "GET /required"]
--- more_headers eval
[map { "X-WX-Code: $_" } 'err-40226-%NEW%', 'err-45011-%NEW%',
 'err-40013-%NEW%', 'err-1-%NEW%', 'err-45009-%NEW%', 'status-500-%NEW%',
 '%CODE%', '%CODE2%']
--- error_code eval
[403, 429, 500, 502, 503, 502, 403, 403]
--- response_body_like eval
[map { "^\\{\"error\":\"$_\"" } qw(user_blocked rate_limited misconfigured
 bad_gateway quota_exceeded bad_gateway unknown_app forbidden)]
--- wechat_total: 7
--- backend_count: 0



=== TEST 7: limit_except
--- config
    location /t {
        limit_except  GET HEAD {
            wx_openid  on;
        }
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /denied {
        wx_openid  on;
        limit_except  GET {
            deny  all;
        }
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /open {
        wx_openid  on;
        limit_except  POST {
            wx_openid  off;
        }
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- no_http2: curl drops an answer that does not wait for the body
--- request eval
["GET /t", "POST /t\nx", "POST /t\nx", "DELETE /t", "POST /denied\nx",
 "GET /open", "POST /open\nx"]
--- more_headers eval
["X-WX-Code: no", "", "X-WX-Code: %CODE%", "", "X-WX-Code: no",
 "X-WX-Code: no", ""]
--- error_code eval
[200, 401, 200, 401, 403, 200, 401]
--- response_body_like eval
[$main::Anonymous, 'login_required', '(?m)^X-WX-OPENID: %OPENID%$',
 'login_required', '^<html>', $main::Anonymous, 'login_required']
--- wechat_total: 1



=== TEST 8: "if" and nested locations
--- config
    location /outer {
        wx_openid   on;
        if ($arg_if) {
            set  $x 1;
            proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        }
        location /outer/off {
            wx_openid   off;
            proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        }
        location /outer/inherits {
            proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        }
        location ~ /outer/[o]ptional {
            wx_openid   optional;
            proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        }
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /outer", "GET /outer?if=1", "GET /outer?if=1", "GET /outer/off",
 "GET /outer/inherits", "GET /outer/inherits", "GET /outer/optional"]
--- more_headers eval
["", "", "X-WX-Code: %CODE%", "", "", "X-WX-Code: %CODE2%", ""]
--- error_code eval
[401, 401, 200, 200, 401, 200, 200]
--- response_body_like eval
['login_required', 'login_required', '(?m)^X-WX-OPENID: %OPENID%$',
 $main::Anonymous, 'login_required', '(?m)^X-WX-OPENID: %OPENID2%$',
 $main::Anonymous]
--- wechat_total: 2



=== TEST 9: nothing a client says about itself or its way gets it in
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /t/open {
        wx_openid   off;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /t", "GET /t?/t/open", "GET /t/open/../x", "GET /t/%2e/open/..",
 "GET /t;/t/open", "OPTIONS /t", "HEAD /t", "GET /t"]
--- more_headers eval
["X-Original-URI: /t/open\nX-Forwarded-Uri: /t/open\nX-Rewrite-URL: /t/open\n"
 . "X-Forwarded-For: 127.0.0.1\nX-Real-IP: 127.0.0.1\nUser-Agent: "
 . "ELB-HealthChecker/2.0", "", "", "", "",
 "Access-Control-Request-Method: POST\nOrigin: http://x", "",
 "Upgrade: websocket"]
--- error_code eval
[(401) x 8]
--- response_body eval
[('{"error":"login_required"}') x 6, '', '{"error":"login_required"}']
--- backend_count: 0
--- wechat_total: 0



=== TEST 10: auth_request to a location with wx_openid on is left alone
--- config
    location /t {
        auth_request  /auth;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /on {
        wx_openid     on;
        auth_request  /auth;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /auth {
        wx_openid   on;
        proxy_set_header  X-Auth "yes [$wx_openid]";
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /t", "GET /on", "GET /on"]
--- more_headers eval
["X-WX-Code: no", "X-WX-Code: %CODE%", ""]
--- error_code eval
[200, 200, 401]
--- response_body_like eval
[$main::Anonymous, '(?m)^X-WX-OPENID: %OPENID%$', 'login_required']
--- wechat_total: 1
--- backend_count: 5
--- backend_never
yes [o



=== TEST 11: SSI, addition and mirror: left alone, and see the variables
--- config
    location /page {
        wx_openid  on;
        ssi        on;
        ssi_types  *;
    }
    location /added {
        wx_openid        on;
        add_before_body  /part-before;
        add_after_body   /part-after;
        addition_types   *;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /mirrored {
        wx_openid  on;
        mirror     /part;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /part {
        wx_openid         on;
        wx_openid_app     wxother $TEST_NGINX_OTHER_SECRET;
        wx_openid_require 0$arg_none;
        proxy_set_header  X-Copy $wx_openid-$wx_openid_status;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- user_files
>>> page.html
[<!--#echo var="wx_openid" -->] <!--#include virtual="/part?a" -->
--- request eval
["GET /page.html", "GET /added", "GET /mirrored"]
--- more_headers eval
[map { "X-WX-OPENID: forged\nX-WX-Code: %CODE$_%" } '', 2, 3]
--- response_body_like eval
['(?m)\A\[%OPENID%\] GET /part\?a .*^X-Copy: %OPENID%-MISS$'
 . '.*^X-WX-OPENID: %OPENID%$',
 '(?m)\AGET /part-before .*^X-Copy: %OPENID2%-MISS$.*^GET /added .*'
 . '^X-WX-OPENID: %OPENID2%$.*^GET /part-after .*^X-Copy: %OPENID2%-MISS$',
 '(?m)^X-WX-OPENID: %OPENID3%$']
--- wechat_total: 3
--- backend_count: 6
--- backend_never
forged



=== TEST 12: an include of a protected location into an open page
--- config
    location /page {
        ssi        on;
        ssi_types  *;
    }
    location /part {
        wx_openid   on;
        proxy_set_header  X-Copy "[$wx_openid]";
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- user_files
>>> page.html
<!--#include virtual="/part" -->
--- request
GET /page.html
--- more_headers
X-WX-OPENID: forged
X-WX-Code: no
--- response_body_like
(?m)\AGET /part .*^X-Copy: \[\]$
--- backend_never
forged
X-WX-
--- wechat_total: 0



=== TEST 13: wx_openid_require: neither empty nor 0
--- config
    wx_openid  on;
    location /value {
        wx_openid_require  $arg_v;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /several {
        wx_openid_require  $wx_openid $arg_v $arg_w;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /value", "GET /value?v=", "GET /value?v=0", "GET /value?v=00",
 "GET /value?v=1", "GET /several?v=1&w=1", "GET /several?v=1&w=0",
 "GET /several?w=1", "GET /value?v=1"]
--- more_headers eval
[(map { "X-WX-Code: %CODE$_%" } '', 2 .. 8), ""]
--- error_code eval
[403, 403, 403, 200, 200, 200, 403, 403, 401]
--- response_body_like eval
[(map { $_ ? "(?m)^X-WX-OPENID: %OPENID$_%\$" : '^\{"error":"forbidden"\}$' }
  0, 0, 0, 4, 5, 6, 0, 0), 'login_required']
--- wechat_total: 8
--- backend_count: 3



=== TEST 14: wx_openid_require: how the identity came
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    map $wx_openid_status $asked { MISS 1; default 0; }
'
--- config
    location /t {
        wx_openid          on;
        wx_openid_require  $wx_openid_status $asked;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$



=== TEST 15: wx_openid_require: a map of $wx_openid bans a user
--- http_config eval
my $good = main::wx_openid_of('split-40-good');
my $bad = main::wx_openid_of('split-40-banned');
$ENV{TEST_NGINX_WX_CONFIG} . "
    map \$wx_openid \$welcome {
        volatile;
        default  1;
        $bad  0;
    }
    map \$wx_openid \$known {
        $good  yes;
    }
    log_format  ban  '\$wx_openid_status \$wx_openid_error [\$wx_openid]';
"
--- config
    access_log  logs/access.log  ban;
    location /t {
        wx_openid          on;
        wx_openid_require  $welcome;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /known {
        wx_openid          on;
        wx_openid_require  $known;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /t", "GET /known", "GET /known", "GET /t"]
--- more_headers eval
["X-WX-Code: split-40-good", "X-WX-Code: split-40-good",
 "X-WX-Code: split-40-banned", "X-WX-Code: split-40-banned"]
--- error_code eval
[200, 200, 403, 403]
--- response_body_like eval
[('(?m)^X-WX-OPENID: %OPENID(split-40-good)%$') x 2,
 ('^\{"error":"forbidden"\}$') x 2]
--- wechat_total: 4
--- backend_count: 2



=== TEST 16: wx_openid_require: the operator can see who was banned
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . "
    log_format  ban  '\$wx_openid_status \$wx_openid_error [\$wx_openid]';
"
--- config
    location /t {
        access_log         logs/access.log  ban;
        wx_openid          on;
        wx_openid_require  $arg_none;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 403
--- access_log
ERROR forbidden [%OPENID%]
--- error_log
wx_openid: forbidden
--- response_body_like: forbidden
--- backend_count: 0



=== TEST 17: wx_openid_require: only an identity is asked for it
--- config
    wx_openid_require  $wx_openid_unionid;
    location /t {
        wx_openid   optional;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /none {
        wx_openid          optional;
        wx_openid_require  1$arg_none;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /off {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /t", "GET /t", "GET /t", "GET /none", "GET /off"]
--- more_headers eval
["", "X-WX-Code: %CODE%", "X-WX-Code: union-%NEW%", "X-WX-Code: %CODE2%", ""]
--- error_code eval
[200, 403, 200, 200, 200]
--- response_body_like eval
[$main::Anonymous, 'forbidden', '(?m)^X-WX-UNIONID: %UNIONID(union-%NEW%)%$',
 '(?m)^X-WX-OPENID: %OPENID2%$', $main::Anonymous]
--- wechat_total: 3



=== TEST 18: satisfy any: the error_page of our status, not of another's
--- config
    location /basic {
        wx_openid             on;
        satisfy               any;
        auth_basic            closed;
        auth_basic_user_file  ../html/users;
        error_page            403 /blocked.html;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /auth {
        wx_openid          on;
        wx_openid_require  $arg_none;
        satisfy            any;
        auth_request       /401;
        error_page         403 /blocked.html;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location = /401 {
        return  401;
    }
--- user_files
>>> users
user:{PLAIN}pass
>>> blocked.html
blocked
--- request eval
["GET /basic", "GET /auth"]
--- more_headers eval
["X-WX-Code: err-40226-%NEW%", "X-WX-Code: %CODE%"]
--- error_code eval
[403, 403]
--- response_body_like eval
['^blocked$', '^blocked$']
--- wechat_total: 2
--- backend_count: 0



=== TEST 19: an error_page elsewhere: the client is sent there
--- config
    location /t {
        wx_openid   on;
        error_page  401 https://login.example/;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- error_code: 302
--- response_headers
Location: https://login.example/
--- wechat_total: 0
--- backend_count: 0



=== TEST 20: the exchange's own location cannot be asked for
--- config
    wx_openid  optional;
    location /t {
        rewrite  ^ /wx_openid last;
    }
    location /error {
        error_page  404 = /wx_openid;
        try_files   /none =404;
    }
--- request eval
["GET /wx_openid", "GET /t", "GET /error"]
--- error_code eval
[404, 404, 404]
--- response_body_like eval
[('^<html>') x 3]
--- wechat_total: 0



=== TEST 21: the exchange leaves no trace in the main request's variables
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    log_format  vars  "$request_method $uri $args $request_length "
                      "[$upstream_addr] [$upstream_status] $status";
'
--- config
    location /t {
        access_log  logs/access.log  vars;
        wx_openid   on;
        proxy_set_header  X-Vars "$request_method $uri $args";
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
PUT /t?a=b
body
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-Vars: PUT /t a=b$
--- access_log eval
[qr/PUT \/t a=b \d+ \[127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT}\] \[200\] 200/]
--- no_access_log eval
$ENV{TEST_NGINX_WECHAT_PORT}
--- wechat_total: 1
