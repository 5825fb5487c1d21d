# Clocks that jump: what ends by itself ends in its time and not before, and
# somebody who sets the time of day breaks nothing.

use strict;
use warnings;

use lib 't/lib';
use File::Temp ();
use IO::Select ();
use IO::Socket::INET ();
use JSON::PP ();
use Test::More tests => 59;
use WxOpenid::Line qw(start_dns dns);
use WxOpenid::Nginx qw(until_true);
use WxOpenid::Servers qw(wechat wx_openid_of);
use WxOpenid::Token;

WxOpenid::Servers::start_all();

my $Dir = File::Temp->newdir;
my $Clock = "$Dir/clock";
my $Codes = 0;

my @Build = ($ENV{CC} ? split(' ', $ENV{CC}) : 'cc',
             qw(-shared -fPIC -O -o), "$Dir/clock.so", 't/tools/clock.c');
system(@Build) == 0 or die "@Build failed\n";

# both clocks are so many seconds ahead of the machine's; nginx looks at them
# whenever something happens

sub ahead {
    my ($nginx, $time_of_day, $monotonic) = @_;

    open my $out, '+<:raw', $Clock or die "$Clock: $!\n";
    print $out pack('q<q<', $time_of_day, $monotonic);
    close $out or die "$Clock: $!\n";

    $nginx->get('/json') for 1 .. 2;
}

sub start {
    my ($line) = @_;
    $line //= $ENV{TEST_NGINX_WX_CONFIG};

    open my $out, '>:raw', $Clock or die "$Clock: $!\n";
    print $out "\0" x 16;
    close $out or die "$Clock: $!\n";

    my %env = (LD_PRELOAD => "$Dir/clock.so", WX_OPENID_TEST_CLOCK => $Clock);

    # one worker: each keeps connections of its own, and looks at its clock
    # when something happens to it
    return WxOpenid::Nginx->start(workers => 1, env => \%env,
                                  http => <<"END");
    $line
    wx_openid_session_keys  $ENV{TEST_NGINX_KEYS};
    wx_openid_cache         ttl=60s error_ttl=60s;

    server {
        listen  127.0.0.1:%PORT%;

        location /t {
            wx_openid   on;
            add_header  X-Status \$wx_openid_status always;
            proxy_pass  http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT};
        }

        location = /json {
            wx_openid_status  json;
        }

        location = /stub {
            stub_status;
        }
    }
END
}

sub new_code {
    my ($kind) = @_;
    return sprintf '%s-%d-%06d', $kind // 'good', $$, ++$Codes;
}

# "200 HIT", "401 ERROR invalid_session"

sub answer {
    my ($nginx, $code, %headers) = @_;
    my $res = $nginx->get('/t', $code, %headers);
    my ($error) = $res->{content} =~ /"error":"(\w+)"/;

    return join ' ', $res->{status}, $res->{headers}{'x-status'} // (),
                $error // ();
}

sub line {
    my ($nginx) = @_;
    my $status = JSON::PP::decode_json($nginx->get('/json')->{content});
    return $status->{lines}[0];
}

sub idle { return line($_[0])->{idle} }

sub connections { return wechat('connections') }


{
    my $name = 'a kept connection';
    my $nginx = start();
    my $before = connections();

    is(answer($nginx, new_code()), '200 MISS', "$name: made");
    is(idle($nginx), 1, "$name: kept");

    ahead($nginx, 0, 59);
    is(idle($nginx), 1, "$name: for 59 seconds");
    is(connections()->{open}, $before->{open} + 1, "$name: and open");

    ahead($nginx, 0, 61);
    ok(until_true(sub { idle($nginx) == 0 }), "$name: closed after 60");
    ok(until_true(sub { connections()->{open} == $before->{open} }),
       "$name: WeChat sees it");

    is(answer($nginx, new_code()), '200 MISS', "$name: then a new one");
    is(answer($nginx, new_code()), '200 MISS', "$name: which is used");
    is(connections()->{accepts}, $before->{accepts} + 2, "$name: two in all");

    ahead($nginx, 0, 120);
    is(idle($nginx), 1, "$name: each use gives it time");
    ahead($nginx, 0, 122);
    ok(until_true(sub { idle($nginx) == 0 }), "$name: so much and no more");
    is($nginx->alerts, '', "$name: no alert");
}

# An address that is mute keeps its idle connections, and whoever takes one
# of them loses a code.  The second address is the test's own.

sub next_at {
    my ($seconds, @conns) = @_;
    return (IO::Select->new(@conns)->can_read($seconds))[0];
}

sub reply {
    my ($conn) = @_;
    my $body = '{"openid":"oB","session_key":""}';

    print $conn "HTTP/1.1 200 OK\r\nContent-Length: ", length $body,
                "\r\n\r\n$body";
    $conn->flush;
}

sub good_of {
    my ($nginx, $flood) = @_;
    my $answers = $nginx->flood_end($flood)->{answers};
    my $n = 0;
    $n += $answers->{$_} for grep { /\A200 / } keys %$answers;
    return $n;
}

{
    my $name = 'idle connections to an address that failed';
    my $port = $ENV{TEST_NGINX_WECHAT_PORT};
    my $door = IO::Socket::INET->new(Listen => 5, Timeout => 10,
                                     LocalAddr => "127.0.0.2:$port")
        or die "listen: $!\n";
    my $dns = start_dns();
    dns($dns, 'set?name=wechat.test&a=127.0.0.1,127.0.0.2&ttl=3600');

    my $nginx = start(<<"END");
    wx_openid_app   wxtest $ENV{TEST_NGINX_SECRET};
    wx_openid_pass  http://wechat.test:$port;
    resolver        127.0.0.1:$dns->{PORT} ipv6=off;
END
    ok(until_true(sub { @{ line($nginx)->{addresses} } == 2 }),
       "$name: two addresses");

    # two requests to each at the same time; its own end first, so that
    # they are taken first
    my $total = wechat('total');
    my @codes = map { new_code('hold') } 1 .. 4;
    my $flood = $nginx->flood('--clients', 4, @codes);
    my @mute = map { $door->accept // die "no connection\n" } 1, 2;

    ok(until_true(sub { wechat('total') == $total + 2 }),
       "$name: two requests to each");
    wechat("release?code=$_") for @codes;
    ok(until_true(sub { idle($nginx) == 2 }), "$name: two are idle");

    for my $conn (@mute) {
        ok(next_at(10, $conn) && sysread($conn, my $request, 9999),
           "$name: asked");
        reply($conn);
    }

    is(good_of($nginx, $flood), 4, "$name: all are answered");
    is(idle($nginx), 4, "$name: four are idle");

    # whoever takes one of those waits for 5 seconds
    $flood = $nginx->flood(new_code());
    my $lost = next_at(10, @mute) // die "no request\n";
    ok(sysread($lost, my $request, 9999), "$name: the last used is taken");
    ahead($nginx, 0, 6);
    is(good_of($nginx, $flood), 0, "$name: the code is lost");

    # and the address has its rest of 10
    ahead($nginx, 0, 17);
    $flood = $nginx->flood(new_code());
    my ($idle) = grep { $_ != $lost } @mute;
    my $closed = next_at(10, $idle);
    is($closed && sysread($idle, $request, 9999), 0,
       "$name: none is taken when its rest is over");
    is(good_of($nginx, $flood), 1, "$name: no code is lost");

    # two idle ones to the other, and two that are new
    @codes = map { new_code('hold') } 1 .. 4;
    $flood = $nginx->flood('--clients', 4, @codes);
    my $conn = $door->accept;
    ok($conn, "$name: a new one finds out");
    reply($conn) if $conn && sysread $conn, $request, 9999;
    wechat("release?code=$_") for @codes;
    is(good_of($nginx, $flood), 4, "$name: it is back");

    is($nginx->alerts, '', "$name: no alert");
}

for my $jump (-86400, 86400, 400 * 86400) {
    my $name = "time of day by $jump";
    my $nginx = start();
    my ($good, $bad, $hold) = (new_code(), new_code('bad'),
                               new_code('hold'));

    is(answer($nginx, $good), '200 MISS', "$name: asked");
    is(answer($nginx, $bad), '401 ERROR invalid_code', "$name: refused");

    my $flood = $nginx->flood('--clients', 5, $hold);
    ok($nginx->until_waiting(5), "$name: some wait");

    ahead($nginx, $jump, 0);

    is(answer($nginx, $good), '200 HIT', "$name: a result stays");
    answer($nginx, $bad);
    is(wechat("count?code=$bad"), 1, "$name: a refused code as well");
    wechat("release?code=$hold");

    my $answers = $nginx->flood_end($flood)->{answers};
    is((grep { /\A200 \w+ \Q@{[wx_openid_of($hold)]}\E\z/ } keys %$answers),
       keys %$answers, "$name: who waited is answered");
    is(idle($nginx), 1, "$name: the connection is kept");

    ahead($nginx, $jump, 61);
    is(answer($nginx, $good), '401 ERROR invalid_code',
       "$name: a minute is one all the same");
    is($nginx->alerts, '', "$name: no alert");
}

{
    my $name = 'a token';
    my $nginx = start();
    my $res = $nginx->get('/t', new_code());
    my @token = (undef, 'X-WX-Session' => $res->{headers}{'x-wx-session'});

    is(answer($nginx, @token), '200 SESSION', "$name: good");

    ahead($nginx, 7190, 0);
    is(answer($nginx, @token), '200 SESSION', "$name: for two hours");

    ahead($nginx, 7205, 0);
    is(answer($nginx, @token), '401 ERROR invalid_session',
       "$name: and no longer");

    ahead($nginx, -30, 0);
    is(answer($nginx, @token), '200 SESSION', "$name: a little back is fine");

    ahead($nginx, -3600, 0);
    is(answer($nginx, @token), '401 ERROR invalid_session',
       "$name: an hour back it is not made yet");

    ahead($nginx, 0, 0);
    is(answer($nginx, @token), '200 SESSION', "$name: nothing was lost");
}
