use lib 't/lib';
use WxOpenid;
use File::Temp qw(tempdir);
use Time::HiRes qw(sleep);

# Several apps: which one a code goes to, and where their secrets come from.

repeat_each(2);

# reloads are what a master does
master_on();

our $Dir = tempdir('wx_openid_XXXXXX', TMPDIR => 1, CLEANUP => 1);
$ENV{TEST_NGINX_SECRETS} = $Dir;
$ENV{WX_OPENID_TEST_SECRET} = $ENV{TEST_NGINX_OTHER_SECRET};

sub write_secret {
    my ($name, $text) = @_;
    open my $out, '>', "$Dir/$name" or die "$name: $!";
    print $out $text;
    close $out or die "$name: $!";
}

write_secret(plain => $ENV{TEST_NGINX_SECRET});
write_secret(newline => "$ENV{TEST_NGINX_SECRET}\n");
write_secret(crlf => "$ENV{TEST_NGINX_SECRET}\r\n");
write_secret(changing => "$ENV{TEST_NGINX_SECRET}\n");


# "--- then_secret" lists, for each request but the last, what the file
# "changing" holds from then on; nginx is told to reload it

sub worker_pids {
    my ($master) = @_;
    open my $in, '<', "/proc/$master/task/$master/children" or return ();
    return split ' ', <$in> // '';
}

sub reload {
    my $master = Test::Nginx::Util::get_pid_from_pidfile('reload');
    my %old = map { $_ => 1 } worker_pids($master);

    kill HUP => $master;

    for (1 .. 500) {
        my @now = worker_pids($master);
        return if @now && !grep { $old{$_} } @now;
        sleep 0.01;
    }

    die "nginx did not reload\n";
}

add_response_body_check(sub {
    my ($block, $body, $request, $repeat, $dry_run) = @_;
    return if !defined $block->then_secret || $dry_run;

    my @secrets = split /\n/, $block->then_secret;
    return if !defined $secrets[$request];

    write_secret(changing => "$secrets[$request]\n");
    reload();
});

plan tests => wx_tests();

no_long_string();
run_tests();

__DATA__

=== TEST 1: without wx_openid_appid a code goes to the first app
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /other {
        wx_openid      on;
        wx_openid_app  wxother $TEST_NGINX_OTHER_SECRET;
        wx_openid_app  wxtest $TEST_NGINX_SECRET;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /t?appid=wxother", "GET /other?appid=wxtest"]
--- more_headers eval
["X-WX-APPID: wxother\nX-WX-Code: %CODE%",
 "X-WX-APPID: wxtest\nX-WX-Code: %CODE%"]
--- response_body_like eval
['(?m)^X-WX-OPENID: %OPENID%\nX-WX-APPID: wxtest$',
 '(?m)^X-WX-OPENID: %OPENID(%CODE%,wxother)%\nX-WX-APPID: wxother$']
--- wechat_total: 2
--- backend_count: 2



=== TEST 2: wx_openid_appid chooses; empty: the first; unknown: 403, no call
--- config
    location /t {
        wx_openid        on;
        wx_openid_appid  $arg_appid;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /t?appid=wxother", "GET /t?appid=wxtest", "GET /t?appid=", "GET /t",
 "GET /t?appid=wxnobody", "GET /t?appid=WXTEST", "GET /t?appid=wxtes",
 "GET /t?appid=wxtest%00"]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%" } '', 2 .. 8]
--- error_code eval
[200, 200, 200, 200, 403, 403, 403, 403]
--- response_body_like eval
['(?m)^X-WX-OPENID: %OPENID(%CODE%,wxother)%\nX-WX-APPID: wxother$',
 (map { "(?m)^X-WX-OPENID: %OPENID$_%\nX-WX-APPID: wxtest\$" } 2, 3, 4),
 ('^\{"error":"unknown_app"\}$') x 4]
--- wechat_total: 4
--- backend_count: 4



=== TEST 3: an unknown app is refused as such, whatever the code
--- config
    location /t {
        wx_openid        on;
        wx_openid_appid  wxnobody$arg_none;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /optional {
        wx_openid        optional;
        wx_openid_appid  wxnobody$arg_none;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /t?code=%00", "GET /optional"]
--- more_headers eval
["", "X-WX-Code: %CODE%"]
--- error_code eval
[403, 403]
--- response_body_like eval
['^\{"error":"unknown_app"\}$', '^\{"error":"unknown_app"\}$']
--- raw_response_headers_unlike eval
[qr/WWW-Authenticate/, qr/WWW-Authenticate/]
--- error_log
wx_openid: unknown_app
--- wechat_total: 0
--- backend_count: 0



=== TEST 4: the app by the page a mini program calls from
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    map $http_referer $app_of_page {
        ~^https://servicewechat\.com/(?<page_appid>wx\w+)/  $page_appid;
    }
    wx_openid_appid  $app_of_page;
'
--- request eval
["GET /t", "GET /t", "GET /t", "GET /t"]
--- more_headers eval
my $n = '';
[map { my $header = "Referer: $_\nX-WX-Code: %CODE$n%"; $n = ($n || 1) + 1;
       $header }
 'https://servicewechat.com/wxother/12/page-frame.html',
 'https://servicewechat.com/wxtest/0/page-frame.html',
 'https://servicewechat.com/wxnobody/0/page-frame.html',
 'https://evil.example/wxother/']
--- error_code eval
[200, 200, 403, 200]
--- response_body_like eval
['(?m)^X-WX-OPENID: %OPENID(%CODE%,wxother)%\nX-WX-APPID: wxother$',
 '(?m)^X-WX-OPENID: %OPENID2%\nX-WX-APPID: wxtest$',
 '^\{"error":"unknown_app"\}$',
 '(?m)^X-WX-OPENID: %OPENID4%\nX-WX-APPID: wxtest$']
--- wechat_total: 3



=== TEST 5: a list of apps is inherited whole or replaced
--- config
    wx_openid        on;
    wx_openid_appid  $arg_appid;
    location /inherits {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /replaces {
        wx_openid_app  wxother $TEST_NGINX_OTHER_SECRET;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /choice {
        wx_openid_appid  wxother$arg_none;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /inherits?appid=wxother", "GET /replaces", "GET /replaces?appid=wxtest",
 "GET /choice?appid=wxtest"]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%" } '', 2 .. 4]
--- error_code eval
[200, 200, 403, 200]
--- response_body_like eval
[('X-WX-APPID: wxother') x 2, 'unknown_app', 'X-WX-APPID: wxother']
--- wechat_total: 3



=== TEST 6: one of many apps, wherever it is declared
--- http_config eval
my @apps = map { sprintf "wx%04d", ($_ * 7919) % 1000 } 1 .. 300;
splice @apps, 150, 0, 'wxtest';
CORE::join '', (map { "wx_openid_app $_ "
                . ($_ eq 'wxtest' ? $ENV{TEST_NGINX_SECRET} : 'x') . ";\n" }
          @apps), "wx_openid_appid \$arg_appid;\n",
          "wx_openid_pass http://127.0.0.1:$ENV{TEST_NGINX_WECHAT_PORT};\n"
--- request eval
["GET /t?appid=wxtest", "GET /t?appid=wx9999", "GET /t?appid=wx",
 "GET /t?appid=wx0919"]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%" } '', 2 .. 4]
--- error_code eval
[200, 403, 403, 500]
--- response_body_like eval
['(?m)^X-WX-OPENID: %OPENID%$', 'unknown_app', 'unknown_app',
 '^\{"error":"misconfigured"\}$']
--- wechat_total: 2
--- wechat_request_like
\?appid=wx0919&secret=x&js_code=%CODE4%&



=== TEST 7: secrets from files, the environment, and the text itself
--- http_config
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
--- config
    wx_openid  on;
    location /plain {
        wx_openid_app  wxtest file:$TEST_NGINX_SECRETS/plain;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /newline {
        wx_openid_app  wxtest file:$TEST_NGINX_SECRETS/newline;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /crlf {
        wx_openid_app  wxtest file:$TEST_NGINX_SECRETS/crlf;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /relative {
        wx_openid_app  wxtest file:../html/secret;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /env {
        wx_openid_app  wxother env:WX_OPENID_TEST_SECRET;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /text {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- user_files eval
[[ secret => "$ENV{TEST_NGINX_SECRET}\n" ]]
--- request eval
[map { "GET /$_" } qw(plain newline crlf relative env text)]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%" } '', 2 .. 6]
--- response_body_like eval
[(map { "(?m)^X-WX-OPENID: %OPENID$_%\$" } '', 2, 3, 4),
 '(?m)^X-WX-OPENID: %OPENID(%CODE5%,wxother)%$',
 '(?m)^X-WX-OPENID: %OPENID6%$']
--- wechat_total: 6
--- logs_never eval
[$ENV{TEST_NGINX_SECRET}, $ENV{TEST_NGINX_OTHER_SECRET}]



=== TEST 8: a changed secret file takes effect at reload
--- http_config
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
    wx_openid_app   wxtest file:$TEST_NGINX_SECRETS/changing;
--- request eval
["GET /t", "GET /t", "GET /t"]
--- more_headers eval
[map { "X-WX-Code: %CODE$_%" } '', 2, 3]
--- then_secret eval
"an-old-secret\n$ENV{TEST_NGINX_SECRET}"
--- error_code eval
[200, 500, 200]
--- response_body_like eval
['(?m)^X-WX-OPENID: %OPENID%$', '^\{"error":"misconfigured"\}$',
 '(?m)^X-WX-OPENID: %OPENID3%$']
--- wechat_total: 3
--- logs_never eval
[$ENV{TEST_NGINX_SECRET}, 'an-old-secret']



=== TEST 9: the app a code went to is told, in the variable and to WeChat
--- config
    location /t {
        wx_openid        on;
        wx_openid_appid  $arg_appid;
        add_header  X-Appid $wx_openid_appid;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t?appid=wxother
--- more_headers
X-WX-Code: %CODE%
--- response_headers
X-Appid: wxother
--- wechat_request_like eval
"\\?appid=wxother&secret=$ENV{TEST_NGINX_OTHER_SECRET}&js_code=%CODE%&"
--- wechat_total: 1



=== TEST 10: a session_key of the right app, and only where it is sent
--- config
    location /t {
        wx_openid        on;
        wx_openid_appid  $arg_appid;
        proxy_set_header  X-Key $wx_openid_session_key;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t?appid=wxother
--- more_headers
X-WX-Code: %CODE%
--- response_body_like
(?m)^X-Key: %SESSION_KEY(%CODE%,wxother)%$
--- wechat_total: 1
