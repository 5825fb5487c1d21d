use lib 't/lib';
use WxOpenid;
use WxOpenid::Steps;
use WxOpenid::Token;

# Session tokens that come: where they are looked for, what opens, what is
# refused, and that no upstream gets one.

repeat_each(2);

our $Token = token();
our $Expired = token(iat => time - 7300, exp => time - 100);

# of whom each is, to see which one counted
our %Of = map { $_ => token(sub => "o$_") } qw(A B C D);

# Authorization that is not ours
our @Foreign = (
    'Basic dXNlcjpwYXNz', 'Bearer abcdef', 'Bearer', "Basic $Token",
    'bearer  eyJhbGciOiJIUzI1NiJ9.e30.AAAA', 'Digest username="x"',
    'Bearer eyJhbGciOiJBMjU2S1ciLCJlbmMiOiJBMTI4R0NNIiwia2lkIjoi',
);

# one character of a token is another
sub altered {
    my ($token, $at) = @_;
    my $old = substr $token, $at, 1;
    substr($token, $at, 1) = $old eq 'A' ? 'Q' : 'A';
    return $token;
}

# what must not open, by name; all but the claims is right

sub bad_tokens {
    my $now = time;
    my @parts = split /\./, token();
    my @other = split /\./, token(sub => 'oOTHER');
    my %keys = (-keys => $ENV{TEST_NGINX_OTHER_KEYS});

    my %bad = (
        'expired' => token(iat => $now - 7300, exp => $now - 100),
        'expired this second' => token(exp => $now),
        'from the future' => token(iat => $now + 900),
        'logged in in the future' => token(auth_time => $now + 900),
        'of an unknown key' => token(%keys, -kid => 'k9'),
        'of another key with this kid' => token(%keys, -kid => 'k1'),
        'for an unknown app' => token(aud => 'wxunknown'),
        'for nobody' => token(sub => undef),
        'for an empty sub' => token(sub => ''),
        'for an odd sub' => token(sub => 'o"x'),
        'with a number as sub' => token(sub => 1),
        'with a list as aud' => token(aud => ['wxtest']),
        'without aud' => token(aud => undef),
        'without exp' => token(exp => undef),
        'with text as exp' => token(exp => '' . ($now + 99)),
        'with a huge exp' => token(-text => qq({"sub":"oX","aud":"wxtest",)
                                            . qq("iat":$now,"exp":1e300})),
        'with a negative iat' => token(iat => -1, exp => $now + 99),
        'with no claims' => token(-text => '{}'),
        'with claims that are no JSON' => token(-text => 'x'),
        'with another alg' => token(-header =>
            '{"alg":"A128KW","enc":"A256GCM","kid":"k1"}'),
        'with alg dir' => token(-header =>
            '{"alg":"dir","enc":"A256GCM","kid":"k1"}'),
        'with another enc' => token(-header =>
            '{"alg":"A256KW","enc":"A128GCM","kid":"k1"}'),
        'with members in another order' => token(-header =>
            '{"enc":"A256GCM","alg":"A256KW","kid":"k1"}'),
        'with a space in the header' => token(-header =>
            '{"alg":"A256KW","enc":"A256GCM", "kid":"k1"}'),
        'with more in the header' => token(-header =>
            '{"alg":"A256KW","enc":"A256GCM","kid":"k1","zip":"DEF"}'),
        'of four parts' => join('.', @parts[0 .. 3]),
        'of six parts' => join('.', @parts, 'AAAA'),
        'with an empty part' => join('.', @parts[0, 1], '', @parts[3, 4]),
        'with a swapped key' => join('.', $parts[0], $other[1],
                                     @parts[2 .. 4]),
        'with a swapped nonce' => join('.', @parts[0, 1], $other[2],
                                       @parts[3, 4]),
        'with swapped claims' => join('.', @parts[0 .. 2], @other[3, 4]),
        'with padding' => token() . '=',
        'cut' => substr(token(), 0, -1),
        'junk' => 'junk',
        'dots' => '....',
        'long junk' => 'A' x 6000,
        'long junk behind our header' => "$parts[0]." . 'A' x 6000,
    );

    my $n = 0;

    for my $part (@parts) {
        $bad{'altered at ' . ($n + 3)} = altered(token(), $n + 3);
        $n += 1 + length $part;
    }

    return %bad;
}

our %Bad = bad_tokens();
our @Bad = sort keys %Bad;

plan tests => wx_tests() + steps_tests();

no_long_string();
run_tests();

__DATA__

=== TEST 1: a token in the header is an identity, and WeChat is not called
--- http_config
    $TEST_NGINX_SESSIONS
--- request
GET /t
--- more_headers eval
"X-Other: kept
X-WX-Session: $::Token
X-Last: kept"
--- response_body eval
main::proxied('GET /t') . "X-Other: kept
X-Last: kept
X-WX-OPENID: oTOKEN
X-WX-APPID: wxtest
X-WX-SOURCE: wx_client

"
--- raw_response_headers_unlike: (?i)x-wx-session|no-store
--- wechat_total: 0
--- backend_count: 1
--- no_error_log
[error]
[alert]
[crit]
[emerg]



=== TEST 2: every default source, under every alias, and none of it goes on
--- http_config
    $TEST_NGINX_SESSIONS
    underscores_in_headers  on;
    ignore_invalid_headers  off;
--- request eval
[('GET /t') x 10]
--- more_headers eval
[map { "X-First: kept\n$_\nX-Last: kept" }
     "X-WX-Session: $::Token", "x-wx-session: $::Token",
     "X_WX_Session: $::Token", "X.WX-SESSION: $::Token",
     "X-WX-Skey: $::Token", "x_wx_skey: $::Token",
     "Authorization: Bearer $::Token", "authorization: bearer $::Token",
     "Authorization: BEARER   $::Token  ",
     "X-WX-Skey: $::Token\nX_WX_Session: $::Token\n"
     . "Authorization: Bearer $::Token"]
--- response_body eval
[(main::proxied('GET /t') . "X-First: kept
X-Last: kept
X-WX-OPENID: oTOKEN
X-WX-APPID: wxtest
X-WX-SOURCE: wx_client

") x 10]
--- wechat_total: 0
--- backend_count: 10



=== TEST 3: the first source that opens wins, the cookie comes last
--- http_config
    $TEST_NGINX_SESSIONS
    wx_openid_session_cookie  wxs;
--- request eval
[('GET /t') x 6]
--- more_headers eval
my %of = %main::Of;
["Cookie: wxs=$of{D}\nAuthorization: Bearer $of{C}\nX-WX-Skey: $of{B}\n"
 . "X-WX-Session: $of{A}",
 "Cookie: wxs=$of{D}\nAuthorization: Bearer $of{C}\nX-WX-Skey: $of{B}",
 "Cookie: wxs=$of{D}\nAuthorization: Bearer $of{C}",
 "Cookie: wxs=$of{D}",
 "Cookie: wxs=$of{D}\nAuthorization: Bearer $of{C}\nX-WX-Skey: junk\n"
 . "X-WX-Session: $main::Expired",
 "Cookie: wxs=$of{D}\nX-WX-Session: $main::Expired"]
--- response_body_like eval
[map { "(?m)^X-WX-OPENID: o$_\$" } qw(A B C D C D)]
--- wechat_total: 0
--- backend_never eval
["eyJ", "wxs", "junk"]



=== TEST 4: a list of one's own, in its order
--- http_config
    $TEST_NGINX_SESSIONS
    wx_openid_session_source  $cookie_a $http_x_mine bearer;
    wx_openid_session_cookie  b;
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /cookie {
        wx_openid   on;
        wx_openid_session_source  $cookie_a;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
[('GET /t') x 6, ('GET /cookie') x 3]
--- more_headers eval
my %of = %main::Of;
["Authorization: Bearer $of{C}\nX-Mine: $of{B}\nCookie: b=$of{D}; a=$of{A}",
 "Authorization: Bearer $of{C}\nX-Mine: $of{B}\nCookie: b=$of{D}",
 "Authorization: Bearer $of{C}\nCookie: b=$of{D}",
 "Cookie: b=$of{D}",
 "X-WX-Session: $of{A}",
 "X-WX-Skey: $of{A}",
 "Cookie: a=$of{A}; b=$of{D}",
 "Cookie: b=$of{D}",
 "X-Mine: $of{B}\nAuthorization: Bearer $of{C}"]
--- error_code eval
[200, 200, 200, 200, 401, 401, 200, 200, 401]
--- response_body_like eval
[(map { "(?m)^X-WX-OPENID: o$_\$" } qw(A B C D)), ('login_required') x 2,
 (map { "(?m)^X-WX-OPENID: o$_\$" } qw(A D)), 'login_required']
--- wechat_total: 0
--- backend_never
eyJ



=== TEST 5: the cookie is cut out, the others stay as they came
--- http_config
    $TEST_NGINX_SESSIONS
    wx_openid_session_cookie  wxs;
--- config
    location /t {
        wx_openid         on;
        proxy_set_header  X-Cookie $http_cookie;
        proxy_pass        http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
[('GET /t') x 13]
--- more_headers eval
my $t = "wxs=$main::Token";
[map { "Cookie: $_" }
     "a=1; $t; b=2; c=\"x y\"", "$t; a=1", "a=1; $t", "a=1;b=2;$t;c;d=;=e",
     "a=1;  b = 2 ; $t", "$t;a=1;$t; b=2;wxs=", "a=1; wxsx=2; xwxs=3; $t",
     "a=wxs=1; $t", "wxs = $main::Token ; a=1", "WXS=$main::Token; a=1",
     "$t", "$t\nCookie: a=1", "WXS=shop; $t; wXs="]
--- response_body_like eval
[(map { my $x = quotemeta; "(?m)^X-Cookie: $x\$(?s:.*)^Cookie: $x\$" }
      'a=1; b=2; c="x y"', 'a=1', 'a=1', 'a=1;b=2;c;d=;=e', 'a=1;  b = 2 ',
      'a=1; b=2', 'a=1; wxsx=2; xwxs=3', 'a=wxs=1', 'a=1', 'a=1'),
 '\A(?:(?!Cookie|X-Cookie).+\n)+\n',
 '(?m)^X-Cookie: a=1$(?s:.*)^Cookie: a=1$',
 '(?m)^X-Cookie: WXS=shop; wXs=$(?s:.*)^Cookie: WXS=shop; wXs=$']
--- wechat_total: 0
--- backend_never
eyJ



=== TEST 6: many short and empty cookies beside the token's
--- http_config
    $TEST_NGINX_SESSIONS
    wx_openid_session_cookie  w;
--- request eval
[('GET /t') x 5]
--- more_headers eval
["Cookie: a" . ';' x 900 . "w=$main::Token",
 "Cookie: " . 'a;' x 450 . "w=$main::Token" . ';a' x 450,
 "Cookie: " . ';' x 900 . "w=$main::Token" . ';' x 900,
 "Cookie: w=" . ';w=' x 300 . "\nCookie: w=$main::Token",
 "Cookie: a" . ';' x 900 . "w="]
--- error_code eval
[200, 200, 200, 200, 401]
--- response_body_like eval
['(?m)^Cookie: a;*$', '(?m)^Cookie: a(;a){899}$', 'X-WX-OPENID: oTOKEN',
 'X-WX-OPENID: oTOKEN', 'login_required']
--- wechat_total: 0
--- backend_never
eyJ



=== TEST 7: a token behind a comma, where nginx would find a cookie: not ours
--- http_config
    $TEST_NGINX_SESSIONS
    wx_openid_session_cookie  wxs;
--- request
GET /t
--- more_headers eval
"Cookie: a=1,wxs=$main::Token"
--- error_code: 401
--- response_body_like: login_required
--- backend_count: 0



=== TEST 8: foreign Authorization passes as it came
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location /t {
        wx_openid   optional;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /on {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /off {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
[('GET /t') x 7, 'GET /on', 'GET /off']
--- more_headers eval
[(map { "Authorization: $_" } @main::Foreign),
 "Authorization: Bearer abcdef\nX-WX-Session: $main::Token",
 "Authorization: Basic dXNlcjpwYXNz"]
--- response_body_like eval
[(map { "(?m)^Authorization: \Q$_\E\$(?!(?s:.*)X-WX-)" } @main::Foreign),
 '(?m)^Authorization: Bearer abcdef$(?s:.*)^X-WX-OPENID: oTOKEN$',
 '(?m)^Authorization: Basic dXNlcjpwYXNz$']
--- wechat_total: 0
--- backend_count: 9



=== TEST 9: tokens are removed where it is off, in redirects and subrequests
--- http_config
    $TEST_NGINX_SESSIONS
    wx_openid_session_cookie  wxs;
--- config
    location /off {
        proxy_pass    http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /try {
        try_files     /none @named;
    }
    location @named {
        proxy_pass    http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /asks {
        auth_request  /asked;
        proxy_pass    http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /asked {
        proxy_pass    http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /rewritten {
        rewrite       ^ /off last;
    }
    location /on {
        wx_openid     on;
        error_page    404 = @named;
        try_files     /none =404;
    }
    location /without {
        wx_openid     optional;
        wx_openid_session_keys  off;
        proxy_pass    http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
[map { "GET $_" } qw(/off /try /asks /rewritten /on /without)]
--- more_headers eval
("Cookie: a=1; wxs=$main::Token\nX-WX-Session: $main::Token\n"
 . "X-WX-Skey: $main::Token\nAuthorization: Bearer $main::Token")
--- response_body_like eval
[('\A(?:(?!x.wx|Authorization|.*eyJ)[^\n]+\n)+\n') x 6]
--- backend_count: 7
--- backend_never
eyJ
--- wechat_total: 0



=== TEST 10: a token decides: no code is looked for
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location /t {
        wx_openid   on;
        add_header  X-Status $wx_openid_status;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["POST /t\n{\"code\":\"%CODE%\"}", "GET /t?code=%CODE%", 'GET /t',
 "POST /t\ncode=%CODE%", "POST /t\n{\"code\":"]
--- more_headers eval
[map { "X-WX-Session: $main::Token\n$_" }
     'Content-Type: application/json', 'X-Other: x', 'X-WX-Code: %CODE%',
     'Content-Type: application/x-www-form-urlencoded',
     'Content-Type: application/json']
--- response_body_like eval
['(?m)^X-WX-OPENID: oTOKEN$(?s:.*)^\{"code":"%CODE%"\}$',
 '\AGET /t\?code=%CODE% (?s:.*)X-WX-OPENID: oTOKEN',
 'X-WX-OPENID: oTOKEN',
 '(?m)^X-WX-OPENID: oTOKEN$(?s:.*)^code=%CODE%$',
 '(?m)^X-WX-OPENID: oTOKEN$(?s:.*)^\{"code":$']
--- response_headers eval
[('X-Status: SESSION') x 5]
--- wechat_total: 0
--- backend_count: 5



=== TEST 11: without a token, or with one that is refused, a code is
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location /t {
        wx_openid   on;
        add_header  X-Status $wx_openid_status;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
['GET /t', "POST /t\n{\"code\":\"%CODE2%\"}", 'GET /t?code=%CODE3%',
 'GET /t?code=']
--- more_headers eval
["X-WX-Code: %CODE%",
 "X-WX-Session: $main::Expired\nContent-Type: application/json",
 "X-WX-Skey: junk", "X-WX-Session:"]
--- error_code eval
[200, 200, 200, 401]
--- response_body_like eval
[(map { "(?m)^X-WX-OPENID: %OPENID$_%\$" } '', 2, 3), 'login_required']
--- response_headers eval
[('X-Status: MISS') x 3, 'X-Status: ']
--- wechat_count
%CODE%=1
%CODE2%=1
%CODE3%=1
--- wechat_total: 3



=== TEST 12: a refused token and a refused code: the code's refusal is told
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location /t {
        wx_openid   on;
    }
    location /optional {
        wx_openid   optional;
    }
--- request eval
['GET /t', 'GET /optional']
--- more_headers eval
"X-WX-Session: $main::Expired\nX-WX-Code: bad-%NEW%"
--- error_code eval
[401, 401]
--- response_body_like eval
[('"error":"invalid_code","errcode":40029') x 2]
--- wechat_count: bad-%NEW%=1



=== TEST 13: whatever is wrong with a token, it is refused, and is told so
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /optional {
        wx_openid   optional;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
[map { ('GET /t', 'GET /optional') } @main::Bad]
--- more_headers eval
[map { ("X-WX-Session: $main::Bad{$_}", "X-WX-Skey: $main::Bad{$_}") }
     @main::Bad]
--- error_code eval
[(401) x (2 * @main::Bad)]
--- response_body eval
[('{"error":"invalid_session"}') x (2 * @main::Bad)]
--- response_headers eval
[("WWW-Authenticate: Bearer realm=\"wx_openid\", error=\"invalid_token\"
Cache-Control: no-store
X-WX-Session: ") x (2 * @main::Bad)]
--- wechat_total: 0
--- backend_count: 0
--- error_log
wx_openid: invalid_session
--- no_error_log
[alert]
[crit]
[emerg]



=== TEST 14: without a token at all it is login_required; optional: anonymous
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location /t {
        wx_openid   on;
    }
    location /optional {
        wx_openid   optional;
        add_header  X-Status $wx_openid_status;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
['GET /t', 'GET /t', 'GET /optional', 'GET /optional']
--- more_headers eval
['', 'Authorization: Bearer foreign', '', 'X-WX-Session: ']
--- error_code eval
[401, 401, 200, 200]
--- response_headers eval
[('WWW-Authenticate: Bearer realm="wx_openid"') x 2,
 ('X-Status: NONE') x 2]
--- response_body_like eval
[('^\{"error":"login_required"\}$') x 2, ('\A(?:(?!X-WX)[^\n]+\n)+\n') x 2]
--- wechat_total: 0



=== TEST 15: clocks: a minute ahead is fine, and so are 2038 and after
--- http_config
    $TEST_NGINX_SESSIONS
--- request eval
[('GET /t') x 7]
--- more_headers eval
my $now = time;
[map { 'X-WX-Session: ' . main::token(@$_) }
     [iat => $now + 45], [exp => 2147483647], [exp => 2147483648],
     [exp => 4294967296], [exp => 253402300799],
     [iat => 0, exp => $now + 3600, auth_time => 0],
     [nbf => 'x', jti => [1], iss => { a => 1 }, unionid => undef]]
--- response_body_like eval
[('X-WX-OPENID: oTOKEN') x 7]
--- wechat_total: 0



=== TEST 16: any key of the set opens
--- http_config
    $TEST_NGINX_SESSIONS
--- request eval
[('GET /t') x 2]
--- more_headers eval
[map { 'X-WX-Session: ' . main::token(-kid => $_, sub => "o$_") } qw(k1 k2)]
--- response_body_like eval
['X-WX-OPENID: ok1', 'X-WX-OPENID: ok2']
--- wechat_total: 0



=== TEST 17: several apps: a token of any in force, or of the one that is named
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location /any {
        wx_openid        on;
        proxy_pass       http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /named {
        wx_openid        on;
        wx_openid_appid  $arg_appid;
        proxy_pass       http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /one {
        wx_openid        on;
        wx_openid_app    wxother $TEST_NGINX_OTHER_SECRET;
        proxy_pass       http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
['GET /any', 'GET /any', 'GET /named', 'GET /named?appid=wxother',
 'GET /named?appid=wxtest', 'GET /named?appid=wxother', 'GET /one',
 'GET /one']
--- more_headers eval
my $other = main::token(sub => 'oOTHER', aud => 'wxother');
[map { "X-WX-Session: $_" }
     $main::Token, $other, $other, $other, $other, $main::Token, $other,
     $main::Token]
--- error_code eval
[200, 200, 200, 200, 401, 401, 200, 401]
--- response_body_like eval
['(?m)^X-WX-OPENID: oTOKEN\nX-WX-APPID: wxtest$',
 ('(?m)^X-WX-OPENID: oOTHER\nX-WX-APPID: wxother$') x 3,
 ('^\{"error":"invalid_session"\}$') x 2,
 '(?m)^X-WX-OPENID: oOTHER\nX-WX-APPID: wxother$',
 '^\{"error":"invalid_session"\}$']
--- wechat_total: 0
--- backend_count: 5



=== TEST 18: an app that is not declared is refused as such, token or not
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location /on {
        wx_openid        on;
        wx_openid_appid  $arg_appid;
    }
    location /optional {
        wx_openid        optional;
        wx_openid_appid  $arg_appid;
    }
    location /login {
        wx_openid_login;
        wx_openid_appid  $arg_appid;
    }
--- request eval
[map { ("GET /$_?appid=wxnobody") x 3 } qw(on optional login)]
--- more_headers eval
[("X-WX-Session: $main::Token",
  'X-WX-Session: ' . main::token(aud => 'wxnobody'),
  "X-WX-Session: $main::Token\nX-WX-Code: %CODE%") x 3]
--- error_code eval
[(403) x 9]
--- response_body_like eval
[('^\{"error":"unknown_app"\}$') x 9]
--- wechat_total: 0



=== TEST 19: each location that is entered asks its own keys and apps
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location /same {
        wx_openid   on;
        rewrite     ^ /final last;
    }
    location /keys {
        wx_openid   on;
        error_page  404 = @keys;
        try_files   /none =404;
    }
    location @keys {
        wx_openid   on;
        wx_openid_session_keys  $TEST_NGINX_OTHER_KEYS;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /app {
        wx_openid   on;
        error_page  404 = @app;
        try_files   /none =404;
    }
    location @app {
        wx_openid   on;
        wx_openid_app  wxother $TEST_NGINX_OTHER_SECRET;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /none {
        wx_openid   on;
        error_page  404 = @none;
        try_files   /nothing =404;
    }
    location @none {
        wx_openid   optional;
        wx_openid_session_keys  off;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /accel {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /final {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /to-keys {
        wx_openid   on;
        wx_openid_session_keys  $TEST_NGINX_OTHER_KEYS;
        error_page  401 = @back;
    }
    location @back {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
[map { "GET $_" }
     qw(/same /keys /app /none /accel?to=/final /accel?to=/keys /to-keys)]
--- more_headers eval
"X-WX-Session: $main::Token"
--- error_code eval
[200, 401, 401, 200, 200, 401, 200]
--- response_body_like eval
my $in = '(?m)^X-WX-OPENID: oTOKEN$';
my $out = '^\{"error":"invalid_session"\}$';
[$in, $out, $out, '\A(?:(?!X-WX)[^\n]+\n)+\n', $in, $out, $in]
--- wechat_total: 0



=== TEST 20: a code beside a token that another location refuses: once
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    recursive_error_pages  on;
    location /t {
        wx_openid   on;
        error_page  404 = @keys;
        try_files   /none =404;
    }
    location @keys {
        wx_openid   on;
        wx_openid_session_keys  $TEST_NGINX_OTHER_KEYS;
        error_page  404 = @back;
        try_files   /none =404;
    }
    location @back {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers eval
"X-WX-Session: $main::Token\nX-WX-Code: %CODE%"
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$
--- wechat_count: %CODE%=1
--- backend_never
oTOKEN



=== TEST 21: satisfy any: a token grants, a refused one does not
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    satisfy  any;
    location /deny {
        wx_openid   on;
        deny        all;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /allow {
        wx_openid   on;
        allow       all;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /basic {
        wx_openid   on;
        auth_basic  closed;
        auth_basic_user_file  none;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
['GET /deny', 'GET /deny', 'GET /allow', 'GET /basic']
--- more_headers eval
[map { "Authorization: Bearer $_" }
     $main::Token, $main::Expired, $main::Token, $main::Token]
--- error_code eval
[200, 401, 200, 200]
--- response_body_like eval
['(?m)^X-WX-OPENID: oTOKEN$', '^\{"error":"invalid_session"\}$',
 '\A(?:(?!X-WX)[^\n]+\n)+\n', '(?m)^X-WX-OPENID: oTOKEN$']
--- wechat_total: 0
--- backend_never
eyJ



=== TEST 22: other checks come before, what is required after
--- http_config
    $TEST_NGINX_SESSIONS
    map $wx_openid $good {
        volatile;
        default  1;
        oBANNED  0;
    }
--- config
    location /denied {
        wx_openid   on;
        deny        all;
    }
    location /required {
        wx_openid   on;
        wx_openid_require  $good;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
['GET /denied', 'GET /required', 'GET /required']
--- more_headers eval
["X-WX-Session: $main::Token", "X-WX-Session: $main::Token",
 'X-WX-Session: ' . main::token(sub => 'oBANNED')]
--- error_code eval
[403, 200, 403]
--- response_body_like eval
['<html>', 'X-WX-OPENID: oTOKEN', '^\{"error":"forbidden"\}$']
--- wechat_total: 0



=== TEST 23: variables
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location /t {
        wx_openid   on;
        add_header  X-Sees "$wx_openid,$wx_openid_appid,$wx_openid_unionid,$wx_openid_session_key,$wx_openid_status,$wx_openid_error,$wx_openid_errcode,$wx_openid_exchange_time" always;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
[('GET /t') x 4]
--- more_headers eval
[map { "X-WX-Session: $_" }
     main::token(unionid => 'oUNION', sk => 'a2V5a2V5a2V5a2V5a2V5a2U9'),
     main::token(),
     main::token(aud => 'wxother', unionid => '', sk => ''), $main::Expired]
--- error_code eval
[200, 200, 200, 401]
--- response_headers eval
['X-Sees: oTOKEN,wxtest,oUNION,a2V5a2V5a2V5a2V5a2V5a2U9,SESSION,,,',
 'X-Sees: oTOKEN,wxtest,,,SESSION,,,', 'X-Sees: oTOKEN,wxother,,,SESSION,,,',
 'X-Sees: ,,,,ERROR,invalid_session,,']
--- response_body_like eval
['(?m)^X-WX-UNIONID: oUNION$', '\A(?!(?s:.*)UNIONID)', '\A(?!(?s:.*)UNIONID)',
 'invalid_session']
--- wechat_total: 0



=== TEST 24: HTTP/2: header, bearer and crumbled cookies
--- h2
--- http_config
    $TEST_NGINX_SESSIONS
    wx_openid_session_cookie  wxs;
--- request
GET /t
--- more_headers eval
"authorization: Bearer $main::Token\ncookie: a=1\ncookie: wxs=$main::Token\n"
. 'cookie: b=2'
--- response_body_like
(?m)^cookie: a=1; b=2$(?s:.*)^X-WX-OPENID: oTOKEN$
--- wechat_total: 0
--- backend_never
eyJ



=== TEST 25: keepalive: a token counts for its own request
--- http_config
    $TEST_NGINX_SESSIONS
--- request
GET /t
--- error_code: 401
--- steps
my $s = connect_nginx();

for my $with (1, 0, 1) {
    send_text($s, "GET /t HTTP/1.1\r\nHost: localhost\r\n"
                  . ($with ? "Authorization: Bearer $main::Token\r\n" : '')
                  . "\r\n");
    is(status_of(read_answer($s)), $with ? 200 : 401,
       "$name - request with $with token");
}
--- checks: 3



=== TEST 26: of several of one name the first that is not empty counts
--- http_config
    $TEST_NGINX_SESSIONS
    wx_openid_session_cookie  wxs;
--- config
    underscores_in_headers  on;
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- error_code: 401
--- steps
my %of = %main::Of;
my @cases = (
    ['headers', 'A', "X-WX-Session: $of{A}", "X-WX-Session: $of{B}"],
    ['aliases', 'A', "X_WX_Session: $of{A}", "X-WX-Session: $of{B}"],
    ['an empty one', 'B', 'X-WX-Session:', "X-WX-Session: $of{B}"],
    ['a refused one', undef, 'X-WX-Session: x', "X-WX-Session: $of{B}"],
    ['cookies', 'A', "Cookie: wxs=$of{A}; wxs=$of{B}"],
    ['two lines of them', 'A', "Cookie: wxs=$of{A}", "Cookie: wxs=$of{B}"],
    ['an empty cookie', 'B', "Cookie: wxs=; a=1; wxs=$of{B}"],
    ['a refused cookie', undef, "Cookie: wxs=x; wxs=$of{B}"],
);

for my $case (@cases) {
    my ($what, $wanted, @headers) = @$case;
    my $answer = ask_nginx(join "\r\n", 'GET /t HTTP/1.1',
                           'Host: localhost', 'Connection: close', @headers,
                           '', '');

    is($wanted ? $answer =~ /^X-WX-OPENID: o(\w)\r?$/m && $1
               : $answer =~ /"error":"(\w+)"/ && $1,
       $wanted // 'invalid_session', "$name - $what");
    unlike($answer, qr/eyJ/, "$name - $what - none goes on");
}

# nginx 1.23 and later take one Authorization only
my $answer = ask_nginx(join "\r\n", 'GET /t HTTP/1.1', 'Host: localhost',
                       'Connection: close', "Authorization: Bearer $of{A}",
                       "Authorization: Bearer $of{B}", '', '');
my ($of) = $answer =~ /^X-WX-OPENID: o(\w)\r?$/m;
is($of // status_of($answer), $of ? 'A' : 400, "$name - Authorization");
--- checks eval: 8 * 2 + 1



=== TEST 27: the cookie is cut out from between others, each in a line
--- http_config
    $TEST_NGINX_SESSIONS
    wx_openid_session_cookie  wxs;
--- config
    location /t {
        wx_openid         on;
        proxy_set_header  X-Cookie $http_cookie;
        proxy_pass        http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- no_http2: nginx makes one line of them there
--- request
GET /t
--- more_headers eval
"Cookie: a=1\nCookie: wxs=$main::Token\nCookie: b=2"
--- response_body_like
(?m)^X-Cookie: a=1; b=2$(?s:.*)^Cookie: a=1$(?s:.*)^Cookie: b=2$
--- wechat_total: 0
--- backend_never
eyJ



=== TEST 28: the log says what is wrong with a token
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /app {
        wx_openid         on;
        wx_openid_app     wxtest $TEST_NGINX_SECRET;
        wx_openid_app     wxother $TEST_NGINX_OTHER_SECRET;
        wx_openid_appid   wxother;
        proxy_pass        http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- error_code: 401
--- steps
my %bad = main::bad_tokens();
my %why = (
    'expired' => 'expired',
    'from the future' => 'issued in the future',
    'of an unknown key' => 'unknown key',
    'of another key with this kid' => 'damaged, or sealed with another key '
                                      . 'of this kid',
    'for an unknown app' => 'of an app that is not used here',
    'with no claims' => 'invalid claims',
);

my $told = sub {
    my ($path, $token) = @_;
    new_log_lines();
    ask_nginx("GET $path HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
              . "X-WX-Session: $token\r\n\r\n");
    my ($line) = grep { /wx_openid: / } new_log_lines();
    return ($line // '') =~ /wx_openid: (.*?), client: / ? $1 : 'nothing';
};

for my $what (sort keys %why) {
    is($told->('/t', $bad{$what}), "invalid_session: $why{$what}",
       "$name - $what");
}

is($told->('/t', 'x'), 'invalid_session: not a session token', "$name - junk");
is($told->('/app', main::token()),
   'invalid_session: of an app that is not used here', "$name - another app");
--- checks: 8



=== TEST 29: a cookie that the configuration reads is found by us alone
--- http_config
    $TEST_NGINX_SESSIONS
    wx_openid_session_cookie  wxs;
    map $cookie_wxs $early { default $cookie_wxs; }
--- config
    set $read $early;
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
[('GET /t') x 2]
--- more_headers eval
["Cookie: a=b, wxs=$main::Token", "Cookie: wxs=$main::Token"]
--- error_code eval
[401, 200]
--- wechat_total: 0
--- backend_never
eyJ



=== TEST 30: a header source in two spellings is one header
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location /dashes {
        wx_openid                 on;
        wx_openid_session_source  $http_x-wx-session;
        proxy_pass                http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
['GET /dashes', 'GET /t']
--- more_headers eval
"X-WX-Session: $main::Token"
--- error_code eval
[200, 200]
--- response_body_like eval
[('(?m)^X-WX-OPENID: oTOKEN$') x 2]
--- backend_never
eyJ



=== TEST 31: a tab behind Bearer is a blank as well
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /off {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
['GET /t', 'GET /off', 'GET /off']
--- more_headers eval
["Authorization: Bearer\t$main::Token", "Authorization: Bearer\t$main::Token",
 "Authorization: Bearer\tforeign"]
--- error_code eval
[200, 200, 200]
--- response_body_like eval
['(?m)^X-WX-OPENID: oTOKEN$', '\A(?:(?!Authorization).+\n)+\n',
 '(?m)^Authorization: Bearer\tforeign$']
--- backend_never
eyJ
