use lib 't/lib';
use WxOpenid;

# Identity headers: a client's never reach an upstream, under no name and on
# no way; ours do, once; all others pass as they came.

repeat_each(2);

our @Names = qw(X-WX-OPENID X-WX-APPID X-WX-UNIONID X-WX-SOURCE X-WX-ENV
                X-WX-FROM-OPENID X-WX-FROM-APPID X-WX-FROM-UNIONID
                X-WX-CLOUDBASE-ACCESS-TOKEN X-WX-FROM-CLOUDBASE-ACCESS-TOKEN);

our $Forged = join "\n", map { "$_: forged" } @Names;

# no line of the echoed request is one of these headers
our $Clean = '\A(?:(?!x.wx.)[^\n]+\n)+\n';

# what the upstream is to get for one request: other headers, then ours
sub echo {
    my ($line, $code, @others) = @_;
    return proxied($line) . join('', map { "$_\n" } @others)
           . ($code ? "X-WX-OPENID: %OPENID($code)%\nX-WX-APPID: wxtest\n"
                      . "X-WX-SOURCE: wx_client\n" : '') . "\n";
}

# Requests of 0 to 70 headers, 40 % of them forged, the same ones every time

sub pick { return $_[int rand @_] }

sub alias {
    my ($name) = @_;
    my $separator = pick('-', '-', '_', '.', '~', '!');
    $name =~ s/-/rand() < 0.5 ? $separator : '-'/ge;
    $name =~ s/(\w)/rand() < 0.5 ? lc $1 : $1/ge;
    return $name;
}

sub other_header {
    my ($n) = @_;
    return "Header-$n: value-$n" if rand() < 0.6;
    return pick("X-WX-OPENIDS: $n", "X-WX-OPEN-ID: $n", "XWXOPENID: $n",
                "X-WX: $n", "X--WX-OPENID: $n", "Cookie: c=$n", "X-Wx-Foo: $n",
                "X-Forwarded-For: 10.0.0.$n", "x_y.z: $n", "Pragma: $n");
}

sub random_request {
    my ($code) = @_;
    my (@sent, @kept);
    my $n = int rand 71;

    for my $i (1 .. $n) {
        if (rand() < 0.4) {
            push @sent, alias(pick(@Names, 'X-WX-OPENID')) . ': forged'
                        . ' x' x int rand 3;
            next;
        }
        push @kept, other_header($i);
        push @sent, $kept[-1];
    }

    splice @sent, int rand(@sent + 1), 0, "X-WX-Code: $code" if $code;
    return [join("\n", @sent), \@kept];
}

srand 20240607;
our @Random = map { random_request("good-%NEW%-r$_") } 1 .. 40;
our @RandomOff = map { random_request() } 1 .. 20;

plan tests => wx_tests();

no_long_string();
run_tests();

__DATA__

=== TEST 1: on: the ten names are removed, ours are set, others are kept
--- request
GET /t
--- more_headers eval
"A: 1\n$main::Forged\nX-WX-Code: %CODE%\nB: 2"
--- response_body eval
main::echo('GET /t', '%CODE%', 'A: 1', 'B: 2')
--- backend_never
forged
%CODE%



=== TEST 2: a unionid that WeChat gave is set
--- request
GET /t
--- more_headers eval
"$main::Forged\nX-WX-Code: union-%NEW%"
--- response_body_like
(?m)^X-WX-OPENID: %OPENID(union-%NEW%)%
X-WX-APPID: wxtest
X-WX-UNIONID: %UNIONID(union-%NEW%)%
X-WX-SOURCE: wx_client

\z
--- backend_never
forged



=== TEST 3: off and anonymous: all are removed and none is set
--- config
    location /off {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /optional {
        wx_openid   optional;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /off", "GET /optional"]
--- more_headers eval
"A: 1\n$main::Forged\nB: 2"
--- response_body eval
[map { main::echo("GET $_", undef, 'A: 1', 'B: 2') } qw(/off /optional)]
--- backend_never
forged



=== TEST 4: they are removed in another server of the same http{}
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    server {
        server_name  user;
        listen  127.0.0.1:$TEST_NGINX_RAND_PORT_1;
        location / {
            wx_openid   optional;
            proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        }
    }
'
--- config
    location /t {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers eval
$main::Forged
--- response_body eval
main::echo('GET /t')



=== TEST 5: aliases: any case, anything but letters and digits for "-"
--- config
    underscores_in_headers  on;
    ignore_invalid_headers  off;
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /off {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /t", "GET /off"]
--- more_headers eval
my $aliases = CORE::join '', map { "$_: forged\n" }
    qw(X_WX_OPENID X.WX.OPENID x~wx-openid X-WX_OPENID x-wx-openid X!WX|OPENID
       X_WX_FROM_OPENID X.WX.Cloudbase_Access-Token x_wx_source X_Wx_UnionId
       x-WX.env x_wx_appid);
[map { "${aliases}A: 1$_" } "\nX-WX-Code: %CODE%", '']
--- response_body eval
[main::echo('GET /t', '%CODE%', 'A: 1'), main::echo('GET /off', undef, 'A: 1')]
--- backend_never
forged



=== TEST 6: names that only look alike are kept
--- config
    underscores_in_headers  on;
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-OPENIDS: 1
X-WX-OPEN-ID: 2
XWXOPENID: 3
X--WX-OPENID: 4
X-WX-Foo: 5
X-WX-Code: %CODE%
X-WX-Codes: 6
Y-WX-OPENID: 7
--- response_body eval
main::echo('GET /t', '%CODE%', 'X-WX-OPENIDS: 1', 'X-WX-OPEN-ID: 2',
           'XWXOPENID: 3', 'X--WX-OPENID: 4', 'X-WX-Foo: 5', 'X-WX-Codes: 6',
           'Y-WX-OPENID: 7')



=== TEST 7: copies, mixed case, empty values
--- request
GET /t
--- more_headers
X-WX-OPENID:
X-Wx-Openid: forged
x-wx-openid: forged
A: 1
X-WX-OPENID: forged
X-WX-UNIONID:
X-WX-Code: %CODE%
X-WX-OPENID:
--- response_body eval
main::echo('GET /t', '%CODE%', 'A: 1')



=== TEST 8: a hundred copies
--- config
    large_client_header_buffers  4 32k;
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers eval
CORE::join "\n", (map { "X-WX-OPENID: forged" . 'x' x 100 } 1 .. 100), 'A: 1',
           'X-WX-Code: %CODE%', (map { "x-wx-appid: forged" } 1 .. 100)
--- response_body eval
main::echo('GET /t', '%CODE%', 'A: 1')



=== TEST 9: HTTP/2
--- h2
--- config
    underscores_in_headers  on;
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /off {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /t", "GET /off"]
--- more_headers eval
["A: 1\n$main::Forged\nX_WX_OPENID: forged\nX-WX-OPENID:\n"
 . "X-WX-Code: %CODE%\nB: 2", "A: 1\n$main::Forged\nX-WX-Code: %CODE%\nB: 2"]
--- response_body eval
[main::echo('GET /t', '%CODE%', 'a: 1', 'b: 2'),
 main::echo('GET /off', undef, 'a: 1', 'b: 2')]
--- backend_never
forged
%CODE%



=== TEST 10: forty requests of up to 70 headers: exactly ours and all others
--- config
    underscores_in_headers  on;
    ignore_invalid_headers  off;
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
[("GET /t") x 40]
--- more_headers eval
[map { $_->[0] } @main::Random]
--- response_body eval
my $n = 0;
[map { $n++; main::echo('GET /t', "good-%NEW%-r$n", @{ $_->[1] }) }
 @main::Random]
--- wechat_total: 40
--- backend_never
forged



=== TEST 11: twenty such requests where the module is off
--- config
    underscores_in_headers  on;
    ignore_invalid_headers  off;
    location /t {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /user {
        wx_openid   on;
    }
--- request eval
[("GET /t") x 20]
--- more_headers eval
[map { $_->[0] } @main::RandomOff]
--- response_body eval
[map { main::echo('GET /t', undef, @{ $_->[1] }) } @main::RandomOff]
--- backend_never
forged



=== TEST 12: a list given replaces the default, whose names stay removed
--- config
    location /list {
        wx_openid             on;
        wx_openid_set_header  X-User wx:$wx_openid;
        wx_openid_set_header  X-Key $wx_openid_session_key;
        wx_openid_set_header  X-Union $wx_openid_unionid;
        wx_openid_set_header  X-Empty "";
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /default {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /off {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /list", "GET /default", "GET /off"]
--- more_headers eval
[map { "X-WX-OPENID: forged\nX-User: forged\nX_Key: forged\nx-union: forged\n"
       . "X-Empty: forged\nA: 1$_" }
 "\nX-WX-Code: %CODE%", "\nX-WX-Code: %CODE2%", '']
--- response_body eval
[main::proxied('GET /list')
 . "A: 1\nX-User: wx:%OPENID%\nX-Key: %SESSION_KEY%\n\n",
 main::echo('GET /default', '%CODE2%', 'A: 1'),
 main::echo('GET /off', undef, 'A: 1')]
--- backend_never
forged



=== TEST 13: without an identity none of a list is sent, nor let through
--- config
    underscores_in_headers  on;
    location /t {
        wx_openid             optional;
        wx_openid_set_header  X-User $wx_openid;
        wx_openid_set_header  X-Literal yes;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-User: forged
x_user: forged
X-Literal: forged
X_LITERAL: forged
--- response_body eval
main::echo('GET /t')



=== TEST 14: the list is inherited whole or not at all
--- config
    wx_openid             on;
    wx_openid_set_header  X-A $wx_openid;
    wx_openid_set_header  X-B b;
    location /inherits {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /replaces {
        wx_openid_set_header  X-C $wx_openid_appid;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /inherits", "GET /replaces"]
--- more_headers eval
["X-C: forged\nX-WX-Code: %CODE%", "X-A: forged\nX-WX-Code: %CODE2%"]
--- response_body eval
[main::proxied('GET /inherits') . "X-A: %OPENID%\nX-B: b\n\n",
 main::proxied('GET /replaces') . "X-C: wxtest\n\n"]



=== TEST 15: a value with CR or LF from a decoded URI is refused
--- config
    location ~ "(?s)^/t/(.*)$" {
        wx_openid             on;
        wx_openid_set_header  X-User $wx_openid;
        wx_openid_set_header  X-Path $1;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /t/a%0d%0aX-Evil:%20x", "GET /t/a%0aX-Evil:%20x", "GET /t/a%0d"]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%" } '', 2, 3]
--- error_code eval
[400, 400, 400]
--- backend_count: 0
--- error_log
wx_openid: a value of "wx_openid_set_header" has control characters



=== TEST 16: a captured value that is fit to send is sent
--- config
    location ~ "(?s)^/t/(.*)$" {
        wx_openid             on;
        wx_openid_set_header  X-Path $1;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t/%E4%B8%AD%20x
--- more_headers
X-WX-Code: %CODE%
--- response_body_like eval
"(?m)^X-Path: \xe4\xb8\xad x\$"



=== TEST 17: $http_x_wx_openid follows, however early it was looked at
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    map $http_x_wx_openid $mapped {
        volatile;
        default  $http_x_wx_openid;
        ""       nobody;
    }
    log_format  openid  "openid=[$http_x_wx_openid] "
                        "source=[$http_x_wx_source]";
'
--- config
    access_log  logs/access.log  openid;
    set  $early   $http_x_wx_openid;
    set  $mapped_early  $mapped;
    if ($http_x_wx_source) {
        return  403;
    }
    location /t {
        wx_openid   on;
        if ($http_x_wx_openid) {
            return  403;
        }
        proxy_set_header  X-Copy $http_x_wx_openid;
        proxy_set_header  X-Map $mapped;
        proxy_set_header  X-Early "$early-$mapped_early";
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers eval
"$main::Forged\nX-WX-Code: %CODE%"
--- response_body eval
main::proxied('GET /t', 'X-Copy: %OPENID%', 'X-Map: %OPENID%',
              'X-Early: -nobody')
. "X-WX-OPENID: %OPENID%\nX-WX-APPID: wxtest\nX-WX-SOURCE: wx_client\n\n"
--- access_log eval
"openid=[%OPENID%] source=[wx_client]"



=== TEST 18: $http_x_wx_openid is empty where no identity is
--- config
    wx_openid  optional;
    set  $early  $http_x_wx_openid;
    location /t {
        proxy_set_header  X-Copy "[$http_x_wx_openid$http_x_wx_unionid]";
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /off {
        wx_openid   off;
        proxy_set_header  X-Copy "[$http_x_wx_openid$http_x_wx_unionid]";
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /t", "GET /off"]
--- more_headers eval
$main::Forged
--- response_body_like eval
[('(?m)^X-Copy: \[\]$') x 2]
--- backend_never
forged



=== TEST 19: Connection cannot take our header away
--- config
    location /t {
        wx_openid   on;
        proxy_set_header  Connection $http_connection;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
Connection: close, X-WX-OPENID
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$



=== TEST 20: proxy_pass_request_headers off: as for all headers
--- config
    location /t {
        wx_openid   on;
        proxy_pass_request_headers  off;
        proxy_set_header  X-User $wx_openid;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
X-WX-OPENID: forged
A: 1
--- response_body eval
main::proxied('GET /t', 'X-User: %OPENID%') . "\n"



=== TEST 21: error_page 400 to a named location where a code is looked for
--- config
    error_page  400 @bad;
    location @bad {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- raw_request eval
"GET /t HTTP/1.1\r\nX-WX-OPENID: forged\r\nX_WX_OPENID: forged\r\nA: 1\r\n"
. "X-WX-Code: secret-code\r\nHost: a\r\nHost: b\r\nX-WX-APPID: forged\r\n\r\n"
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    underscores_in_headers  on;
    wx_openid  optional;
'
--- error_code: 401
--- wechat_total: 1
--- backend_never
forged
secret-code



=== TEST 22: error_page 400 to a named location where the module is off
--- config
    underscores_in_headers  on;
    error_page  400 @bad;
    location @bad {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /user {
        wx_openid   on;
    }
--- raw_request eval
"GET /t HTTP/1.1\r\nX-WX-OPENID: forged\r\nX_WX_OPENID: forged\r\nA: 1\r\n"
. "X-WX-Code: secret-code\r\nHost: a\r\nHost: b\r\nX-WX-APPID: forged\r\n\r\n"
--- error_code: 400
--- response_body_like: (?m)^A: 1$
--- backend_never
forged
secret-code
--- backend_count: 1



=== TEST 23: error_page 400 to a URI where the module is off
--- config
    error_page  400 =200 /bad;
    location /bad {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /user {
        wx_openid   on;
    }
--- raw_request eval
"GET /t HTTP/1.1\r\nHost: a\r\nX-WX-OPENID: forged\r\nA: 1\r\n"
. "X-WX-Code: secret-code\r\nContent-Length: x\r\nX-WX-APPID: forged\r\n\r\n"
--- error_code: 200
--- response_body_like: (?m)^A: 1$
--- backend_never
forged
secret-code
--- backend_count: 1



=== TEST 24: error_page 400 to where an identity is needed
--- config
    error_page  400 @bad;
    location @bad {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- raw_request eval
"GET /t HTTP/1.1\r\nX-WX-OPENID: forged\r\nHost: a\r\nHost: b\r\n\r\n"
--- error_code: 401
--- response_body_like: login_required
--- backend_count: 0



=== TEST 25: error_page 494 to a named location that proxies
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    large_client_header_buffers  2 1k;
    client_header_buffer_size    512;
'
--- config
    error_page  494 =200 @large;
    location @large {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /user {
        wx_openid   on;
    }
--- raw_request eval
"GET /t HTTP/1.1\r\nHost: a\r\nX-WX-OPENID: forged\r\n"
. "X-WX-Code: secret-code\r\nX-WX-Source: forged\r\nA: 1\r\n"
. "X-Long: " . 'x' x 3000 . "\r\nX-WX-APPID: forged\r\n\r\n"
--- error_code: 200
--- response_body_like: (?m)^A: 1$
--- backend_never
forged
secret-code
--- backend_count: 1



=== TEST 26: error_page 494 to a URI that proxies
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    large_client_header_buffers  2 1k;
    client_header_buffer_size    512;
'
--- config
    error_page  494 =200 /large;
    location /large {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /user {
        wx_openid   on;
    }
--- raw_request eval
"GET /t HTTP/1.1\r\nHost: a\r\nX-WX-OPENID: forged\r\n"
. "X-WX-Code: secret-code\r\nX-WX-Source: forged\r\nA: 1\r\n"
. "X-Long: " . 'x' x 3000 . "\r\nX-WX-APPID: forged\r\n\r\n"
--- error_code: 200
--- response_body_like: (?m)^A: 1$
--- backend_never
forged
secret-code
--- backend_count: 1



=== TEST 27: error_page 495, 496 and 497 of a TLS listener
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    ssl_certificate         $TEST_NGINX_CERTS/good.crt;
    ssl_certificate_key     $TEST_NGINX_CERTS/good.key;
    ssl_client_certificate  $TEST_NGINX_CERTS/ca.pem;
    ssl_verify_client       on;

    server {
        listen  127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
        error_page  495 =200 @e495;
        error_page  496 =200 @e496;
        error_page  497 =200 @e497;
        location @e495 {
            proxy_set_header  X-Case 495;
            proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        }
        location @e496 {
            proxy_set_header  X-Case 496;
            proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        }
        location @e497 {
            proxy_set_header  X-Case 497;
            proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        }
        location / {
            wx_openid   on;
        }
    }
    server {
        listen  127.0.0.1:$TEST_NGINX_RAND_PORT_2 ssl;
        error_page  495 496 497 =200 /error;
        location /error {
            proxy_set_header  X-Case uri;
            proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        }
    }
'
--- config
    proxy_set_header  X-WX-OPENID forged;
    proxy_set_header  X-WX-Source forged;
    proxy_set_header  X-WX-Code secret-code;
    proxy_ssl_session_reuse  off;
    location /495 {
        proxy_ssl_certificate      $TEST_NGINX_CERTS/untrusted.crt;
        proxy_ssl_certificate_key  $TEST_NGINX_CERTS/untrusted.key;
        proxy_pass  https://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
    location /496 {
        proxy_pass  https://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
    location /497 {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
    location /uri495 {
        proxy_ssl_certificate      $TEST_NGINX_CERTS/untrusted.crt;
        proxy_ssl_certificate_key  $TEST_NGINX_CERTS/untrusted.key;
        proxy_pass  https://127.0.0.1:$TEST_NGINX_RAND_PORT_2;
    }
    location /uri496 {
        proxy_pass  https://127.0.0.1:$TEST_NGINX_RAND_PORT_2;
    }
    location /uri497 {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_RAND_PORT_2;
    }
    location /good {
        proxy_ssl_certificate      $TEST_NGINX_CERTS/good.crt;
        proxy_ssl_certificate_key  $TEST_NGINX_CERTS/good.key;
        proxy_pass  https://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- request eval
["GET /495", "GET /496", "GET /497", "GET /uri495", "GET /uri496",
 "GET /uri497", "GET /good"]
--- error_code eval
[(200) x 6, 401]
--- response_body_like eval
[(map { "(?m)^X-Case: $_\$" } 495, 496, 497, ('uri') x 3), 'invalid_code']
--- backend_never
forged
secret-code
--- backend_count: 6
--- wechat_total: 1



=== TEST 28: the backend of auth_request sees neither code nor forgery
--- config
    location /t {
        wx_openid     on;
        auth_request  /auth;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /auth {
        internal;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers eval
"$main::Forged\nX-WX-Code: %CODE%"
--- response_body eval
main::echo('GET /t', '%CODE%')
--- backend_count: 2
--- backend_never
forged
%CODE%



=== TEST 29: mirror and SSI see the main request's headers, and no others
--- config
    location /mirrored {
        wx_openid   on;
        mirror      /mirror;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /mirror {
        internal;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /page {
        wx_openid   on;
        ssi         on;
        ssi_types   *;
    }
    location /part {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- user_files
>>> page.html
<!--#include virtual="/part?1" --><!--#include virtual="/part?2" -->
--- request eval
["GET /mirrored", "GET /page.html"]
--- more_headers eval
["$main::Forged\nX-WX-Code: %CODE%", "$main::Forged\nX-WX-Code: %CODE2%"]
--- response_body_like eval
['(?m)^X-WX-OPENID: %OPENID%$',
 '(?m)\AGET /part\?1 .*^X-WX-OPENID: %OPENID2%$.*'
 . '^GET /part\?2 .*^X-WX-OPENID: %OPENID2%$']
--- backend_count: 4
--- backend_never
forged
%CODE%
%CODE2%
--- wechat_total: 2



=== TEST 30: slices: one exchange, and every one carries the identity
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    log_format  slice  "[$http_range] [$http_x_copy]";
    server {
        listen      127.0.0.1:$TEST_NGINX_RAND_PORT_1;
        root        html;
        access_log  logs/access.log  slice;
    }
'
--- config
    location /t {
        wx_openid         on;
        slice             1k;
        access_log        off;
        proxy_set_header  Range $slice_range;
        proxy_set_header  X-Copy $http_x_wx_openid;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- user_files eval
[[ 't' => 'x' x 2500 ]]
--- request
GET /t
--- more_headers eval
"$main::Forged\nX-WX-Code: %CODE%"
--- response_body eval
'x' x 2500
--- access_log
[bytes=0-1023] [%OPENID%]
[bytes=1024-2047] [%OPENID%]
[bytes=2048-3071] [%OPENID%]
--- wechat_total: 1



=== TEST 31: a refused request's error_page sees no forgery and no code
--- config
    location /t {
        wx_openid   on;
        error_page  401 = /page;
        error_page  502 = @page;
    }
    location /page {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location @page {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /t", "GET /t", "GET /t"]
--- more_headers eval
["$main::Forged", "$main::Forged\nX-WX-Code: err-40029-%NEW%",
 "$main::Forged\nX-WX-Code: err-1-%NEW%"]
--- error_code eval
[200, 200, 200]
--- response_body eval
[main::echo('GET /page'), main::echo('GET /page'), main::echo('GET /t')]
--- backend_never
forged
err-



=== TEST 32: what was granted before a redirect does not reach the next
--- config
    location /try {
        wx_openid  on;
        try_files  /none /next;
    }
    location /rewrite {
        wx_openid  on;
        rewrite    ^ /next last;
    }
    location /accel {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /next {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /try", "GET /rewrite", "GET /accel?to=/next"]
--- more_headers eval
[map { "$main::Forged\nX-WX-Code: %CODE$_%" } '', 2, 3]
--- response_body eval
[(main::echo('GET /next')) x 3]
--- backend_never
forged
%CODE%
%CODE2%
%CODE3%



=== TEST 33: trailers of a chunked request are neither code nor identity
--- config
    location /t {
        wx_openid   optional;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- raw_request eval
"POST /t HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTrailer: X-WX-OPENID\r\n"
. "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n"
. "X-WX-OPENID: forged\r\nX-WX-Code: secret-code\r\n\r\n"
--- response_body_like eval
$main::Clean . 'body\z'
--- backend_never
forged
secret-code
--- wechat_total: 0



=== TEST 34: a connection's next request has nothing of the one before
--- config
    location /t {
        wx_openid   optional;
        add_header  X-Seen "[$wx_openid$wx_openid_appid]";
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- pipelined_requests eval
["GET /t", "GET /t", "GET /t", "GET /t"]
--- more_headers eval
["X-WX-Code: %CODE%", "X-WX-OPENID: forged", "X-WX-Code: err-40029-%NEW%",
 ""]
--- error_code eval
[200, 200, 401, 200]
--- response_body_like eval
['(?m)^X-WX-OPENID: %OPENID%$', $main::Clean, 'invalid_code', $main::Clean]
--- response_headers eval
['X-Seen: [%OPENID%wxtest]', 'X-Seen: []', 'X-Seen:', 'X-Seen: []']
--- wechat_total: 2



=== TEST 35: a value that is empty for this user sends no header
--- config
    location /t {
        wx_openid             on;
        wx_openid_set_header  X-Union $wx_openid_unionid;
        wx_openid_set_header  X-Id $wx_openid;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /t", "GET /t"]
--- more_headers eval
["X-Union: forged\nX-WX-Code: %CODE%",
 "X-Union: forged\nX-WX-Code: union-%NEW%"]
--- response_body eval
[main::proxied('GET /t') . "X-Id: %OPENID%\n\n",
 main::proxied('GET /t') . "X-Union: %UNIONID(union-%NEW%)%\n"
 . "X-Id: %OPENID(union-%NEW%)%\n\n"]
--- backend_never
forged



=== TEST 36: a value that a client chose cannot become another's identity
--- config
    location /t {
        wx_openid             on;
        wx_openid_set_header  X-User $wx_openid;
        wx_openid_set_header  X-Claim $http_x_claim;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-Claim: own
X-User: forged
X-WX-Code: %CODE%
--- response_body eval
main::proxied('GET /t') . "X-User: %OPENID%\n\n"



=== TEST 37: a refused request's $http_x_wx_openid is nobody's, in a page's URI
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    map $http_x_wx_openid $user { default $http_x_wx_openid; }
'
--- config
    error_page  400 =200 /bad?u=[$user$http_x_wx_openid$http_x_wx_code];
    location /bad {
        proxy_set_header  X-User [$user];
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /user {
        wx_openid   on;
    }
--- raw_request eval
"GET /t HTTP/1.1\r\nHost: a\r\nX-WX-OPENID: forged\r\nA: 1\r\n"
. "X-WX-Code: secret-code\r\nContent-Length: x\r\n\r\n"
--- error_code: 200
--- response_body_like: (?ms)^GET /bad\?u=\[\].*^X-User: \[\]$
--- backend_never
forged
secret-code



=== TEST 38: and in a log
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    log_format  headers  "[$http_x_wx_openid$http_x_wx_code][$http_x_user]";
'
--- config
    access_log  logs/access.log  headers;
    location /t {
        wx_openid             on;
        wx_openid_set_header  X-User $wx_openid;
    }
--- raw_request eval
"GET /t HTTP/1.1\r\nHost: a\r\nX-WX-OPENID: forged\r\nX-User: forged\r\n"
. "X-WX-Code: secret-code\r\nContent-Length: x\r\n\r\n"
--- error_code: 400
--- access_log eval
"[--][-]"
