use lib 't/lib';
use WxOpenid;
use WxOpenid::Steps;
use WxOpenid::Token;

# Keys change over reload: nobody is logged out by a rotation, everybody is
# by a removal, and a file that is refused changes nothing.

use Time::HiRes ();

repeat_each(1);
master_on();
workers(2);

$ENV{TEST_NGINX_ROTATED} = write_keys('rotated', 'old');

sub get {
    my ($path, @headers) = @_;
    return ask_nginx(join("\r\n", "GET $path HTTP/1.1", 'Host: localhost',
                          'Connection: close', @headers, '', ''));
}

sub master {
    open my $in, '<', $Test::Nginx::Util::PidFile or die "no pid file: $!";
    chomp(my $pid = <$in>);
    return $pid;
}

# the workers of before are gone when it returns
sub reload {
    my %old = map { $_ => 1 } worker_pids();

    kill HUP => master();
    return until_true(sub { my @now = worker_pids();
                            @now == 2 && !grep { $old{$_} } @now });
}

# what was told of a reload that failed
sub reload_fails {
    kill HUP => master();
    my $said = '';
    until_true(sub { $said .= join '', new_log_lines();
                     $said =~ /\[emerg\]/ });
    return $said;
}

sub keys_are {
    write_keys('rotated', @_);
}

sub session {
    my ($code) = @_;
    return header_of(get('/t', "X-WX-Code: $code"), 'X-WX-Session');
}

sub who {
    my ($token) = @_;
    my $answer = get('/t', "X-WX-Session: $token");
    return status_of($answer) . ($answer =~ /^X-WX-OPENID: (.*)$/m
                                 ? " $1" : '');
}

sub kid_of {
    my ($token) = @_;
    return open_token($token, $ENV{TEST_NGINX_ROTATED})->{header}
           =~ /"kid":"(.*)"/ ? $1 : '';
}

plan tests => wx_tests() + steps_tests();

no_long_string();
run_tests();

__DATA__

=== TEST 1: a rotation: new key last, then first, then alone
--- http_config
    $TEST_NGINX_WX_CONFIG
    wx_openid_session_keys  $TEST_NGINX_ROTATED;
--- request
GET /t
--- error_code: 401
--- steps
my @codes = map { new_code() } 1 .. 3;
my $old = session($codes[0]);
is(kid_of($old), 'old', "$name - sealed by the only key");

keys_are('old', 'new');
ok(reload(), "$name - appended");
my $between = session($codes[1]);
is(kid_of($between), 'old', "$name - the first still seals");
is(who($old), '200 ' . wx_openid_of($codes[0]), "$name - the old token");

my $other = token(-keys => $ENV{TEST_NGINX_ROTATED}, -kid => 'new');
is(who($other), '200 oTOKEN', "$name - one of a machine that is ahead");

keys_are('new', 'old');
ok(reload(), "$name - promoted");
is(kid_of(session($codes[2])), 'new', "$name - the new one seals");
is(who($old), '200 ' . wx_openid_of($codes[0]), "$name - the old token");
is(who($between), '200 ' . wx_openid_of($codes[1]), "$name - the next");

my $due = token(-keys => $ENV{TEST_NGINX_ROTATED}, -kid => 'old',
                iat => time - 4000);
is(kid_of(header_of(get('/t', "X-WX-Session: $due"), 'X-WX-Session')),
   'new', "$name - renewal moves to the new key");

keys_are('new');
ok(reload(), "$name - the old one removed");
is(who($_), '401', "$name - its tokens are refused") for $old, $between, $due;
is(who($other), '200 oTOKEN', "$name - the new one's are not");

keys_are('new=another');
ok(reload(), "$name - another key of the same name");
is(who($other), '401', "$name - is another key");

keys_are('old');
ok(reload(), "$name - back");
is(who($old), '200 ' . wx_openid_of($codes[0]), "$name - and in again");
--- checks: 19



=== TEST 2: a file that is refused at reload changes nothing
--- http_config
    $TEST_NGINX_WX_CONFIG
    wx_openid_session_keys  $TEST_NGINX_ROTATED;
--- request
GET /t
--- error_code: 401
--- steps
keys_are('old');
my $code = new_code();
my $token = session($code);
my @workers = worker_pids();
my $path = $ENV{TEST_NGINX_ROTATED};

open my $out, '>', $path or die "$path: $!";
print $out '{"keys":[';
close $out;

like(reload_fails(), qr/\[emerg\].*"\Q$path\E" in "wx_openid_session_keys"/,
     "$name - it is told");
is_deeply([worker_pids()], \@workers, "$name - the workers stay");
is(who($token), '200 ' . wx_openid_of($code), "$name - and their keys");

unlink $path or die "$path: $!";
like(reload_fails(), qr/"\Q$path\E" in .* cannot be opened/,
     "$name - no file");
is(who($token), '200 ' . wx_openid_of($code), "$name - the keys stay");

keys_are('old');
ok(reload(), "$name - a good one again");
is(who($token), '200 ' . wx_openid_of($code), "$name - with the same key");

my $log = do {
    local $/;
    open my $in, '<', $Test::Nginx::Util::ErrLogFile or die "no log: $!";
    <$in>;
};
is(index($log, substr key_text('old'), 0, 8), -1, "$name - no key in the log");

# the [emerg] of above were wanted, so nobody shall look for them
truncate $Test::Nginx::Util::ErrLogFile, 0;
--- checks: 8



=== TEST 3: with sessions off no token reaches the upstream
--- http_config
    $TEST_NGINX_WX_CONFIG
    wx_openid_session_keys    off;
    wx_openid_session_cookie  wxs;
--- config
    wx_openid   optional;
    location /t {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers eval
my $token = WxOpenid::Token::token();
"X-WX-Session: $token\nAuthorization: Bearer $token\nCookie: a=1; wxs=$token"
--- response_body_like: (?m)^Cookie: a=1$
--- response_body_unlike: eyJ
--- wechat_total: 0
