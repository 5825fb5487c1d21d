# Nothing is lost: as many allocations are alive after a hundred requests of
# a kind as before, and after ten reloads in the master.  The C library's
# functions are counted, so this is exact, and one that is forgotten each
# time is a hundred too many.

use strict;
use warnings;

use lib 't/lib';
use IO::Socket::INET ();
use Test::More;
use WxOpenid::Memory;
use WxOpenid::Nginx qw(until_true);
use WxOpenid::Requests;
use WxOpenid::Servers qw(wechat wx_openid_of);
use WxOpenid::Token;

my $Requests = 100;

# what may come and go besides: a connection that is kept
my $Slack = 45;

my $Memory = WxOpenid::Memory->new
    or plan skip_all => 'this nginx has an allocator of its own';

WxOpenid::Servers::start_all();

# An answer may be there before its request is gone; what is asked later is
# served later.

sub live {
    my ($nginx) = @_;
    ask($nginx, request('GET /ping', {})) for 1 .. 2;
    return ($Memory->live)[0];
}

# how many more are alive, and how often it was not as it should be

sub growth {
    my ($nginx, $do) = @_;
    my $bad = 0;

    $do->() for 1 .. 30;
    my $before = live($nginx);
    $bad += !$do->() for 1 .. $Requests;

    return (live($nginx) - $before, $bad);
}

sub keeps {
    my ($nginx, $name, $do) = @_;
    my ($more, $bad) = growth($nginx, $do);

    is($bad, 0, "$name: answered as it should be");
    cmp_ok($more, '<', $Slack, "$name: nothing is lost");
}

sub refused {
    my ($nginx, $status, $code) = @_;
    my $text = request('GET /t', { 'X-WX-Code' => new_code($code) });
    return ask($nginx, $text) =~ /\AHTTP\/1\.1 $status /;
}


my $nginx = start_all_kinds(
    { env => $Memory->env },
    "http://127.0.0.1:$ENV{TEST_NGINX_WECHAT_PORT}", '');

for my $kind (all_kinds()) {
    keeps($nginx, $kind, sub {
        my $ask = ask_for($kind);
        ask($nginx, $ask->{before}) if $ask->{before};
        return $ask->{good}->(ask($nginx, $ask->{text}));
    });
}

for my $refusal ([403, 'err-40226'], [502, 'err-12345'],
                 [502, 'fault-reset'], [503, 'err--1'])
{
    my ($status, $code) = @$refusal;
    keeps($nginx, "refused with $status, $code",
          sub { refused($nginx, $status, $code) });
}

keeps($nginx, 'requests over one connection', do {
    my $s = IO::Socket::INET->new('127.0.0.1:' . $nginx->port)
        or die "nginx: $!\n";
    my $text;

    sub {
        my $ask = code_in_header();
        $ask->{text} =~ s/Connection: close\r\n//;
        print $s $ask->{text};
        $s->flush;

        my $head = '';
        while ($head !~ /\r\n\r\n/) {
            sysread $s, $head, 1, length $head or return 0;
        }

        my ($length) = $head =~ /^Content-Length: (\d+)/mi;
        my $body = '';
        while (length $body < $length) {
            sysread $s, $body, $length - length $body, length $body
                or return 0;
        }

        return $ask->{good}->("$head$body");
    };
});

keeps($nginx, 'clients that go while WeChat is asked', sub {
    my $code = new_code('hold');
    my $s = send_request($nginx, request('GET /t', { 'X-WX-Code' => $code }));
    my $came = wechat("wait?code=$code");

    close $s;
    wechat("release?code=$code");
    return $came && until_true(sub {
        $nginx->counters->{exchanges}{in_flight} == 0;
    });
});

keeps($nginx, 'those who wait for another', sub {
    my $code = new_code('hold');
    my $text = request('GET /t', { 'X-WX-Code' => $code });
    my @clients = map { send_request($nginx, $text) } 1 .. 3;

    wechat("wait?code=$code");
    wechat("release?code=$code");
    return !grep { !good_echo(answer($_), wx_openid_of($code)) } @clients;
});

# this would notice: one call of free() in two requests is forgotten

{
    my $ask = sub { ask($nginx, code_in_header()->{text}) };
    my $n = 0;
    my ($more) = growth($nginx, sub {
        $Memory->forget_free(1) if ++$n % 2;
        return $ask->();
    });

    cmp_ok($more, '>=', $Requests / 2, 'a leak is noticed');
}

is($nginx->alerts, '', 'no alert in the log');
undef $nginx;


# TLS: a session that is kept is replaced

$nginx = start_all_kinds(
    { env => $Memory->env },
    "https://127.0.0.1:$ENV{TEST_NGINX_WECHAT_TLS_PORT}", <<"END");
    wx_openid_keepalive                0;
    wx_openid_host                     api.weixin.qq.com;
    wx_openid_ssl_trusted_certificate  $ENV{TEST_NGINX_CERTS}/ca.pem;
END

keeps($nginx, 'a handshake each', sub {
    my $ask = code_in_header();
    return $ask->{good}->(ask($nginx, $ask->{text}));
});

is($nginx->alerts, '', 'TLS: no alert in the log');
undef $nginx;


# Reloads

{
    my $memory = WxOpenid::Memory->new->master_alone;
    my $nginx = start_all_kinds(
        { env => $memory->env },
        "https://127.0.0.1:$ENV{TEST_NGINX_WECHAT_TLS_PORT}", <<"END");
    wx_openid_host                     api.weixin.qq.com;
    wx_openid_ssl_trusted_certificate  $ENV{TEST_NGINX_CERTS}/ca.pem;
END
    my $reload = sub {
        $nginx->reload or return 0;
        return until_true(sub { $nginx->workers == 1 });
    };

    $reload->() for 1 .. 3;
    my ($before) = $memory->live;
    is((grep { !$reload->() } 1 .. 10), 0, 'ten reloads');
    my ($after) = $memory->live;

    cmp_ok($after - $before, '<', 10, 'reloads: the master loses nothing');
    is($nginx->alerts, '', 'reloads: no alert in the log');
}

done_testing();
