# A code works once, so a request that WeChat may have seen is not sent again.
# What may be repeated is counted here, and so is what may not.

use lib 't/lib';
use WxOpenid;
use WxOpenid::Steps;

use Time::HiRes qw(time);


# is what an exchange of this code ended in, and how often WeChat saw it

sub exchange {
    my ($name, $code, $status, $count, $path) = @_;

    is(status_of(ask_with_code($code, $path)), $status, "$name - status");
    is(wechat("count?code=$code"), $count, "$name - asked $count times");
}

# WeChat's side of a kept connection: made by one exchange, and idle

sub keep_connection {
    my ($name) = @_;
    my $code = new_code();
    is(status_of(ask_with_code($code)), 200, "$name - a connection is made");
}

sub accepts {
    return wechat('connections')->{accepts};
}

sub our_lines {
    return join '', grep { /wx_openid: / } new_log_lines();
}

# An exchange that must end by itself, at its deadline, leaving nothing behind.
# None is open before either, but for those of the nginx of the block before,
# whose end WeChat may be slow to see.

sub check_deadline {
    my ($name, $kind, $step, $count, $path) = @_;
    my $files = open_files();
    my $code = new_code($kind);
    my $start = time;
    my $answer = ask_with_code($code, $path);
    my $took = time - $start;

    is(status_of($answer), 504, "$name - status");
    is(body_of($answer), '{"error":"wechat_timeout"}', "$name - body");
    cmp_ok($took, '>', 0.25, "$name - not before the deadline");
    cmp_ok($took, '<', 3, "$name - the deadline holds");
    like(our_lines(), qr/\[error\] .*wechat_timeout: $step, "/,
         "$name - the log tells the step");
    is(wechat("count?code=$code"), $count, "$name - asked $count times");

    ok(until_true(sub { wechat('connections')->{open} == 0 }),
       "$name - the connection to WeChat is closed");
    ok(until_true(sub { open_files() <= $files }),
       "$name - no descriptor is left open");
}

repeat_each(2);

plan tests => wx_tests() + steps_tests();

no_long_string();
run_tests();

__DATA__

=== TEST 1: a kept connection that was closed unanswered: once more on a fresh one
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
for my $fault (qw(stale_close stale_reset)) {
    keep_connection($name);
    my $accepts = accepts();
    exchange("$name - $fault", new_code("fault-$fault"), 200, 2);
    is(accepts() - $accepts, 1, "$name - $fault - one connection");
    is(our_lines(), '', "$name - $fault - no log line of ours");
}
--- checks: 10



=== TEST 2: the same over TLS
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT;
        keepalive  4;
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
for my $fault (qw(stale_close stale_reset)) {
    keep_connection($name);
    my $accepts = accepts();
    exchange("$name - $fault", new_code("fault-$fault"), 200, 2);
    is(accepts() - $accepts, 1, "$name - $fault - one connection");
    is(our_lines(), '', "$name - $fault - no log line of ours");
}
--- checks: 10



=== TEST 3: closed again on the fresh connection: refused, not asked a third time
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_PORT;
        keepalive  4;
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://wechat;
    wx_openid_next_upstream_tries  5;
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
for my $fault (qw(close reset)) {
    keep_connection($name);
    exchange("$name - $fault", new_code("fault-$fault"), 502, 2);
    like(our_lines(), qr/connection closed before a reply/,
         "$name - $fault - log line");
}
--- checks: 8



=== TEST 4: several kept connections that are all stale: only one is tried
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
my @codes = map { new_code('hold') } 1 .. 3;
my @clients = map { connect_nginx() } @codes;

for my $i (0 .. 2) {
    send_text($clients[$i], "GET /t HTTP/1.1\r\nHost: localhost\r\n"
                            . "X-WX-Code: $codes[$i]\r\n\r\n");
}

wechat("wait?code=$_") for @codes;
wechat("release?code=$_") for @codes;

is(status_of(read_answer($_)), 200, "$name - a connection is made")
    for @clients;

my $accepts = accepts();
exchange($name, new_code('fault-stale_close'), 200, 2);
is(accepts() - $accepts, 1, "$name - then a fresh one");
--- checks: 6



=== TEST 5: a kept connection that ended in the middle of a reply: not repeated
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
for my $fault (qw(stale_partial half_line half_header short short_by_one
                  reset_body chunk_cut))
{
    keep_connection($name);
    exchange("$name - $fault", new_code("fault-$fault"), 502, 1);
    like(our_lines(), qr/connection closed in the middle of the re/,
         "$name - $fault - log line");
}
--- checks: 28



=== TEST 6: a kept connection that gave no reply in time: not repeated
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_PORT;
        keepalive  4;
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://wechat;
    wx_openid_read_timeout  500ms;
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
keep_connection($name);
exchange($name, new_code('fault-stale_stall'), 504, 1);
like(our_lines(), qr/no reply in time/, "$name - log line");
--- checks: 4



=== TEST 7: a fresh connection that fails after the request: not repeated, however many servers there are, plain
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_PORT max_fails=0;
        server     $TEST_NGINX_WECHAT_SOCKET max_fails=0;
        server     127.0.0.1:$TEST_NGINX_WECHAT_PORT max_fails=0;
        $TEST_NGINX_KEEPS_NONE
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://wechat;
    wx_openid_next_upstream_tries  5;
    wx_openid_read_timeout  500ms;
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
for my $fault (qw(close reset half_line half_header reset_header no_body
                  short reset_body garbage bad_status cl_te huge_header))
{
    exchange("$name - $fault", new_code("fault-$fault"), 502, 1);
}

for my $fault (qw(stall stall_line stall_header stall_body)) {
    exchange("$name - $fault", new_code("fault-$fault"), 504, 1);
}

for my $status (400, 403, 404, 429, 500, 502, 503, 504) {
    exchange("$name - $status", new_code("status-$status"), 502, 1);
}
--- checks: 48



=== TEST 8: a fresh connection that fails after the request: not repeated, however many servers there are, TLS
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT max_fails=0;
        server     127.0.0.1:$TEST_NGINX_WECHAT_TLS12_PORT max_fails=0;
        server     127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT max_fails=0;
        $TEST_NGINX_KEEPS_NONE
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  https://wechat;
    wx_openid_host  api.weixin.qq.com;
    wx_openid_ssl_trusted_certificate  $TEST_NGINX_CERTS/ca.pem;
    wx_openid_next_upstream_tries  5;
    wx_openid_read_timeout  500ms;
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
for my $fault (qw(close reset half_line half_header reset_header no_body
                  short reset_body garbage bad_status cl_te huge_header))
{
    exchange("$name - $fault", new_code("fault-$fault"), 502, 1);
}

for my $fault (qw(stall stall_line stall_header stall_body)) {
    exchange("$name - $fault", new_code("fault-$fault"), 504, 1);
}

for my $status (400, 403, 404, 429, 500, 502, 503, 504) {
    exchange("$name - $status", new_code("status-$status"), 502, 1);
}
--- checks: 48



=== TEST 9: a fresh connection without a group: not repeated
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
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
for my $fault (qw(close reset half_line short)) {
    exchange("$name - $fault", new_code("fault-$fault"), 502, 1);
}
--- checks: 8



=== TEST 10: the first server refuses connections: the second is asked, once
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_DEAD_PORT max_fails=0;
        server     127.0.0.1:$TEST_NGINX_WECHAT_PORT;
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
exchange("$name - $_", new_code(), 200, 1) for 1 .. 4;
is(our_lines(), '', "$name - no log line of ours");
--- checks: 9



=== TEST 11: the first server's certificate is for another host: the second is asked, once
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_WRONG_PORT max_fails=0;
        server     127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT;
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
--- request
GET /ready
--- error_code: 204
--- steps
exchange("$name - $_", new_code(), 200, 1) for 1 .. 4;
is(wechat('count?listener=WRONG_PORT'), 0, "$name - the first saw nothing");
--- checks: 9



=== TEST 12: the first server's certificate has expired: the second is asked, once
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_EXPIRED_PORT max_fails=0;
        server     127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT;
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
--- request
GET /ready
--- error_code: 204
--- steps
exchange("$name - $_", new_code(), 200, 1) for 1 .. 4;
is(wechat('count?listener=EXPIRED_PORT'), 0, "$name - the first saw nothing");
--- checks: 9



=== TEST 13: the first server's certificate is of a stranger: the second is asked, once
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_UNTRUSTED_PORT max_fails=0;
        server     127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT;
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
--- request
GET /ready
--- error_code: 204
--- steps
exchange("$name - $_", new_code(), 200, 1) for 1 .. 4;
is(wechat('count?listener=UNTRUSTED_PORT'), 0, "$name - the first saw nothing");
--- checks: 9



=== TEST 14: the first server speaks TLS 1.1 only: the second is asked, once
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_OLD_PORT max_fails=0;
        server     127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT;
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
--- request
GET /ready
--- error_code: 204
--- steps
exchange("$name - $_", new_code(), 200, 1) for 1 .. 2;
is(wechat('count?listener=OLD_PORT'), 0, "$name - the first saw nothing");
--- checks: 5



=== TEST 15: the first server hangs: the second is asked, once
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_FULL_PORT max_fails=0;
        server     127.0.0.1:$TEST_NGINX_WECHAT_PORT;
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://wechat;
    wx_openid_connect_timeout  100ms;
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
exchange("$name - $_", new_code(), 200, 1) for 1 .. 2;
--- checks: 4



=== TEST 16: the first server hangs in the handshake: the second is asked, once
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_MUTE_PORT max_fails=0;
        server     127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT;
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  https://wechat;
    wx_openid_host  api.weixin.qq.com;
    wx_openid_ssl_trusted_certificate  $TEST_NGINX_CERTS/ca.pem;
    wx_openid_connect_timeout  300ms;
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
exchange("$name - $_", new_code(), 200, 1) for 1 .. 2;
--- checks: 4



=== TEST 17: all servers are down: 502 after each was tried
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_DEAD_PORT max_fails=0;
        server     127.0.0.1:$TEST_NGINX_WECHAT_DEAD_PORT max_fails=0;
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
exchange($name, new_code(), 502, 0);

my @lines = new_log_lines();
is(scalar(grep { /connect\(\) failed/ } @lines), 2, "$name - two tries");
like(join('', @lines), qr/wx_openid: bad_gateway: connect failed, "/,
     "$name - log line");
--- checks: 4



=== TEST 18: wx_openid_next_upstream_tries 1: no other server is tried
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_DEAD_PORT max_fails=0;
        server     127.0.0.1:$TEST_NGINX_WECHAT_PORT max_fails=0;
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://wechat;
    wx_openid_next_upstream_tries  1;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- one_worker: servers are chosen by each worker
--- request
GET /ready
--- error_code: 204
--- steps
my %status;

for (1 .. 4) {
    my $code = new_code();
    my $status = status_of(ask_with_code($code));
    $status{$status}++;
    is(wechat("count?code=$code"), $status == 200 ? 1 : 0,
       "$name - asked by whom it got through to");
}

is_deeply(\%status, { 200 => 2, 502 => 2 }, "$name - half are refused");
--- checks: 5



=== TEST 19: wx_openid_next_upstream_tries 3: two more servers are tried
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_DEAD_PORT max_fails=0;
        server     127.0.0.1:$TEST_NGINX_WECHAT_DEAD_PORT max_fails=0;
        server     127.0.0.1:$TEST_NGINX_WECHAT_PORT backup;
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://wechat;
    wx_openid_next_upstream_tries  3;
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
exchange($name, new_code(), 200, 1);
--- checks: 2



=== TEST 20: two tries unless told otherwise
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_DEAD_PORT max_fails=0;
        server     127.0.0.1:$TEST_NGINX_WECHAT_DEAD_PORT max_fails=0;
        server     127.0.0.1:$TEST_NGINX_WECHAT_PORT backup;
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
exchange($name, new_code(), 502, 0);
--- checks: 2



=== TEST 21: wx_openid_next_upstream_timeout: no other server is tried later
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_FULL_PORT max_fails=0;
        server     127.0.0.1:$TEST_NGINX_WECHAT_PORT backup;
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://wechat;
    wx_openid_connect_timeout  300ms;
    wx_openid_next_upstream_timeout  100ms;
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
exchange($name, new_code(), 504, 0);
like(our_lines(), qr/wechat_timeout: connect timed out, "/,
     "$name - log line");
--- checks: 3



=== TEST 22: a stale connection and one try: repeated all the same
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_PORT;
        keepalive  4;
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://wechat;
    wx_openid_next_upstream_tries  1;
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
keep_connection($name);
exchange($name, new_code('fault-stale_close'), 200, 2);
--- checks: 3



=== TEST 23: wx_openid_busy_retries, a connection each
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
--- config
    location = /ready {
        return  204;
    }

    location /0 {
        wx_openid               on;
        wx_openid_busy_retries  0;
        proxy_pass              http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /1 {
        wx_openid               on;
        wx_openid_busy_retries  1;
        proxy_pass              http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /3 {
        wx_openid               on;
        wx_openid_busy_retries  3;
        proxy_pass              http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /short {
        wx_openid               on;
        wx_openid_busy_retries  100;
        wx_openid_timeout       500ms;
        proxy_pass              http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /ready
--- error_code: 204
--- steps
exchange("$name - default", new_code('busy-1'), 503, 1);
exchange("$name - 0", new_code('busy-1'), 503, 1, '/0');
exchange("$name - 1", new_code('busy-1'), 200, 2, '/1');
exchange("$name - 1, twice busy", new_code('busy-2'), 503, 2, '/1');

my $start = time;
exchange("$name - 3", new_code('busy-3'), 200, 4, '/3');
cmp_ok(time - $start, '>', 1.35, "$name - 3 - 200, 400, 800 ms apart");

exchange("$name - 3, always busy", new_code('err--1'), 503, 4, '/3');
--- checks: 13



=== TEST 24: wx_openid_busy_retries, kept connections
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_PORT;
        keepalive  2;
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://wechat;
--- config
    location = /ready {
        return  204;
    }

    location /0 {
        wx_openid               on;
        wx_openid_busy_retries  0;
        proxy_pass              http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /1 {
        wx_openid               on;
        wx_openid_busy_retries  1;
        proxy_pass              http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /3 {
        wx_openid               on;
        wx_openid_busy_retries  3;
        proxy_pass              http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /short {
        wx_openid               on;
        wx_openid_busy_retries  100;
        wx_openid_timeout       500ms;
        proxy_pass              http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- one_worker: connections are kept by each worker
--- request
GET /ready
--- error_code: 204
--- steps
exchange("$name - default", new_code('busy-1'), 503, 1);
exchange("$name - 0", new_code('busy-1'), 503, 1, '/0');
exchange("$name - 1", new_code('busy-1'), 200, 2, '/1');
exchange("$name - 1, twice busy", new_code('busy-2'), 503, 2, '/1');

my $start = time;
exchange("$name - 3", new_code('busy-3'), 200, 4, '/3');
cmp_ok(time - $start, '>', 1.35, "$name - 3 - 200, 400, 800 ms apart");

exchange("$name - 3, always busy", new_code('err--1'), 503, 4, '/3');
--- checks: 13



=== TEST 25: busy retries end where the deadline does not leave time for a pause
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
--- config
    location = /ready {
        return  204;
    }

    location /0 {
        wx_openid               on;
        wx_openid_busy_retries  0;
        proxy_pass              http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /1 {
        wx_openid               on;
        wx_openid_busy_retries  1;
        proxy_pass              http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /3 {
        wx_openid               on;
        wx_openid_busy_retries  3;
        proxy_pass              http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /short {
        wx_openid               on;
        wx_openid_busy_retries  100;
        wx_openid_timeout       500ms;
        proxy_pass              http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /ready
--- error_code: 204
--- steps
my $start = time;

exchange($name, new_code('err--1'), 503, 2, '/short');
cmp_ok(time - $start, '<', 2, "$name - within the deadline");
--- checks: 3



=== TEST 26: busy, then closed: not repeated, but for a kept connection
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_PORT;
        keepalive  2;
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://wechat;
--- config
    location = /ready {
        return  204;
    }

    location /0 {
        wx_openid               on;
        wx_openid_busy_retries  0;
        proxy_pass              http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /1 {
        wx_openid               on;
        wx_openid_busy_retries  1;
        proxy_pass              http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /3 {
        wx_openid               on;
        wx_openid_busy_retries  3;
        proxy_pass              http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /short {
        wx_openid               on;
        wx_openid_busy_retries  100;
        wx_openid_timeout       500ms;
        proxy_pass              http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- one_worker: connections are kept by each worker
--- request
GET /ready
--- error_code: 204
--- steps
exchange("$name - busy", new_code('busy-1'), 200, 2, '/1');
exchange("$name - partial", new_code('fault-stale_partial'), 502, 1,
               '/1');
--- checks: 4



=== TEST 27: wx_openid_timeout bounds a connect that hangs
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_FULL_PORT;
    wx_openid_connect_timeout  60s;
    wx_openid_send_timeout  60s;
    wx_openid_read_timeout  60s;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid          on;
        wx_openid_timeout  300ms;
        proxy_pass         http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /ready
--- error_code: 204
--- steps
check_deadline("$name - $_", 'good', 'connect timed out', 0) for 1 .. 3;
--- checks: 24



=== TEST 28: wx_openid_timeout bounds a TLS handshake that hangs
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_MUTE_PORT;
    wx_openid_host  api.weixin.qq.com;
    wx_openid_ssl_trusted_certificate  $TEST_NGINX_CERTS/ca.pem;
    wx_openid_connect_timeout  60s;
    wx_openid_send_timeout  60s;
    wx_openid_read_timeout  60s;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid          on;
        wx_openid_timeout  300ms;
        proxy_pass         http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /ready
--- error_code: 204
--- steps
check_deadline("$name - $_", 'good', 'TLS handshake timed out', 0) for 1 .. 3;
--- checks: 24



=== TEST 29: wx_openid_timeout bounds no reply
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
    wx_openid_connect_timeout  60s;
    wx_openid_send_timeout  60s;
    wx_openid_read_timeout  60s;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid          on;
        wx_openid_timeout  300ms;
        proxy_pass         http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /ready
--- error_code: 204
--- steps
check_deadline("$name - $_", 'fault-stall', 'no reply in time', 1) for 1 .. 3;
--- checks: 24



=== TEST 30: wx_openid_timeout bounds no reply, TLS
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT;
    wx_openid_host  api.weixin.qq.com;
    wx_openid_ssl_trusted_certificate  $TEST_NGINX_CERTS/ca.pem;
    wx_openid_connect_timeout  60s;
    wx_openid_send_timeout  60s;
    wx_openid_read_timeout  60s;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid          on;
        wx_openid_timeout  300ms;
        proxy_pass         http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /ready
--- error_code: 204
--- steps
check_deadline("$name - $_", 'fault-stall', 'no reply in time', 1) for 1 .. 3;
--- checks: 24



=== TEST 31: wx_openid_timeout bounds a reply byte by byte
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
    wx_openid_connect_timeout  60s;
    wx_openid_send_timeout  60s;
    wx_openid_read_timeout  60s;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid          on;
        wx_openid_timeout  300ms;
        proxy_pass         http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /ready
--- error_code: 204
--- steps
check_deadline("$name - $_", 'drip-20', 'reply not finished in time', 1) for 1 .. 3;
--- checks: 24



=== TEST 32: wx_openid_timeout bounds a reply byte by byte, TLS
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT;
    wx_openid_host  api.weixin.qq.com;
    wx_openid_ssl_trusted_certificate  $TEST_NGINX_CERTS/ca.pem;
    wx_openid_connect_timeout  60s;
    wx_openid_send_timeout  60s;
    wx_openid_read_timeout  60s;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid          on;
        wx_openid_timeout  300ms;
        proxy_pass         http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /ready
--- error_code: 204
--- steps
check_deadline("$name - $_", 'drip-20', 'reply not finished in time', 1) for 1 .. 3;
--- checks: 24



=== TEST 33: wx_openid_timeout bounds a body that stops
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
    wx_openid_connect_timeout  60s;
    wx_openid_send_timeout  60s;
    wx_openid_read_timeout  60s;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid          on;
        wx_openid_timeout  300ms;
        proxy_pass         http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /ready
--- error_code: 204
--- steps
check_deadline("$name - $_", 'fault-stall_body', 'reply not finished in time', 1) for 1 .. 3;
--- checks: 24



=== TEST 34: wx_openid_timeout bounds a body by chunks that stops
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
    wx_openid_connect_timeout  60s;
    wx_openid_send_timeout  60s;
    wx_openid_read_timeout  60s;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid          on;
        wx_openid_timeout  300ms;
        proxy_pass         http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /ready
--- error_code: 204
--- steps
check_deadline("$name - $_", 'fault-stall_chunk', 'reply not finished in time', 1) for 1 .. 3;
--- checks: 24



=== TEST 35: wx_openid_timeout bounds no reply, with other servers
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_PORT;
        server     $TEST_NGINX_WECHAT_SOCKET;
        keepalive  4;
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://wechat;
    wx_openid_next_upstream_tries  5;
    wx_openid_connect_timeout  60s;
    wx_openid_send_timeout  60s;
    wx_openid_read_timeout  60s;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid          on;
        wx_openid_timeout  300ms;
        proxy_pass         http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /ready
--- error_code: 204
--- steps
check_deadline("$name - $_", 'fault-stall', 'no reply in time', 1) for 1 .. 3;
--- checks: 24



=== TEST 36: wx_openid_timeout bounds a group whose servers all hang
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_FULL_PORT max_fails=0;
        server     127.0.0.1:$TEST_NGINX_WECHAT_FULL_PORT max_fails=0;
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://wechat;
    wx_openid_connect_timeout  200ms;
    wx_openid_next_upstream_tries  5;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid          on;
        wx_openid_timeout  300ms;
        proxy_pass         http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /ready
--- error_code: 204
--- steps
check_deadline($name, 'good', 'connect timed out', 0);
--- checks: 8



=== TEST 37: a deadline on a kept connection: closed, and the next is good
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_PORT;
        keepalive  2;
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://wechat;
    wx_openid_connect_timeout  60s;
    wx_openid_send_timeout  60s;
    wx_openid_read_timeout  60s;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid          on;
        wx_openid_timeout  300ms;
        proxy_pass         http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- one_worker: connections are kept by each worker
--- request
GET /ready
--- error_code: 204
--- steps
for (1 .. 3) {
    keep_connection($name);
    exchange("$name - late", new_code('delay-600'), 504, 1);
    exchange("$name - next", new_code(), 200, 1);
}
--- checks: 15



=== TEST 38: a deadline after the client went away
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
    wx_openid_connect_timeout  60s;
    wx_openid_send_timeout  60s;
    wx_openid_read_timeout  60s;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid          on;
        wx_openid_timeout  300ms;
        proxy_pass         http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /ready
--- error_code: 204
--- steps
my $files = open_files();
my $code = new_code('fault-stall');
my $client = connect_nginx();

send_text($client, "GET /t HTTP/1.1\r\nHost: localhost\r\n"
                   . "X-WX-Code: $code\r\n\r\n");
is(wechat("wait?code=$code"), 1, "$name - WeChat was asked");
close $client;

ok(until_true(sub { our_lines() =~ /wechat_timeout: no reply/ }),
   "$name - log line");
ok(until_true(sub { open_files() <= $files }), "$name - all is closed");
exchange($name, new_code(), 200, 1);
--- checks: 5
