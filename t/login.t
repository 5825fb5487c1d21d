use lib 't/lib';
use WxOpenid;
use WxOpenid::Steps;
use WxOpenid::Token;

# wx_openid_login: a code becomes an openid and a token in JSON.

use JSON::PP ();

repeat_each(2);

our $Json = 'application/json';
our $Form = 'application/x-www-form-urlencoded';

# an HTTP/1.1 request that leaves the connection open
sub text_of {
    my ($line, $body, @headers) = @_;
    push @headers, 'Content-Length: ' . length $body if defined $body;
    return join("\r\n", "$line HTTP/1.1", 'Host: localhost', @headers, '',
                $body // '');
}

sub ask {
    my ($line, $body, @headers) = @_;
    return ask_nginx(text_of($line, $body, 'Connection: close', @headers));
}

sub json_of {
    my ($answer) = @_;
    return JSON::PP->new->decode(body_of($answer));
}

sub headers_of {
    my ($answer, $name) = @_;
    my ($head) = split /\r\n\r\n/, $answer, 2;
    return join ' | ', $head =~ /^\Q$name\E: *(.*?)\r?$/mgi;
}

# six checks: all that a login with a new code answers
sub logged_in {
    my ($name, $answer, $code) = @_;
    my $json = json_of($answer);
    my $token = headers_of($answer, 'X-WX-Session');

    is(status_of($answer), 200, "$name - status");
    is(headers_of($answer, 'Content-Type'), 'application/json',
       "$name - Content-Type");
    is(headers_of($answer, 'Cache-Control'), 'no-store',
       "$name - Cache-Control");
    is_deeply($json, { openid => wx_openid_of($code), appid => 'wxtest',
                       session => $token, expires_in => 7200,
                       $code =~ /^union/
                       ? (unionid => wx_unionid_of($code)) : () },
              "$name - the answer");
    is(open_token($json->{session})->{claims}{sub}, wx_openid_of($code),
       "$name - the token");
    is(wechat("count?code=$code"), 1, "$name - one exchange");
}

# three checks
sub refused_as {
    my ($name, $answer, $status, $error) = @_;

    is(status_of($answer), $status, "$name - status");
    is(json_of($answer)->{error}, $error, "$name - error");
    unlike($answer, qr/eyJ/, "$name - no token");
}

plan tests => wx_tests() + steps_tests();

no_long_string();
run_tests();

__DATA__

=== TEST 1: GET and POST, wherever the code stands
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location = /login {
        wx_openid_login;
    }
--- request
GET /login
--- error_code: 401
--- steps
for my $kind ('good', 'union') {
    my $code = new_code($kind);
    logged_in("$name - $kind, header", ask('GET /login', undef,
                                           "X-WX-Code: $code"), $code);

    $code = new_code($kind);
    logged_in("$name - $kind, query", ask("GET /login?code=$code"), $code);

    $code = new_code($kind);
    logged_in("$name - $kind, JSON",
              ask('POST /login', qq({"code":"$code"}),
                  "Content-Type: $main::Json"), $code);

    $code = new_code($kind);
    logged_in("$name - $kind, form",
              ask('POST /login', "code=$code",
                  "Content-Type: $main::Form"), $code);

    $code = new_code($kind);
    logged_in("$name - $kind, header of a POST",
              ask('POST /login', 'x' x 100_000, "X-WX-Code: $code"), $code);

    $code = new_code($kind);
    logged_in("$name - $kind, POST without a body",
              ask("POST /login?code=$code"), $code);
}
--- checks eval: 2 * 6 * 6



=== TEST 2: the answer, byte by byte
--- config
    location = /login {
        wx_openid_login;
    }
--- request eval
['GET /login', 'GET /login']
--- more_headers eval
['X-WX-Code: %CODE%', 'X-WX-Code: union-%NEW%']
--- response_body eval
['{"openid":"%OPENID%","appid":"wxtest"}',
 '{"openid":"%OPENID(union-%NEW%)%","appid":"wxtest",'
 . '"unionid":"%UNIONID(union-%NEW%)%"}']
--- response_headers eval
["Content-Type: application/json\nCache-Control: no-store\nX-WX-Session: ",
 "Content-Type: application/json\nCache-Control: no-store\nX-WX-Session: "]
--- wechat_total: 2



=== TEST 3: the token's members come last
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location = /login {
        wx_openid_login;
        wx_openid_session_ttl  90m;
    }
--- request
GET /login
--- more_headers
X-WX-Code: union-%NEW%
--- response_body_like
^\{"openid":"%OPENID(union-%NEW%)%","appid":"wxtest","unionid":"%UNIONID(union-%NEW%)%","session":"eyJ[\w.-]+","expires_in":5400\}$



=== TEST 4: her Go server replaced, her client unchanged
--- config
    location = /openid {
        wx_openid_login;
    }
--- request
POST /openid
{"code":"%CODE%"}
--- more_headers
User-Agent: Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.42(0x18002a2a) NetType/WIFI Language/zh_CN
Referer: https://servicewechat.com/wxtest/devtools/page-frame.html
Accept: */*
Accept-Encoding: gzip, compress, br, deflate
Content-Type: application/json
--- response_headers
Content-Type: application/json
--- response_body: {"openid":"%OPENID%","appid":"wxtest"}
--- wechat_count: %CODE%=1
--- wechat_total: 1
--- no_error_log
[error]
[alert]
[crit]
[emerg]



=== TEST 5: other methods: 405 with Allow, and no code is spent
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location = /login {
        wx_openid_login;
    }
    location = /any {
        wx_openid_login;
        satisfy  any;
        allow    all;
    }
--- request
GET /login
--- error_code: 401
--- steps
for my $path ('/login', '/any') {
    for my $method (qw(PUT OPTIONS DELETE PATCH PROPFIND HEAD)) {
        my $code = new_code();
        my $answer = ask("$method $path?code=$code",
                         $method eq 'HEAD' ? undef : qq({"code":"$code"}),
                         "X-WX-Code: $code", 'X-WX-Session: ' . token(),
                         "Content-Type: $main::Json");

        is(status_of($answer), 405, "$name - $method $path - status");
        is(headers_of($answer, 'Allow'), 'GET, POST',
           "$name - $method $path - Allow");
        unlike($answer, qr/eyJ/, "$name - $method $path - no token");
        is(wechat("count?code=$code"), 0, "$name - $method $path - no call");
    }
}
--- checks eval: 2 * 6 * 4



=== TEST 6: a code decides over a token, of whomever and however it comes
--- http_config
    $TEST_NGINX_SESSIONS
    wx_openid_session_cookie  wxs;
--- config
    location = /login {
        wx_openid_login;
    }
--- request
GET /login
--- error_code: 401
--- steps
for my $header ('X-WX-Session: ', 'X-WX-Skey: ', 'Authorization: Bearer ',
                'Cookie: wxs=')
{
    my $code = new_code();
    logged_in("$name - $header",
              ask('POST /login', qq({"code":"$code"}),
                  "Content-Type: $main::Json", $header . token()), $code);
}

# refused is refused: who logs in anew does not stay who she was
refused_as("$name - a bad code",
           ask('GET /login', undef, 'X-WX-Code: ' . new_code('bad'),
               'X-WX-Session: ' . token()), 401, 'invalid_code');

my $used = new_code('err-40163');
refused_as("$name - a used code",
           ask("GET /login?code=$used", undef, 'X-WX-Session: ' . token()),
           401, 'invalid_code');
--- checks eval: 4 * 6 + 2 * 3



=== TEST 7: a token instead of a code is refreshed, of any age
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location = /login {
        wx_openid_login;
    }
    location = /never {
        wx_openid_login;
        wx_openid_session_renew  0;
    }
    location = /max {
        wx_openid_login;
        wx_openid_session_max  3h;
    }
--- request
GET /login
--- error_code: 401
--- steps
my $now = time;

for my $path ('/login', '/never') {
    for my $age (0, 10, 7000) {
        my $old = token(iat => $now - $age, exp => $now - $age + 7200,
                        auth_time => $now - 9000, unionid => 'oUNION');

        for my $line ("GET $path", "POST $path") {
            my $answer = ask($line, undef, "X-WX-Session: $old");
            my $json = json_of($answer);
            my $what = "$name - $line, $age s";
            my $token = delete $json->{session};
            my $claims = open_token($token)->{claims};

            is($token, headers_of($answer, 'X-WX-Session'),
               "$what - one token");
            isnt($token, $old, "$what - a new one");
            is_deeply($json, { openid => 'oTOKEN', appid => 'wxtest',
                               unionid => 'oUNION', expires_in => 7200 },
                      "$what - the answer");
            is_deeply($claims, { sub => 'oTOKEN', aud => 'wxtest',
                                 unionid => 'oUNION', iat => $claims->{iat},
                                 exp => $claims->{iat} + 7200,
                                 auth_time => $now - 9000 },
                      "$what - its claims");
        }
    }
}

# up to the last second of the login, and never beyond
my $old = token(iat => $now - 60, auth_time => $now - 9000,
                exp => $now + 1800);
my $json = json_of(ask('GET /max', undef, "X-WX-Session: $old"));
is(open_token($json->{session})->{claims}{exp}, $now + 1800,
   "$name - at the end of the login");

$old = token(iat => $now - 60, auth_time => $now - 90000, exp => $now + 900);
my $answer = ask('GET /max', undef, "X-WX-Session: $old");
is(body_of($answer), '{"openid":"oTOKEN","appid":"wxtest"}',
   "$name - after it: who it is, and no more");

is(wechat('count?code='), 0, "$name - no exchange");
--- checks eval: 2 * 3 * 2 * 4 + 3



=== TEST 8: without a credential, or with one that is refused
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location = /login {
        wx_openid_login;
    }
--- request
GET /login
--- error_code: 401
--- steps
refused_as("$name - none", ask('GET /login'), 401, 'login_required');
refused_as("$name - empty", ask('POST /login', '{"code":""}',
                                "Content-Type: $main::Json"),
           401, 'login_required');
refused_as("$name - not JSON", ask('POST /login', '{"code":',
                                   "Content-Type: $main::Json"),
           401, 'login_required');
refused_as("$name - another type", ask('POST /login', '{"code":"x"}',
                                       'Content-Type: text/plain'),
           401, 'login_required');
refused_as("$name - expired", ask('GET /login', undef, 'X-WX-Session: '
                                  . token(exp => time - 9)),
           401, 'invalid_session');
refused_as("$name - a list", ask('POST /login', '{"code":["x"]}',
                                 "Content-Type: $main::Json"),
           401, 'login_required');

for my $case (['err-40029', 401, 'invalid_code'],
              ['err-40226', 403, 'user_blocked'],
              ['err-45011', 429, 'rate_limited'],
              ['err-40125', 500, 'misconfigured'],
              ['err--1', 503, 'wechat_busy'], ['err-1', 502, 'bad_gateway'])
{
    my ($kind, $status, $error) = @$case;
    my $code = new_code($kind);
    refused_as("$name - $kind", ask('POST /login', qq({"code":"$code"}),
                                    "Content-Type: $main::Json"),
               $status, $error);
}
--- checks eval: 12 * 3



=== TEST 9: sessions off, and cookies
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location = /off {
        wx_openid_login;
        wx_openid_session_keys  off;
    }
    location = /cookie {
        wx_openid_login;
        wx_openid_session_cookie  wxs;
    }
    location = /only {
        wx_openid_login;
        wx_openid_session_cookie  wxs only;
    }
--- request
GET /off
--- error_code: 401
--- steps
my $code = new_code();
my $answer = ask("GET /off?code=$code");
is(body_of($answer),
   '{"openid":"' . wx_openid_of($code) . '","appid":"wxtest"}',
   "$name - off: no token");
is(headers_of($answer, 'X-WX-Session'), '', "$name - off: no header");
refused_as("$name - off", ask('GET /off', undef, 'X-WX-Session: ' . token()),
           401, 'login_required');

$code = new_code();
$answer = ask('POST /cookie', qq({"code":"$code"}),
              "Content-Type: $main::Json");
my $token = json_of($answer)->{session};
is(headers_of($answer, 'Set-Cookie'),
   "wxs=$token; Path=/; Max-Age=7200; SameSite=Lax; Secure; HttpOnly",
   "$name - the same token in all places");
is(headers_of($answer, 'X-WX-Session'), $token, "$name - and the header");

$answer = ask('GET /cookie?code=' . new_code());
is(headers_of($answer, 'Set-Cookie'), '', "$name - no cookie by a link");
is(headers_of($answer, 'X-WX-Session'), json_of($answer)->{session},
   "$name - but a token");

$code = new_code();
$answer = ask('POST /only', qq({"code":"$code"}), "Content-Type: $main::Json");
is_deeply(json_of($answer), { openid => wx_openid_of($code),
                              appid => 'wxtest', expires_in => 7200 },
          "$name - only: no member");
is(headers_of($answer, 'X-WX-Session'), '', "$name - only: no header");
like(headers_of($answer, 'Set-Cookie'), qr/^wxs=eyJ[^|]+$/,
     "$name - only the cookie");

my ($cookie) = headers_of($answer, 'Set-Cookie') =~ /^([^;]*)/;
$answer = ask('GET /only', undef, "Cookie: $cookie");
is(json_of($answer)->{openid}, wx_openid_of($code),
   "$name - which comes back");
like(headers_of($answer, 'Set-Cookie'), qr/^wxs=eyJ[^|]+$/,
     "$name - and is refreshed");

$code = new_code();
$answer = ask("GET /only?code=$code");
is_deeply(json_of($answer), { openid => wx_openid_of($code),
                              appid => 'wxtest' },
          "$name - only, by a link: no session, and none that expires");
unlike($answer, qr/eyJ/, "$name - only, by a link: no token");
--- checks: 16



=== TEST 10: apps, requirements and error pages count here as well
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location = /app {
        wx_openid_login;
        wx_openid_appid  $arg_appid;
    }
    location = /banned {
        wx_openid_login;
        wx_openid_require  0;
    }
    location = /page {
        wx_openid_login;
        error_page  401 =200 @page;
    }
    location @page {
        return  200 "page\n";
    }
    location = /denied {
        wx_openid_login;
        deny  all;
    }
--- request
GET /app
--- error_code: 401
--- steps
my $code = new_code();
my $json = json_of(ask("GET /app?appid=wxother&code=$code"));
is($json->{openid}, wx_openid_of($code, 'wxother'), "$name - of the app");
is($json->{appid}, 'wxother', "$name - the app");

refused_as("$name - unknown app", ask("GET /app?appid=x&code=$code"), 403,
           'unknown_app');
refused_as("$name - banned", ask('GET /banned?code=' . new_code()), 403,
           'forbidden');
is(body_of(ask('GET /page')), "page\n", "$name - error_page");

$code = new_code();
is(status_of(ask("GET /denied?code=$code")), 403, "$name - denied");
is(wechat("count?code=$code"), 0, "$name - before a code is spent");
--- checks: 11



=== TEST 11: whom another check lets in is not logged in
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    satisfy  any;
    location = /login {
        wx_openid_login;
        allow    all;
    }
    location = /deny {
        wx_openid_login;
        deny     all;
    }
    location = /page {
        wx_openid_login;
        allow    all;
        error_page  401 = @page;
    }
    location @page {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /login
--- error_code: 401
--- steps
my $code = new_code();

refused_as("$name - nothing", ask('GET /login'), 401, 'login_required');
refused_as("$name - a body", ask('POST /login', 'x' x 100_000), 401,
           'login_required');

my $answer = ask('GET /login');
is(headers_of($answer, 'WWW-Authenticate'), 'Bearer realm="wx_openid"',
   "$name - WWW-Authenticate");
is(headers_of($answer, 'Cache-Control'), 'no-store',
   "$name - Cache-Control");

logged_in("$name - deny", ask("GET /deny?code=$code"), $code);
refused_as("$name - deny", ask('GET /deny'), 401, 'login_required');
like(body_of(ask('GET /page')), qr{^GET /page}, "$name - error_page");

# the connection goes on
my $s = connect_nginx();

for my $n (1 .. 3) {
    send_text($s, text_of('POST /login', 'x' x 10_000));
    is(status_of(read_answer($s)), 401, "$name - request $n on one");
}
--- checks: 21



=== TEST 12: keepalive: a body that nobody reads is gone
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location = /login {
        wx_openid_login;
    }
--- request
GET /login
--- error_code: 401
--- steps
my $s = connect_nginx();

for my $n (1 .. 3) {
    my $code = new_code();
    send_text($s, text_of('POST /login', "GET /nothing HTTP/1.1\r\n\r\n" x 99,
                          "X-WX-Code: $code"));
    logged_in("$name - request $n", read_answer($s), $code);

    send_text($s, text_of('POST /login', 'GET /nothing' x 999,
                          'X-WX-Session: ' . token()));
    is(json_of(read_answer($s))->{openid}, 'oTOKEN', "$name - token $n");

    $code = new_code();
    send_text($s, text_of('POST /login', qq({"code":"$code"}),
                          "Content-Type: $main::Json"));
    logged_in("$name - JSON $n", read_answer($s), $code);
}

# the head first: the answer does not wait for the body
my $code = new_code();
my $text = text_of('POST /login', 'x' x 1000, "X-WX-Code: $code");
send_text($s, substr $text, 0, -1000);
logged_in("$name - early answer", read_answer($s), $code);
send_text($s, 'x' x 1000);

$code = new_code();
send_text($s, text_of("GET /login?code=$code"));
logged_in("$name - after it", read_answer($s), $code);
--- checks eval: 3 * 13 + 2 * 6



=== TEST 13: chunked, Expect, pipelined
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location = /login {
        wx_openid_login;
    }
--- request
GET /login
--- error_code: 401
--- steps
my $code = new_code();
my $body = qq({"code":"$code"});
my $chunked = sprintf "%x\r\n%s\r\n0\r\n\r\n", length $body, $body;

logged_in("$name - chunked",
          ask_nginx("POST /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                    . "Transfer-Encoding: chunked\r\n"
                    . "Content-Type: $main::Json\r\n\r\n$chunked"), $code);

$code = new_code();
my $s = connect_nginx();
$body = qq({"code":"$code"});
send_text($s, "POST /login HTTP/1.1\r\nHost: x\r\n"
              . "Content-Type: $main::Json\r\nContent-Length: " . length($body)
              . "\r\nExpect: 100-continue\r\n\r\n");
my $line = '';
until_true(sub { sysread $s, $line, 1, length $line; $line =~ /\r\n\r\n$/ });
like($line, qr{^HTTP/1.1 100 Continue}, "$name - 100 Continue");
send_text($s, $body);
logged_in("$name - Expect", read_answer($s), $code);

my @codes = map { new_code() } 1 .. 3;
send_text($s, join '', map { text_of('POST /login', qq({"code":"$_"}),
                                     "Content-Type: $main::Json") } @codes);
logged_in("$name - pipelined", read_answer($s), $_) for @codes;
--- checks eval: 5 * 6 + 1



=== TEST 14: what it answers is what business requests take
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location = /login {
        wx_openid_login;
    }
    location /api {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /login
--- error_code: 401
--- steps
my $code = new_code('union');
my $session = json_of(ask('POST /login', qq({"code":"$code"}),
                          "Content-Type: $main::Json"))->{session};
my $openid = wx_openid_of($code);
my $unionid = wx_unionid_of($code);

for my $header ("X-WX-Session: $session", "X-WX-Skey: $session",
                "Authorization: Bearer $session")
{
    like(body_of(ask('POST /api', '{"code":"coupon"}', $header,
                     "Content-Type: $main::Json")),
         qr/^X-WX-OPENID: $openid\nX-WX-APPID: wxtest
X-WX-UNIONID: $unionid$/m, "$name - " . substr $header, 0, 12);
}

is(wechat('count?code=coupon'), 0, "$name - a field named code is no code");
is(wechat("count?code=$code"), 1, "$name - one exchange for all");
--- checks: 5



=== TEST 15: subrequests and redirects to it
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location = /login {
        wx_openid_login;
    }
    location = /asks {
        auth_request  /login;
        proxy_pass    http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location = /known {
        wx_openid     on;
        auth_request  /login;
        proxy_pass    http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location = /rewritten {
        rewrite       ^ /login last;
    }
    location = /tries {
        wx_openid     on;
        error_page    404 = @login;
        try_files     /none =404;
    }
    location @login {
        wx_openid_login;
    }
--- request
GET /login
--- error_code: 401
--- steps
my $code = new_code();

is(status_of(ask("GET /asks?code=$code", undef, 'X-WX-Session: ' . token())),
   401, "$name - no subrequest logs in");
is(status_of(ask("GET /known?code=$code")), 401, "$name - nor later");
is(wechat("count?code=$code"), 0, "$name - no exchange");

logged_in("$name - rewrite", ask("GET /rewritten?code=$code"), $code);

$code = new_code();
logged_in("$name - error_page", ask("GET /tries?code=$code"), $code);
--- checks: 15



=== TEST 16: HTTP/2
--- h2
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location = /login {
        wx_openid_login;
    }
--- request
POST /login
{"code":"%CODE%"}
--- more_headers
Content-Type: application/json
--- response_body_like
^\{"openid":"%OPENID%","appid":"wxtest","session":"eyJ[\w.-]+","expires_in":7200\}$
--- wechat_count: %CODE%=1



=== TEST 17: what is said above it does not
--- config
    wx_openid  off;
    location = /login {
        wx_openid_login;
    }
    location /outer {
        wx_openid  optional;
        location = /outer/inner {
            wx_openid_login;
        }
        location = /outer/on {
            wx_openid_login;
            wx_openid  on;
        }
    }
--- request eval
['GET /login', 'GET /outer/inner', 'GET /outer/on']
--- error_code eval
[401, 401, 401]
--- response_body eval
[('{"error":"login_required"}') x 3]



=== TEST 18: a location inside is as closed, and answers as itself
--- config
    location /login {
        wx_openid_login;
        location /login/inner {
            proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        }
    }
--- request eval
['GET /login', 'GET /login/inner', 'GET /login/inner']
--- more_headers eval
['X-WX-Code: %CODE%', 'X-WX-Code: %CODE2%', 'X-None: none']
--- error_code eval
[200, 200, 401]
--- response_body_like eval
['^\{"openid":"%OPENID%"', '^GET /login/inner', 'login_required']



=== TEST 19: inside an "if" or a limit_except it is a login as well
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location = /if {
        wx_openid_login;
        if ($http_origin) {
            set  $cors 1;
        }
    }
    location = /limited {
        wx_openid_login;
        limit_except GET {
            allow  all;
        }
    }
    location = /status {
        wx_openid_status  json;
        if ($http_origin) {
            set  $cors 1;
        }
    }
--- request
GET /if
--- error_code: 401
--- steps
my $token = main::token(sub => 'oALICE');

my $login = sub {
    my ($line, @headers) = @_;
    return ask_nginx(join "\r\n", "$line HTTP/1.1", 'Host: localhost',
                     'Connection: close', 'Origin: x', @headers, '', '');
};

for my $line ('GET /if', 'POST /limited') {
    my $code = new_code();
    my $answer = $login->($line, "X-WX-Session: $token", "X-WX-Code: $code");

    is(status_of($answer), 200, "$name - $line - status");
    like(body_of($answer), qr/^\{"openid":"@{[wx_openid_of($code)]}",/,
         "$name - $line - the code decides");
    like(body_of($answer), qr/"session":"eyJ/, "$name - $line - a token");
}

for my $line ('PUT /if', 'PUT /limited') {
    my $code = new_code();
    my $answer = $login->($line, "X-WX-Code: $code");

    is(status_of($answer), 405, "$name - $line - status");
    is(header_of($answer, 'X-WX-Session'), undef, "$name - $line - no token");
    is(wechat("count?code=$code"), 0, "$name - $line - WeChat is not asked");
}

like(body_of($login->('GET /status')), qr/^\{/, "$name - the status is JSON");
--- checks: 13
