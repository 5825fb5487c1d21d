# What applications get, by the protocols and servers they really have:
# php-fpm, uWSGI (by uwsgi and by SCGI), Python's own HTTP server, gRPC.

use lib 't/lib';
use WxOpenid;

use File::Temp ();

my $Folder = File::Temp::tempdir('wx_openid_XXXXXX', TMPDIR => 1,
                                 CLEANUP => 1);
my $At = WxOpenid::Servers::start_server('upstreams/run', $Folder);
my $Php = "$WxOpenid::Servers::Root/t/tools/upstreams/app.php";

# a location for each, none of which drops a name for its form

$ENV{TEST_NGINX_UPSTREAMS} = <<_EOC_;
    ignore_invalid_headers  off;
    underscores_in_headers  on;

    location /fastcgi {
        fastcgi_pass   $At->{PHP_SOCKET};
        fastcgi_param  SCRIPT_FILENAME $Php;
        fastcgi_param  REQUEST_METHOD \$request_method;
        fastcgi_param  QUERY_STRING \$query_string;
        fastcgi_param  CONTENT_TYPE \$content_type;
        fastcgi_param  CONTENT_LENGTH \$content_length;
    }
    location /uwsgi {
        uwsgi_pass   $At->{UWSGI_SOCKET};
        uwsgi_param  REQUEST_METHOD \$request_method;
        uwsgi_param  PATH_INFO \$document_uri;
        uwsgi_param  CONTENT_TYPE \$content_type;
        uwsgi_param  CONTENT_LENGTH \$content_length;
    }
    location /scgi {
        scgi_pass   $At->{SCGI_SOCKET};
        scgi_param  REQUEST_METHOD \$request_method;
        scgi_param  PATH_INFO \$document_uri;
        scgi_param  CONTENT_TYPE \$content_type;
    }
    location /proxy {
        proxy_pass  http://127.0.0.1:$At->{WSGI_PORT};
    }
    location /show.Headers {
        grpc_pass  grpc://127.0.0.1:$At->{GRPC_PORT};
    }
_EOC_

# every identity header under its name and its aliases

my @Names = qw(
    X-WX-OPENID X-WX-APPID X-WX-UNIONID X-WX-SOURCE X-WX-ENV X-WX-FROM-OPENID
    X-WX-FROM-APPID X-WX-FROM-UNIONID X-WX-CLOUDBASE-ACCESS-TOKEN
    X-WX-FROM-CLOUDBASE-ACCESS-TOKEN
);

sub aliases {
    my ($name) = @_;
    (my $under = $name) =~ tr/-/_/;
    (my $mixed = lc $name) =~ s/-/_/;
    my @all = ($name, lc $name, $under, lc $under, $mixed);

    for my $mark (qw(. ~ ! + | ' *)) {
        (my $alias = $name) =~ s/-/$mark/g;
        push @all, $alias;
    }

    return @all;
}

$ENV{FORGED} = join '', map { "$_: forged\n" } map { aliases($_) } @Names;
$ENV{FORGED_CODE} = join '', map { "$_: forged\n" }
                    grep { lc ne 'x-wx-code' } aliases('X-WX-Code');

# those that HTTP/2 and gRPC let through

$ENV{FORGED_GRPC} = join '', map { "$_: forged\n" }
                    map { my $n = lc; $n, $n =~ tr/-/_/r, $n =~ tr/-/./r,
                          $n =~ s/-/_/r } @Names;

# a gRPC message: not compressed, its length, the bytes

$ENV{GRPC_MESSAGE} = "\0\0\0\0\x0bthe message";

repeat_each(2);

plan tests => wx_tests();

no_long_string();
run_tests();

__DATA__

=== TEST 1: identity headers, by the names applications know them
--- config
    $TEST_NGINX_UPSTREAMS
    wx_openid   on;
--- request eval
[map { "GET /$_" } qw(fastcgi uwsgi scgi proxy)]
--- more_headers eval
[map { "X-WX-Code: union-%NEW%-$_\nX-Other: kept" } 1 .. 4]
--- response_body_like eval
[map { qr/^HTTP_X_OTHER: kept
HTTP_X_WX_APPID: wxtest
HTTP_X_WX_OPENID: %OPENID(union-%NEW%-$_)%
HTTP_X_WX_SOURCE: wx_client
HTTP_X_WX_UNIONID: %UNIONID(union-%NEW%-$_)%

\z/m } 1 .. 4]
--- response_body_unlike eval
[(qr/_CODE/) x 4]
--- wechat_total: 4



=== TEST 2: forged ones are replaced, under whatever alias
--- config
    $TEST_NGINX_UPSTREAMS
    wx_openid   on;
--- request eval
[map { "GET /$_" } qw(fastcgi uwsgi scgi proxy)]
--- more_headers eval
[map { "$ENV{FORGED}X-WX-Code: %CODE$_%\n$ENV{FORGED_CODE}X-Other: kept" }
     1 .. 4]
--- response_body_like eval
[map { qr/\A(?!(?s:.*)forged)(?s:.*)^HTTP_X_OTHER: kept
HTTP_X_WX_APPID: wxtest
HTTP_X_WX_OPENID: %OPENID$_%
HTTP_X_WX_SOURCE: wx_client

\z/m } 1 .. 4]
--- wechat_total: 4



=== TEST 3: forged ones are removed where the module is off
--- config
    $TEST_NGINX_UPSTREAMS
    location /other {
        wx_openid   on;
    }
--- request eval
[map { "GET /$_" } qw(fastcgi uwsgi scgi proxy)]
--- more_headers eval
"$ENV{FORGED}$ENV{FORGED_CODE}X-WX-Code: forged\nX-Other: kept"
--- response_body_like eval
[(qr/\A(?!(?s:.*)forged)(?s:.*)^HTTP_X_OTHER: kept\n\n\z/m) x 4]
--- wechat_total: 0



=== TEST 4: nothing less would do: applications take aliases for the name
--- config
    $TEST_NGINX_UPSTREAMS
--- request eval
[map { "GET /$_" } qw(fastcgi uwsgi scgi proxy)]
--- more_headers
X_WX_OPENID: forged
--- response_body_like eval
[(qr/^HTTP_X_WX_OPENID: forged$/m) x 4]



=== TEST 5: in brackets PHP takes them for an array of that name
--- config
    $TEST_NGINX_UPSTREAMS
    wx_openid   on;
--- request eval
[("GET /fastcgi") x 4]
--- more_headers eval
[map { CORE::join "\n", "X-WX-Code: %CODE$_%", "X-WX-OPENID[]: forged",
       "X-WX-OPENID[a][b]: forged", "x_wx.appid[0]: forged",
       "X-WX-SOURCE[: forged", "X-WX[OPENID: forged", "X-WX-OPENID[[]: forged",
       "X-Other: kept" } 1 .. 4]
--- response_body_like eval
[map { qr/\A(?!(?s:.*)forged)(?s:.*)^HTTP_X_OTHER: kept
HTTP_X_WX_APPID: wxtest
HTTP_X_WX_OPENID: %OPENID$_%
HTTP_X_WX_SOURCE: wx_client

\z/m } 1 .. 4]



=== TEST 6: a JSON body with the code arrives unchanged
--- config
    $TEST_NGINX_UPSTREAMS
    wx_openid   on;
--- request eval
my $n = 0;
[map { $n++; qq|POST /$_\n{ "code" : "%CODE$n%", "a": [1, 2.50] }| }
     qw(fastcgi uwsgi scgi proxy)]
--- more_headers
Content-Type: application/json
--- response_body_like eval
[map { qr/^HTTP_X_WX_OPENID: %OPENID$_%$(?s:.*)
\n\{ "code" : "%CODE$_%", "a": \[1, 2\.50\] \}\z/m } 1 .. 4]
--- wechat_total: 4



=== TEST 7: a body on disk arrives unchanged
--- config
    $TEST_NGINX_UPSTREAMS
    wx_openid   on;
    client_body_buffer_size  1k;
--- request eval
[map { "POST /$_\n" . CORE::join '', 1 .. 15000 } qw(fastcgi uwsgi scgi proxy)]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%" } 1 .. 4]
--- response_body_like eval
my $body = CORE::join '', 1 .. 15000;
[map { qr/^HTTP_X_WX_OPENID: %OPENID$_%$(?s:.*)\n\n$body\z/m } 1 .. 4]
--- no_error_log
[error]
[alert]
[crit]
[emerg]



=== TEST 8: without an identity no application is asked
--- config
    $TEST_NGINX_UPSTREAMS
    wx_openid   on;
--- request eval
[map { "GET /$_" } qw(fastcgi uwsgi scgi proxy)]
--- more_headers eval
$ENV{FORGED}
--- error_code eval
[(401) x 4]
--- response_body_like eval
[(qr/^\{"error":"login_required"\}$/) x 4]
--- wechat_total: 0



=== TEST 9: a header of the site's own
--- config
    $TEST_NGINX_UPSTREAMS
    wx_openid   on;
    wx_openid_set_header  Remote-User wx:$wx_openid;
--- request eval
[map { "GET /$_" } qw(fastcgi uwsgi scgi proxy)]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%\nREMOTE_USER: forged\nX-WX-OPENID: forged" }
     1 .. 4]
--- response_body_like eval
[map { qr/^HTTP_REMOTE_USER: wx:%OPENID$_%$/m } 1 .. 4]
--- response_body_unlike eval
[(qr/forged|X_WX/) x 4]



=== TEST 10: gRPC: identity as metadata, forged ones replaced
--- h2
--- config
    $TEST_NGINX_UPSTREAMS
    wx_openid   on;
--- request eval
"POST /show.Headers/Call\n$ENV{GRPC_MESSAGE}"
--- more_headers eval
"Content-Type: application/grpc
TE: trailers
X-WX-Code: union-%NEW%
$ENV{FORGED_GRPC}x-other: kept"
--- response_body_like eval
qr/\A.{5}(?!(?s:.*)(?:forged|code))(?s:.*)^x-other: kept
x-wx-appid: wxtest
x-wx-openid: %OPENID(union-%NEW%)%
x-wx-source: wx_client
x-wx-unionid: %UNIONID(union-%NEW%)%

the messagegrpc-status: 0\s*\z/ms
--- wechat_total: 1



=== TEST 11: gRPC: forged ones are removed where the module is off
--- h2
--- config
    $TEST_NGINX_UPSTREAMS
    location /other {
        wx_openid   on;
    }
--- request eval
"POST /show.Headers/Call\n$ENV{GRPC_MESSAGE}"
--- more_headers eval
"Content-Type: application/grpc
TE: trailers
X-WX-Code: forged
$ENV{FORGED_GRPC}x-other: kept"
--- response_body_like eval
qr/\A.{5}(?!(?s:.*)(?:forged|x-wx))(?s:.*)^x-other: kept$/ms
--- wechat_total: 0



=== TEST 12: gRPC: nothing less would do
--- h2
--- config
    $TEST_NGINX_UPSTREAMS
--- request eval
"POST /show.Headers/Call\n$ENV{GRPC_MESSAGE}"
--- more_headers
Content-Type: application/grpc
TE: trailers
x_wx_openid: forged
x-wx.openid: forged
--- response_body_like eval
qr/^x-wx\.openid: forged\nx_wx_openid: forged$/ms
