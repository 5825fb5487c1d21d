# TLS to WeChat: who is believed, and that nobody else ever gets a code.

use lib 't/lib';
use WxOpenid;
use WxOpenid::Steps;

use Cwd ();
use File::Temp ();

my $Dir = File::Temp::tempdir('wx_openid_tls_XXXXXX', TMPDIR => 1,
                              CLEANUP => 1);

sub shell {
    my ($command) = @_;
    system("{ $command; } > $Dir/log 2>&1") == 0
        or die "$command failed: ", `cat $Dir/log`;
}

# A certificate for api.weixin.qq.com behind an intermediate authority.

sub make_chain {
    my ($certs, $base) = @_;
    my $key = 'openssl ecparam -name prime256v1 -genkey -noout';
    my $sign = 'openssl x509 -req -days 9 -CAcreateserial';

    open my $out, '>', "$base.conf" or die "$base.conf: $!";
    print $out "[ca]\nbasicConstraints=critical,CA:TRUE\n",
               "[leaf]\nsubjectAltName=DNS:api.weixin.qq.com\n";
    close $out;

    shell("$key -out $base-ca.key && $key -out $base.key");
    shell("openssl req -new -key $base-ca.key -subj /CN=between"
        . " | $sign -CA $certs/ca.pem -CAkey $certs/ca.key"
        . " -extfile $base.conf -extensions ca -out $base-ca.pem");
    shell("openssl req -new -key $base.key -subj /CN=leaf"
        . " | $sign -CA $base-ca.pem -CAkey $base-ca.key"
        . " -extfile $base.conf -extensions leaf -out $base-leaf.pem");
    shell("cat $base-leaf.pem $base-ca.pem > $base.crt");
}

# Has nginx wait in connect() for what the peer says by itself, and then told
# that the connection is on its way: it sees both in one round of events.

sub make_wait_for_peer {
    my ($file) = @_;

    open my $out, '>', "$file.c" or die "$file.c: $!";
    print $out <<'_EOC_';
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

static int  port;

__attribute__((constructor)) static void
read_port(void)
{
    const char  *s = getenv("TALKING_PORT");

    port = s ? atoi(s) : 0;
}

int
connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    int            rc, (*real)(int, const struct sockaddr *, socklen_t);
    struct pollfd  pfd = { fd, POLLIN, 0 };

    *(void **) &real = dlsym(RTLD_NEXT, "connect");

    rc = real(fd, addr, len);

    if (addr->sa_family != AF_INET
        || ntohs(((const struct sockaddr_in *) addr)->sin_port) != port)
    {
        return rc;
    }

    poll(&pfd, 1, 10000);
    errno = EINPROGRESS;

    return -1;
}
_EOC_
    close $out;

    shell(($ENV{CC} // 'cc') . " -shared -fPIC -o $file $file.c -ldl");
}

make_chain($ENV{TEST_NGINX_CERTS}, "$Dir/chain");
make_wait_for_peer("$Dir/wait-for-peer.so");

$ENV{TEST_NGINX_CHAIN} = "$Dir/chain";
$ENV{TEST_NGINX_WAIT_FOR_PEER} = "$Dir/wait-for-peer.so";

# plain HTTP from a server that answers before it is asked

$ENV{TEST_NGINX_EAGER_PORT} = WxOpenid::Servers::start_server(
    'wechat', '--listen', 'EAGER=127.0.0.1:0,plaintext-first')->{EAGER};

$ENV{TEST_NGINX_TLS} = <<'_EOC_';
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_host  api.weixin.qq.com;
    wx_openid_ssl_trusted_certificate  $TEST_NGINX_CERTS/ca.pem;
_EOC_
$ENV{TEST_NGINX_TLS} =~ s/\$(TEST_NGINX_\w+)/$ENV{$1}/g;

# the warnings of the start are in no section of Test::Nginx

sub start_warnings {
    open my $in, '<', $Test::Nginx::Util::ErrLogFile or return '';
    return join '', grep { / \[warn\] / } <$in>;
}

repeat_each(2);

plan tests => wx_tests() + steps_tests();

no_long_string();
run_tests();

__DATA__

=== TEST 1: verified against a file
--- http_config
    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$
--- wechat_count: %CODE%=1
--- backend_count: 1
--- wechat_handshakes: 1



=== TEST 2: the name checked is the host of wx_openid_pass
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  https://localhost:$TEST_NGINX_WECHAT_TLS_PORT;
    wx_openid_ssl_trusted_certificate  $TEST_NGINX_CERTS/ca.pem;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$
--- wechat_count: %CODE%=1
--- backend_count: 1
--- wechat_request_like eval
"^Host: localhost:$ENV{TEST_NGINX_WECHAT_TLS_PORT}\$"



=== TEST 3: another name than the host of wx_openid_pass is refused
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  https://localhost:$TEST_NGINX_WECHAT_WRONG_PORT;
    wx_openid_ssl_trusted_certificate  $TEST_NGINX_CERTS/ca.pem;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
[qr/upstream SSL certificate does not match "localhost/, qr/\[error\] .* wx_openid: bad_gateway: TLS handshake failed, "/]
--- wechat_count: %CODE%=0
--- wechat_total: 0
--- backend_count: 0
--- wechat_never eval
[$ENV{TEST_NGINX_SECRET}]



=== TEST 4: a certificate for another host is refused
--- http_config
    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_WRONG_PORT;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
[qr/upstream SSL certificate does not match "api\.weixin\.qq\.com"/, qr/\[error\] .* wx_openid: bad_gateway: TLS handshake failed, "/]
--- wechat_count: %CODE%=0
--- wechat_total: 0
--- backend_count: 0
--- wechat_never eval
[$ENV{TEST_NGINX_SECRET}]



=== TEST 5: an expired certificate is refused
--- http_config
    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_EXPIRED_PORT;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
[qr/upstream SSL certificate verify error: \(10:certificate has expired\)/, qr/\[error\] .* wx_openid: bad_gateway: TLS handshake failed, "/]
--- wechat_count: %CODE%=0
--- wechat_total: 0
--- backend_count: 0
--- wechat_never eval
[$ENV{TEST_NGINX_SECRET}]



=== TEST 6: a certificate of a stranger is refused
--- http_config
    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_UNTRUSTED_PORT;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
[qr/upstream SSL certificate verify error: \(2\d:/, qr/\[error\] .* wx_openid: bad_gateway: TLS handshake failed, "/]
--- wechat_count: %CODE%=0
--- wechat_total: 0
--- backend_count: 0
--- wechat_never eval
[$ENV{TEST_NGINX_SECRET}]



=== TEST 7: TLS 1.1 only is refused
--- http_config
    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_OLD_PORT;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
[qr/SSL_do_handshake\(\) failed/, qr/\[error\] .* wx_openid: bad_gateway: TLS handshake failed, "/]
--- wechat_count: %CODE%=0
--- wechat_total: 0
--- backend_count: 0
--- wechat_never eval
[$ENV{TEST_NGINX_SECRET}]



=== TEST 8: a server without TLS is refused
--- http_config
    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
    wx_openid_connect_timeout  200ms;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 504
--- response_body_like
^\{"error":"wechat_timeout"\}$
--- error_log
wx_openid: wechat_timeout: TLS handshake timed out, "
--- wechat_total: 0
--- backend_count: 0



=== TEST 9: wx_openid_host is the name that counts
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_host  wrong.example;
    wx_openid_ssl_trusted_certificate  $TEST_NGINX_CERTS/ca.pem;
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_WRONG_PORT;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$
--- wechat_count: %CODE%=1
--- backend_count: 1



=== TEST 10: a certificate that was revoked passes without wx_openid_ssl_crl
--- http_config
    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_REVOKED_PORT;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$
--- wechat_count: %CODE%=1
--- backend_count: 1



=== TEST 11: a certificate that was revoked is refused with wx_openid_ssl_crl
--- http_config
    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_REVOKED_PORT;
    wx_openid_ssl_crl  $TEST_NGINX_CERTS/crl.pem;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
[qr/upstream SSL certificate verify error: \(23:certificate revoked\)/, qr/\[error\] .* wx_openid: bad_gateway: TLS handshake failed, "/]
--- wechat_count: %CODE%=0
--- wechat_total: 0
--- backend_count: 0
--- wechat_never eval
[$ENV{TEST_NGINX_SECRET}]



=== TEST 12: others pass with wx_openid_ssl_crl
--- http_config
    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT;
    wx_openid_ssl_crl  $TEST_NGINX_CERTS/crl.pem;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$
--- wechat_count: %CODE%=1
--- backend_count: 1



=== TEST 13: the other authority is trusted when it is named
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_host  api.weixin.qq.com;
    wx_openid_ssl_trusted_certificate  $TEST_NGINX_CERTS/other-ca.pem;
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_UNTRUSTED_PORT;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$
--- wechat_count: %CODE%=1
--- backend_count: 1



=== TEST 14: wx_openid_ssl_verify off: wrong passes, and the start warns
--- http_config
    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_WRONG_PORT;
    wx_openid_ssl_verify  off;
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
like(start_warnings(), qr{"wx_openid_ssl_verify off": whoever answers for "https://127\.0\.0\.1:\d+" gets codes and the secret},
     "$name - warning");
my $code = new_code();
is(status_of(ask_with_code($code)), 200, "$name - status");
is(wechat("count?code=$code"), 1, "$name - WeChat was asked");
--- checks: 3



=== TEST 15: wx_openid_ssl_verify off: expired passes, and the start warns
--- http_config
    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_EXPIRED_PORT;
    wx_openid_ssl_verify  off;
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
like(start_warnings(), qr{"wx_openid_ssl_verify off": whoever answers for "https://127\.0\.0\.1:\d+" gets codes and the secret},
     "$name - warning");
my $code = new_code();
is(status_of(ask_with_code($code)), 200, "$name - status");
is(wechat("count?code=$code"), 1, "$name - WeChat was asked");
--- checks: 3



=== TEST 16: wx_openid_ssl_verify off: untrusted passes, and the start warns
--- http_config
    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_UNTRUSTED_PORT;
    wx_openid_ssl_verify  off;
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
like(start_warnings(), qr{"wx_openid_ssl_verify off": whoever answers for "https://127\.0\.0\.1:\d+" gets codes and the secret},
     "$name - warning");
my $code = new_code();
is(status_of(ask_with_code($code)), 200, "$name - status");
is(wechat("count?code=$code"), 1, "$name - WeChat was asked");
--- checks: 3



=== TEST 17: no warning with verification
--- http_config
    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT;
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
unlike(start_warnings(), qr/wx_openid/, "$name - no warning");
--- checks: 1



=== TEST 18: the system's trust store is the default
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  https://localhost:$TEST_NGINX_WECHAT_TLS_PORT;
--- environment
SSL_CERT_FILE=$TEST_NGINX_CERTS/ca.pem
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$
--- wechat_count: %CODE%=1
--- backend_count: 1



=== TEST 19: who is not in the system's trust store is refused
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  https://localhost:$TEST_NGINX_WECHAT_TLS_PORT;
--- environment
SSL_CERT_FILE=$TEST_NGINX_CERTS/other-ca.pem
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
[qr/upstream SSL certificate verify error/, qr/\[error\] .* wx_openid: bad_gateway: TLS handshake failed, "/]
--- wechat_count: %CODE%=0
--- wechat_total: 0
--- backend_count: 0
--- wechat_never eval
[$ENV{TEST_NGINX_SECRET}]



=== TEST 20: no trust store: nginx does not start, and says why
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  https://localhost:$TEST_NGINX_WECHAT_TLS_PORT;
--- environment
SSL_CERT_FILE=$TEST_NGINX_CERTS/no-such-file
--- must_die
--- suppress_stderr
--- error_log
[emerg]
no trust store of the system
"wx_openid_ssl_trusted_certificate" must name one



=== TEST 21: no trust store is needed for plain http
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
--- environment
SSL_CERT_FILE=$TEST_NGINX_CERTS/no-such-file
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$
--- wechat_count: %CODE%=1
--- backend_count: 1



=== TEST 22: no trust store is needed with verification off
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  https://localhost:$TEST_NGINX_WECHAT_TLS_PORT;
    wx_openid_ssl_verify  off;
--- environment
SSL_CERT_FILE=$TEST_NGINX_CERTS/no-such-file
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$
--- wechat_count: %CODE%=1
--- backend_count: 1



=== TEST 23: a kept connection that was opened without verification is not used
--- http_config
    upstream shared {
        server     127.0.0.1:$TEST_NGINX_WECHAT_UNTRUSTED_PORT;
        keepalive  4;
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://shared;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location = /proxy {
        proxy_pass             https://shared/proxied;
        proxy_http_version     1.1;
        proxy_set_header       Connection "";
        proxy_ssl_server_name  on;
        proxy_ssl_name         api.weixin.qq.com;
        proxy_ssl_verify       off;
    }
--- one_worker: connections are kept by each worker
--- request
GET /ready
--- error_code: 204
--- steps
my $seen = @{ wechat('log') };

for my $n (1 .. 3) {
    my $code = new_code();
    my $proxied = ask_nginx("GET /proxy HTTP/1.1\r\nHost: localhost\r\n"
                            . "Connection: close\r\n\r\n");

    is(status_of($proxied), 404, "$name - the other one is there");
    is(status_of(ask_with_code($code)), 502, "$name - status");
    is(wechat("count?code=$code"), 0, "$name - the code is not told");
}

my @log = @{ wechat('log') };
is_deeply([map { $_->{line} } @log[$seen .. $#log]],
          [('GET /proxied HTTP/1.1') x 3], "$name - nor is the secret");
--- checks: 10



=== TEST 24: nor one that was verified against another authority
--- http_config
    upstream shared {
        server     127.0.0.1:$TEST_NGINX_WECHAT_UNTRUSTED_PORT;
        keepalive  4;
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://shared;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location = /proxy {
        proxy_pass             https://shared/proxied;
        proxy_http_version     1.1;
        proxy_set_header       Connection "";
        proxy_ssl_server_name  on;
        proxy_ssl_name         api.weixin.qq.com;
        proxy_ssl_verify       on;
        proxy_ssl_trusted_certificate  $TEST_NGINX_CERTS/other-ca.pem;
    }
--- one_worker: connections are kept by each worker
--- request
GET /ready
--- error_code: 204
--- steps
my $seen = @{ wechat('log') };

for my $n (1 .. 3) {
    my $code = new_code();
    my $proxied = ask_nginx("GET /proxy HTTP/1.1\r\nHost: localhost\r\n"
                            . "Connection: close\r\n\r\n");

    is(status_of($proxied), 404, "$name - the other one is there");
    is(status_of(ask_with_code($code)), 502, "$name - status");
    is(wechat("count?code=$code"), 0, "$name - the code is not told");
}

my @log = @{ wechat('log') };
is_deeply([map { $_->{line} } @log[$seen .. $#log]],
          [('GET /proxied HTTP/1.1') x 3], "$name - nor is the secret");
--- checks: 10



=== TEST 25: a TLS session without verification is not taken up
--- http_config
    upstream shared {
        server     127.0.0.1:$TEST_NGINX_WECHAT_UNTRUSTED_PORT;
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://shared;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location = /proxy {
        proxy_pass             https://shared/proxied;
        proxy_http_version     1.1;
        proxy_set_header       Connection "";
        proxy_ssl_server_name  on;
        proxy_ssl_name         api.weixin.qq.com;
        proxy_ssl_verify       off;
    }
--- request
GET /ready
--- error_code: 204
--- steps
my $seen = @{ wechat('log') };

for my $n (1 .. 3) {
    my $code = new_code();
    my $proxied = ask_nginx("GET /proxy HTTP/1.1\r\nHost: localhost\r\n"
                            . "Connection: close\r\n\r\n");

    is(status_of($proxied), 404, "$name - the other one is there");
    is(status_of(ask_with_code($code)), 502, "$name - status");
    is(wechat("count?code=$code"), 0, "$name - the code is not told");
}

my @log = @{ wechat('log') };
is_deeply([map { $_->{line} } @log[$seen .. $#log]],
          [('GET /proxied HTTP/1.1') x 3], "$name - nor is the secret");
--- checks: 10



=== TEST 26: nor one that was verified against another authority
--- http_config
    upstream shared {
        server     127.0.0.1:$TEST_NGINX_WECHAT_UNTRUSTED_PORT;
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://shared;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location = /proxy {
        proxy_pass             https://shared/proxied;
        proxy_http_version     1.1;
        proxy_set_header       Connection "";
        proxy_ssl_server_name  on;
        proxy_ssl_name         api.weixin.qq.com;
        proxy_ssl_verify       on;
        proxy_ssl_trusted_certificate  $TEST_NGINX_CERTS/other-ca.pem;
    }
--- request
GET /ready
--- error_code: 204
--- steps
my $seen = @{ wechat('log') };

for my $n (1 .. 3) {
    my $code = new_code();
    my $proxied = ask_nginx("GET /proxy HTTP/1.1\r\nHost: localhost\r\n"
                            . "Connection: close\r\n\r\n");

    is(status_of($proxied), 404, "$name - the other one is there");
    is(status_of(ask_with_code($code)), 502, "$name - status");
    is(wechat("count?code=$code"), 0, "$name - the code is not told");
}

my @log = @{ wechat('log') };
is_deeply([map { $_->{line} } @log[$seen .. $#log]],
          [('GET /proxied HTTP/1.1') x 3], "$name - nor is the secret");
--- checks: 10



=== TEST 27: nor one of TLS 1.2
--- http_config
    upstream shared {
        server     127.0.0.1:$TEST_NGINX_WECHAT_UNTRUSTED_PORT;
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://shared;
    wx_openid_ssl_protocols  TLSv1.2;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location = /proxy {
        proxy_pass             https://shared/proxied;
        proxy_http_version     1.1;
        proxy_set_header       Connection "";
        proxy_ssl_server_name  on;
        proxy_ssl_name         api.weixin.qq.com;
        proxy_ssl_verify       on;
        proxy_ssl_trusted_certificate  $TEST_NGINX_CERTS/other-ca.pem;
        proxy_ssl_protocols    TLSv1.2;
    }
--- request
GET /ready
--- error_code: 204
--- steps
my $seen = @{ wechat('log') };

for my $n (1 .. 3) {
    my $code = new_code();
    my $proxied = ask_nginx("GET /proxy HTTP/1.1\r\nHost: localhost\r\n"
                            . "Connection: close\r\n\r\n");

    is(status_of($proxied), 404, "$name - the other one is there");
    is(status_of(ask_with_code($code)), 502, "$name - status");
    is(wechat("count?code=$code"), 0, "$name - the code is not told");
}

my @log = @{ wechat('log') };
is_deeply([map { $_->{line} } @log[$seen .. $#log]],
          [('GET /proxied HTTP/1.1') x 3], "$name - nor is the secret");
--- checks: 10



=== TEST 28: another's connection to the right server is not used either
--- http_config
    upstream shared {
        server     127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT;
        keepalive  4;
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://shared;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location = /proxy {
        proxy_pass             https://shared/proxied;
        proxy_http_version     1.1;
        proxy_set_header       Connection "";
        proxy_ssl_server_name  on;
        proxy_ssl_name         api.weixin.qq.com;
        proxy_ssl_verify       off;
    }
--- one_worker: connections are kept by each worker
--- request
GET /ready
--- error_code: 204
--- steps
# ours, if it was here before, goes
ask_with_code(new_code('fault-conn_close'));

for my $n (1 .. 3) {
    my $code = new_code();
    ask_nginx("GET /proxy HTTP/1.1\r\nHost: localhost\r\n"
              . "Connection: close\r\n\r\n");
    my $before = wechat('connections')->{handshakes};

    is(status_of(ask_with_code($code)), 200, "$name - status");
    is(wechat('connections')->{handshakes} - $before, 1,
       "$name - a handshake of our own") if $n == 1;
    is(wechat("count?code=$code"), 1, "$name - WeChat was asked once");
}
--- checks: 7



=== TEST 29: a plain connection of the group is not used for TLS
--- http_config
    upstream shared {
        server     127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT;
        keepalive  4;
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://shared;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location = /proxy {
        proxy_pass             http://shared/proxied;
        proxy_http_version     1.1;
        proxy_set_header       Connection "";
        proxy_ssl_server_name  on;
        proxy_ssl_name         api.weixin.qq.com;
        proxy_ssl_verify       off;
    }
--- one_worker: connections are kept by each worker
--- request
GET /ready
--- error_code: 204
--- steps
my $code = new_code();
ask_nginx("GET /proxy HTTP/1.1\r\nHost: localhost\r\n"
          . "Connection: close\r\n\r\n");
is(status_of(ask_with_code($code)), 200, "$name - status");
is(wechat("count?code=$code"), 1, "$name - WeChat was asked once");
--- checks: 2



=== TEST 30: a location's connection is not used by one that verifies otherwise
--- http_config
    upstream shared {
        server     127.0.0.1:$TEST_NGINX_WECHAT_UNTRUSTED_PORT;
        keepalive  4;
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://shared;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /unverified {
        wx_openid             on;
        wx_openid_ssl_verify  off;
        proxy_pass            http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /other-name {
        wx_openid       on;
        wx_openid_host  other.example;
        wx_openid_ssl_trusted_certificate  $TEST_NGINX_CERTS/other-ca.pem;
        proxy_pass      http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /other {
        wx_openid   on;
        wx_openid_ssl_trusted_certificate  $TEST_NGINX_CERTS/other-ca.pem;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- one_worker: connections are kept by each worker
--- request
GET /ready
--- error_code: 204
--- steps
for my $path ('/unverified', '/other') {
    my $code = new_code();

    is(status_of(ask_with_code(new_code(), $path)), 200, "$name - $path");
    is(status_of(ask_with_code($code)), 502, "$name - status");
    is(status_of(ask_with_code($code, '/other-name')), 502,
       "$name - another name");
    is(wechat("count?code=$code"), 0, "$name - the code is not told");
}
--- checks: 8



=== TEST 31: a reply before the handshake is never believed
--- http_config
    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_EVIL_PORT;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/\[error\] .* wx_openid: bad_gateway: (?:TLS handshake failed|bytes came before the request was sent|connection closed before a reply|connect failed), "/
--- wechat_total: 0
--- backend_never
EVIL
X-WX-
--- backend_count: 0



=== TEST 32: nor is it with other servers to try
--- http_config
    upstream group {
        server  127.0.0.1:$TEST_NGINX_WECHAT_EVIL_PORT max_fails=0;
        server  127.0.0.1:$TEST_NGINX_WECHAT_EVIL_PORT max_fails=0;
        server  127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT backup;
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://group;
    wx_openid_next_upstream_tries  3;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$
--- wechat_count: %CODE%=1
--- backend_count: 1
--- backend_never
EVIL



=== TEST 33: a reply before the handshake is never believed, in one round with the connection
--- http_config
    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_EVIL_PORT;
--- environment
TEST_NGINX_LD_PRELOAD=$TEST_NGINX_WAIT_FOR_PEER
TALKING_PORT=$TEST_NGINX_WECHAT_EVIL_PORT
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/\[error\] .* wx_openid: bad_gateway: (?:TLS handshake failed|bytes came before the request was sent|connection closed before a reply|connect failed), "/
--- wechat_total: 0
--- backend_never
EVIL
X-WX-
--- backend_count: 0



=== TEST 34: nor is it with other servers to try, in one round with the connection
--- http_config
    upstream group {
        server  127.0.0.1:$TEST_NGINX_WECHAT_EVIL_PORT max_fails=0;
        server  127.0.0.1:$TEST_NGINX_WECHAT_EVIL_PORT max_fails=0;
        server  127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT backup;
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://group;
    wx_openid_next_upstream_tries  3;
--- environment
TEST_NGINX_LD_PRELOAD=$TEST_NGINX_WAIT_FOR_PEER
TALKING_PORT=$TEST_NGINX_WECHAT_EVIL_PORT
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$
--- wechat_count: %CODE%=1
--- backend_count: 1
--- backend_never
EVIL



=== TEST 35: nor is one that came before the request, without TLS
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_EAGER_PORT;
--- environment
TEST_NGINX_LD_PRELOAD=$TEST_NGINX_WAIT_FOR_PEER
TALKING_PORT=$TEST_NGINX_EAGER_PORT
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log
wx_openid: bad_gateway: bytes came before the request was sent, "
--- backend_never
EVIL
--- backend_count: 0



=== TEST 36: SNI is wx_openid_host
--- http_config
    server {
        listen               127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
        ssl_certificate      $TEST_NGINX_CERTS/good.crt;
        ssl_certificate_key  $TEST_NGINX_CERTS/good.key;

        location / {
            return  200 '{"openid":"sni.$ssl_server_name"}';
        }
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: sni\.api\.weixin\.qq\.com$
--- backend_count: 1



=== TEST 37: SNI is the host of wx_openid_pass without its port
--- http_config
    server {
        listen               127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
        ssl_certificate      $TEST_NGINX_CERTS/good.crt;
        ssl_certificate_key  $TEST_NGINX_CERTS/good.key;

        location / {
            return  200 '{"openid":"sni.$ssl_server_name"}';
        }
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_ssl_trusted_certificate  $TEST_NGINX_CERTS/ca.pem;
    wx_openid_pass  https://localhost:$TEST_NGINX_RAND_PORT_1;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: sni\.localhost$
--- backend_count: 1



=== TEST 38: TLS 1.3 by default
--- http_config
    server {
        listen               127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
        ssl_certificate      $TEST_NGINX_CERTS/good.crt;
        ssl_certificate_key  $TEST_NGINX_CERTS/good.key;
        ssl_protocols        TLSv1.2 TLSv1.3;

        location / {
            return  200 '{"openid":"$ssl_protocol"}';
        }
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: TLSv1\.3$
--- backend_count: 1



=== TEST 39: TLS 1.2 by default
--- http_config
    server {
        listen               127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
        ssl_certificate      $TEST_NGINX_CERTS/good.crt;
        ssl_certificate_key  $TEST_NGINX_CERTS/good.key;
        ssl_protocols        TLSv1.2;

        location / {
            return  200 '{"openid":"$ssl_protocol"}';
        }
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: TLSv1\.2$
--- backend_count: 1



=== TEST 40: wx_openid_ssl_protocols
--- http_config
    server {
        listen               127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
        ssl_certificate      $TEST_NGINX_CERTS/good.crt;
        ssl_certificate_key  $TEST_NGINX_CERTS/good.key;
        ssl_protocols        TLSv1.2 TLSv1.3;

        location / {
            return  200 '{"openid":"$ssl_protocol"}';
        }
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    wx_openid_ssl_protocols  TLSv1.2;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: TLSv1\.2$
--- backend_count: 1



=== TEST 41: wx_openid_ssl_protocols that the server does not have
--- http_config
    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_TLS12_PORT;
    wx_openid_ssl_protocols  TLSv1.3;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
[qr/SSL_do_handshake\(\) failed/, qr/\[error\] .* wx_openid: bad_gateway: TLS handshake failed, "/]
--- wechat_count: %CODE%=0
--- wechat_total: 0
--- backend_count: 0
--- wechat_never eval
[$ENV{TEST_NGINX_SECRET}]



=== TEST 42: wx_openid_ssl_protocols and _ciphers may be as old as they come
--- http_config
    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_OLD_PORT;
    wx_openid_ssl_protocols  TLSv1.1;
    wx_openid_ssl_ciphers    DEFAULT:@SECLEVEL=0;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$
--- wechat_count: %CODE%=1
--- backend_count: 1



=== TEST 43: wx_openid_ssl_ciphers
--- http_config
    server {
        listen               127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
        ssl_certificate      $TEST_NGINX_CERTS/good.crt;
        ssl_certificate_key  $TEST_NGINX_CERTS/good.key;
        ssl_protocols        TLSv1.2;

        location / {
            return  200 '{"openid":"$ssl_cipher"}';
        }
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    wx_openid_ssl_ciphers  ECDHE-ECDSA-AES128-SHA256;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: ECDHE-ECDSA-AES128-SHA256$
--- backend_count: 1



=== TEST 44: wx_openid_ssl_ciphers that the server does not have
--- http_config
    server {
        listen               127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
        ssl_certificate      $TEST_NGINX_CERTS/good.crt;
        ssl_certificate_key  $TEST_NGINX_CERTS/good.key;
        ssl_protocols        TLSv1.2;
        ssl_ciphers          ECDHE-ECDSA-AES256-GCM-SHA384;

        location / {
            return  200 '{"openid":"$ssl_cipher"}';
        }
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    wx_openid_ssl_ciphers  ECDHE-ECDSA-AES128-SHA256;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- error_log
SSL_do_handshake() failed
wx_openid: bad_gateway: TLS handshake failed
--- backend_count: 0



=== TEST 45: an intermediate authority is within the default depth
--- http_config
    server {
        listen               127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
        ssl_certificate      $TEST_NGINX_CHAIN.crt;
        ssl_certificate_key  $TEST_NGINX_CHAIN.key;

        location / {
            return  200 '{"openid":"deep"}';
        }
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: deep$
--- backend_count: 1



=== TEST 46: wx_openid_ssl_verify_depth 1
--- http_config
    server {
        listen               127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
        ssl_certificate      $TEST_NGINX_CHAIN.crt;
        ssl_certificate_key  $TEST_NGINX_CHAIN.key;

        location / {
            return  200 '{"openid":"deep"}';
        }
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    wx_openid_ssl_verify_depth  1;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: deep$
--- backend_count: 1



=== TEST 47: wx_openid_ssl_verify_depth 0
--- http_config
    server {
        listen               127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
        ssl_certificate      $TEST_NGINX_CHAIN.crt;
        ssl_certificate_key  $TEST_NGINX_CHAIN.key;

        location / {
            return  200 '{"openid":"deep"}';
        }
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    wx_openid_ssl_verify_depth  0;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log
upstream SSL certificate verify error: (2
wx_openid: bad_gateway: TLS handshake failed
--- backend_count: 0



=== TEST 48: wx_openid_ssl_session_reuse on, TLSv1.2
--- http_config
    server {
        listen               127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
        ssl_certificate      $TEST_NGINX_CERTS/good.crt;
        ssl_certificate_key  $TEST_NGINX_CERTS/good.key;
        ssl_protocols        TLSv1.2;
        ssl_session_cache    shared:wechat:1m;
        keepalive_timeout    0;

        location / {
            return  200 '{"openid":"reused.$ssl_session_reused"}';
        }
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- one_worker: TLS sessions are kept by each worker
--- request
GET /ready
--- error_code: 204
--- steps
ask_with_code(new_code());

for my $n (1 .. 2) {
    like(body_of(ask_with_code(new_code())),
         qr/^X-WX-OPENID: reused\.r$/m, "$name - $n");
}
--- checks: 2



=== TEST 49: a group, which others share, has no sessions: on, TLSv1.2
--- http_config
    upstream wechat {
        server  127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }

    server {
        listen               127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
        ssl_certificate      $TEST_NGINX_CERTS/good.crt;
        ssl_certificate_key  $TEST_NGINX_CERTS/good.key;
        ssl_protocols        TLSv1.2;
        ssl_session_cache    shared:wechat:1m;
        keepalive_timeout    0;

        location / {
            return  200 '{"openid":"reused.$ssl_session_reused"}';
        }
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://wechat;
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
ask_with_code(new_code());

for my $n (1 .. 2) {
    like(body_of(ask_with_code(new_code())),
         qr/^X-WX-OPENID: reused\.\.$/m, "$name - $n");
}
--- checks: 2



=== TEST 50: wx_openid_ssl_session_reuse on, TLSv1.3
--- http_config
    server {
        listen               127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
        ssl_certificate      $TEST_NGINX_CERTS/good.crt;
        ssl_certificate_key  $TEST_NGINX_CERTS/good.key;
        ssl_protocols        TLSv1.3;
        ssl_session_cache    shared:wechat:1m;
        keepalive_timeout    0;

        location / {
            return  200 '{"openid":"reused.$ssl_session_reused"}';
        }
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- one_worker: TLS sessions are kept by each worker
--- request
GET /ready
--- error_code: 204
--- steps
ask_with_code(new_code());

for my $n (1 .. 2) {
    like(body_of(ask_with_code(new_code())),
         qr/^X-WX-OPENID: reused\.r$/m, "$name - $n");
}
--- checks: 2



=== TEST 51: a group, which others share, has no sessions: on, TLSv1.3
--- http_config
    upstream wechat {
        server  127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }

    server {
        listen               127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
        ssl_certificate      $TEST_NGINX_CERTS/good.crt;
        ssl_certificate_key  $TEST_NGINX_CERTS/good.key;
        ssl_protocols        TLSv1.3;
        ssl_session_cache    shared:wechat:1m;
        keepalive_timeout    0;

        location / {
            return  200 '{"openid":"reused.$ssl_session_reused"}';
        }
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://wechat;
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
ask_with_code(new_code());

for my $n (1 .. 2) {
    like(body_of(ask_with_code(new_code())),
         qr/^X-WX-OPENID: reused\.\.$/m, "$name - $n");
}
--- checks: 2



=== TEST 52: wx_openid_ssl_session_reuse off, TLSv1.2
--- http_config
    server {
        listen               127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
        ssl_certificate      $TEST_NGINX_CERTS/good.crt;
        ssl_certificate_key  $TEST_NGINX_CERTS/good.key;
        ssl_protocols        TLSv1.2;
        ssl_session_cache    shared:wechat:1m;
        keepalive_timeout    0;

        location / {
            return  200 '{"openid":"reused.$ssl_session_reused"}';
        }
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    wx_openid_ssl_session_reuse  off;
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
ask_with_code(new_code());

for my $n (1 .. 2) {
    like(body_of(ask_with_code(new_code())),
         qr/^X-WX-OPENID: reused\.\.$/m, "$name - $n");
}
--- checks: 2



=== TEST 53: a group, which others share, has no sessions: off, TLSv1.2
--- http_config
    upstream wechat {
        server  127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }

    server {
        listen               127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
        ssl_certificate      $TEST_NGINX_CERTS/good.crt;
        ssl_certificate_key  $TEST_NGINX_CERTS/good.key;
        ssl_protocols        TLSv1.2;
        ssl_session_cache    shared:wechat:1m;
        keepalive_timeout    0;

        location / {
            return  200 '{"openid":"reused.$ssl_session_reused"}';
        }
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://wechat;
    wx_openid_ssl_session_reuse  off;
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
ask_with_code(new_code());

for my $n (1 .. 2) {
    like(body_of(ask_with_code(new_code())),
         qr/^X-WX-OPENID: reused\.\.$/m, "$name - $n");
}
--- checks: 2



=== TEST 54: wx_openid_ssl_session_reuse off, TLSv1.3
--- http_config
    server {
        listen               127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
        ssl_certificate      $TEST_NGINX_CERTS/good.crt;
        ssl_certificate_key  $TEST_NGINX_CERTS/good.key;
        ssl_protocols        TLSv1.3;
        ssl_session_cache    shared:wechat:1m;
        keepalive_timeout    0;

        location / {
            return  200 '{"openid":"reused.$ssl_session_reused"}';
        }
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    wx_openid_ssl_session_reuse  off;
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
ask_with_code(new_code());

for my $n (1 .. 2) {
    like(body_of(ask_with_code(new_code())),
         qr/^X-WX-OPENID: reused\.\.$/m, "$name - $n");
}
--- checks: 2



=== TEST 55: a group, which others share, has no sessions: off, TLSv1.3
--- http_config
    upstream wechat {
        server  127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }

    server {
        listen               127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
        ssl_certificate      $TEST_NGINX_CERTS/good.crt;
        ssl_certificate_key  $TEST_NGINX_CERTS/good.key;
        ssl_protocols        TLSv1.3;
        ssl_session_cache    shared:wechat:1m;
        keepalive_timeout    0;

        location / {
            return  200 '{"openid":"reused.$ssl_session_reused"}';
        }
    }

    $TEST_NGINX_TLS
    wx_openid_pass  https://wechat;
    wx_openid_ssl_session_reuse  off;
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
ask_with_code(new_code());

for my $n (1 .. 2) {
    like(body_of(ask_with_code(new_code())),
         qr/^X-WX-OPENID: reused\.\.$/m, "$name - $n");
}
--- checks: 2
