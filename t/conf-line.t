# The call to WeChat, as configured: the default of each directive, its
# levels, how it is inherited and overridden.  What nginx refuses is
# conf-refused.t's.

use lib 't/lib';
use WxOpenid;

my $Certs = $ENV{TEST_NGINX_CERTS};

# a trust store for all, as nginx finds the system's

$ENV{SSL_CERT_FILE} = "$Certs/ca.pem";

# what http{} alone decides: another server, and how a test gets there

$ENV{TEST_NGINX_OTHER_SERVER} = <<_EOC_;
    server {
        listen unix:$Certs/other.sock;
        location / {
            wx_openid   on;
            proxy_pass  http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT};
        }
    }
_EOC_

$ENV{TEST_NGINX_OTHER_LOCATION} = <<_EOC_;
    location /http {
        proxy_pass        http://unix:$Certs/other.sock;
        proxy_set_header  X-WX-Code \$http_x_wx_code;
    }
_EOC_

# an app alone; the same and WeChat over TLS

$ENV{TEST_NGINX_APP} = "wx_openid_app wxtest $ENV{TEST_NGINX_SECRET};";
$ENV{TEST_NGINX_TLS} = <<_EOC_;
    wx_openid_app   wxtest $ENV{TEST_NGINX_SECRET};
    wx_openid_pass  https://127.0.0.1:$ENV{TEST_NGINX_WECHAT_TLS_PORT};
    wx_openid_host  api.weixin.qq.com;
_EOC_

# timers are told in debug lines alone

my $nginx = $ENV{TEST_NGINX_BINARY} // 'nginx';
$ENV{WX_DEBUG} = `PATH=\$PATH:/usr/sbin $nginx -V 2>&1` =~ /--with-debug/;

# addresses that refuse, and that hang; all are tried every time

sub group {
    my ($name, $port, $servers) = @_;
    return "upstream $name {\n"
           . "    server 127.0.0.1:$port max_fails=0;\n" x $servers . "}\n";
}

$ENV{TEST_NGINX_DEAD_GROUP} = group('dead', $ENV{TEST_NGINX_WECHAT_DEAD_PORT},
                                    5);
$ENV{TEST_NGINX_FULL_GROUP} = group('full', $ENV{TEST_NGINX_WECHAT_FULL_PORT},
                                    3);

# certificates behind 3 and 4 intermediate ones

sub run_openssl {
    system("openssl @_ 2>> $Certs/chain.log") == 0
        or die "openssl @_ failed, see $Certs/chain.log\n";
}

sub make_chain {
    my ($name, $intermediates) = @_;
    my ($issuer, $chain) = ("$Certs/ca", '');

    for my $n (0 .. $intermediates) {
        my $leaf = $n == $intermediates;
        my $this = "$Certs/$name-$n";
        my $extensions = $leaf ? 'subjectAltName=DNS:api.weixin.qq.com'
                               : 'basicConstraints=critical,CA:TRUE';

        open my $out, '>', "$this.ext" or die "$this.ext: $!";
        print $out "$extensions\n";
        close $out;

        run_openssl("req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256",
                    "-nodes -subj /CN=$name-$n -keyout $this.key",
                    "-out $this.csr");
        run_openssl("x509 -req -in $this.csr -CA $issuer.pem",
                    "-CAkey $issuer.key -set_serial 0x1000$n -days 2",
                    "-extfile $this.ext -out $this.pem");

        open my $in, '<', "$this.pem" or die "$this.pem: $!";
        $chain = do { local $/; <$in> } . $chain;
        $issuer = $this;
    }

    open my $out, '>', "$Certs/$name.crt" or die "$name.crt: $!";
    print $out $chain;
    close $out;
    rename "$issuer.key", "$Certs/$name.key" or die "$name.key: $!";
}

make_chain("chain$_", $_) for 3, 4;

repeat_each(2);

plan tests => wx_tests();

no_long_string();
run_tests();

__DATA__

=== TEST 1: by default https to api.weixin.qq.com, verified by that name
--- http_config
    $TEST_NGINX_APP
    upstream api.weixin.qq.com {
        server 127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT;
    }
    wx_openid_host  api.weixin.qq.com;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$
--- wechat_total: 1
--- wechat_request_like eval
qr/^GET \/sns\/jscode2session\?(?s:.*)^Host: api\.weixin\.qq\.com$/m



=== TEST 2: wx_openid_pass in http, server and location
--- http_config
    $TEST_NGINX_APP
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT/http;
    $TEST_NGINX_OTHER_SERVER
--- config
    $TEST_NGINX_OTHER_LOCATION
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_DEAD_PORT;
    location /server {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /location {
        wx_openid   on;
        wx_openid_pass  http://$TEST_NGINX_WECHAT_SOCKET;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;

        location /location/nested {
            proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        }
    }
--- request eval
["GET /http", "GET /server", "GET /location", "GET /location/nested"]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%" } 1 .. 4]
--- error_code eval
[200, 502, 200, 200]
--- response_body_like eval
[qr/%OPENID1%/, qr/bad_gateway/, qr/%OPENID3%/, qr/%OPENID4%/]
--- wechat_total: 3



=== TEST 3: a prefix in wx_openid_pass goes before the path
--- http_config
    $TEST_NGINX_APP
--- config
    location /plain {
        wx_openid   on;
        wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT/;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /prefix {
        wx_openid   on;
        wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT/a/b%20c/;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /plain", "GET /prefix"]
--- more_headers eval
["X-WX-Code: %CODE1%", "X-WX-Code: %CODE2%"]
--- response_body_like eval
[qr/%OPENID1%/, qr/%OPENID2%/]
--- wechat_request_like
^GET /a/b%20c/sns/jscode2session\?
--- wechat_never
GET //



=== TEST 4: wx_openid_pass to a group, whatever its letter case
--- http_config
    $TEST_NGINX_APP
    wx_openid_pass  http://WeChat;
    upstream wechat {
        server 127.0.0.1:$TEST_NGINX_WECHAT_DEAD_PORT down;
        server 127.0.0.1:$TEST_NGINX_WECHAT_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
%OPENID%
--- wechat_total: 1



=== TEST 5: a host that cannot be resolved: nginx starts, codes get 502
--- http_config
    $TEST_NGINX_APP
    wx_openid_pass  https://nosuch.invalid;
--- config
    location /t {
        wx_openid   optional;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- response_body_like
^\{"error":"bad_gateway"\}$
--- error_log eval
qr/\[error\].*wx_openid: bad_gateway: no address of "nosuch.invalid" is known/
--- backend_count: 0
--- logs_never eval
[$ENV{TEST_NGINX_SECRET}]



=== TEST 6: a host that cannot be resolved: others pass
--- http_config
    $TEST_NGINX_APP
    wx_openid_pass  https://nosuch.invalid;
--- config
    location /t {
        wx_openid   optional;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- response_body_like
^GET /t



=== TEST 7: Host is the host and port of wx_openid_pass
--- http_config
    $TEST_NGINX_APP
    upstream wechat {
        server 127.0.0.1:$TEST_NGINX_WECHAT_PORT;
    }
--- config
    location /t {
        wx_openid   on;
        wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT/prefix;
    }
    location /group {
        wx_openid   on;
        wx_openid_pass  http://wechat;
    }
    location /unix {
        wx_openid   on;
        wx_openid_pass  http://$TEST_NGINX_WECHAT_SOCKET;
    }
--- request eval
["GET /t", "GET /group", "GET /unix"]
--- more_headers eval
["X-WX-Code: echo-1", "X-WX-Code: echo-2", "X-WX-Code: echo-3"]
--- error_code eval
[(401) x 3]
--- wechat_request_like
^Host: localhost$
--- wechat_never eval
[qr/^(?=GET.*echo-1)(?!(?s:.*)^Host: 127\.0\.0\.1:\d+$)/m,
 qr/^(?=GET.*echo-2)(?!(?s:.*)^Host: wechat$)/m]
--- wechat_total: 3



=== TEST 8: wx_openid_host in http, server and location
--- http_config
    $TEST_NGINX_APP
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
    wx_openid_host  http.example;
    $TEST_NGINX_OTHER_SERVER
--- config
    $TEST_NGINX_OTHER_LOCATION
    wx_openid_host  server.example;
    location /server {
        wx_openid   on;
    }
    location /location {
        wx_openid   on;
        wx_openid_host  location.example:8080;
    }
--- request eval
["GET /http", "GET /server", "GET /location"]
--- more_headers eval
["X-WX-Code: echo-1", "X-WX-Code: echo-2", "X-WX-Code: echo-3"]
--- error_code eval
[(401) x 3]
--- wechat_request_like
^Host: location.example:8080$
--- wechat_never eval
[qr/^(?=GET.*echo-1)(?!(?s:.*)^Host: http\.example$)/m,
 qr/^(?=GET.*echo-2)(?!(?s:.*)^Host: server\.example$)/m]
--- wechat_total: 3



=== TEST 9: wx_openid_host is SNI and the name checked, its port is not
--- http_config
    $TEST_NGINX_APP
    wx_openid_pass  https://localhost:$TEST_NGINX_RAND_PORT_1;
    server {
        listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
        ssl_certificate      $TEST_NGINX_CERTS/good.crt;
        ssl_certificate_key  $TEST_NGINX_CERTS/good.key;
        location / {
            return 200 '{"openid":"sni-$ssl_server_name"}';
        }
    }
--- config
    location /default {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /name {
        wx_openid   on;
        wx_openid_host  api.weixin.qq.com;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /port {
        wx_openid   on;
        wx_openid_host  api.weixin.qq.com:8443;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /wrong {
        wx_openid   on;
        wx_openid_host  other.example;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /default", "GET /name", "GET /port", "GET /wrong"]
--- more_headers
X-WX-Code: any
--- error_code eval
[200, 200, 200, 502]
--- response_body_like eval
[qr/^X-WX-OPENID: sni-localhost$/m,
 (qr/^X-WX-OPENID: sni-api\.weixin\.qq\.com$/m) x 2, qr/bad_gateway/]



=== TEST 10: verified by the system's trust store by default
--- http_config
    $TEST_NGINX_APP
    wx_openid_host  api.weixin.qq.com;
--- config
    location /good {
        wx_openid   on;
        wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /untrusted {
        wx_openid   on;
        wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_UNTRUSTED_PORT;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /expired {
        wx_openid   on;
        wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_EXPIRED_PORT;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /good", "GET /untrusted", "GET /expired"]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%" } 1 .. 3]
--- error_code eval
[200, 502, 502]
--- response_body_like eval
[qr/%OPENID1%/, qr/bad_gateway/, qr/bad_gateway/]
--- wechat_total: 1
--- backend_count: 1



=== TEST 11: wx_openid_ssl_verify in http, server and location
--- http_config
    $TEST_NGINX_APP
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_UNTRUSTED_PORT;
    wx_openid_host  api.weixin.qq.com;
    wx_openid_ssl_verify  off;
    $TEST_NGINX_OTHER_SERVER
--- config
    $TEST_NGINX_OTHER_LOCATION
    wx_openid_ssl_verify  on;
    location /server {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /location {
        wx_openid   on;
        wx_openid_ssl_verify  off;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /http", "GET /server", "GET /location"]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%" } 1 .. 3]
--- error_code eval
[200, 502, 200]
--- response_body_like eval
[qr/%OPENID1%/, qr/bad_gateway/, qr/%OPENID3%/]
--- wechat_total: 2



=== TEST 12: wx_openid_ssl_trusted_certificate in http, server and location
--- http_config
    $TEST_NGINX_TLS
    wx_openid_ssl_trusted_certificate  $TEST_NGINX_CERTS/ca.pem;
    $TEST_NGINX_OTHER_SERVER
--- config
    $TEST_NGINX_OTHER_LOCATION
    wx_openid_ssl_trusted_certificate  $TEST_NGINX_CERTS/other-ca.pem;
    location /server {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /location {
        wx_openid   on;
        wx_openid_ssl_trusted_certificate  $TEST_NGINX_CERTS/ca.pem;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /http", "GET /server", "GET /location"]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%" } 1 .. 3]
--- error_code eval
[200, 502, 200]
--- response_body_like eval
[qr/%OPENID1%/, qr/bad_gateway/, qr/%OPENID3%/]
--- wechat_total: 2



=== TEST 13: TLS 1.2 is spoken by default, TLS 1.1 is not
--- http_config
    $TEST_NGINX_APP
    wx_openid_host  api.weixin.qq.com;
    wx_openid_ssl_ciphers  DEFAULT@SECLEVEL=0;
--- config
    location /tls12 {
        wx_openid   on;
        wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_TLS12_PORT;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /tls11 {
        wx_openid   on;
        wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_OLD_PORT;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /configured {
        wx_openid   on;
        wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_OLD_PORT;
        wx_openid_ssl_protocols  TLSv1.1;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /tls12", "GET /tls11", "GET /configured"]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%" } 1 .. 3]
--- error_code eval
[200, 502, 200]
--- response_body_like eval
[qr/%OPENID1%/, qr/bad_gateway/, qr/%OPENID3%/]
--- wechat_total: 2



=== TEST 14: wx_openid_ssl_protocols in http, server and location
--- http_config
    $TEST_NGINX_APP
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_TLS12_PORT;
    wx_openid_host  api.weixin.qq.com;
    wx_openid_ssl_protocols  TLSv1.2;
    $TEST_NGINX_OTHER_SERVER
--- config
    $TEST_NGINX_OTHER_LOCATION
    wx_openid_ssl_protocols  TLSv1.3;
    location /server {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /location {
        wx_openid   on;
        wx_openid_ssl_protocols  TLSv1.2 TLSv1.3;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /http", "GET /server", "GET /location"]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%" } 1 .. 3]
--- error_code eval
[200, 502, 200]
--- response_body_like eval
[qr/%OPENID1%/, qr/bad_gateway/, qr/%OPENID3%/]
--- wechat_total: 2



=== TEST 15: wx_openid_ssl_ciphers in http, server and location
--- http_config
    $TEST_NGINX_APP
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_TLS12_PORT;
    wx_openid_host  api.weixin.qq.com;
    wx_openid_ssl_ciphers  ECDHE-ECDSA-AES128-GCM-SHA256;
    $TEST_NGINX_OTHER_SERVER
--- config
    $TEST_NGINX_OTHER_LOCATION
    # the certificate is no RSA one
    wx_openid_ssl_ciphers  ECDHE-RSA-AES128-GCM-SHA256;
    location /server {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /location {
        wx_openid   on;
        wx_openid_ssl_ciphers  DEFAULT;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /http", "GET /server", "GET /location"]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%" } 1 .. 3]
--- error_code eval
[200, 502, 200]
--- response_body_like eval
[qr/%OPENID1%/, qr/bad_gateway/, qr/%OPENID3%/]
--- wechat_total: 2



=== TEST 16: by default three intermediate certificates are followed
--- http_config
    $TEST_NGINX_APP
    wx_openid_host  api.weixin.qq.com;
    server {
        listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
        ssl_certificate      $TEST_NGINX_CERTS/chain3.crt;
        ssl_certificate_key  $TEST_NGINX_CERTS/chain3.key;
        location / {
            return 200 '{"openid":"chain3"}';
        }
    }
    server {
        listen 127.0.0.1:$TEST_NGINX_RAND_PORT_2 ssl;
        ssl_certificate      $TEST_NGINX_CERTS/chain4.crt;
        ssl_certificate_key  $TEST_NGINX_CERTS/chain4.key;
        location / {
            return 200 '{"openid":"chain4"}';
        }
    }
--- config
    location /three {
        wx_openid   on;
        wx_openid_pass  https://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /four {
        wx_openid   on;
        wx_openid_pass  https://127.0.0.1:$TEST_NGINX_RAND_PORT_2;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /three", "GET /four"]
--- more_headers
X-WX-Code: any
--- error_code eval
[200, 502]
--- response_body_like eval
[qr/^X-WX-OPENID: chain3$/m, qr/bad_gateway/]



=== TEST 17: wx_openid_ssl_verify_depth in http, server and location
--- http_config
    $TEST_NGINX_APP
    wx_openid_host  api.weixin.qq.com;
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    wx_openid_ssl_verify_depth  4;
    $TEST_NGINX_OTHER_SERVER
    server {
        listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
        ssl_certificate      $TEST_NGINX_CERTS/chain4.crt;
        ssl_certificate_key  $TEST_NGINX_CERTS/chain4.key;
        location / {
            return 200 '{"openid":"chain4"}';
        }
    }
--- config
    $TEST_NGINX_OTHER_LOCATION
    wx_openid_ssl_verify_depth  1;
    location /server {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /location {
        wx_openid   on;
        wx_openid_ssl_verify_depth  5;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /http", "GET /server", "GET /location"]
--- more_headers
X-WX-Code: any
--- error_code eval
[200, 502, 200]
--- response_body_like eval
[qr/^X-WX-OPENID: chain4$/m, qr/bad_gateway/, qr/^X-WX-OPENID: chain4$/m]



=== TEST 18: wx_openid_ssl_crl: none by default; in http, server, location
--- http_config
    $TEST_NGINX_APP
    wx_openid_host  api.weixin.qq.com;
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_REVOKED_PORT;
    $TEST_NGINX_OTHER_SERVER
--- config
    $TEST_NGINX_OTHER_LOCATION
    wx_openid_ssl_crl  $TEST_NGINX_CERTS/crl.pem;
    location /server {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /good {
        wx_openid   on;
        wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /location {
        wx_openid   on;
        wx_openid_ssl_crl  "";
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /http", "GET /server", "GET /good", "GET /location"]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%" } 1 .. 4]
--- error_code eval
[200, 502, 200, 200]
--- response_body_like eval
[qr/%OPENID1%/, qr/bad_gateway/, qr/%OPENID3%/, qr/%OPENID4%/]
--- wechat_total: 3



=== TEST 19: wx_openid_ssl_crl of http
--- http_config
    $TEST_NGINX_APP
    wx_openid_host  api.weixin.qq.com;
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_REVOKED_PORT;
    wx_openid_ssl_crl  $TEST_NGINX_CERTS/crl.pem;
    $TEST_NGINX_OTHER_SERVER
--- config
    $TEST_NGINX_OTHER_LOCATION
--- request
GET /http
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- error_log
certificate revoked
--- wechat_total: 0



=== TEST 20: TLS sessions are reused by default; in http, server, location
--- http_config
    $TEST_NGINX_APP
    wx_openid_host  api.weixin.qq.com;
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    wx_openid_ssl_protocols  TLSv1.2;
    $TEST_NGINX_OTHER_SERVER
    server {
        listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
        ssl_certificate      $TEST_NGINX_CERTS/good.crt;
        ssl_certificate_key  $TEST_NGINX_CERTS/good.key;
        ssl_session_cache    builtin;
        keepalive_timeout    0;
        location / {
            return 200 '{"openid":"reused$ssl_session_reused"}';
        }
    }
--- config
    $TEST_NGINX_OTHER_LOCATION
    wx_openid_ssl_session_reuse  off;
    location /server {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /location {
        wx_openid   on;
        wx_openid_ssl_session_reuse  on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- one_worker: TLS sessions are kept by each worker
--- request eval
["GET /http", "GET /http", "GET /server", "GET /server", "GET /location",
 "GET /location"]
--- more_headers
X-WX-Code: any
--- response_body_like eval
[qr/^X-WX-OPENID: reused[r.]$/m, qr/^X-WX-OPENID: reusedr$/m,
 (qr/^X-WX-OPENID: reused\.$/m) x 2,
 qr/^X-WX-OPENID: reused[r.]$/m, qr/^X-WX-OPENID: reusedr$/m]



=== TEST 21: a connection may take 3s by default, a reply 5s, it all 10s
--- http_config
    $TEST_NGINX_APP
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
%OPENID%
--- error_log eval
[qr/event timer add: \d+: 3000:/, qr/event timer add: \d+: 5000:/,
 qr/event timer add: -?\d+: 10000:/]
--- log_level: debug
--- skip_eval: 8: !$ENV{WX_DEBUG}



=== TEST 22: wx_openid_connect_timeout in http
--- http_config
    $TEST_NGINX_APP
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_FULL_PORT;
    wx_openid_connect_timeout  150ms;
--- config
    location /t {
        wx_openid   on;
        add_header  X-Time $wx_openid_exchange_time always;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 504
--- response_headers_like
X-Time: 0\.[12]\d\d
--- error_log
connect timed out



=== TEST 23: wx_openid_connect_timeout in a server and a location
--- http_config
    $TEST_NGINX_APP
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_FULL_PORT;
    wx_openid_connect_timeout  20s;
--- config
    wx_openid_connect_timeout  150ms;
    add_header  X-Time $wx_openid_exchange_time always;
    location /server {
        wx_openid   on;
    }
    location /location {
        wx_openid   on;
        wx_openid_connect_timeout  500ms;
    }
--- request eval
["GET /server", "GET /location"]
--- more_headers
X-WX-Code: %CODE%
--- error_code eval
[504, 504]
--- response_headers_like eval
["X-Time: 0\\.[12]\\d\\d", "X-Time: 0\\.[56]\\d\\d"]
--- error_log
connect timed out



=== TEST 24: wx_openid_connect_timeout bounds the handshake as well
--- http_config
    $TEST_NGINX_APP
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_MUTE_PORT;
    wx_openid_connect_timeout  150ms;
--- config
    location /t {
        wx_openid   on;
        add_header  X-Time $wx_openid_exchange_time always;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 504
--- response_headers_like
X-Time: 0\.[12]\d\d
--- error_log
TLS handshake timed out



=== TEST 25: wx_openid_read_timeout in http
--- http_config
    $TEST_NGINX_APP
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_MUTE_PORT;
    wx_openid_read_timeout  150ms;
--- config
    location /t {
        wx_openid   on;
        add_header  X-Time $wx_openid_exchange_time always;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 504
--- response_body_like
wechat_timeout
--- response_headers_like
X-Time: 0\.[12]\d\d
--- error_log
no reply in time



=== TEST 26: wx_openid_read_timeout in a server and a location
--- http_config
    $TEST_NGINX_APP
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_MUTE_PORT;
    wx_openid_read_timeout  20s;
--- config
    wx_openid_read_timeout  150ms;
    add_header  X-Time $wx_openid_exchange_time always;
    location /server {
        wx_openid   on;
    }
    location /location {
        wx_openid   on;
        wx_openid_read_timeout  500ms;
    }
--- request eval
["GET /server", "GET /location"]
--- more_headers
X-WX-Code: %CODE%
--- error_code eval
[504, 504]
--- response_headers_like eval
["X-Time: 0\\.[12]\\d\\d", "X-Time: 0\\.[56]\\d\\d"]



=== TEST 27: wx_openid_timeout in http bounds what read_timeout does not
--- http_config
    $TEST_NGINX_APP
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
    wx_openid_read_timeout  2s;
    wx_openid_timeout  150ms;
--- config
    location /t {
        wx_openid   on;
        add_header  X-Time $wx_openid_exchange_time always;
    }
--- request
GET /t
--- more_headers
X-WX-Code: drip-20-%NEW%
--- error_code: 504
--- response_body_like
wechat_timeout
--- response_headers_like
X-Time: 0\.[12]\d\d
--- wechat_total: 1



=== TEST 28: wx_openid_timeout in a server and a location
--- http_config
    $TEST_NGINX_APP
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_MUTE_PORT;
    wx_openid_timeout  20s;
--- config
    wx_openid_timeout  150ms;
    add_header  X-Time $wx_openid_exchange_time always;
    location /server {
        wx_openid   on;
    }
    location /location {
        wx_openid   on;
        wx_openid_timeout  500ms;
    }
--- request eval
["GET /server", "GET /location"]
--- more_headers
X-WX-Code: %CODE%
--- error_code eval
[504, 504]
--- response_headers_like eval
["X-Time: 0\\.[12]\\d\\d", "X-Time: 0\\.[56]\\d\\d"]



=== TEST 29: two addresses are tried by default
--- http_config
    $TEST_NGINX_APP
    $TEST_NGINX_DEAD_GROUP
    wx_openid_pass  http://dead;
--- config
    location /t {
        wx_openid   on;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- grep_error_log: connect() failed
--- grep_error_log_out
connect() failed
connect() failed



=== TEST 30: wx_openid_next_upstream_tries in http
--- http_config
    $TEST_NGINX_APP
    $TEST_NGINX_DEAD_GROUP
    wx_openid_pass  http://dead;
    wx_openid_next_upstream_tries  3;
--- config
    location /t {
        wx_openid   on;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- grep_error_log: connect() failed
--- grep_error_log_out
connect() failed
connect() failed
connect() failed



=== TEST 31: wx_openid_next_upstream_tries in a server
--- http_config
    $TEST_NGINX_APP
    $TEST_NGINX_DEAD_GROUP
    wx_openid_pass  http://dead;
    wx_openid_next_upstream_tries  3;
--- config
    wx_openid_next_upstream_tries  1;
    location /t {
        wx_openid   on;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- grep_error_log: connect() failed
--- grep_error_log_out
connect() failed



=== TEST 32: wx_openid_next_upstream_tries in a location
--- http_config
    $TEST_NGINX_APP
    $TEST_NGINX_DEAD_GROUP
    wx_openid_pass  http://dead;
    wx_openid_next_upstream_tries  3;
--- config
    wx_openid_next_upstream_tries  1;
    location /t {
        wx_openid   on;
        wx_openid_next_upstream_tries  2;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- grep_error_log: connect() failed
--- grep_error_log_out
connect() failed
connect() failed



=== TEST 33: wx_openid_next_upstream_tries 0 tries them all
--- http_config
    $TEST_NGINX_APP
    $TEST_NGINX_DEAD_GROUP
    wx_openid_pass  http://dead;
    wx_openid_next_upstream_tries  3;
--- config
    wx_openid_next_upstream_tries  1;
    location /t {
        wx_openid   on;
        wx_openid_next_upstream_tries  0;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- grep_error_log: connect() failed
--- grep_error_log_out
connect() failed
connect() failed
connect() failed
connect() failed
connect() failed



=== TEST 34: wx_openid_next_upstream_timeout in http
--- http_config
    $TEST_NGINX_APP
    $TEST_NGINX_FULL_GROUP
    wx_openid_pass  http://full;
    wx_openid_connect_timeout  150ms;
    wx_openid_next_upstream_tries  0;
    wx_openid_next_upstream_timeout  100ms;
--- config
    location /t {
        wx_openid   on;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 504
--- grep_error_log: upstream timed out
--- grep_error_log_out
upstream timed out



=== TEST 35: wx_openid_next_upstream_timeout in a server
--- http_config
    $TEST_NGINX_APP
    $TEST_NGINX_FULL_GROUP
    wx_openid_pass  http://full;
    wx_openid_connect_timeout  150ms;
    wx_openid_next_upstream_tries  0;
    wx_openid_next_upstream_timeout  0;
--- config
    wx_openid_next_upstream_timeout  100ms;
    location /t {
        wx_openid   on;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 504
--- grep_error_log: upstream timed out
--- grep_error_log_out
upstream timed out



=== TEST 36: wx_openid_next_upstream_timeout in a location
--- http_config
    $TEST_NGINX_APP
    $TEST_NGINX_FULL_GROUP
    wx_openid_pass  http://full;
    wx_openid_connect_timeout  150ms;
    wx_openid_next_upstream_tries  0;
    wx_openid_next_upstream_timeout  0;
--- config
    wx_openid_next_upstream_timeout  100ms;
    location /t {
        wx_openid   on;
        wx_openid_next_upstream_timeout  200ms;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 504
--- grep_error_log: upstream timed out
--- grep_error_log_out
upstream timed out
upstream timed out



=== TEST 37: wx_openid_next_upstream_timeout 0 is no limit
--- http_config
    $TEST_NGINX_APP
    $TEST_NGINX_FULL_GROUP
    wx_openid_pass  http://full;
    wx_openid_connect_timeout  150ms;
    wx_openid_next_upstream_tries  0;
    wx_openid_next_upstream_timeout  0;
--- config
    wx_openid_next_upstream_timeout  100ms;
    location /t {
        wx_openid   on;
        wx_openid_next_upstream_timeout  0;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 504
--- grep_error_log: upstream timed out
--- grep_error_log_out
upstream timed out
upstream timed out
upstream timed out



=== TEST 38: by default a busy WeChat is not asked again
--- config
    location /t {
        wx_openid   on;
    }
--- request
GET /t
--- more_headers
X-WX-Code: busy-1-%NEW%
--- error_code: 503
--- response_body_like
wechat_busy
--- wechat_total: 1



=== TEST 39: wx_openid_busy_retries in http, server and location
--- http_config
    $TEST_NGINX_APP
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
    wx_openid_busy_retries  1;
    $TEST_NGINX_OTHER_SERVER
--- config
    $TEST_NGINX_OTHER_LOCATION
    wx_openid_busy_retries  0;
    location /server {
        wx_openid   on;
    }
    location /location {
        wx_openid   on;
        wx_openid_busy_retries  2;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /http", "GET /server", "GET /location"]
--- more_headers eval
["X-WX-Code: busy-1-1-%NEW%", "X-WX-Code: busy-1-2-%NEW%",
 "X-WX-Code: busy-2-3-%NEW%"]
--- error_code eval
[200, 503, 200]
--- wechat_count
busy-1-1-%NEW%=2
busy-1-2-%NEW%=1
busy-2-3-%NEW%=3



=== TEST 40: TLS sessions of a group, which others share, are not reused
--- http_config
    $TEST_NGINX_APP
    upstream wechat {
        server 127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
    wx_openid_host  api.weixin.qq.com;
    wx_openid_pass  https://wechat;
    wx_openid_ssl_protocols  TLSv1.2;
    server {
        listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
        ssl_certificate      $TEST_NGINX_CERTS/good.crt;
        ssl_certificate_key  $TEST_NGINX_CERTS/good.key;
        ssl_session_cache    builtin;
        keepalive_timeout    0;
        location / {
            return 200 '{"openid":"reused$ssl_session_reused"}';
        }
    }
--- request eval
["GET /t", "GET /t"]
--- more_headers
X-WX-Code: any
--- response_body_like eval
[(qr/^X-WX-OPENID: reused\.$/m) x 2]
