use lib 't/lib';
use WxOpenid;
use WxOpenid::Steps;
use WxOpenid::Token;

# Session tokens that go: when one is made, what it says, where it stands in
# the response, and that no cache may keep what carries one.

repeat_each(2);

sub get {
    my ($target, @headers) = @_;
    return ask_nginx(join("\r\n", "GET $target HTTP/1.1", 'Host: localhost',
                          'Connection: close', @headers, '', ''));
}

sub post {
    my ($target, $type, $body, @headers) = @_;
    return ask_nginx(join("\r\n", "POST $target HTTP/1.1", 'Host: localhost',
                          'Connection: close', "Content-Type: $type",
                          'Content-Length: ' . length($body), @headers, '',
                          $body));
}

# all values of a header, in their order
sub headers_of {
    my ($answer, $name) = @_;
    my ($head) = split /\r\n\r\n/, $answer, 2;
    return join ' | ', $head =~ /^\Q$name\E: *(.*?)\r?$/mgi;
}

sub claims_of {
    my ($answer) = @_;
    return open_token(headers_of($answer, 'X-WX-Session'))->{claims};
}

# the clock goes on
sub next_second {
    my $now = time;
    until_true(sub { time > $now });
}

# three checks: one token, which no cache may keep, for $openid
sub carries_one {
    my ($name, $answer, $openid) = @_;
    my $token = headers_of($answer, 'X-WX-Session');

    is($token =~ /^eyJ[\w.-]+$/ && open_token($token)->{claims}{sub},
       $openid, "$name - one token for the user");
    is(headers_of($answer, 'Cache-Control'), 'no-store',
       "$name - Cache-Control");
    is(headers_of($answer, 'Expires'), '', "$name - Expires");
}

# two checks
sub carries_none {
    my ($name, $answer, $status) = @_;
    is(status_of($answer), $status, "$name - status");
    unlike($answer, qr/^(?:X-WX-Session|Set-Cookie): [^\r]*eyJ/mi,
           "$name - no token");
}

plan tests => wx_tests() + steps_tests();

no_long_string();
run_tests();

__DATA__

=== TEST 1: a code exchanged: its token says who, for which app, and since when
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location /t {
        wx_openid   on;
        add_header  X-Status $wx_openid_status;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- error_code: 401
--- steps
for my $kind ('good', 'union') {
    my $code = new_code($kind);
    my $start = time;
    my $answer = get('/t', "X-WX-Code: $code");
    my $token = open_token(headers_of($answer, 'X-WX-Session'));
    my %claims = %{ $token->{claims} };
    my $iat = $claims{iat};

    is(header_of($answer, 'X-Status'), 'MISS', "$name - $kind - MISS");
    is($token->{header}, '{"alg":"A256KW","enc":"A256GCM","kid":"k1"}',
       "$name - $kind - the header, byte by byte");
    ok($iat >= $start - 1 && $iat <= time, "$name - $kind - iat is now");
    is_deeply(\%claims,
              { sub => wx_openid_of($code), aud => 'wxtest', iat => $iat,
                exp => $iat + 7200, auth_time => $iat,
                $kind eq 'union' ? (unionid => wx_unionid_of($code)) : () },
              "$name - $kind - these claims and no other");
    unlike($token->{payload}, qr/"(?:iat|exp|auth_time)":"/,
           "$name - $kind - times are numbers");
    carries_one("$name - $kind", $answer, wx_openid_of($code));
    like($answer, qr/^X-WX-Session: /m, "$name - $kind - the header's case");
    unlike(body_of($answer), qr/eyJ/, "$name - $kind - not for the upstream");

    my $again = get('/t', 'X-WX-Session: '
                          . header_of($answer, 'X-WX-Session'));
    carries_none("$name - $kind - used", $again, 200);
    is(header_of($again, 'X-Status'), 'SESSION', "$name - $kind - SESSION");
    is(headers_of($again, 'Cache-Control'), '',
       "$name - $kind - a response without a token is left alone");
    like(body_of($again), qr/^X-WX-OPENID: \Q${\ wx_openid_of($code)}\E$/m,
         "$name - $kind - the identity");
    is(wechat("count?code=$code"), 1, "$name - $kind - one exchange");
}
--- checks eval: 2 * 16



=== TEST 2: HIT: a token of its own, since the exchange
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location /t {
        wx_openid   on;
        add_header  X-Status $wx_openid_status;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- error_code: 401
--- steps
my $code = new_code('union');
my $miss = claims_of(get('/t', "X-WX-Code: $code"));
next_second();
my $answer = get('/t', "X-WX-Code: $code");
my $hit = claims_of($answer);

is(header_of($answer, 'X-Status'), 'HIT', "$name - HIT");
ok($hit->{iat} > $miss->{iat}, "$name - iat moves");
is($hit->{exp}, $hit->{iat} + 7200, "$name - exp moves");
is($hit->{auth_time}, $miss->{auth_time}, "$name - auth_time does not");
is($hit->{unionid}, wx_unionid_of($code), "$name - unionid");
carries_one($name, $answer, wx_openid_of($code));
is(wechat("count?code=$code"), 1, "$name - one exchange");
--- checks: 9



=== TEST 3: WAIT: everybody who waited gets one
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location /t {
        wx_openid   on;
        add_header  X-Status $wx_openid_status;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- error_code: 401
--- steps
my $code = new_code('hold');
my @clients = map { connect_nginx() } 1 .. 3;

send_text($_, "GET /t HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
              . "X-WX-Code: $code\r\n\r\n") for @clients;
is(wechat("wait?code=$code"), 1, "$name - WeChat was asked");

# what came on other connections is read before a new one's answer
get('/nothing') for 1 .. 3;
wechat("release?code=$code");

my @answers = map { read_answer($_) } @clients;
is(join(' ', sort map { header_of($_, 'X-Status') } @answers),
   'MISS WAIT WAIT', "$name - one exchanged, two waited");
carries_one($name, $_, wx_openid_of($code)) for @answers;

my %tokens = map { header_of($_, 'X-WX-Session') => 1 } @answers;
is(scalar(keys %tokens), 3, "$name - no token twice");
is(wechat("count?code=$code"), 1, "$name - one exchange");
--- checks: 13



=== TEST 4: the session_key is in a token where the configuration uses it
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /uses {
        wx_openid         on;
        proxy_set_header  X-Key $wx_openid_session_key;
        proxy_pass        http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- error_code: 401
--- steps
my $code = new_code();
my $key = wx_session_key_of($code);
my $answer = get('/t', "X-WX-Code: $code");

is(claims_of($answer)->{sk}, $key, "$name - sk");

my $token = header_of($answer, 'X-WX-Session');
like(get('/uses', "X-WX-Session: $token"), qr/^X-Key: \Q$key\E$/m,
     "$name - and out of it again");
like(get('/uses', 'X-WX-Session: ' . token()), qr/^X-WX-OPENID: oTOKEN$/m,
     "$name - a token without");
unlike(get('/uses', 'X-WX-Session: ' . token()), qr/X-Key/,
     "$name - has none");

my $old = token(sk => $key, iat => time - 4000);
is(claims_of(get('/t', "X-WX-Session: $old"))->{sk}, $key,
   "$name - kept on renewal");

$code = new_code('bare');
ok(!exists claims_of(get('/t', "X-WX-Code: $code"))->{sk},
   "$name - none known");
--- checks: 6



=== TEST 5: a session_key in a token does not live on where nothing uses it
--- http_config
    $TEST_NGINX_SESSIONS
--- request
GET /t
--- error_code: 401
--- steps
my $old = token(sk => 'a2V5a2V5a2V5a2V5a2V5a2U9', iat => time - 4000);
my $claims = claims_of(get('/t', "X-WX-Session: $old"));

is($claims->{sub}, 'oTOKEN', "$name - renewed");
ok(!exists $claims->{sk}, "$name - without it");
--- checks: 2



=== TEST 6: no cache may keep it, whatever the location says of caches
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    wx_openid  on;
    location /expires {
        expires     1h;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /max {
        expires     max;
        add_header  Cache-Control public;
        add_header  Expires "Thu, 31 Dec 2037 23:55:55 GMT";
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /add {
        add_header  Cache-Control "public, max-age=31536000" always;
        add_header  cache-control immutable always;
        add_header  Expires "Thu, 31 Dec 2037 23:55:55 GMT" always;
        add_header  X-Kept kept always;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /epoch {
        expires     epoch;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /headers {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /both {
        expires     1d;
        add_header  Cache-Control public always;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/headers;
    }
    location /accel {
        rewrite     ^ "/headers?X-Accel-Redirect=/max&Cache-Control=public&Expires=Thu,+31+Dec+2037+23:55:55+GMT" break;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /one-cache {
        expires     1h;
        add_header  X-Accel-Expires 600 always;
        add_header  CDN-Cache-Control max-age=600 always;
        add_header  Some-CDN-Cache-Control max-age=600 always;
        add_header  surrogate-control max-age=600 always;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /to-off {
        error_page  404 = @off;
        try_files   /none =404;
    }
    location @off {
        wx_openid   off;
        expires     1h;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- error_code: 401
--- steps
my $upstream = 'Cache-Control=public&Cache-Control=max-age%3D9'
               . '&Expires=Thu,+31+Dec+2037+23:55:55+GMT';

for my $target ('/expires', '/max', '/add', '/epoch', "/headers?$upstream",
                "/both?$upstream", '/accel', '/one-cache', '/to-off')
{
    my $code = new_code();
    my $answer = get($target, "X-WX-Code: $code");

    is(status_of($answer), 200, "$name - $target - status");
    carries_one("$name - $target", $answer, wx_openid_of($code));
    unlike($answer, qr/^(?:X-Accel-Expires|[\w-]+-Control): (?!no-store)/mi,
           "$name - $target - nor what outdoes it");

    # it is the token that does it
    $answer = get($target, 'X-WX-Session: ' . token());
    like(headers_of($answer, 'Cache-Control') . headers_of($answer, 'Expires'),
         qr/20\d\d|1970|max-age/, "$name - $target - without a token");
    unlike($answer, qr/no-store/, "$name - $target - nothing is replaced");
}

like(get('/add', 'X-WX-Code: ' . new_code()), qr/^X-Kept: kept\r$/m,
     "$name - other headers stay");
--- checks eval: 9 * 7 + 1



=== TEST 7: a cached response carries its own user's token or none
--- http_config
    $TEST_NGINX_SESSIONS
    proxy_cache_path  cache keys_zone=cache:1m;
--- config
    location /headers {
        wx_openid   optional;
        wx_openid_session_cookie  wxs;
        add_header  X-Cached $upstream_cache_status;
        proxy_cache  cache;
        proxy_cache_valid  1h;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /headers?x=y
--- steps
my $target = '/headers?Cache-Control=max-age%3D60&X-New=' . new_code();
my @codes = map { new_code() } 1 .. 3;

for my $code (@codes) {
    my $answer = get($target, "X-WX-Code: $code");

    carries_one("$name - by code", $answer, wx_openid_of($code));
    is(header_of($answer, 'X-Cached'), $code eq $codes[0] ? 'MISS' : 'HIT',
       "$name - cached");
    is(() = headers_of($answer, 'Set-Cookie') =~ /wxs=/g, 1,
       "$name - one cookie");
}

my $answer = get($target);
carries_none("$name - anonymous", $answer, 200);
is(header_of($answer, 'X-Cached'), 'HIT', "$name - anonymous, cached");
is(headers_of($answer, 'Cache-Control'), 'max-age=60',
   "$name - as the upstream sent it");

$answer = get($target, 'X-WX-Session: ' . token());
carries_none("$name - by token", $answer, 200);
is(header_of($answer, 'X-Cached'), 'HIT', "$name - by token, cached");

open my $grep, '-|', 'grep', '-rl', 'eyJ',
     "$Test::Nginx::Util::ServRoot/cache";
is(join('', <$grep>), '', "$name - no token in the cache");
--- checks: 23



=== TEST 8: once, whatever the status
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    wx_openid  on;
    expires    1h;
    wx_openid_session_cookie  wxs;
    location /status {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /intercepted {
        proxy_intercept_errors  on;
        error_page  404 /page;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/404;
    }
    location /page {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/200;
    }
    location /down {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_DEAD_PORT;
    }
    location /file {
        if_modified_since  before;
    }
--- user_files
>>> file.txt
content
--- request
GET /t
--- error_code: 401
--- steps
my @cases = (
    (map { [ $_, "/status/$_" ] } 200, 201, 204, 301, 304, 400, 401, 404, 500),
    [404, '/intercepted'], [502, '/down'], [200, '/file.txt'],
    [404, '/file-none'],
    [304, '/file.txt', 'If-Modified-Since: Fri, 31 Dec 2099 23:59:59 GMT'],
    [412, '/file.txt', 'If-Unmodified-Since: Sat, 01 Jan 2000 00:00:00 GMT'],
    [206, '/file.txt', 'Range: bytes=0-1'],
    [206, '/file.txt', 'Range: bytes=0-1,3-4'],
    [416, '/file.txt', 'Range: bytes=1000-'],
);

for my $case (@cases) {
    my ($status, $target, @headers) = @$case;
    my $code = new_code();
    my $answer = get($target, "X-WX-Code: $code", @headers);
    my $what = "$name - $status $target @headers";

    is(status_of($answer), $status, "$what - status");
    carries_one($what, $answer, wx_openid_of($code));
    is(() = $answer =~ /^Set-Cookie: wxs=/mgi, 1, "$what - one cookie");
}
--- checks eval: 18 * 5



=== TEST 9: HEAD, HTTP/1.0, subrequests of the response: one token
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /ssi {
        wx_openid   on;
        ssi         on;
        ssi_types   *;
        mirror      /mirrored;
    }
    location /mirrored {
        wx_openid   on;
        internal;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
    location /asks {
        wx_openid     on;
        auth_request  /asked;
        proxy_pass    http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /asked {
        wx_openid   on;
        return      204;
    }
--- user_files
>>> ssi.html
<!--#include virtual="/t" -->
--- request
GET /t
--- error_code: 401
--- steps
my $code = new_code();
my $answer = ask_nginx("HEAD /t HTTP/1.0\r\nX-WX-Code: $code\r\n\r\n");

carries_one("$name - HEAD", $answer, wx_openid_of($code));

for my $target ('/ssi.html', '/asks') {
    $code = new_code();
    $answer = get($target, "X-WX-Code: $code");
    carries_one("$name - $target", $answer, wx_openid_of($code));
    like(body_of($answer), qr{^(?:\w+\r\n)?GET /}, "$name - $target - body");
}
--- checks: 11



=== TEST 10: each location entered makes one if its keys are other ones
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    wx_openid  on;
    location /same {
        error_page  404 = @same;
        try_files   /none =404;
    }
    location @same {
        wx_openid_session_ttl  1h;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /other {
        error_page  404 = @other;
        try_files   /none =404;
    }
    location @other {
        wx_openid_session_keys  $TEST_NGINX_OTHER_KEYS;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /refused {
        error_page  404 = @refused;
        try_files   /none =404;
    }
    location @refused {
        wx_openid_require  0;
        wx_openid_session_cookie  wxs;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /none {
        error_page  404 = @none;
        try_files   /none =404;
    }
    location @none {
        wx_openid_session_keys  off;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- error_code: 401
--- steps
my $code = new_code();
carries_one("$name - the same keys", get('/same', "X-WX-Code: $code"),
            wx_openid_of($code));

$code = new_code();
my $answer = get('/other', "X-WX-Code: $code");
my $token = open_token(headers_of($answer, 'X-WX-Session'),
                       $ENV{TEST_NGINX_OTHER_KEYS});
is($token->{claims}{sub}, wx_openid_of($code), "$name - other keys");
is($token->{header}, '{"alg":"A256KW","enc":"A256GCM","kid":"k9"}',
   "$name - sealed by the first of them");

carries_none("$name - refused by the second",
             get('/refused', 'X-WX-Code: ' . new_code()), 403);

$code = new_code();
carries_one("$name - the second has none", get('/none', "X-WX-Code: $code"),
            wx_openid_of($code));
--- checks: 10



=== TEST 11: a token older than session_renew is replaced, or half the ttl
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    wx_openid  on;
    location /default {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
    location /ttl {
        wx_openid_session_ttl    10h;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
    location /renew {
        wx_openid_session_renew  10m;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
    location /nested {
        wx_openid_session_renew  10m;
        location /nested/ttl {
            wx_openid_session_ttl  10h;
            proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
        }
        location /nested/never {
            wx_openid_session_renew  0;
            proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
        }
    }
    location /never {
        wx_openid_session_renew  0;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
--- request
GET /t
--- error_code: 401
--- steps
my @cases = (
    ['/default', 3540, 0], ['/default', 3660, 7200], ['/default', 7000, 7200],
    ['/ttl', 17940, 0], ['/ttl', 18060, 36000],
    ['/renew', 540, 0], ['/renew', 660, 7200],
    ['/nested/ttl', 540, 0], ['/nested/ttl', 660, 36000],
    ['/nested/never', 7000, 0], ['/never', 7000, 0],

    # one that another program made, or that a shorter ttl came after
    ['/default', 3540, 0, 7200], ['/default', 3660, 7200, 7200],
    ['/default', 3660, 7200, 86400],
);

for my $case (@cases) {
    my ($target, $age, $ttl, $left) = @$case;
    my $now = time;
    my $old = token(iat => $now - $age, auth_time => $now - $age - 1000,
                    exp => $now + ($left // 120), unionid => 'oUNION');
    my $answer = get($target, "X-WX-Session: $old");
    my $what = "$name - $target, $age s, " . ($left // 120) . ' s left';

    is(status_of($answer), 204, "$what - status");

    if (!$ttl) {
        is(headers_of($answer, 'X-WX-Session'), '', "$what - stays");
        is(headers_of($answer, 'Cache-Control'), '', "$what - and is told");
        next;
    }

    my $claims = claims_of($answer);
    my $iat = $claims->{iat};

    ok($iat >= $now - 1 && $iat <= time, "$what - iat is now");
    is_deeply($claims, { sub => 'oTOKEN', aud => 'wxtest', iat => $iat,
                         exp => $iat + $ttl, unionid => 'oUNION',
                         auth_time => $now - $age - 1000 },
              "$what - the rest is kept");
}
--- checks eval: 14 * 3



=== TEST 12: a renewed token: of its own app, by the first key, since iat
--- http_config
    $TEST_NGINX_SESSIONS
--- request
GET /t
--- error_code: 401
--- steps
my $old = token(aud => 'wxother', iat => time - 4000, -kid => 'k2');
my $answer = get('/t', "Authorization: Bearer $old");
my $new = open_token(header_of($answer, 'X-WX-Session'));

is($new->{header}, '{"alg":"A256KW","enc":"A256GCM","kid":"k1"}',
   "$name - the first key");
is($new->{claims}{aud}, 'wxother', "$name - the app");
is($new->{claims}{auth_time}, open_token($old)->{claims}{iat},
   "$name - iat is the auth_time of a token without one");
carries_one($name, $answer, 'oTOKEN');
is(wechat("count?code="), 0, "$name - no exchange");
--- checks: 7



=== TEST 13: no renewal and no ttl goes beyond session_max
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    wx_openid  on;
    wx_openid_session_max  1d;
    location /t {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
    location /short {
        wx_openid_session_max  10m;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
    location /default {
        wx_openid_session_max  30d;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
--- request
GET /t
--- error_code: 401
--- steps
my $now = time;

my sub renewed {
    my ($target, $auth_time, $exp) = @_;
    my $old = token(iat => $now - 7000, auth_time => $auth_time,
                    exp => $exp);
    my $answer = get($target, "X-WX-Session: $old");
    my $token = header_of($answer, 'X-WX-Session');

    return [status_of($answer), $token && open_token($token)->{claims}{exp}];
}

is_deeply(renewed('/t', $now - 82800, $now + 200), [204, $now + 3600],
          "$name - the last token ends when the login does");
is_deeply(renewed('/t', $now - 82800, $now + 3600), [204, undef],
          "$name - it is not replaced");
is_deeply(renewed('/t', $now - 86400, $now + 200), [204, undef],
          "$name - good to its end, and not renewed");
is_deeply(renewed('/t', $now - 900000, $now + 200), [204, undef],
          "$name - nor long after");
is_deeply(renewed('/default', $now - 2588400, $now + 200),
          [204, $now + 3600], "$name - 30 days");

my $claims = claims_of(get('/short', 'X-WX-Code: ' . new_code()));
is($claims->{exp}, $claims->{auth_time} + 600, "$name - shorter than the ttl");
--- checks: 6



=== TEST 14: renewals at the same time: all are valid, the old one too
--- http_config
    $TEST_NGINX_SESSIONS
--- request
GET /t
--- error_code: 401
--- steps
my $old = token(iat => time - 4000);
my @clients = map { connect_nginx() } 1 .. 4;

send_text($_, "GET /t HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
              . "X-WX-Session: $old\r\n\r\n") for @clients;

my %tokens = map { header_of(read_answer($_), 'X-WX-Session') => 1 } @clients;
is(scalar(keys %tokens), 4, "$name - each got its own");

for my $token ($old, sort keys %tokens) {
    like(get('/t', "X-WX-Session: $token"), qr/^X-WX-OPENID: oTOKEN$/m,
         "$name - valid");
}
--- checks: 6



=== TEST 15: nothing that is refused, anonymous or without keys carries one
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    wx_openid_session_cookie  wxs;
    error_page  403 @page;
    location /required {
        wx_openid   on;
        wx_openid_require  0;
    }
    location /plain {
        wx_openid   on;
        wx_openid_require  0;
        error_page  418 /x;
    }
    location @page {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /on {
        wx_openid   on;
    }
    location /optional {
        wx_openid   optional;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
    location /off {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
    location /without {
        wx_openid   on;
        wx_openid_session_keys  off;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
    location /any {
        wx_openid   on;
        satisfy     any;
        allow       all;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /on
--- error_code: 401
--- steps
my $old = token(iat => time - 4000);

for my $path (qw(/required /plain)) {
    carries_none("$name - $path, code",
                 get($path, 'X-WX-Code: ' . new_code()), 403);
    carries_none("$name - $path, token", get($path, "X-WX-Session: $old"),
                 403);
}

carries_none("$name - bad code", get('/on', 'X-WX-Code: ' . new_code('bad')),
             401);
carries_none("$name - bad token", get('/on', 'X-WX-Session: eyJ'), 401);
carries_none("$name - busy", get('/on', 'X-WX-Code: ' . new_code('err--1')),
             503);
carries_none("$name - anonymous", get('/optional'), 204);
carries_none("$name - off", get('/off', "X-WX-Session: $old"), 204);
carries_none("$name - no keys", get('/without', 'X-WX-Code: ' . new_code()),
             204);
carries_none("$name - another check", get('/any', "X-WX-Session: $old"), 200);
--- checks: 22



=== TEST 16: the cookie and each of its parameters
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    wx_openid  on;
    location /plain {
        wx_openid_session_cookie  wxs;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
    location /ttl {
        wx_openid_session_ttl     5m;
        wx_openid_session_cookie  wxs;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
    location /path {
        wx_openid_session_cookie  wxs path=/api;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
    location /domain {
        wx_openid_session_cookie  wxs domain=example.com;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
    location /samesite {
        wx_openid_session_cookie  wxs samesite=strict;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
    location /none {
        wx_openid_session_cookie  wxs samesite=NONE;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
    location /max_age {
        wx_openid_session_cookie  wxs max_age=1d;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
    location /insecure {
        wx_openid_session_cookie  wxs secure=off;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
    location /script {
        wx_openid_session_cookie  wxs httponly=off;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
    location /host {
        wx_openid_session_cookie  __Host-wxs;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
    location /all {
        wx_openid_session_cookie  __Other-wx_1 path=/a domain=.example.com
                                  samesite=Lax max_age=90 secure=off
                                  httponly=off only;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
    location /off {
        wx_openid_session_cookie  off;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
--- request
GET /t
--- error_code: 401
--- steps
my @cases = (
    ['/plain', 'Path=/; Max-Age=7200; SameSite=Lax; Secure; HttpOnly'],
    ['/ttl', 'Path=/; Max-Age=300; SameSite=Lax; Secure; HttpOnly'],
    ['/path', 'Path=/api; Max-Age=7200; SameSite=Lax; Secure; HttpOnly'],
    ['/domain', 'Path=/; Domain=example.com; Max-Age=7200; SameSite=Lax; '
                . 'Secure; HttpOnly'],
    ['/samesite', 'Path=/; Max-Age=7200; SameSite=Strict; Secure; HttpOnly'],
    ['/none', 'Path=/; Max-Age=7200; SameSite=None; Secure; HttpOnly'],
    ['/max_age', 'Path=/; Max-Age=86400; SameSite=Lax; Secure; HttpOnly'],
    ['/insecure', 'Path=/; Max-Age=7200; SameSite=Lax; HttpOnly'],
    ['/script', 'Path=/; Max-Age=7200; SameSite=Lax; Secure'],
);

for my $case (@cases) {
    my ($path, $tail) = @$case;
    my $code = new_code();
    my $answer = get($path, "X-WX-Code: $code");
    my $token = headers_of($answer, 'X-WX-Session');

    carries_one("$name - $path", $answer, wx_openid_of($code));
    is(headers_of($answer, 'Set-Cookie'), "wxs=$token; $tail",
       "$name - $path - the cookie");
}

my $answer = get('/all', 'X-WX-Code: ' . new_code());
my $cookie = headers_of($answer, 'Set-Cookie');

like($cookie, qr{^__Other-wx_1=eyJ[\w.-]+;\ Path=/a;\ Domain=\.example\.com;
                 \ Max-Age=90;\ SameSite=Lax$}x, "$name - all of them");
is(headers_of($answer, 'X-WX-Session'), '', "$name - only");
is(headers_of($answer, 'Cache-Control'), 'no-store', "$name - only, no-store");
is(headers_of(get('/off', 'X-WX-Code: ' . new_code()), 'Set-Cookie'), '',
   "$name - off");

like(headers_of(get('/host', 'X-WX-Code: ' . new_code()), 'Set-Cookie'),
     qr{^__Host-wxs=eyJ[\w.-]+; Path=/; Max-Age=7200; SameSite=Lax; Secure;},
     "$name - for this host alone");

my ($pair) = $cookie =~ /^([^;]*)/;
is(status_of(get('/all', "Cookie: a=1; $pair")), 204, "$name - it is read");
is(status_of(get('/plain', "Cookie: a=1; $pair")), 401,
   "$name - where it is configured");
--- checks eval: 9 * 4 + 7



=== TEST 17: the cookie is appended to the upstream's
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location /headers {
        wx_openid   on;
        wx_openid_session_cookie  wxs only;
        add_header  Set-Cookie c=3;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /headers?x=y
--- error_code: 401
--- steps
my $answer = get('/headers?Set-Cookie=a%3D1&Set-Cookie=b%3D2%3B+Path%3D/x',
                 'X-WX-Code: ' . new_code());
like(headers_of($answer, 'Set-Cookie'),
     qr{^a=1 \| b=2; Path=/x \| c=3 \| wxs=eyJ[^|]+$}, "$name - all of them");

$answer = get('/headers?Set-Cookie=a%3D1', 'X-WX-Session: ' . token());
is(headers_of($answer, 'Set-Cookie'), 'a=1 | c=3', "$name - and not without");
--- checks: 2



=== TEST 18: a link or a form plants no cookie
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    wx_openid_session_cookie  wxs;
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
    location /value {
        wx_openid       on;
        wx_openid_code  $http_x_mine $arg_other form:code json:code $cookie_c;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
    location /only {
        wx_openid   on;
        wx_openid_session_cookie  wxs only;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
--- request
GET /t
--- error_code: 401
--- steps
my $json = 'application/json';
my $form = 'application/x-www-form-urlencoded';
my %code = map { $_ => new_code() } 1 .. 10;

my @cases = (
    [1, 'a header', get('/t', "X-WX-Code: $code{1}")],
    [1, 'JSON', post('/t', $json, qq({"code":"$code{2}"}))],
    [0, 'a query', get("/t?code=$code{3}")],
    [0, 'a form', post('/t', $form, "code=$code{4}")],
    [1, 'another header', get('/value', "X-Mine: $code{5}")],
    [0, 'another argument', get("/value?other=$code{6}")],
    [0, 'the form of a list', post('/value', $form, "code=$code{7}")],
    [1, 'the JSON of a list', post('/value', $json, qq({"code":"$code{8}"}))],
    [0, 'a known code in a query', get("/t?code=$code{1}")],
);

for my $case (@cases) {
    my ($wanted, $what, $answer) = @$case;

    is(status_of($answer), 204, "$name - $what - status");
    like(headers_of($answer, 'X-WX-Session'), qr/^eyJ[\w.-]+$/,
         "$name - $what - X-WX-Session");
    is(() = $answer =~ /^Set-Cookie: wxs=/mg, $wanted,
       "$name - $what - the cookie");
}

my $answer = get("/only?code=$code{9}");
carries_none("$name - only", $answer, 204);
is(headers_of($answer, 'Cache-Control'), '',
   "$name - only - nothing that no cache may keep");

# nor does a link when somebody else is logged in
$answer = get("/t?code=$code{10}", 'Cookie: wxs=' . token());
carries_none("$name - beside a token", $answer, 204);
is(wechat("count?code=$code{10}"), 0, "$name - beside a token, no exchange");

$answer = get("/t?code=$code{10}", 'Cookie: wxs=' . token(exp => time - 9));
is(headers_of($answer, 'Set-Cookie'), '', "$name - beside an expired one");
--- checks eval: 9 * 3 + 7



=== TEST 19: on renewal the cookie is set, wherever the token came from
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location /t {
        wx_openid   on;
        wx_openid_session_cookie  wxs;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
    location /only {
        wx_openid   on;
        wx_openid_session_cookie  wxs only;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/status/204;
    }
--- request
GET /t
--- error_code: 401
--- steps
my $old = token(iat => time - 4000);

for my $header ("Cookie: wxs=$old", "X-WX-Session: $old",
                "Authorization: Bearer $old")
{
    my $answer = get('/t?code=x', $header);
    my $token = headers_of($answer, 'X-WX-Session');

    carries_one($name, $answer, 'oTOKEN');
    like(headers_of($answer, 'Set-Cookie'), qr/^wxs=\Q$token\E; Path=/,
         "$name - the cookie");

    $answer = get('/only', $header);
    like(headers_of($answer, 'Set-Cookie'), qr/^wxs=eyJ[^|]*$/,
         "$name - only the cookie");
    is(headers_of($answer, 'X-WX-Session'), '', "$name - no header");
}
--- checks eval: 3 * 6



=== TEST 20: HTTP/2
--- h2
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location /headers {
        wx_openid   on;
        expires     1h;
        add_header  Cache-Control public always;
        wx_openid_session_cookie  wxs;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /headers?x=y
--- error_code: 401
--- steps
my $code = new_code();
my $answer = h2_request($ENV{TEST_NGINX_H2_PORT},
    "GET /headers?Set-Cookie=a%3D1&Expires=0 HTTP/1.1\r\n"
    . "X-WX-Code: $code\r\n\r\n");

is(status_of($answer), 200, "$name - status");
carries_one($name, $answer, wx_openid_of($code));
like($answer, qr/^x-wx-session: /m, "$name - lower case");
like(headers_of($answer, 'Set-Cookie'), qr/^a=1 \| wxs=eyJ[^|]*$/,
     "$name - cookies");
--- checks: 6



=== TEST 21: a range that cannot be had: the error_page's location decides
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    wx_openid  on;
    wx_openid_session_cookie  wxs;
    location = /refused.txt {
        error_page  416 = @refused;
    }
    location @refused {
        wx_openid_require  0;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location = /same.txt {
        error_page  416 = @same;
    }
    location @same {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location = /other.txt {
        error_page  416 = @other;
    }
    location @other {
        wx_openid_session_keys  $TEST_NGINX_OTHER_KEYS;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- user_files
>>> refused.txt
content
>>> same.txt
content
>>> other.txt
content
--- request
GET /t
--- error_code: 401
--- steps
my @range = 'Range: bytes=1000-';
my $answer = get('/refused.txt', 'X-WX-Code: ' . new_code(), @range);
carries_none("$name - refused", $answer, 403);
is(headers_of($answer, 'Cache-Control'), 'no-store', "$name - refused");

my $code = new_code();
$answer = get('/same.txt', "X-WX-Code: $code", @range);
carries_one("$name - the same keys", $answer, wx_openid_of($code));
is(() = $answer =~ /^Set-Cookie: wxs=/mgi, 1, "$name - the same keys, cookie");

$code = new_code();
$answer = get('/other.txt', "X-WX-Code: $code", @range);
my $token = headers_of($answer, 'X-WX-Session');
is(open_token($token, $ENV{TEST_NGINX_OTHER_KEYS})->{claims}{sub},
   wx_openid_of($code), "$name - other keys: one token, by the first of them");
like(headers_of($answer, 'Set-Cookie'), qr/^wxs=\Q$token\E;[^|]*$/,
     "$name - other keys: and one cookie");
--- checks: 9
