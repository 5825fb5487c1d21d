use lib 't/lib';
use WxOpenid;
use WxOpenid::Servers qw(backend);
use WxOpenid::Steps;
use WxOpenid::Token;

# Whose identity it is where a request has several: a token that one location
# opens, and a code or another token that the next one takes.  None is mixed
# with another, and none is handed to who waits for the same code.

repeat_each(2);

# soon over, so that a location that opens it makes another
sub old_token {
    my (%claims) = @_;
    return token(iat => time - 7000, exp => time + 200, %claims);
}

sub text_of {
    my ($target, @headers) = @_;
    return join("\r\n", "GET $target HTTP/1.1", 'Host: localhost',
                'Connection: close', @headers, '', '');
}

sub get { return ask_nginx(text_of(@_)) }

sub owner_of {
    my ($token) = @_;
    return $token ? open_token($token)->{claims}{sub} : 'no token';
}

plan tests => wx_tests() + steps_tests();

no_long_string();
run_tests();

__DATA__

=== TEST 1: an exchange that fails says nothing of the token before it
--- http_config
    $TEST_NGINX_SESSIONS
    wx_openid_read_timeout  300ms;
--- config
    location /t {
        wx_openid   on;
        try_files   /none /login;
    }
    location /login {
        wx_openid_login;
        error_page  502 504 = @page;
    }
    location @page {
        return  200  "[$wx_openid][$wx_openid_appid][$wx_openid_session_key]";
    }
--- request
GET /t
--- error_code: 401
--- steps
my $token = 'X-WX-Session: ' . token(sub => 'oTOKEN');

for my $fault (qw(close reset_header stall)) {
    my $code = new_code("fault-$fault");
    my $leader = connect_nginx();

    send_text($leader, text_of('/t', $token, "X-WX-Code: $code"));
    wechat("wait?code=$code");
    my $other = get('/login', "X-WX-Code: $code");

    unlike(body_of(read_answer($leader)), qr/oTOKEN/,
           "$name - $fault - nothing of it in its own page");
    unlike(body_of($other), qr/oTOKEN/,
           "$name - $fault - nor in that of one who waited");
}
--- checks: 6



=== TEST 2: a login answers with the token of whom the code says
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location /t {
        wx_openid   on;
        try_files   /none /login;
    }
    location /login {
        wx_openid_login;
    }
--- request
GET /t
--- error_code: 401
--- steps
my $code = new_code();
my $answer = get('/t', 'X-WX-Session: ' . old_token(sub => 'oTOKEN'),
                 "X-WX-Code: $code");
my ($session) = body_of($answer) =~ /"session":"([^"]+)"/;

like(body_of($answer), qr/"openid":"\Q${\ wx_openid_of($code)}\E"/,
     "$name - the openid");
is(owner_of($session), wx_openid_of($code), "$name - in the body");
is(owner_of(header_of($answer, 'X-WX-Session')), wx_openid_of($code),
   "$name - in the header");
--- checks: 3



=== TEST 3: of two tokens, the one that the last location opens is renewed
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location /t {
        wx_openid      on;
        wx_openid_app  wxtest $TEST_NGINX_SECRET;
        try_files      /none @other;
    }
    location @other {
        wx_openid      on;
        wx_openid_app  wxother $TEST_NGINX_OTHER_SECRET;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- error_code: 401
--- steps
my $first = 'X-WX-Session: ' . old_token(sub => 'oFIRST');

for my $fresh (0, 1) {
    my $second = $fresh ? token(sub => 'oSECOND', aud => 'wxother')
                        : old_token(sub => 'oSECOND', aud => 'wxother');
    my $answer = get('/t', $first, "X-WX-Skey: $second");

    like(body_of($answer), qr/^X-WX-OPENID: oSECOND$/m,
         "$name - $fresh - whose it is");
    is(owner_of(header_of($answer, 'X-WX-Session')),
       $fresh ? 'no token' : 'oSECOND', "$name - $fresh - whose is renewed");
}
--- checks: 4



=== TEST 4: a subrequest keeps the identity of the location that sent it
--- http_config
    $TEST_NGINX_SESSIONS
--- config
    location /t {
        wx_openid      on;
        wx_openid_app  wxtest $TEST_NGINX_SECRET;
        mirror         /mirrored;
        root           $TEST_NGINX_SERVER_ROOT/none;
        error_page     404 = @other;
    }
    location @other {
        wx_openid      on;
        wx_openid_app  wxother $TEST_NGINX_OTHER_SECRET;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /mirrored {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- error_code: 401
--- steps
my $n = @{ backend('log') };
my $answer = get('/t', 'X-WX-Session: ' . token(sub => 'oFIRST'),
                 'X-WX-Skey: ' . token(sub => 'oSECOND', aud => 'wxother'));

like(body_of($answer), qr/^X-WX-OPENID: oSECOND\nX-WX-APPID: wxother$/m,
     "$name - the request");

my @mirrored;
until_true(sub {
    my @log = @{ backend('log') };
    @mirrored = grep { $_->{line} =~ /mirrored/ } @log[$n .. $#log];
});

is(scalar @mirrored, 1, "$name - one subrequest");
like(join("\n", @{ $mirrored[0]{lines} }),
     qr/^X-WX-OPENID: oFIRST\nX-WX-APPID: wxtest$/m,
     "$name - of whom it was sent for");
--- checks: 3
