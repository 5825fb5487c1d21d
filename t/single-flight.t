# One code is one exchange, however many requests carry it, in whichever
# worker, and whatever becomes of those who asked first.

use strict;
use warnings;

use lib 't/lib';
use IO::Select ();
use IO::Socket::INET ();
use Test::More tests => 166;
use Time::HiRes qw(sleep time);
use WxOpenid::Line ();
use WxOpenid::Nginx qw(until_true);
use WxOpenid::Servers qw(wechat wx_openid_of);

WxOpenid::Servers::start_all();

my $Codes = 0;

sub new_code {
    my ($kind) = @_;
    return "$kind-$$-" . ++$Codes;
}

sub start {
    my ($more, %conf) = @_;
    $more //= '';

    return WxOpenid::Nginx->start(workers => 4, %conf, http => <<"END");
    $ENV{TEST_NGINX_WX_CONFIG}
    $more

    server {
        listen  127.0.0.1:%PORT% reuseport;

        add_header  X-Status \$wx_openid_status always;
        add_header  X-Pid \$pid always;

        location /t {
            wx_openid   on;
            proxy_pass  http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT};
        }

        location /short {
            wx_openid          on;
            wx_openid_timeout  300ms;
            proxy_pass         http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT};
        }

        location = /stub {
            stub_status;
        }

        location = /json {
            wx_openid_status  json;
        }
    }
END
}

# how many answers of a flood are like this

sub answers {
    my ($report, $pattern) = @_;
    my $n = 0;

    for my $answer (keys %{ $report->{answers} }) {
        $n += $report->{answers}{$answer} if $answer =~ /$pattern/;
    }

    return $n;
}

sub asked {
    my ($code) = @_;
    return wechat("count?code=$code");
}

# so many right answers, and none else, of one exchange

sub shared {
    my ($name, $report, $code, $n) = @_;
    my $openid = wx_openid_of($code);

    is(answers($report, qr/\A200 (?:MISS|HIT|WAIT) \Q$openid\E\z/), $n,
       "$name: $n right answers")
        or diag(explain($report));
    is(answers($report, qr/./), $n, "$name: and no other");
    is(asked($code), 1, "$name: one exchange");
}

# whether a request comes over a connection

sub request_at {
    my ($conn, $seconds) = @_;

    my $select = IO::Select->new($conn);
    return $select->can_read($seconds // 10) && sysread($conn, my $text, 9999);
}

sub no_alerts {
    my ($name, $nginx) = @_;
    is($nginx->alerts, '', "$name: no alert in the log");
}


my $nginx = start();

for my $kind (qw(good delay-3000)) {
    my $name = "a thousand at once, $kind";
    my $code = new_code($kind);
    my $report = $nginx->flood_end(
        $nginx->flood('--clients', 1000, $code));

    shared($name, $report, $code, 1000);
    is($report->{workers}, 4, "$name: in every worker");
    is(answers($report, qr/ MISS /), 1, "$name: one of them asked");
}

{
    my $name = 'several codes at once';
    my @codes = map { new_code('delay-500') } 1 .. 5;
    my $report = $nginx->flood_end(
        $nginx->flood('--clients', 500, @codes));

    for my $code (@codes) {
        my $openid = wx_openid_of($code);
        is(answers($report, qr/\A200 \w+ \Q$openid\E\z/), 100,
           "$name: each gets its own");
        is(asked($code), 1, "$name: each is exchanged once");
    }
}

{
    my $name = 'an errmsg that repeats the code';
    my $code = new_code('hold-echo');
    my $flood = $nginx->flood('--clients', 100, $code);

    ok($nginx->until_waiting(100), "$name: all wait");
    wechat("release?code=$code");

    my $report = $nginx->flood_end($flood);
    is(answers($report, qr/\A401 /), 100, "$name: all are refused");
    is(() = $nginx->log_lines(qr/wx_openid: invalid_code/), 100,
       "$name: each has a line");
    is(() = $nginx->log_lines(qr/wx_openid: .*\Q$code\E/), 0,
       "$name: none tells it");
}

{
    my $name = 'the client that came first is gone';
    my $code = new_code('hold');

    $nginx->flood_end($nginx->flood('--abort', $code));
    is(wechat("wait?code=$code"), 1, "$name: the code is being exchanged");

    my $flood = $nginx->flood('--clients', 400, $code);
    ok($nginx->until_waiting(400), "$name: others wait");
    wechat("release?code=$code");

    my $report = $nginx->flood_end($flood);
    shared($name, $report, $code, 400);
    is(answers($report, qr/ WAIT /), 400, "$name: all waited for it");
}

{
    my $name = 'clients that wait go away';
    my $code = new_code('hold');
    my $first = $nginx->flood($code);

    wechat("wait?code=$code");
    $nginx->flood_end($nginx->flood('--clients', 100, '--abort', $code));

    my $others = $nginx->flood('--clients', 100, $code);
    ok($nginx->until_waiting(101), "$name: others stay");
    wechat("release?code=$code");

    shared("$name, those who stay", $nginx->flood_end($others), $code, 100);
    shared("$name, the first", $nginx->flood_end($first), $code, 1);
}

{
    my $name = 'a waiter has a time of its own';
    my $code = new_code('hold');
    my $first = $nginx->flood($code);

    # in every worker a short one watches, and the others rely on it
    wechat("wait?code=$code");
    my $short = $nginx->flood('--path', '/short', '--clients', 60, $code);
    ok($nginx->until_waiting(61), "$name: short ones wait");
    my $others = $nginx->flood('--clients', 100, $code);

    my $report = $nginx->flood_end($short);
    is(answers($report, qr/\A504 ERROR wechat_timeout\z/), 60,
       "$name: refused when it is over")
        or diag(explain($report));
    cmp_ok($report->{last}, '>', 0.25, "$name: not before");
    cmp_ok($report->{last}, '<', 3, "$name: not long after");

    ok($nginx->until_waiting(101), "$name: the others still wait");
    wechat("release?code=$code");

    shared("$name, the others", $nginx->flood_end($others), $code, 100);
    shared("$name, the first", $nginx->flood_end($first), $code, 1);
}

{
    my $name = 'whoever asks has the shorter time';
    my $code = new_code('hold');
    my $first = $nginx->flood('--path', '/short', $code);

    wechat("wait?code=$code");
    my $others = $nginx->flood('--clients', 100, $code);
    is(answers($nginx->flood_end($first), qr/\A504 ERROR wechat_timeout\z/),
       1, "$name: it is refused");

    # some may come after it, and then ask WeChat, which refuses them
    my $report = $nginx->flood_end($others);
    is(answers($report, qr/\A504\ ERROR\ wechat_timeout\z
                           |\A401\ ERROR\ invalid_code\z/x), 100,
       "$name: nobody waits for longer")
        or diag(explain($report));
    cmp_ok(asked($code), '<=', 2, "$name: at most two exchanges");
    wechat("release?code=$code");
}

no_alerts('so far', $nginx);


# HTTP/2: each stream is a request

{
    my $h2 = WxOpenid::Nginx->start(http => <<"END");
    $ENV{TEST_NGINX_WX_CONFIG}

    server {
        listen  127.0.0.1:%PORT%;
        listen  127.0.0.1:%PORT2% http2;

        location /t {
            wx_openid   on;
            proxy_pass  http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT};
        }

        location = /stub {
            stub_status;
        }

        location = /json {
            wx_openid_status  json;
        }
    }
END
    my @streams = ('--port', $h2->port2, '--h2', '--clients');
    my $name = 'a hundred streams';
    my $code = new_code('delay-300');
    my $report = $h2->flood_end($h2->flood(@streams, 100, $code));

    is(answers($report, qr/\A200 \Q@{[wx_openid_of($code)]}\E\z/), 100,
       "$name: 100 right answers")
        or diag(explain($report));
    is(asked($code), 1, "$name: one exchange");

    my $count = $h2->counters->{requests};
    is($count->{miss}, 1, "$name: counted as one that asked");
    is($count->{hit} + $count->{wait}, 99, "$name: and 99 that did not");

    $name = 'the connection with the first stream is gone';
    $code = new_code('hold');
    $h2->flood_end($h2->flood(@streams, 50, '--abort', $code));
    is(wechat("wait?code=$code"), 1, "$name: the code is being exchanged");

    my $flood = $h2->flood(@streams, 50, $code);
    ok($h2->until_waiting(50), "$name: others wait");
    wechat("release?code=$code");
    $report = $h2->flood_end($flood);

    is(answers($report, qr/\A200 \Q@{[wx_openid_of($code)]}\E\z/), 50,
       "$name: others have its result")
        or diag(explain($report));
    is(asked($code), 1, "$name: one exchange");
    no_alerts('streams', $h2);
}


# The client that came first is gone when WeChat is to be asked again

sub h2_nginx {
    my ($pass, $workers, $listen) = @_;
    $listen //= '';

    # others follow in its worker, and connections are that one's
    return WxOpenid::Nginx->start(workers => $workers // 1, http => <<"END");
    wx_openid_app              wxtest $ENV{TEST_NGINX_SECRET};
    wx_openid_connect_timeout  3s;
    wx_openid_read_timeout     2s;
    wx_openid_busy_retries     1;
    $pass

    server {
        listen  127.0.0.1:%PORT% $listen;
        listen  127.0.0.1:%PORT2% http2 $listen;

        location /t {
            wx_openid   on;
            proxy_pass  http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT};
        }

        location = /stub {
            stub_status;
        }
    }
END
}

sub streams {
    my ($nginx, $n, @args) = @_;
    return $nginx->flood('--port', $nginx->port2, '--h2', '--clients', $n,
                         @args);
}

sub reply {
    my ($conn, $body) = @_;
    print $conn "HTTP/1.1 200 OK\r\nContent-Length: ", length $body,
                "\r\n\r\n$body";
}

{
    my $name = 'gone, and WeChat is busy';
    my $door = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1')
        or die "listen: $!\n";
    my $h2 = h2_nginx('wx_openid_pass http://127.0.0.1:' . $door->sockport
                      . ';');

    $h2->flood_end(streams($h2, 1, '--abort', 'some-code'));
    my $conn = $door->accept;
    my $flood = streams($h2, 20, 'some-code');
    ok($h2->until_waiting(20), "$name: others wait");

    # the first of them asks again, no oftener than who came first would
    for my $time ('first', 'second') {
        ok(request_at($conn), "$name: asked for the $time time");
        reply($conn, '{"errcode":-1,"errmsg":"system error"}');
    }

    is(answers($h2->flood_end($flood), qr/\A503 wechat_busy\z/), 20,
       "$name: the others are told so");
    $door->blocking(0);
    ok(!$door->accept && !request_at($conn, 0.3), "$name: then no more");

    $name = 'gone, and the kept connection is stale';
    $h2->flood_end(streams($h2, 1, '--abort', 'other-code'));
    ok(request_at($conn), "$name: asked over it");
    $flood = streams($h2, 20, 'other-code');
    ok($h2->until_waiting(20), "$name: others wait");
    close $conn;

    $door->blocking(1);
    $conn = $door->accept;
    ok(request_at($conn), "$name: asked over a fresh one");
    reply($conn, '{"openid":"oOne","session_key":""}');
    is(answers($h2->flood_end($flood), qr/\A200 oOne\z/), 20,
       "$name: the others have its answer");

    $name = 'gone, and the kept connection is silent';
    $h2->flood_end(streams($h2, 1, '--abort', 'third-code'));
    ok(request_at($conn), "$name: asked over it");
    $flood = streams($h2, 20, 'third-code');
    is(answers($h2->flood_end($flood), qr/\A504 wechat_timeout\z/), 20,
       "$name: the others are told so");
    $door->blocking(0);
    ok(!$door->accept, "$name: not asked again");
    no_alerts('gone', $h2);
}

# Who waits is in the same worker or in another, as it falls: both must ask

{
    my $name = 'gone, and WeChat is busy, with two workers';
    my $door = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1')
        or die "listen: $!\n";
    my $h2 = h2_nginx('wx_openid_keepalive 0; wx_openid_pass http://127.0.0.1:'
                      . $door->sockport . ';', 2, 'reuseport');
    my $right = 0;

    for my $n (1 .. 8) {
        $h2->flood_end(streams($h2, 1, '--abort', "code-$n"));
        my $first = $door->accept;
        my $flood = $h2->flood("code-$n");

        $h2->until_waiting(1);
        request_at($first);
        reply($first, '{"errcode":-1,"errmsg":"system error"}');

        if (IO::Select->new($door)->can_read(5)) {
            my $second = $door->accept;
            request_at($second);
            reply($second, '{"openid":"oTwo","session_key":""}');
        }

        $right += answers($h2->flood_end($flood), qr/\A200 oTwo\z/);
    }

    is($right, 8, "$name: the other has the second answer, in each case");
    no_alerts($name, $h2);
}

{
    my $name = 'gone, and the first address is dead';
    my $code = new_code('good');
    my $h2 = h2_nginx(<<"END");
    upstream wechat {
        server  127.0.0.1:$ENV{TEST_NGINX_WECHAT_FULL_PORT};
        server  127.0.0.1:$ENV{TEST_NGINX_WECHAT_PORT};
    }

    wx_openid_pass  http://wechat;
END

    $h2->flood_end(streams($h2, 1, '--abort', $code));
    my $flood = streams($h2, 20, $code);
    ok($h2->until_waiting(20), "$name: others wait");

    my $openid = wx_openid_of($code);
    is(answers($h2->flood_end($flood), qr/\A200 \Q$openid\E\z/), 20,
       "$name: the others are led to another");
    is(asked($code), 1, "$name: asked once");
    no_alerts($name, $h2);
}

{
    my $name = 'gone, and who follows has no address';
    my $door = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1')
        or die "listen: $!\n";
    my $silent = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                                       Proto => 'udp')
        or die "bind: $!\n";
    my $dns = WxOpenid::Line::start_dns();
    WxOpenid::Line::dns($dns, 'set?name=wechat.test&a=127.0.0.1&ttl=3600');

    my $h2 = WxOpenid::Nginx->start(workers => 1, http => <<"END");
    wx_openid_app           wxtest $ENV{TEST_NGINX_SECRET};
    wx_openid_pass          http://wechat.test:@{[ $door->sockport ]};
    wx_openid_busy_retries  3;
    wx_openid_cache         error_ttl=0;

    server {
        listen    127.0.0.1:%PORT%;
        listen    127.0.0.1:%PORT2% http2;
        resolver  127.0.0.1:$dns->{PORT};

        location /t {
            wx_openid  on;
            empty_gif;
        }

        location /u {
            wx_openid  on;
            resolver   127.0.0.1:@{[ $silent->sockport ]};
            empty_gif;
        }

        location = /stub {
            stub_status;
        }

        location = /json {
            wx_openid_status  json;
        }
    }
END
    my ($worker) = $h2->workers;
    my $known = sub { $h2->get("/json")->{content} =~ /"127\.0\.0\.1:/ };
    ok(until_true($known), "$name: who leads has one");

    $h2->flood_end(streams($h2, 1, '--abort', 'led-code'));
    my $conn = $door->accept;
    my $flood = streams($h2, 5, '--path', '/u', 'led-code');
    ok($h2->until_waiting(5), "$name: others wait");
    ok(request_at($conn), "$name: WeChat was asked");
    reply($conn, '{"errcode":-1,"errmsg":"system error"}');

    is(answers($h2->flood_end($flood), qr/\A502 bad_gateway\z/), 5,
       "$name: they are refused");
    is(join(' ', $h2->workers), $worker, "$name: the worker lives");
    no_alerts($name, $h2);
}


# Failures

for my $way ('lost', 'silent') {
    my $name = "the connection is $way";
    my ($status, $error) = $way eq 'lost' ? (502, 'bad_gateway')
                                          : (504, 'wechat_timeout');

    my $door = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1')
        or die "listen: $!\n";
    my $port = $door->sockport;
    my $broken = WxOpenid::Nginx->start(workers => 4, http => <<"END");
    wx_openid_app           wxtest $ENV{TEST_NGINX_SECRET};
    wx_openid_pass          http://127.0.0.1:$port;
    wx_openid_read_timeout  3s;

    server {
        listen  127.0.0.1:%PORT% reuseport;

        location /t {
            wx_openid  on;
            empty_gif;
        }

        location = /stub {
            stub_status;
        }
    }
END
    my $flood = $broken->flood('--clients', 200, 'some-code');
    my $conn = $door->accept;

    ok($broken->until_waiting(200), "$name: all wait");
    close $conn if $way eq 'lost';

    my $report = $broken->flood_end($flood);
    is(answers($report, qr/\A$status $error\z/), 200,
       "$name: each gets that answer")
        or diag(explain($report));

    $flood = $broken->flood('some-code');
    ok($conn = $door->accept, "$name: the next request asks anew");
    print $conn "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n"
                . '{"openid":"o1","session_key":' . '}';
    close $conn;
    $broken->flood_end($flood);

    $door->blocking(0);
    ok(!$door->accept, "$name: nobody else did");
    no_alerts($name, $broken);
}


{
    my $name = 'a worker stalls, and comes back too late';
    my $door = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1')
        or die "listen: $!\n";
    my $port = $door->sockport;
    my $stalled = WxOpenid::Nginx->start(workers => 4, http => <<"END");
    wx_openid_app           wxtest $ENV{TEST_NGINX_SECRET};
    wx_openid_pass          http://127.0.0.1:$port;
    wx_openid_read_timeout  20s;
    wx_openid_timeout       20s;

    server {
        listen  127.0.0.1:%PORT% reuseport;

        location /t {
            wx_openid   on;
            add_header  X-WX-OPENID \$wx_openid;
            empty_gif;
        }

        location /first {
            wx_openid          on;
            wx_openid_timeout  3s;
            empty_gif;
        }

        location /short {
            wx_openid          on;
            wx_openid_timeout  300ms;
            empty_gif;
        }
    }
END
    my $first = $stalled->flood('--path', '/first', 'some-code');
    my $late = $door->accept;
    my @leaders = $stalled->workers_at($port);
    is(@leaders, 1, "$name: it asks");
    kill STOP => @leaders;

    my $others = $stalled->flood('--clients', 100, 'some-code');
    my $conn = $door->accept;
    kill CONT => @leaders;
    ok($conn, "$name: another takes over");

    my $report = $stalled->flood_end($first);
    is(answers($report, qr/\A504 wechat_timeout\z/), 1,
       "$name: its own is refused")
        or diag(explain($report));

    # meanwhile all who wait look at the zone
    is($stalled->get('/short', 'some-code')->{status}, 504,
       "$name: the others' goes on");

    my $reply = '{"openid":"o1","session_key":"AAAAAAAAAAAAAAAAAAAAAA=="}';
    print $conn "HTTP/1.1 200 OK\r\nContent-Length: ", length $reply,
                "\r\n\r\n$reply";
    $conn->flush;

    $report = $stalled->flood_end($others);
    is(answers($report, qr/\A200 (?:\w+ )?o1\z/), 100,
       "$name: and has its own result")
        or diag(explain($report));

    $door->blocking(0);
    ok(!$door->accept, "$name: nobody else asks");
    no_alerts($name, $stalled);
}


# Too many at a time

for my $max (1, 2) {
    my $name = "wx_openid_max_exchanges $max";
    my $small = start("wx_openid_max_exchanges  $max;", workers => 1);
    my @codes = map { new_code('hold') } 1 .. $max;
    my @floods = map { $small->flood($_) } @codes;

    is(wechat("wait?code=$_"), 1, "$name: exchanged") for @codes;

    my $code = new_code('good');
    my $res = $small->get('/t', $code);
    is($res->{status}, 503, "$name: one more is refused");
    is($res->{content}, '{"error":"overloaded"}', "$name: says why");
    is($res->{headers}{'retry-after'}, 1, "$name: and to come again");
    is(asked($code), 0, "$name: WeChat is not asked");
    is(() = $small->log_lines(qr/\[warn\] .*wx_openid: overloaded: "wx_op/),
       1, "$name: a log line tells");

    my @others = map { $small->flood('--clients', 5, $_) } @codes;
    ok($small->until_waiting(6 * $max), "$name: the same code is shared");
    wechat("release?code=$_") for @codes;

    for my $i (0 .. $max - 1) {
        my $report = $small->flood_end($floods[$i]);
        shared("$name, who asked", $report, $codes[$i], 1);
        $report = $small->flood_end($others[$i]);
        shared("$name, who waited", $report, $codes[$i], 5);
    }

    is($small->get('/t', $code)->{status}, 200, "$name: then there is room");
    no_alerts($name, $small);
}


# Signals

{
    my $name = 'a reload';
    my $code = new_code('hold');
    my $old = $nginx->flood('--clients', 400, $code);

    ok($nginx->until_waiting(400), "$name: the old workers wait");
    ok($nginx->reload, "$name: there are new workers");

    my $new = $nginx->flood('--clients', 100, $code);
    ok($nginx->until_waiting(500), "$name: the new workers wait");
    wechat("release?code=$code");

    shared("$name, before", $nginx->flood_end($old), $code, 400);
    shared("$name, after", $nginx->flood_end($new), $code, 100);
    no_alerts($name, $nginx);
}

{
    my $name = 'kill -9';
    my $code = new_code('hold');
    my $flood = $nginx->flood('--clients', 400, '--times', $code);

    ok($nginx->until_waiting(400), "$name: all wait");

    my @leaders = $nginx->workers_at($ENV{TEST_NGINX_WECHAT_PORT});
    is(@leaders, 1, "$name: one worker asks");
    my $killed = time;
    kill KILL => @leaders;

    my $report = $nginx->flood_end($flood);
    my $lost = answers($report, qr/\Afailed /);
    my $refused = answers($report, qr/\A401 ERROR invalid_code\z/);

    cmp_ok($lost, '<', 400, "$name: not all were in that worker");
    is($refused, 400 - $lost, "$name: WeChat's second answer is theirs")
        or diag(explain($report->{answers}));
    is(asked($code), 2, "$name: one exchange more");

    my ($last) = sort { $b <=> $a } map { $_->[0] } @{ $report->{ended} };
    cmp_ok($last - $killed, '<', 1, "$name: within a second");
    is($nginx->alerts =~ s/^.* exited on signal 9\n//mr, '',
       "$name: nothing else in the log");

    is($nginx->counters->{exchanges}{in_flight}, 0,
       "$name: the dead have nothing in flight");
    wechat("release?code=$code");
    is($nginx->get('/t', new_code('good'))->{status}, 200,
       "$name: others go on");
}

$nginx->stop;
$nginx = start();

{
    my $name = 'a graceful quit';
    my $code = new_code('hold');
    my $flood = $nginx->flood('--clients', 400, $code);

    ok($nginx->until_waiting(400), "$name: all wait");
    $nginx->signal('QUIT');
    ok(until_true(sub {
        !IO::Socket::INET->new(PeerAddr => '127.0.0.1:' . $nginx->port);
    }), "$name: nobody else is let in");
    wechat("release?code=$code");

    shared($name, $nginx->flood_end($flood), $code, 400);
    ok(until_true(sub { $nginx->ended }), "$name: then it ends");
    no_alerts($name, $nginx);
}
