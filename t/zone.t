# The zone: full, over reloads, and after the death of a worker that held it.

use strict;
use warnings;

use lib 't/lib';
use File::Temp ();
use IO::Socket::INET ();
use Test::More tests => 88;
use WxOpenid::Nginx qw(until_true);
use WxOpenid::Servers qw(wechat wx_openid_of);

WxOpenid::Servers::start_all();

my $Codes = 0;

sub new_code {
    my ($kind) = @_;
    return sprintf '%s-%d-%06d', $kind, $$, ++$Codes;
}

sub asked {
    my ($code) = @_;
    return wechat("count?code=$code");
}

# /t asks the stand-in; /made-up a WeChat that knows no code, and is quick

sub start {
    my ($directives, %conf) = @_;

    return WxOpenid::Nginx->start(workers => 2, %conf, http => <<"END");
    $ENV{TEST_NGINX_WX_CONFIG}
    $directives

    server {
        listen  127.0.0.1:%PORT% reuseport;
        listen  unix:%DIR%/wechat.sock;

        add_header  X-Status \$wx_openid_status always;

        location /t {
            wx_openid   on;
            add_header  X-WX-OPENID \$wx_openid;
            add_header  X-Status \$wx_openid_status always;
            empty_gif;
        }

        location /made-up {
            wx_openid       on;
            wx_openid_pass  http://unix:%DIR%/wechat.sock;
            empty_gif;
        }

        location = /sns/jscode2session {
            return  200  '{"errcode":40029,"errmsg":"invalid code"}';
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

sub answer {
    my ($nginx, $code) = @_;
    my $res = $nginx->get('/t', $code);
    my ($error) = $res->{content} =~ /"error":"(\w+)"/;

    return join ' ', $res->{status}, $res->{headers}{'x-status'} // (),
                $error // ();
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

sub flood {
    my ($nginx, @args) = @_;
    return $nginx->flood_end($nginx->flood(@args));
}

sub no_alerts {
    my ($name, $nginx) = @_;
    is($nginx->alerts, '', "$name: no alert in the log");
}


# Full

{
    my $name = 'the smallest zone, many codes';
    my $nginx = start('wx_openid_cache  size=64k ttl=60s error_ttl=60s;');
    my $make = sprintf 'good-%d-many-%%d,2000', $$;
    my $report = flood($nginx, '--clients', 20, '--make', $make);

    is(answers($report, qr/\A200 MISS o/), 2000, "$name: all are answered")
        or diag(explain($report));

    my $cache = $nginx->counters->{cache};
    cmp_ok($cache->{entries}, '>', 300, "$name: as many as fit are kept");
    cmp_ok($cache->{entries}, '<', 64 * 1024 / 128, "$name: and no more");
    is($cache->{entries} + $cache->{evictions}, 2000,
       "$name: the others made room");

    is(answer($nginx, sprintf 'good-%d-many-1999', $$), '200 HIT',
       "$name: the last is known");
    is(answer($nginx, sprintf 'good-%d-many-0', $$),
       '401 ERROR invalid_code', "$name: the first is not");

    is(() = $nginx->log_lines(qr/is full/), 0, "$name: nothing to warn of");
    no_alerts($name, $nginx);
}

{
    my $name = 'made-up codes';
    my $nginx = start('wx_openid_cache  size=256k ttl=60s error_ttl=60s;');
    my @good = ('--clients', 20, '--make', sprintf 'good-%d-kept-%%d,1000',
                $$);
    my $report = flood($nginx, @good);

    is(answers($report, qr/\A200 MISS o/), 1000, "$name: a thousand users");

    $report = flood($nginx, '--path', '/made-up', '--clients', 50,
                    '--make', 'made-up-%d,5000');
    is(answers($report, qr/\A401 ERROR invalid_code\z/), 5000,
       "$name: all are refused")
        or diag(explain($report));
    cmp_ok($nginx->counters->{cache}{evictions}, '>', 3000,
           "$name: they made room for one another");

    $report = flood($nginx, @good);
    is(answers($report, qr/\A200 HIT o/), 1000, "$name: no user lost by it")
        or diag(answers($report, qr/HIT/));
    no_alerts($name, $nginx);
}

for my $workers (1, 2) {
    my $name = "full of codes in flight, $workers";
    my $nginx = start('wx_openid_cache  size=64k;'
                      . ' wx_openid_max_exchanges  2000;',
                      workers => $workers);
    my @early = map { new_code('delay-3000') } 1 .. 200;
    my @late = map { new_code('delay-3000') } 1 .. 300;

    my @floods = $nginx->flood('--clients', scalar @early, @early);
    ok($nginx->until_waiting(scalar @early), "$name: some");
    push @floods, $nginx->flood('--clients', scalar @late, @late);
    ok($nginx->until_waiting(@early + @late), "$name: more than fit");

    # what the zone does not know, its worker does
    my @again = $workers == 1 ? (@early, @late) : @early;
    push @floods, $nginx->flood('--clients', scalar @again, @again);

    my $counters = $nginx->counters;
    is($counters->{exchanges}{in_flight}, 500, "$name: all are exchanged");
    cmp_ok($counters->{cache}{entries}, '<', 250, "$name: not all are known");
    is($counters->{cache}{evictions}, 0, "$name: none made room");

    my ($first, $second, $again) = map { $nginx->flood_end($_) } @floods;

    is(answers($first, qr/\A200 MISS o/), @early, "$name: all are answered");
    is(answers($second, qr/\A200 MISS o/), @late, "$name: and the others");
    is(answers($again, qr/\A200 WAIT o/), @again, "$name: or share");
    is((grep { asked($_) != 1 } @early, @late), 0, "$name: each asked once");
    is(() = $nginx->log_lines(
            qr/\[warn\].* wx_openid: zone of "wx_openid_cache" is full/),
       1, "$name: one warning");
    is(answer($nginx, new_code('good')), '200 MISS', "$name: it goes on");
    no_alerts($name, $nginx);
}

# with unionid and session_key a result takes more than the cell it was led in

{
    my $name = 'a result in a zone full of codes in flight';
    my $nginx = start('wx_openid_cache  size=64k ttl=60s;'
                      . ' wx_openid_max_exchanges  2000;'
                      . ' wx_openid_set_header  X-Key $wx_openid_session_key;');
    my $code = new_code('hold-union');
    my $openid = wx_openid_of($code);

    my $first = $nginx->flood('--clients', 40, $code);
    ok($nginx->until_waiting(40), "$name: it is waited for");

    my $others = $nginx->flood('--clients', 500,
                               map { new_code('delay-3000') } 1 .. 500);
    ok($nginx->until_waiting(540), "$name: the zone is full");

    wechat("release?code=$code");
    my $report = $nginx->flood_end($first);
    is(answers($report, qr/\A200 \w+ \Q$openid\E\z/), 40,
       "$name: all have it") or diag(explain($report));
    is(answer($nginx, $code), '200 HIT', "$name: and later ones");
    is(asked($code), 1, "$name: one exchange");

    $report = $nginx->flood_end($others);
    is(answers($report, qr/\A200 MISS o/), 500, "$name: all are answered");
    no_alerts($name, $nginx);
}


# Reloads

{
    my $nginx = start('wx_openid_cache  size=1m ttl=60s error_ttl=60s;');
    my $good = new_code('good');
    my $bad = new_code('bad');

    answer($nginx, $_) for $good, $bad;
    my $before = $nginx->counters;

    ok($nginx->reload, 'the same size: reload');
    is_deeply($nginx->counters, $before, 'the same size: counters stay');
    is(answer($nginx, $good), '200 HIT', 'the same size: results stay');
    is(answer($nginx, $bad), '401 ERROR invalid_code', 'refusals as well');
    is(asked($_), 1, 'the same size: asked once') for $good, $bad;

    # requests are on their way meanwhile
    my $code = new_code('hold');
    my $openid = wx_openid_of($code);
    my $flood = $nginx->flood('--clients', 200, $code);
    ok($nginx->until_waiting(200), 'another size: requests wait');

    ok($nginx->reload(http => $nginx->{http} =~ s/size=1m/size=2m/r),
       'another size: reload');
    my $new = $nginx->counters;
    is($new->{cache}{entries}, 0, 'another size: no entry');
    is($new->{requests}{miss}, 0, 'another size: nothing was counted');
    is(answer($nginx, new_code('good')), '200 MISS', 'another size: works');
    is(answer($nginx, $good), '401 ERROR invalid_code',
       'another size: results are gone');

    wechat("release?code=$code");
    my $report = $nginx->flood_end($flood);
    is(answers($report, qr/\A200 \w+ \Q$openid\E\z/), 200,
       'another size: no request was lost')
        or diag(explain($report));
    is(asked($code), 1, 'another size: one exchange');

    # and none is as reloads go on
    $flood = $nginx->flood('--clients', 500,
                           map { new_code('delay-1000') } 1 .. 100);
    $nginx->reload(http => $nginx->{http} =~ s/size=\dm/size=${_}m/r)
        for 1 .. 3;
    $report = $nginx->flood_end($flood);
    is(answers($report, qr/\A200 \w+ o/), 500, 'reloads: no request lost')
        or diag(explain($report));
    no_alerts('reloads', $nginx);
}


# A worker dies while it holds the zone

SKIP: {
    skip 'needs the module as a file', 28
        if !WxOpenid::Nginx::modules();

    chomp(my $module = $ENV{TEST_NGINX_HOOKS_MODULE}
                       // qx(t/tools/build-hooks 2>/dev/null));
    my $dir = File::Temp->newdir;
    my $file = "$dir/stop";

    my $nginx = start('wx_openid_cache  ttl=60s error_ttl=60s;',
                      load => $module, main => 'env WX_OPENID_TEST_STOP;',
                      env => { WX_OPENID_TEST_STOP => $file });
    my @known;

    my $stop = sub {
        open my $out, '>', $file or die "$file: $!\n";
        close $out;
    };

    my $send = sub {
        my ($code) = @_;
        my $client = IO::Socket::INET->new(
            PeerAddr => '127.0.0.1:' . $nginx->port) or die "nginx: $!\n";
        print $client "GET /t HTTP/1.1\r\nHost: localhost\r\n"
                      . "X-WX-Code: $code\r\n\r\n";
        $client->flush;
        return $client;
    };

    my $dies = sub {
        my ($name, $client) = @_;
        ok(until_true(sub { !-e $file }), "$name: a worker stops");
        my @stopped = $nginx->workers_at($client->sockport);
        is(@stopped, 1, "$name: it is found");

        # these are in its queue, or at another that waits for the zone
        my @codes = map { new_code('good') } 1 .. 20;
        my $flood = $nginx->flood('--clients', 40, @codes);
        kill KILL => @stopped;
        my $report = $nginx->flood_end($flood);

        is(answers($report, qr/\A200 \w+ o/), 40, "$name: others go on")
            or diag(explain($report));
        is((grep { asked($_) != 1 } @codes), 0, "$name: each asked once");
        push @known, @codes;
    };

    for my $round (1, 2) {
        my $name = "death as a code comes, $round";
        my $code = new_code('good');

        $stop->();
        my $client = $send->($code);
        $dies->($name, $client);

        is(answer($nginx, $code), '200 MISS', "$name: another asks");
        is(asked($code), 1, "$name: and alone");
        push @known, $code;

        $name = "death as a result comes, $round";
        $code = new_code('hold');

        $client = $send->($code);
        wechat("wait?code=$code");
        $stop->();
        wechat("release?code=$code");
        $dies->($name, $client);

        is(answer($nginx, $code), '200 HIT', "$name: it is known");
        is(asked($code), 1, "$name: from that exchange");
        push @known, $code;
    }

    is((grep { answer($nginx, $_) ne '200 HIT' } @known), 0,
       'deaths: all results are there');
    is($nginx->counters->{cache}{entries}, @known,
       'deaths: and nothing else');

    # nginx's own words for what happened, and nothing else
    my $locked = qr/zone "wx_openid_1" was locked by \d+$/;
    is(() = $nginx->log_lines($locked), 4, 'deaths: the zone was locked');
    is((grep { !/$locked/ && !/exited on signal 9$/ }
        split /^/, $nginx->alerts), 0, 'deaths: no other alert in the log');
}
