# What sessions must not tell: a token, its key, its session_key and the code
# it came from are in no line of ours at any level, and below debug in no
# line at all; a token goes to nobody but the client.

use lib 't/lib';
use WxOpenid;
use WxOpenid::Steps;
use WxOpenid::Token;

my $Sk = 'c2Vzc2lvbi1rZXktMDEyMw==';

# every eight bytes of the keys
my %Shreds = map { $_ => 1 }
             map { my $k = key_text($_);
                   map { substr $k, $_, 8 } 0 .. length($k) - 8 }
             'k1', 'k2', 'k9', 'k1=other';

sub ask {
    my ($line, $body, @headers) = @_;
    push @headers, 'Content-Length: ' . length $body if defined $body;
    return ask_nginx(join("\r\n", "$line HTTP/1.1", 'Host: localhost',
                          'Connection: close', @headers, '', $body // ''));
}

# what an answer and its Set-Cookie brought
sub tokens_in {
    my ($answer) = @_;
    return $answer =~ /(eyJ[\w-]+\.[\w.-]+)/g;
}

# the parts of tokens behind the header, which all have
sub parts {
    return map { my @parts = split /\./; @parts[1 .. $#parts] } @_;
}

sub telling {
    my ($lines, @texts) = @_;
    return join '', grep { my $line = $_;
                           grep { index($line, $_) >= 0 } @texts } @$lines;
}

sub telling_keys {
    my ($lines) = @_;
    return join '', grep { grep { exists $Shreds{$_} }
                           map { my $word = $_;
                                 map { substr $word, $_, 8 }
                                     0 .. length($word) - 8 }
                           grep { length >= 8 } /[\w-]+/g } @$lines;
}

our %Places = (
    'X-WX-Session' => sub { "X-WX-Session: $_[0]" },
    'X-WX-Skey' => sub { "X-WX-Skey: $_[0]" },
    'bearer' => sub { "Authorization: Bearer $_[0]" },
    'cookie' => sub { "Cookie: a=1; wxs=$_[0]; b=2" },
    'alias' => sub { "X_WX_Session: $_[0]" },
);

sub tokens {
    my $now = time;
    my $good = token(sk => $Sk);
    my %other = (-keys => $ENV{TEST_NGINX_OTHER_KEYS}, sk => $Sk);

    return (
        [200, $good], [200, token(sk => $Sk, iat => $now - 4000)],
        [401, token(sk => $Sk, exp => $now - 9)],
        [401, token(sk => $Sk, iat => $now + 999)],
        [401, token(sk => $Sk, aud => 'wxunknown')],
        [401, token(-text => qq({"sub":"o","sk":"$Sk"}))],
        [401, token(%other, -kid => 'k9')], [401, token(%other, -kid => 'k1')],
        [401, substr $good, 0, -5], [401, "$good.more"],
        [401, $good . 'x' x 3000],
    );
}

# lines of ours; what nginx adds behind is the client's own request
sub ours {
    return map { s/, client: .*//sr } grep { /wx_openid|jscode2session/ } @_;
}

sub check_lines {
    my ($name, $lines, @texts) = @_;

    is(telling($lines, parts(grep { /^eyJ/ } @texts),
               grep { !/^eyJ/ } @texts), '', "$name - nothing is told");
    is(telling_keys($lines), '', "$name - nor a key");
}

# three checks for each token in each place, three for each code
sub check_all {
    my ($name, $seen, $path) = @_;

    for my $place (sort keys %Places) {
        for my $case (tokens()) {
            my ($status, $token) = @$case;
            my $answer = ask("GET $path", undef, $Places{$place}->($token));

            is(status_of($answer), $status, "$name - $place - status");
            check_lines("$name - $place", [$seen->(new_log_lines())], $token,
                        $Sk, tokens_in($answer));
        }
    }

    for my $case ([200, 'good'], [200, 'union'], [401, 'bad'],
                  [502, 'fault-close'], [500, 'err-40125'])
    {
        my ($status, $kind) = @$case;
        my $code = new_code($kind);
        my $answer = ask("POST $path", qq({"code":"$code"}),
                         'Content-Type: application/json');

        is(status_of($answer), $status, "$name - $kind - status");
        check_lines("$name - $kind", [$seen->(new_log_lines())], $code,
                    wx_session_key_of($code), tokens_in($answer));
    }
}

our $Checks = 3 * (5 * 11 + 5);

repeat_each(1);

plan tests => wx_tests() + steps_tests();

no_long_string();
run_tests();

__DATA__

=== TEST 1: at debug level no line of ours tells it
--- http_config
    $TEST_NGINX_SESSIONS
    wx_openid_session_cookie  wxs;
    underscores_in_headers  on;
--- config
    location /t {
        wx_openid   on;
        add_header  X-Key $wx_openid_session_key;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /login {
        wx_openid_login;
    }
--- request
GET /t
--- error_code: 401
--- steps
check_all("$name - request", \&main::ours, '/t');
check_all("$name - login", \&main::ours, '/login');
--- checks eval: 2 * $main::Checks



=== TEST 2: at info level and above no line at all does
--- log_level: info
--- http_config
    $TEST_NGINX_SESSIONS
    wx_openid_session_cookie  wxs;
    underscores_in_headers  on;
--- config
    location /t {
        wx_openid   on;
        add_header  X-Key $wx_openid_session_key;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /login {
        wx_openid_login;
    }
    location /down {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_DEAD_PORT;
    }
--- request
GET /t
--- error_code: 401
--- steps
my $all = sub { return @_ };

check_all("$name - request", $all, '/t');
check_all("$name - login", $all, '/login');

my $token = token();
ask('GET /down', undef, "Cookie: wxs=$token");
my @lines = new_log_lines();
like(join('', @lines), qr/connect\(\) failed/, "$name - nginx's own lines");
check_lines($name, \@lines, $token);

is(scalar(grep { /\[debug\]/ } @lines), 0, "$name - the level is info");
--- checks eval: 2 * $main::Checks + 4



=== TEST 3: only the client gets a token: not WeChat, not the upstream
--- http_config
    $TEST_NGINX_SESSIONS
    wx_openid_session_cookie  wxs;
--- request
GET /t
--- more_headers eval
my $old = main::token(exp => time - 9);
"X-WX-Session: $old\nX-WX-Skey: $old\nAuthorization: Bearer $old\n"
. "Cookie: a=1; wxs=$old\nX-WX-Code: %CODE%"
--- raw_response_headers_like
X-WX-Session: eyJ
--- wechat_count: %CODE%=1
--- wechat_never
eyJ
wxs
Authorization
--- backend_never
eyJ
wxs
%CODE%



=== TEST 4: the session_key is in no answer of a login
--- http_config
    $TEST_NGINX_SESSIONS
    map  $wx_openid_session_key $has_key { volatile; default 1; "" 0; }
--- config
    location /login {
        wx_openid_login;
        wx_openid_require  $has_key;
    }
--- request
GET /login?code=%CODE%
--- response_body_unlike: %SESSION_KEY%
--- raw_response_headers_unlike: %SESSION_KEY%
--- wechat_count: %CODE%=1
