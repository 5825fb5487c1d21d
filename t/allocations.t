# No memory: each allocation that a request makes fails once, and each from
# there on.  Nobody gets in by that, nobody waits for ever, nothing leaks,
# and the next request is served.
#
# An nginx built with NGX_DEBUG_PALLOC makes many more of them than one whose
# pools are whole pages; both are worth a run.

use strict;
use warnings;

use lib 't/lib';
use Test::More;
use WxOpenid::Line qw(start_dns dns);
use WxOpenid::Memory;
use WxOpenid::Nginx qw(until_true);
use WxOpenid::Requests;
use WxOpenid::Servers qw(wechat backend wx_openid_of);
use WxOpenid::Token;

my $Memory = WxOpenid::Memory->new
    or plan skip_all => 'this nginx has an allocator of its own';

WxOpenid::Servers::start_all();

# A client may have lost any part of its answer; an upstream that got a
# request got all of the identity.

my $Lost = qr/\A(?:HTTP\/1\.1 50\d |\z)/;


# Runs

my @Reports;

# once more when it is over: nothing must have stayed behind

sub serves {
    my ($nginx) = @_;
    my $ask = code_in_header();
    return $ask->{good}->(ask($nginx, $ask->{text}));
}

sub report {
    my ($kind, $n, $answer) = @_;

    $answer =~ s/\r\n\r\n.*//s;
    push @Reports, "$kind, allocation $n: \"$answer\"\n" . $Memory->trace
        if @Reports < 5;
    return 0;
}

# the answers to a request whose N-th allocation fails are as they may be

sub survives {
    my ($nginx, $kind, $ask, $n, $on) = @_;

    ask($nginx, $ask->{before}) if $ask->{before};

    $Memory->fail($n, $on);
    my $answer = ask($nginx, $ask->{text});
    my $failed = $Memory->left == 0;
    $Memory->clear;

    my $ok = $ask->{good}->($answer) || $failed && $answer =~ $Lost;

    return ($failed, $ok || report($kind, $n, $answer));
}

# one request leads, this one follows it, and the worker runs out of memory

sub survives_together {
    my ($nginx, $kind, $n, $on) = @_;
    my $code = new_code('hold');
    my $text = request('GET /t', { 'X-WX-Code' => $code });
    my $openid = wx_openid_of($code);

    my $leader = send_request($nginx, $text);
    wechat("wait?code=$code");

    # the worker takes connections in turn, so it waits once this is answered
    $Memory->fail($n, $on);
    my $follower = send_request($nginx, $text);
    ask($nginx, request('GET /ping', {}));
    wechat("release?code=$code");

    my @answers = (answer($leader), answer($follower));
    my $failed = $Memory->left == 0;
    $Memory->clear;

    my $ok = 1;

    for my $answer (@answers) {
        $ok = 0 if !good_echo($answer, $openid)
                   && !($failed && $answer =~ $Lost);
    }

    return ($failed, $ok || report($kind, $n, join ' + ', @answers));
}

# "steps" gives how far it is to the next that fails

sub run_kind {
    my ($nginx, $kind, $on, $run, $steps) = @_;
    my ($bad, $dead, $n) = (0, 0, 0);
    my $name = $on ? "$kind, all from there on" : $kind;

    serves($nginx) for 1 .. 3;
    my ($live) = $Memory->live;

    while (1) {
        $n += $steps ? $steps->() : 1;
        my ($failed, $ok) = $run->($n, $on);

        $bad++ if !$ok;

        # a worker that goes round for ever does not end by itself
        if (!serves($nginx)) {
            kill KILL => $nginx->workers;
            $dead++;
        }

        last if !$failed || $bad > 20 || $dead > 2;
    }

    is($bad, 0, "$name: each answer is one that may be")
        or diag(splice @Reports);
    is($dead, 0, "$name: the next request is served");
    cmp_ok($n, '>', 3, "$name: $n allocations");

    # connections that are kept have some, and OpenSSL more
    my ($now) = $Memory->live;
    cmp_ok(abs $now - $live, '<', $steps ? 100 : 30, "$name: none is lost");
}

sub run_all {
    my ($nginx, $what, $steps, @kinds) = @_;
    my ($worker) = $nginx->workers;
    my $seen = backend('total');

    for my $on (0, 1) {
        for my $kind (@kinds) {
            run_kind($nginx, "$what, $kind", $on, sub {
                survives($nginx, $kind, ask_for($kind), @_);
            }, $steps);
        }
    }

    my @log = @{ backend('log') };

    is((grep { "@{ $_->{lines} }" !~ /X-WX-OPENID: o.*X-WX-APPID: wx/ }
        @log[$seen .. $#log]), 0,
       "$what: no request passed without an identity");

    is_deeply([$nginx->workers], [$worker], "$what: the worker lives");
}

sub ends_well {
    my ($nginx, $what) = @_;

    is($nginx->counters->{exchanges}{in_flight}, 0,
       "$what: no exchange is left");

    $nginx->signal('QUIT');
    ok(until_true(sub { $nginx->ended }), "$what: it ends");

    # nginx's own words for no memory are of level emerg and crit, but for
    # those of a connection whose end it takes for the error before
    is(join('', grep { !/malloc failure|stale global SSL error|\(12: / }
                $nginx->log_lines(qr/\[alert\]|Sanitizer/)), '',
       "$what: no alert in the log");
}


my $plain = "http://127.0.0.1:$ENV{TEST_NGINX_WECHAT_PORT}";
my $tls = "https://127.0.0.1:$ENV{TEST_NGINX_WECHAT_TLS_PORT}";

my $nginx = start_all_kinds({ env => $Memory->env }, $plain, '');

run_all($nginx, 'kept', undef, all_kinds());

for my $on (0, 1) {
    my $kind = 'one who waits for another';
    run_kind($nginx, $kind, $on, sub {
        survives_together($nginx, $kind, @_);
    });
}

ends_well($nginx, 'kept');

$nginx = start_all_kinds({ env => $Memory->env }, $plain,
                         'wx_openid_keepalive 0; wx_openid_cache off;');
run_all($nginx, 'fresh', undef, 'a code in the header', 'a login');
ends_well($nginx, 'fresh');

# a handshake makes thousands

$nginx = start_all_kinds({ env => $Memory->env }, $tls, <<"END");
    wx_openid_keepalive                0;
    wx_openid_host                     api.weixin.qq.com;
    wx_openid_ssl_trusted_certificate  $ENV{TEST_NGINX_CERTS}/ca.pem;
END
run_all($nginx, 'TLS', sub { 1 + int rand 40 }, 'a code in the header');
ends_well($nginx, 'TLS');

undef $nginx;


# A name that is resolved again: as long as there is no memory for it, the
# last good addresses stay in use, and then it is followed as before.

{
    my $dns = start_dns();
    dns($dns, 'set?name=wechat.test&a=127.0.0.1&ttl=1');

    my $nginx = start_all_kinds(
        { env => $Memory->env },
        "http://wechat.test:$ENV{TEST_NGINX_WECHAT_PORT}",
        "resolver 127.0.0.1:$dns->{PORT} valid=1s ipv6=off;");

    ok(until_true(sub { serves($nginx) }), 'a name: resolved');

    for my $n (1 .. 3) {
        $Memory->fail($n);
        ok(until_true(sub { $Memory->left == 0 }, 20),
           "a name: allocation $n of a query fails");
        $Memory->clear;
        ok(serves($nginx), "a name: $n, served");
    }

    my $count = 'count?name=wechat.test';
    my $queries = dns($dns, $count);
    ok(until_true(sub { dns($dns, $count) > $queries }, 20),
       'a name: asked again');
    ok(serves($nginx), 'a name: served in the end');
    ends_well($nginx, 'a name');
}

done_testing();
