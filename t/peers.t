use lib 't/lib';
use WxOpenid;
use WxOpenid::Steps;
use WxOpenid::Token;

# What others got wrong, as far as no other suite has it: t/README.md lists
# each case and where it is tested.

use Digest::SHA qw(sha256_hex);
use IO::Select ();
use IO::Socket::INET ();
use IO::Socket::UNIX ();

repeat_each(1);

$ENV{TEST_NGINX_HTML_DIR} ||= html_dir();

our $Anonymous = '\A(?:(?!x.wx.)[^\n]+\n)+\n';

sub text_of {
    my ($line, @headers) = @_;
    return join("\r\n", "$line HTTP/1.1", 'Host: localhost',
                'Connection: close', @headers, '', '');
}

sub error_of {
    my ($answer) = @_;
    return $answer =~ /^\{"error":"(\w+)"/m ? $1 : status_of($answer);
}

# all that the upstream got since there were $n requests
sub sent_on {
    my ($n) = @_;
    my @log = @{ backend('log') };
    return join '', map { join "\n", $_->{line}, @{ $_->{lines} },
                                     "$_->{body}\n" } @log[$n .. $#log];
}

# seconds of CPU that nginx took
sub cpu {
    my $ticks = 0;

    for my $pid (worker_pids()) {
        open my $in, '<', "/proc/$pid/stat" or next;
        my @fields = split ' ', <$in> =~ s/\A.*\) //sr;
        $ticks += $fields[11] + $fields[12];
    }

    return $ticks / 100;
}


# HTTP/2 that curl would not send

use constant { DATA => 0, HEADERS => 1, RESET => 3, SETTINGS => 4,
               GOAWAY => 7, END_STREAM => 1, END_HEADERS => 4 };

sub frame {
    my ($type, $flags, $stream, $payload) = @_;
    return substr(pack('N', length $payload), 1)
           . pack('CCN', $type, $flags, $stream) . $payload;
}

# of stream 1; the last headers end it
sub headers_frame {
    my ($flags, @pairs) = @_;
    return frame(HEADERS, END_HEADERS | $flags, 1,
                 join '', map { ("\0", map { chr(length) . $_ } @$_) } @pairs);
}

sub pseudo {
    my ($method) = @_;
    return ([':method', $method], [':scheme', 'http'], [':path', '/t'],
            [':authority', 'localhost']);
}

sub read_whole {
    my ($s, $size) = @_;
    my $got = '';

    while (length $got < $size) {
        IO::Select->new($s)->can_read(10) or return;
        sysread $s, $got, $size - length $got, length $got or return;
    }

    return $got;
}

# sends frames of stream 1; returns when it has ended, or all has
sub ask_h2 {
    my (@frames) = @_;
    my $s = IO::Socket::INET->new(
        PeerAddr => "127.0.0.1:$ENV{TEST_NGINX_H2_PORT}")
        or die "cannot connect to nginx: $!\n";

    local $SIG{PIPE} = 'IGNORE';
    syswrite $s, join '', "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                          frame(SETTINGS, 0, 0, ''), @frames;

    while (defined(my $head = read_whole($s, 9))) {
        my $size = unpack 'N', "\0" . substr $head, 0, 3;
        my ($type, $flags) = unpack 'x3CC', $head;
        read_whole($s, $size) if $size;

        return if $type == RESET || $type == GOAWAY
                  || ($type != SETTINGS && $flags & END_STREAM);
    }
}

plan tests => wx_tests() + steps_tests();

no_long_string();
run_tests();

__DATA__

=== TEST 1: T3: a name with spaces is no header, and no request
--- config
    underscores_in_headers  on;
    ignore_invalid_headers  off;
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- raw_request eval
"GET /t HTTP/1.1\r\nHost: localhost\r\nX-WX-Code: %CODE%\r\n"
. "X WX OPENID: forged\r\nConnection: close\r\n\r\n"
--- error_code: 400
--- backend_count: 0
--- wechat_total: 0



=== TEST 2: T4: nine hundred copies
--- config
    underscores_in_headers       on;
    large_client_header_buffers  4 64k;
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers eval
CORE::join "\n", 'X-WX-Code: %CODE%', 'X-WX-OPENID:',
    (map { ("X-WX-OPENID: forged$_", "x_wx-openid: forged$_",
            "X-Wx-UnionId: forged$_") } 1 .. 300), 'X-WX-OPENID:'
--- response_body_like eval
'\A(?:(?!x.wx.)[^\n]+\n)+X-WX-OPENID: %OPENID%\nX-WX-APPID: wxtest\n'
. 'X-WX-SOURCE: wx_client\n\n\z'
--- backend_never
forged



=== TEST 3: T4: as many by HTTP/2
--- h2
--- config
    underscores_in_headers       on;
    large_client_header_buffers  4 64k;
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers eval
CORE::join "\n", 'X-WX-Code: %CODE%', 'X-WX-OPENID:',
    (map { ("X-WX-OPENID: forged$_", "x_wx-openid: forged$_",
            "X-Wx-UnionId: forged$_") } 1 .. 300), 'X-WX-OPENID:'
--- response_body_like eval
'\A(?:(?!x.wx.)[^\n]+\n)+X-WX-OPENID: %OPENID%\nX-WX-APPID: wxtest\n'
. 'X-WX-SOURCE: wx_client\n\n\z'
--- backend_never
forged



=== TEST 4: T5: what Connection names stays, and is not passed on in it
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /tunnel {
        wx_openid           on;
        proxy_http_version  1.1;
        proxy_set_header    Upgrade $http_upgrade;
        proxy_set_header    Connection upgrade;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
['GET /t', 'GET /tunnel']
--- more_headers eval
['Connection: close, X-WX-OPENID, X-WX-Code
X-WX-Code: %CODE%
X-WX-OPENID: forged',
'Connection: close, Upgrade, X-WX-OPENID
Upgrade: websocket
X-WX-Code: %CODE2%
X-WX-OPENID: forged']
--- response_body_like eval
['(?m)\A' . quotemeta(main::proxied('GET /t')) . 'X-WX-OPENID: %OPENID%$',
 '(?m)^Connection: upgrade$(?s:.*)^X-WX-OPENID: %OPENID2%$']
--- backend_never
forged
close, X-WX
Upgrade, X



=== TEST 5: T6: a preflight passes beside the check, without an identity
--- config
    underscores_in_headers  on;
    location /t {
        limit_except  OPTIONS {
            wx_openid  on;
        }
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
['OPTIONS /t', 'GET /t']
--- more_headers eval
["Origin: http://x\nAccess-Control-Request-Method: POST\n"
 . "X-WX-OPENID: forged\nX_WX_UNIONID: forged\nX-WX-Code: code-forged",
 "X-WX-OPENID: forged"]
--- error_code eval
[200, 401]
--- response_body_like eval
[$main::Anonymous, 'login_required']
--- backend_never
forged
--- wechat_total: 0



=== TEST 6: T7: pseudo-headers and trailers of HTTP/2, and TE
--- h2
--- config
    location /t {
        wx_openid   optional;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
TE: trailers, X-WX-OPENID, X-WX-Code
--- response_body_like eval
'\A(?:(?!X-WX)[^\n]+\n)+\n\z'
--- steps
my $asked = wechat('total');
my $passed = backend('total');

for my $name (':x-wx-openid', ':x-wx-code', 'X-WX-OPENID', 'x-wx-openid ',
              "x-wx-openid\0", 'x-wx-openid:')
{
    ask_h2(headers_frame(END_STREAM, pseudo('GET'), [$name, 'forged']));
}

is(backend('total'), $passed, "$name - such a name is no request");

ask_h2(headers_frame(0, pseudo('POST')), frame(DATA, 0, 1, 'body'),
       headers_frame(END_STREAM, ['x-wx-openid', 'forged'],
                     ['x-wx-code', 'forged']));
unlike(sent_on($passed), qr/forged/, "$name - trailers are not passed on");
is(wechat('total'), $asked, "$name - nor looked at");

# what the same client sends right does arrive
ask_h2(headers_frame(END_STREAM, pseudo('GET'), ['x-wx-code', new_code()]));
like(sent_on($passed), qr/^X-WX-OPENID: o/m, "$name - a code is");
--- checks: 4



=== TEST 7: T9: no spelling of a path finds the way around
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /t/open {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location = /t/health {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t/open
--- steps
my $before = backend('total');

for my $target ('/t#/t/open', '/t/#/open', '/t/open/../x', '/t/open%2f../x',
                '/t/open/%2e%2e/x', '/t//x/../x', '/t?/t/open', '/t;/t/open',
                '/t/x;/../open/..', '/t/health/', '/t/health;', '/t/health%00',
                '/t/health?', '/t/Open', '/t/%4fpen', 'http://localhost/t',
                'http://localhost/t#/t/open')
{
    my $answer = ask_nginx(text_of("GET $target"));
    my $open = $target eq '/t/health?';

    like(error_of($answer), $open ? qr/^200$/ : qr/^(?:login_required|400)$/,
         "$name - $target");
}

is(backend('total'), $before + 1, "$name - one is the open one");
--- checks: 18



=== TEST 8: T16: absurd credentials are refused, and soon
--- http_config
    $TEST_NGINX_SESSIONS
    wx_openid_session_cookie  wxs;
--- config
    large_client_header_buffers  4 256k;
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- error_code: 401
--- steps
my ($start) = split /\./, token();
my $form = 'Content-Type: application/x-www-form-urlencoded';
my $json = 'Content-Type: application/json';
my $long = 'A' x 65000;

my @headers = (
    [invalid_session => "X-WX-Session: $long"],
    [invalid_session => "X-WX-Session: $start" . '.' x 65000],
    [invalid_session => "X-WX-Session: $start.$long.$long"],
    [invalid_session => "Authorization: Bearer $start.$long"],
    [invalid_session => "Cookie: wxs=$start.$long"],
    [invalid_session => 'Cookie: ' . 'wxs=x; ' x 10000],
    [login_required => 'Cookie: ' . 'wxs=; ' x 10000],
    [login_required => 'Cookie: ' . 'a=99999999; ' x 10000],
    [login_required => 'Cookie: ' . '=' x 65000],
    [login_required => 'Cookie: ' . ';' x 65000],
    [login_required => 'Cookie: ' . ';=' x 32000],
    [login_required => 'Cookie:', 'X-WX-Session:', 'Authorization: Bearer'],
    [invalid_code => "X-WX-Code: $long"],
);
my @targets = map { "/t?$_" } '&', '=', 'code', 'code=', '=code', '&' x 65000,
                              '=' x 65000, 'code=&' x 10000, 'code&' x 10000;
my @bodies = (
    ['', $form], ['&', $form], ['=', $form], ['code', $form],
    ['&' x 16000, $form], ['=' x 16000, $form], ['%' x 16000, $form],
    ['code=&' x 2500, $form], ['[' x 16000, $json], ['{"code":' x 2000, $json],
    ['', $json],
);

my $before = cpu();

for my $case (@headers) {
    my ($error, @fields) = @$case;
    is(error_of(ask_nginx(text_of('GET /t', @fields))), $error,
       "$name - " . substr $fields[0], 0, 40);
}

for my $target (@targets) {
    is(error_of(ask_nginx(text_of("GET $target"))), 'login_required',
       "$name - " . substr $target, 0, 40);
}

for my $case (@bodies) {
    my ($body, $type) = @$case;
    my $head = text_of('POST /t', $type, 'Content-Length: ' . length $body);
    is(error_of(ask_nginx($head . $body)), 'login_required',
       "$name - " . substr $body, 0, 40);
}

cmp_ok(cpu() - $before, '<', 3, "$name - seconds of CPU for all of them");
is(status_of(ask_nginx(text_of('GET /t', 'X-WX-Session: ' . token()))), 200,
   "$name - a good one is");
--- checks: 35



=== TEST 9: T22: a body of ten megabytes, also where others may send 1k
--- h2
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    server {
        listen                unix:$TEST_NGINX_HTML_DIR/small.sock;
        client_max_body_size  1k;

        location /t {
            client_max_body_size  20m;
            wx_openid   on;
            proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/sum;
        }
    }
'
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/sum;
    }
    location /stream {
        wx_openid                on;
        proxy_http_version       1.1;
        proxy_request_buffering  off;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/sum;
    }
--- request
GET /t
--- error_code: 401
--- steps
my $body = pack('N*', 1 .. 65536) x 40;
my $sum = length($body) . ' ' . sha256_hex($body);
my $type = 'Content-Type: application/octet-stream';

my $code = new_code();
my $small = IO::Socket::UNIX->new("$ENV{TEST_NGINX_HTML_DIR}/small.sock")
    or die "cannot connect to nginx: $!\n";
send_text($small, text_of('PUT /t', $type, "X-WX-Code: $code",
                          'Content-Length: ' . length $body) . $body);
like(read_answer($small), qr/^\Q$sum\E$/m, "$name - 1k elsewhere");
is(wechat("count?code=$code"), 1, "$name - 1k elsewhere, asked once");

for my $path ('/t', '/stream') {
    $code = new_code();
    my @fields = ($type, "X-WX-Code: $code",
                  'Content-Length: ' . length $body);
    like(ask_nginx(text_of("PUT $path", @fields) . $body),
         qr/^\Q$sum\E$/m, "$name - $path");
    is(wechat("count?code=$code"), 1, "$name - $path, asked once");

    $code = new_code();
    like(h2_request($ENV{TEST_NGINX_H2_PORT},
                    text_of("PUT $path", $type, "X-WX-Code: $code") . $body,
                    30),
         qr/^\Q$sum\E$/m, "$name - $path, HTTP/2");
    is(wechat("count?code=$code"), 1, "$name - $path, HTTP/2, asked once");
}
--- checks: 10



=== TEST 10: T23, T25: buffers of others, and variables of theirs
--- config
    subrequest_output_buffer_size  16;
    proxy_buffer_size              1k;
    proxy_buffers                  4 1k;
    proxy_busy_buffers_size        1k;
    location /t {
        wx_openid   on;
        proxy_set_header  X-Vars "$proxy_host $proxy_port $args $uri";
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
['GET /t?a=b', 'GET /t?a=b']
--- more_headers eval
['X-WX-Code: size-9000-%NEW%', 'X-WX-Code: fault-chunked_one-%NEW%']
--- response_body_like eval
my $at = $ENV{TEST_NGINX_BACKEND_PORT};
["(?m)^X-Vars: 127.0.0.1:$at $at a=b /t\$(?s:.*)"
 . '^X-WX-OPENID: %OPENID(size-9000-%NEW%)%$',
 "(?m)^X-Vars: 127.0.0.1:$at $at a=b /t\$(?s:.*)"
 . '^X-WX-OPENID: %OPENID(fault-chunked_one-%NEW%)%$']



=== TEST 11: T45: neither a client nor WeChat says who is asked
--- no_http2: there is no absolute URL as a target there
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    server {
        listen  unix:$TEST_NGINX_HTML_DIR/wechat.sock;
        return  302  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/stolen;
    }
'
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /moved {
        wx_openid       on;
        wx_openid_pass  http://unix:$TEST_NGINX_HTML_DIR/wechat.sock;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
my $backend = "http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT}";
["GET /t", "GET $backend/t?code=x&wx_openid_pass=$backend", "GET /moved",
 "GET /t"]
--- more_headers eval
my $backend = "127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT}";
["Host: $backend\nX-Forwarded-Host: $backend\nX-WX-Code: %CODE%",
 "X-WX-Code: err-40029-%NEW%", "X-WX-Code: %CODE2%",
 "X-WX-Code: good\@$backend/?%NEW%"]
--- error_code eval
[200, 401, 502, 200]
--- response_body_like eval
['(?m)^X-WX-OPENID: %OPENID%$', 'invalid_code', 'bad_gateway',
 '(?m)^X-WX-OPENID: ']
--- wechat_total: 3
--- backend_count: 2
--- backend_never
jscode2session
stolen



=== TEST 12: T47: responses for users are cached for each by README's key
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    proxy_cache_path  cache keys_zone=cache:1m;
'
--- config
    location /t {
        wx_openid          on;
        add_header         X-Cached $upstream_cache_status;
        proxy_cache        cache;
        proxy_cache_valid  1h;
        proxy_cache_key    $scheme$proxy_host$request_uri$wx_openid;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- error_code: 401
--- steps
# codes of this kind can be exchanged again and again
my @codes = map { new_code('delay-0') } 1 .. 3;

for my $cached ('MISS', 'HIT') {
    for my $code (@codes) {
        my $answer = ask_nginx(text_of('GET /t', "X-WX-Code: $code"));
        is(header_of($answer, 'X-Cached'), $cached, "$name - $cached");
        like($answer, qr/^X-WX-OPENID: \Q@{[wx_openid_of($code)]}\E$/m,
             "$name - $cached, her own");
    }
}

is(error_of(ask_nginx(text_of('GET /t'))), 'login_required',
   "$name - nobody gets one without an identity");
--- checks: 13



=== TEST 13: T46: counters are told to loopback alone by README's example
--- config
    set_real_ip_from  127.0.0.1;
    real_ip_header    X-Real-IP;
    location /t {
        wx_openid  on;
    }
    location = /metrics {
        allow             127.0.0.1;
        deny              all;
        wx_openid_status;
    }
--- request eval
['GET /metrics', 'GET /metrics', "GET /t?code=<script>%NEW%</script>",
 'GET /metrics']
--- more_headers eval
['', 'X-Real-IP: 192.0.2.1', '', '']
--- error_code eval
[200, 403, 401, 200]
--- response_body_like eval
['(?m)^wx_openid_requests_total', '(?s)\A(?!.*wx_openid)', 'invalid_code',
 '(?s)\A(?!.*script)']
