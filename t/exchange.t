# The exchange when all goes well: the request as WeChat gets it, the replies
# that count, and what the rest of nginx and of the configuration sees of it.

use lib 't/lib';
use WxOpenid;
use WxOpenid::Steps;

use IO::Socket::UNIX ();
use Time::HiRes ();

use IPC::Open2 ();

# whether the reply to this code is read as it should be

sub check_good {
    my ($name, $code, $path) = @_;
    my $answer = ask_with_code($code, $path);
    my $openid = wx_openid_of($code);

    is(status_of($answer), 200, "$name - status");
    like(body_of($answer), qr/^X-WX-OPENID: \Q$openid\E$/m, "$name - openid");
    is(wechat("count?code=$code"), 1, "$name - WeChat was asked once");
}

sub accepts {
    return wechat('connections')->{accepts};
}

sub ask_and_leave {
    my ($name, $code) = @_;
    my $s = connect_nginx();

    send_text($s, "POST /t HTTP/1.1\r\nHost: localhost\r\n"
                  . "Content-Length: 10\r\nX-WX-Code: $code\r\n\r\nhalf");
    is(wechat("wait?code=$code"), 1, "$name - WeChat was asked");
    close $s;
}

# by HTTP/2: curl asks and is stopped

sub ask_and_leave_h2 {
    my ($name, $code) = @_;
    my $pid = IPC::Open2::open2(my $out, my $in, 'curl', '-s', '-m', '10',
                                '--http2-prior-knowledge', '--noproxy', '*',
                                '-H', "X-WX-Code: $code",
                                "http://127.0.0.1:$ENV{TEST_NGINX_H2_PORT}/t");

    is(wechat("wait?code=$code"), 1, "$name - WeChat was asked");
    kill TERM => $pid;
    waitpid $pid, 0;
}

# The reply came whole if its connection is kept and serves the next code.

sub check_left {
    my ($name, $leave) = @_;
    my $code = new_code('hold');
    my $accepts = accepts();

    $leave->($name, $code);

    # nginx has seen the client go: it answers what came later
    ask_nginx("GET /ready HTTP/1.1\r\nHost: localhost\r\n"
              . "Connection: close\r\n\r\n");
    wechat("release?code=$code");

    until_true(sub { grep { /free keepalive peer: saving/ }
                     new_log_lines() });

    check_good($name, new_code());
    is(accepts() - $accepts, 1, "$name - the connection is kept");
    is(wechat("count?code=$code"), 1, "$name - and WeChat asked once");
}

repeat_each(2);

$ENV{TEST_NGINX_HTML_DIR} ||= html_dir();

plan tests => wx_tests() + steps_tests();

no_long_string();
run_tests();

__DATA__

=== TEST 1: the whole request, and nothing of the client's
--- request
POST /t?from=client
the body
--- more_headers
X-WX-Code: %CODE%
Host: client.example
User-Agent: client
Cookie: c=client
Authorization: Basic Y2xpZW50
Proxy-Authorization: Basic Y2xpZW50
Referer: http://client/
Origin: http://client
Range: bytes=0-1
If-Range: "client"
If-Match: "client"
If-None-Match: "client"
If-Modified-Since: Thu, 22 Aug 2024 01:14:57 GMT
If-Unmodified-Since: Thu, 22 Aug 2024 01:14:57 GMT
Accept: text/client
Accept-Encoding: gzip, br
Accept-Language: xx
Content-Type: text/client
Content-Encoding: client
Via: 1.1 client
Forwarded: for=192.0.2.9
X-Forwarded-For: 192.0.2.9
X-Forwarded-Proto: https
X-Forwarded-Host: client
X-Real-IP: 192.0.2.9
TE: trailers
Upgrade: client
Cache-Control: no-cache
Pragma: no-cache
Expect:
X-Client: client
--- wechat_request
GET /sns/jscode2session?appid=wxtest&secret=$TEST_NGINX_SECRET&js_code=%CODE%&grant_type=authorization_code HTTP/1.1
Host: 127.0.0.1:$TEST_NGINX_WECHAT_PORT
User-Agent: wx_openid
Accept: application/json, text/plain
Accept-Encoding: identity
Connection: close
--- wechat_never
client
192.0.2.9
Y2xpZW50
--- wechat_total: 1



=== TEST 2: the same from HTTP/2
--- h2
--- request
POST /t?from=client
the body
--- more_headers
X-WX-Code: %CODE%
Cookie: c=client
Authorization: Basic Y2xpZW50
Range: bytes=0-1
--- wechat_request
GET /sns/jscode2session?appid=wxtest&secret=$TEST_NGINX_SECRET&js_code=%CODE%&grant_type=authorization_code HTTP/1.1
Host: 127.0.0.1:$TEST_NGINX_WECHAT_PORT
User-Agent: wx_openid
Accept: application/json, text/plain
Accept-Encoding: identity
Connection: close
--- wechat_total: 1



=== TEST 3: the upstream's settings have no part in it
--- config
    location /t {
        wx_openid               on;
        proxy_method            DELETE;
        proxy_set_header        X-Client client;
        proxy_set_header        Authorization client;
        proxy_set_body          client;
        proxy_http_version      1.1;
        proxy_intercept_errors  on;
        rewrite                 ^ /client break;
        add_header              X-Added client always;
        proxy_pass              http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- wechat_request
GET /sns/jscode2session?appid=wxtest&secret=$TEST_NGINX_SECRET&js_code=%CODE%&grant_type=authorization_code HTTP/1.1
Host: 127.0.0.1:$TEST_NGINX_WECHAT_PORT
User-Agent: wx_openid
Accept: application/json, text/plain
Accept-Encoding: identity
Connection: close
--- response_body_like
^DELETE /client HTTP/1.1
--- wechat_total: 1



=== TEST 4: a code is one argument, whatever is in it
--- request eval
["GET /t", "GET /t", "GET /t", "GET /t", "GET /t", "GET /t"]
--- more_headers eval
["X-WX-Code: good&appid=wxother&secret=x&%NEW%",
 "X-WX-Code: good#fragment?a=b/../;%NEW%",
 "X-WX-Code: good%00%26+%NEW%",
 "X-WX-Code: good a  b %NEW%",
 "X-WX-Code: good-\xe4\xb8\xad\xe6\x96\x87-\xff-%NEW%",
 "X-WX-Code: good\"<>\\^`{|}'()*!,:\@[]~-_.%NEW%"]
--- error_code eval
[200, 200, 200, 200, 200, 200]
--- wechat_count eval
["good&appid=wxother&secret=x&%NEW%=1",
 "good#fragment?a=b/../;%NEW%=1",
 "good%00%26+%NEW%=1",
 "good a  b %NEW%=1",
 "good-\xe4\xb8\xad\xe6\x96\x87-\xff-%NEW%=1",
 "good\"<>\\^`{|}'()*!,:\@[]~-_.%NEW%=1"]
--- wechat_total: 6



=== TEST 5: how it is encoded
--- request
GET /t
--- more_headers eval
"X-WX-Code: good &=#%00+?/\xe4\xb8\xad~%NEW%"
--- wechat_request_like eval
"^GET \\S+&js_code=good%20%26%3D%23%2500%2B%3F%2F%E4%B8%AD~%NEW%"
. "&grant_type=authorization_code HTTP/1\\.1\$"
--- wechat_total: 1



=== TEST 6: a secret is encoded as well
--- http_config
    wx_openid_app   wxtest "s &secret=/+%\"#";
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 500
--- wechat_request_like eval
"^GET /sns/jscode2session\\?appid=wxtest"
. "&secret=s%20%26secret%3D%2F%2B%25%22%23&js_code=%CODE%"
. "&grant_type=authorization_code HTTP/1\\.1\$"
--- wechat_total: 1



=== TEST 7: wx_openid_pass with a prefix
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT/a/pre.fix;
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /slash {
        wx_openid       on;
        wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT/a/pre.fix/;
        proxy_pass      http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /t", "GET /slash"]
--- more_headers eval
["X-WX-Code: %CODE%", "X-WX-Code: %CODE2%"]
--- error_code eval
[200, 200]
--- wechat_request_like eval
"^GET /a/pre\\.fix/sns/jscode2session\\?appid=wxtest&"
--- wechat_count
%CODE%=1
%CODE2%=1



=== TEST 8: wx_openid_pass with a slash only
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT/;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- wechat_request_like
^GET /sns/jscode2session\?appid=wxtest&
--- wechat_total: 1



=== TEST 9: wx_openid_host
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
    wx_openid_host  wechat.example;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- wechat_request_like
^Host: wechat\.example$
--- wechat_total: 1



=== TEST 10: a group's name is the Host, and what it keeps is its own matter
--- http_config
    upstream wechat {
        server  127.0.0.1:$TEST_NGINX_WECHAT_PORT;
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://wechat;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- wechat_request
GET /sns/jscode2session?appid=wxtest&secret=$TEST_NGINX_SECRET&js_code=%CODE%&grant_type=authorization_code HTTP/1.1
Host: wechat
User-Agent: wx_openid
Accept: application/json, text/plain
Accept-Encoding: identity
--- wechat_total: 1



=== TEST 11: a unix socket
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://$TEST_NGINX_WECHAT_SOCKET:/prefix;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$
--- wechat_request_like
^GET /prefix/sns/jscode2session\?[^\n]*
Host: localhost$
--- wechat_total: 1



=== TEST 12: replies of every framing, split and slow
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /ready
--- error_code: 204
--- steps
for my $how (qw(chunked chunked_one chunked_extras chunked_after no_length
                http10 http10_length early_100 early_103 early_split
                early_many conn_close conn_close_kept extra extra_bytes
                identity lf_only no_reason slow_all split_header))
{
    check_good("$name - $how", new_code("fault-$how"));
}
--- checks: 60



=== TEST 13: a reply split anywhere
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_PORT;
        keepalive  1;
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://wechat;
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
check_good($name, new_code());
my $before = accepts();

check_good("$name - $_", new_code("split-$_")) for 1 .. 40;
check_good("$name - $_", new_code("split-$_")) for map { 40 + $_ * 7 } 1 .. 30;

is(accepts() - $before, 0, "$name - on one connection");
--- checks: 214



=== TEST 14: the reply's headers do nothing
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /evil {
        return  200 "evil";
    }
--- request
GET /t
--- more_headers
X-WX-Code: fault-headers-%NEW%
--- response_headers
! Set-Cookie
! X-Accel-Redirect
! X-Accel-Expires
! Refresh
! Location
! WWW-Authenticate
Content-Type: text/plain
--- response_body_like
(?m)\AGET /t (?s:.*)
X-WX-OPENID: %OPENID(fault-headers-%NEW%)%$
--- wechat_total: 1
--- backend_count: 1



=== TEST 15: a reply of 16 KiB counts
--- request
GET /t
--- more_headers
X-WX-Code: size-16000-%NEW%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID(size-16000-%NEW%)%$
--- wechat_total: 1



=== TEST 16: a longer one does not
--- request
GET /t
--- more_headers
X-WX-Code: size-16385-%NEW%
--- error_code: 502
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log
: too large, client
--- wechat_total: 1
--- backend_count: 0



=== TEST 17: log_subrequest shows no more than the path, and both lines theirs
--- http_config
    log_subrequest  on;
    log_format      sub  '[$uri] [$args] [$upstream_addr] [$upstream_status] '
                         '[$wx_openid] [$http_x_wx_openid]';
    access_log      logs/access.log  sub;

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
--- request
GET /t?a=b
--- more_headers
X-WX-Code: %CODE%
X-WX-OPENID: forged
--- access_log eval
[qr/^\[\/wx_openid\] \[-?\] \[127\.0\.0\.1:$ENV{TEST_NGINX_WECHAT_PORT}\] /,
 qr/^\[\/t\] \[a=b\] \[127\.0\.0\.1:$ENV{TEST_NGINX_BACKEND_PORT}\] \[200\] (\[%OPENID%\]) \1$/]
--- no_access_log
jscode2session
js_code
secret
forged
--- wechat_total: 1



=== TEST 18: connections of a group are kept, whatever WeChat answered
--- http_config
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
check_good($name, new_code());
my $before = accepts();

for my $kind (qw(err-40029 err-45011 err-40125 status-500 status-404
                 status-302 status-204 status-304 fault-html
                 fault-chunked fault-chunked_extras fault-openid_null
                 fault-early_103 fault-identity fault-lf_only))
{
    ask_with_code(new_code($kind));
    is(accepts() - $before, 0, "$name - after $kind");
}

check_good($name, new_code());
is(accepts() - $before, 0, "$name - the same connection");
--- checks: 22



=== TEST 19: connections that WeChat closes or spoils are not kept
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_PORT;
        keepalive  4;
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://wechat;
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
for my $kind (qw(conn_close conn_close_kept extra extra_bytes chunked_after
                 no_length http10 http10_length huge_body cl_te bad_status
                 header_nul))
{
    ask_with_code(new_code("fault-$kind"));
    my $before = accepts();
    check_good("$name - $kind", new_code());
    is(accepts() - $before, 1, "$name - $kind - a new connection");

    # that one must be out of the way
    ask_with_code(new_code('fault-conn_close'));
}
--- checks: 48



=== TEST 20: the client goes away: the exchange ends all the same
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_PORT;
        keepalive  1;
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://wechat;
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
ask_with_code(new_code('fault-conn_close'));
check_left($name, \&ask_and_leave);
--- checks: 6



=== TEST 21: the same with HTTP/2
--- h2
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_PORT;
        keepalive  1;
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://wechat;
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
ask_with_code(new_code('fault-conn_close'));
check_left($name, \&ask_and_leave_h2);
--- checks: 6



=== TEST 22: the client goes away while WeChat is busy: asked again all the same
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid               on;
        wx_openid_busy_retries  2;
        proxy_pass              http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /ready
--- error_code: 204
--- steps
my $code = new_code('busy-2');

ask_and_leave($name, $code);
is(wechat("wait?code=$code&n=3"), 3, "$name - WeChat was asked again");
check_good($name, new_code());
--- checks: 5



=== TEST 23: many exchanges at a time, each with its own result
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_PORT;
        keepalive  4;
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://wechat;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /ready
--- error_code: 204
--- steps
my @codes = map { new_code('hold') } 1 .. 20;
my %client = map { $_ => connect_nginx() } @codes;

for my $code (@codes) {
    send_text($client{$code}, "GET /t HTTP/1.1\r\nHost: localhost\r\n"
                              . "X-WX-Code: $code\r\n\r\n");
}

wechat("wait?code=$_") for @codes;
wechat("release?code=$_") for reverse @codes;

for my $code (@codes) {
    my $openid = wx_openid_of($code);
    like(body_of(read_answer($client{$code})),
         qr/^X-WX-OPENID: \Q$openid\E$/m, "$name - openid");
}
--- checks: 20



=== TEST 24: a group whose balancer wants to hear of the reply
--- skip_nginx: 6: < 1.31.0
--- http_config
    upstream group {
        least_time  header inflight;
        server      127.0.0.1:$TEST_NGINX_WECHAT_PORT;
        server      127.0.0.1:$TEST_NGINX_WECHAT_PORT;
    }
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_host  api.weixin.qq.com;
    wx_openid_pass  http://group;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$
--- wechat_count: %CODE%=1



=== TEST 25: a body that nginx discards while the code is exchanged
--- http_config
    $TEST_NGINX_WX_CONFIG
    lingering_time  1s;
--- config
    location /m {
        set             $memcached_key  x;
        memcached_pass  unix:$TEST_NGINX_HTML_DIR/memcached.sock;
        error_page      404 = @login;
    }
    location @login {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- error_code: 401
--- steps
my $path = "$ENV{TEST_NGINX_HTML_DIR}/memcached.sock";
unlink $path;
my $memcached = IO::Socket::UNIX->new(Local => $path, Listen => 5)
    or die "memcached: $!";
chmod 0777, $path;

my $code = new_code('hold');
my @workers = worker_pids();
my $client = connect_nginx();

send_text($client, "GET /m HTTP/1.1\r\nHost: localhost\r\nX-WX-Code: $code\r\n"
                   . "Content-Length: 100\r\n\r\n");

# it knows nothing, so that the client's body is discarded behind it

my $conn = $memcached->accept;
sysread $conn, my $get, 1000;
syswrite $conn, "END\r\n";

wechat("wait?code=$code");

# longer than lingering_time: nginx ends the request when a byte comes

for (1 .. 15) {
    local $SIG{PIPE} = 'IGNORE';
    Time::HiRes::sleep(0.1);
    syswrite $client, 'x' or last;
}

wechat("release?code=$code");
Time::HiRes::sleep(0.1);

my $got = '';
$client->blocking(0);
sysread $client, $got, 10000;
close $client;

unlike($got, qr/bad_gateway/, "$name - what became of it is no failure");
is(status_of(ask_with_code(new_code())), 200, "$name - others go on");
is(wechat("count?code=$code"), 1, "$name - the code was sent once");
is(join(' ', worker_pids()), "@workers", "$name - the worker lives");
--- checks: 4
--- no_error_log
[alert]
[crit]
[emerg]




=== TEST 26: what a location does with answers is not for WeChat's
--- config
    location /t {
        wx_openid       on;
        log_subrequest  on;
        access_log      $TEST_NGINX_SERVER_ROOT/logs/sub.log combined;
        proxy_pass      http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- error_code: 401
--- steps
my $code = new_code();
is(status_of(ask_with_code($code, "/t/of-$code")), 200, "$name - a code");

my $log = "$Test::Nginx::Util::ServRoot/logs/sub.log";
my @lines;

until_true(sub {
    open my $in, '<', $log or return 0;
    @lines = grep { m{/t/of-$code } } <$in>;
    return grep { / 200 / } @lines;
});

is(scalar @lines, 1, "$name - one line, for the request");
--- checks: 2



=== TEST 27: a connection that may be kept is not said to be closed
--- http_config
    $TEST_NGINX_WX_CONFIG
    wx_openid_keepalive  1;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- wechat_request
GET /sns/jscode2session?appid=wxtest&secret=$TEST_NGINX_SECRET&js_code=%CODE%&grant_type=authorization_code HTTP/1.1
Host: 127.0.0.1:$TEST_NGINX_WECHAT_PORT
User-Agent: wx_openid
Accept: application/json, text/plain
Accept-Encoding: identity
--- wechat_total: 1
