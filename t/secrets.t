# What must not be told: the secret and the session_key to no log, at any
# level; a code in no line of ours, nor in nginx's own about our exchange; the
# secret to no client, even when WeChat repeats what it was sent.

use lib 't/lib';
use WxOpenid;
use WxOpenid::Steps;
use WxOpenid::Token ();

# a secret and codes that are sent in another form than they have

my $Odd = 'Od+d/Sec%ret&=0123456789';
my $OddSent = 'Od%2Bd%2FSec%25ret%26%3D0123456789';

$ENV{TEST_NGINX_ODD_SECRET} = $Odd;

my @Secrets = ($ENV{TEST_NGINX_SECRET}, $ENV{TEST_NGINX_OTHER_SECRET}, $Odd,
               $OddSent);

# Where the code stands in a request.

our %Place = (
    header => sub { "GET $_[1]/x HTTP/1.1\r\nX-WX-Code: $_[0]\r\n" },
    args   => sub { "GET $_[1]/x?a=b&code=$_[0] HTTP/1.1\r\n" },
    both   => sub { "GET $_[1]/$_[0]?code=$_[0] HTTP/1.1\r\n"
                    . "Referer: http://client/?code=$_[0]\r\n" },
    path   => sub { "GET $_[1]/path/$_[0] HTTP/1.1\r\n" },
    hex    => sub { "GET $_[1]/path/@{[hex_of($_[0])]} HTTP/1.1\r\n" },
    moved  => sub { "GET $_[1]/moved/@{[hex_of($_[0])]} HTTP/1.1\r\n" },
    json   => sub { with_body($_[1], 'application/json',
                              "{\"code\":\"$_[0]\"}") },
    form   => sub { with_body($_[1], 'application/x-www-form-urlencoded',
                              "a=b&code=$_[0]") },
);

sub hex_of { return join '', map { sprintf '%%%02x', ord } split //, $_[0] }

sub with_body {
    my ($path, $type, $body) = @_;
    return ("POST $path/x HTTP/1.1\r\nContent-Type: $type\r\n"
            . 'Content-Length: ' . length($body) . "\r\n", $body);
}

# lines that have any of the texts in them

sub telling {
    my ($lines, @texts) = @_;
    return join '', grep { my $line = $_;
                           grep { index($line, $_) >= 0 } @texts } @$lines;
}

# ours, and those nginx writes about the exchange, at info and above

sub lines_of_exchange {
    return grep { !/ \[debug\] / && /wx_openid|jscode2session/ } @_;
}

# a code in the path, in whose place something else decides

sub check_unread_code {
    my ($name, $header, $status) = @_;
    my $code = new_code();

    new_log_lines();
    my $answer = ask_nginx("GET /t/$code HTTP/1.1\r\nHost: localhost\r\n"
                           . "$header\r\nConnection: close\r\n\r\n");
    my @ours = grep { /wx_openid: / } new_log_lines();

    is(status_of($answer), $status, "$name - refused");
    is(scalar @ours, 1, "$name - a line");
    unlike("@ours", qr/\Q$code/, "$name - without the code");
    is(wechat("count?code=$code"), 0, "$name - which is not spent");
}

sub check_silence {
    my ($name, $code, $place, $path, $status) = @_;
    my ($head, $body) = $Place{$place}->($code, $path // '/t');
    my $answer = ask_nginx("${head}Host: localhost\r\n"
                           . "Connection: close\r\n\r\n" . ($body // ''));
    my @lines = new_log_lines();
    my @keys = map { wx_session_key_of($code, $_) } 'wxtest', 'wxother';
    my $hex = hex_of($code);

    $name = "$name - $code in $place";

    is(status_of($answer), $status, "$name - status") if defined $status;
    is(telling(\@lines, @Secrets), '', "$name - no secret in the log");
    is(telling(\@lines, @keys, 'AAAAAAAAAA'), '',
       "$name - no session_key in the log");
    is(telling([lines_of_exchange(@lines)], $code, $hex), '',
       "$name - no code in a line about the exchange");
    is(telling([$answer], @Secrets, @keys), '',
       "$name - nothing of it for the client");
}

# Everything that is on the disk.

sub check_files {
    my ($name, @keys) = @_;
    my $root = $Test::Nginx::Util::ServRoot;
    my $found = '';

    for my $text (@Secrets, @keys) {
        open my $grep, '-|', 'grep', '-rlF', '--exclude-dir=conf', '--',
             $text, $root or die "grep: $!";
        $found .= join '', <$grep>;
        close $grep;
    }

    is($found, '', "$name - no file has a secret or a session_key");
}

our @Kinds = (
    [200, 'good'], [200, 'union'], [200, 'zero'], [200, 'bare'],
    [200, 'busy-1'], [200, 'fault-chunked'], [200, 'fault-no_length'],
    [200, 'fault-headers'], [200, 'fault-extra'], [200, 'size-9000'],
    (map { [401, "err-$_"] } 40029, 40163, 41008), [403, 'err-40226'],
    [429, 'err-45011'], [503, 'err-45009'], [503, 'err--1'],
    (map { [500, "err-$_"] } 40002, 40013, 40125, 40164, 40243, 41002, 41004),
    [502, 'err-99999'], [401, 'echo'],
    (map { [502, "status-$_"] } 302, 404, 500),
    (map { [502, "fault-$_"] }
         qw(close reset half_line half_header short reset_body garbage
            bad_status header_nul cl_te chunk_bad_size huge_body html
            json_cut trailing openid_number openid_missing dup_openid
            session_key_65 session_key_charset session_key_crlf
            unionid_crlf errcode_string gzip)),
    (map { [504, "fault-$_"] } qw(stall stall_body)),
);

repeat_each(1);

$ENV{TEST_NGINX_HTML_DIR} ||= html_dir();

plan tests => wx_tests() + steps_tests();

no_long_string();
run_tests();

__DATA__

=== TEST 1: every answer of WeChat, wherever the code stands
--- http_config
    log_subrequest  on;

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_app   wxother $TEST_NGINX_OTHER_SECRET;
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;

    wx_openid_read_timeout  500ms;
    wx_openid_busy_retries  1;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location ~ ^/t/path/(?<path_code>.+) {
        wx_openid       on;
        wx_openid_code  $path_code;
        proxy_pass      http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location ~ ^/t/moved/(?<moved_code>.+) {
        rewrite  ^  /from/here  last;
    }

    location /from/ {
        wx_openid       on;
        wx_openid_code  $moved_code;
        proxy_pass      http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /ready
--- error_code: 204
--- steps
our (@Kinds, %Place);
my @places = sort keys %Place;
my $n = 0;

for my $place (@places) {
    check_silence($name, new_code($_->[1]), $place, '/t', $_->[0])
        for [200, 'good'], [401, 'err-40029'], [502, 'fault-close'],
            [502, 'fault-html'], [401, 'echo'], [504, 'fault-stall'];
}

for my $kind (@Kinds) {
    check_silence($name, new_code($kind->[1]), $places[$n++ % @places],
                  '/t', $kind->[0]);
}

check_files($name, 'AAAAAAAAAA');
--- checks eval
(8 * 6 + @main::Kinds) * 5 + 1



=== TEST 2: every failure of the line
--- http_config
    log_subrequest  on;

    upstream group {
        server  127.0.0.1:$TEST_NGINX_WECHAT_DEAD_PORT;
        server  127.0.0.1:$TEST_NGINX_WECHAT_DEAD_PORT;
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_host  api.weixin.qq.com;

    wx_openid_connect_timeout  200ms;
    wx_openid_ssl_trusted_certificate  $TEST_NGINX_CERTS/ca.pem;
--- config
    location = /ready {
        return  204;
    }

    wx_openid_code  $http_x_wx_code $arg_code json:code form:code;

    location /dead {
        wx_openid       on;
        wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_DEAD_PORT;
    }

    location /group {
        wx_openid       on;
        wx_openid_pass  http://group;
    }

    location /full {
        wx_openid       on;
        wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_FULL_PORT;
    }

    location /mute {
        wx_openid       on;
        wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_MUTE_PORT;
    }

    location /deadline {
        wx_openid          on;
        wx_openid_timeout  100ms;
        wx_openid_pass     https://127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT;
    }

    location /wrong {
        wx_openid       on;
        wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_WRONG_PORT;
    }

    location /expired {
        wx_openid       on;
        wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_EXPIRED_PORT;
    }

    location /untrusted {
        wx_openid       on;
        wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_UNTRUSTED_PORT;
    }

    location /old {
        wx_openid       on;
        wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_OLD_PORT;
    }

    location /evil {
        wx_openid       on;
        wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_EVIL_PORT;
    }

    location /unknown {
        wx_openid        on;
        wx_openid_appid  wxstranger;
        wx_openid_pass   https://127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT;
    }

    location /forbidden {
        wx_openid          on;
        wx_openid_require  0;
        wx_openid_pass     https://127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT;
    }
--- request
GET /ready
--- error_code: 204
--- steps
my %status = (full => 504, mute => 504, deadline => 504, unknown => 403,
              forbidden => 403);

for my $path (qw(dead group full mute deadline wrong expired untrusted old
                 evil unknown forbidden))
{
    for my $place (qw(header args both json form)) {
        my $kind = $path eq 'deadline' ? 'fault-stall' : 'good';
        check_silence($name, new_code($kind), $place, "/$path",
                      $status{$path} // 502);
    }
}

# too long and not fit to be sent: refused without an exchange
check_silence($name, new_code('x' x 600), $_, '/dead', 401)
    for qw(header args both json form);
check_silence($name, new_code('x%01y'), 'args', '/dead', 401);

check_files($name);
--- checks: 331



=== TEST 3: WeChat repeats what it was sent
--- http_config
    log_subrequest  on;

    wx_openid_app    wxtest $TEST_NGINX_SECRET;
    wx_openid_pass   http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /odd {
        wx_openid      on;
        wx_openid_app  wxodd $TEST_NGINX_ODD_SECRET;
        proxy_pass     http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /ready
--- error_code: 204
--- steps
wechat('app?id=wxodd&secret=' . 'Od%2Bd%2FSec%25ret%26%3D0123456789');

for my $path ('/t', '/odd') {
    for my $kind ('echo', 'echo-a.b~c', 'echo-' . 'x' x 100,
                  'echo-' . 'x' x 180, 'echo-' . 'x' x 400)
    {
        check_silence($name, new_code($kind), 'header', $path, 401);
    }

    # sent percent-encoded: neither form may be seen
    for my $kind ('echo+/=', 'echo a', 'echo-"\\') {
        my $code = new_code($kind);
        my $sent = $code;
        $sent =~ s/([^\w.~-])/sprintf '%%%02X', ord $1/ge;

        check_silence($name, $code, 'header', $path, 401);

        # the same code may come again
        ask_with_code($code, $path);
        is(telling([lines_of_exchange(new_log_lines())], $sent), '',
           "$name - $code - nor as it was sent");
    }
}

check_files($name);
--- checks: 87



=== TEST 4: over TLS, and with the client gone
--- http_config
    log_subrequest  on;

    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT;
        keepalive  1;
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  https://wechat;
    wx_openid_host  api.weixin.qq.com;
    wx_openid_ssl_trusted_certificate  $TEST_NGINX_CERTS/ca.pem;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- one_worker: connections are kept by each worker
--- request
GET /ready
--- error_code: 204
--- steps
for my $kind ([200, 'good'], [200, 'fault-stale_close'],
              [200, 'fault-stale_close'], [502, 'fault-half_record'],
              [502, 'fault-reset'], [401, 'err-40029'])
{
    check_silence($name, new_code($kind->[1]), 'both', '/t', $kind->[0]);
}

my $code = new_code('hold');
my $client = connect_nginx();

send_text($client, "GET /t?code=$code HTTP/1.1\r\nHost: localhost\r\n\r\n");
is(wechat("wait?code=$code"), 1, "$name - WeChat was asked");
close $client;
wechat("release?code=$code");
check_silence($name, new_code(), 'header', '/t', 200);

check_files($name, wx_session_key_of($code));
--- checks: 37



=== TEST 5: the session_key goes to nobody unless it is asked for
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$
--- backend_never eval
["%SESSION_KEY%", "%CODE%", $ENV{TEST_NGINX_SECRET}]
--- logs_never eval
["%SESSION_KEY%", $ENV{TEST_NGINX_SECRET}]
--- wechat_count: %CODE%=1



=== TEST 6: nor to a page that asks for it, when nobody named it
--- config
    location /t {
        wx_openid   on;
        ssi         on;
        ssi_types   text/plain;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
X-Key: [<!--#echo var="wx_openid_session_key" -->]
X-Id: [<!--#echo var="wx_openid" -->]
--- response_body_like
(?m)^X-Key: \[\]
X-Id: \[%OPENID%\]$
--- wechat_count: %CODE%=1



=== TEST 7: and then to whom it is sent
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
--- config
    location /t {
        wx_openid         on;
        proxy_set_header  X-Key $wx_openid_session_key;
        proxy_pass        http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-Key: %SESSION_KEY%$
--- wechat_count: %CODE%=1



=== TEST 8: an upstream before the exchange had the code in its arguments
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    server {
        listen  unix:$TEST_NGINX_HTML_DIR/app.sock;
        return  404;
    }
'
--- config
    location /t {
        proxy_pass              http://unix:$TEST_NGINX_HTML_DIR/app.sock:/;
        proxy_intercept_errors  on;
        error_page              404 = @login;
    }
    location @login {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- error_code: 401
--- steps
for my $kind ('err--1', 'err-40029', 'status-500', 'fault-close') {
    check_silence($name, new_code($kind), 'args', '/t');
}
--- checks eval: 4 * 4



=== TEST 9: a code that was not looked for, for a token came
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    wx_openid_session_keys  ' . "$ENV{TEST_NGINX_KEYS};" . '
    map $uri $in_path { ~^/t/(?<code>.+)$ $code; }
'
--- config
    location /t {
        wx_openid          on;
        wx_openid_code     $in_path;
        wx_openid_require  $arg_none;
        proxy_pass         http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /ready
--- error_code: 404
--- steps
check_unread_code($name, 'X-WX-Session: ' . WxOpenid::Token::token(), 403);
--- checks: 4



=== TEST 10: a second code, which was not looked for
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    map $uri $in_path { ~^/t/(?<code>.+)$ $code; }
'
--- config
    location /t {
        wx_openid       on;
        wx_openid_code  $http_x_wx_code $in_path;
        proxy_pass      http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /ready
--- error_code: 404
--- steps
check_unread_code($name, 'X-WX-Code: ' . new_code('err-40029'), 401);
--- checks: 4



=== TEST 11: a code in the appid's place
--- config
    location /t {
        wx_openid        on;
        wx_openid_appid  $arg_appid;
        proxy_pass       http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t?appid=%CODE%&code=wxtest
--- error_code: 403
--- response_body_like: unknown_app
--- error_log
wx_openid: unknown_app: "" is no "wx_openid_app" here
--- wechat_total: 0
