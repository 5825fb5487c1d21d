# Connections to WeChat are kept, and TLS sessions, for who may have them;
# none is left behind.

use strict;
use warnings;

use lib 't/lib';
use IO::Select ();
use IO::Socket::UNIX ();
use Test::More tests => 22;
use Time::HiRes qw(sleep time);
use WxOpenid::Line;

my $Address = '127.0.0.1';
my $Certs = certificates();
my $Plain = free_port($Address);
my $Tls = free_port($Address);
my $Tls12 = free_port($Address);

start_all();

my $Trusted = "wx_openid_ssl_trusted_certificate $Certs/ca.pem;";

# by what $name the tests call it, and the line's directives

my %Line = (
    'plain' => "wx_openid_pass http://$Address:$Plain;",
    'TLS 1.3' => "wx_openid_pass https://$Address:$Tls;"
                 . " wx_openid_host api.weixin.qq.com; $Trusted",
    'TLS 1.2' => "wx_openid_pass https://$Address:$Tls12;"
                 . " wx_openid_host api.weixin.qq.com; $Trusted",
);

sub start_all {
    start_wechat($Address, $Plain, undef,
                 "TLS=$Address:$Tls,tls=$Certs/good",
                 "TLS12=$Address:$Tls12,tls=$Certs/good,tls1.2");
}

sub start_line {
    my ($directives, %conf) = @_;
    start_nginx({ http => $directives, %conf });
    wechat_at($Address, 'reset');
}

sub connections { return wechat_at($Address, 'connections') }

sub opened { return connections()->{accepts} }

sub idle { return status_json()->{lines}[0]{idle} }

sub statuses {
    my ($n, $path) = @_;
    my %seen;
    $seen{ask($path)}++ for 1 .. $n;
    return join ' ', map { "$_*$seen{$_}" } sort keys %seen;
}

sub none_open {
    my ($name) = @_;
    ok(until_true(sub { connections()->{open} == 0 }), $name)
        or diag(explain(connections()));
}

sub all_good {
    my ($load, $name) = @_;
    is(join(' ', keys %{ $load->{statuses} }), '200', $name)
        or diag(explain($load));
}

sub alerts { return log_count(qr/\[(?:alert|crit)\]/) }

# so many requests that WeChat has all at the same time

sub at_once {
    my ($n, $path) = @_;
    my @codes = map { new_code('hold') } 1 .. $n;
    my @clients = map { start_client($_, $path) } @codes;

    wechat_at($Address, "wait?code=$_") for @codes;
    wechat_at($Address, "release?code=$_") for @codes;

    return join ' ', map { end_client($_) } @clients;
}


for my $kind (sort keys %Line) {
    subtest "$kind: 200 exchanges, one connection" => sub {
        plan tests => 5;

        start_line($Line{$kind});

        is(statuses(200), '200*200', 'all are good');
        is(opened(), 1, 'one connection');
        is(connections()->{handshakes}, $kind eq 'plain' ? 0 : 1,
           'handshakes');
        is(status_json()->{connections}, 1, 'wx_openid_connections_total');
        is(idle(), 1, 'one is idle');
    };
}

subtest '10,000 exchanges, 16 at a time: at most 20 connections' => sub {
    plan tests => 4;

    start_line($Line{'TLS 1.3'});

    my $load = end_load(start_load('--count', 10_000, '--at-once', 16));
    all_good($load, 'all are good');
    is(wechat_at($Address, 'total'), 10_000, 'WeChat was asked');
    cmp_ok(opened(), '<=', 20, 'connections');
    cmp_ok(status_json()->{connections}, '<=', 20, 'as counted');
};

subtest 'wx_openid_keepalive 2 keeps two, the last used' => sub {
    plan tests => 5;

    start_line("$Line{plain} wx_openid_keepalive 2;");

    is(at_once(5), '200 200 200 200 200', 'five exchanges at a time');
    is(opened(), 5, 'five connections');
    is(idle(), 2, 'two are kept');
    ok(until_true(sub { connections()->{open} == 2 }), 'three are closed');
    is(at_once(2) . ' ' . opened(), '200 200 5', 'the two are used again');
};

# The client's event comes first, so nginx takes the connection before it
# sees what came on it.

sub ask_on {
    my ($s, $code) = @_;
    syswrite $s, "GET /who HTTP/1.1\r\nHost: localhost\r\n"
                 . "X-WX-Code: $code\r\n\r\n";
}

sub answer_on {
    my ($s) = @_;
    my $got = '';

    while ($got !~ /\r\n\r\n.{43}\z/s && IO::Select->new($s)->can_read(10)) {
        sysread $s, $got, 4096, length $got or last;
    }

    return join ' ', $got =~ m{\AHTTP/1\.1 (\d+)}, $got =~ /^X-Who: (\S+)/m;
}

sub who {
    my ($code) = @_;
    return '200 ' . wechat_at($Address, "openid?appid=wxtest&code=$code");
}

for my $kind (sort keys %Line) {
    subtest "$kind: what WeChat says unasked is no reply" => sub {
        plan tests => 12;

        my $name = $kind eq 'plain' ? 'PORT' : $kind eq 'TLS 1.3' ? 'TLS'
                   : 'TLS12';

        for my $what ('reply', 'timeout', 'bye') {
            start_line($Line{$kind}, server => <<'END');
        location = /who {
            wx_openid   on;
            add_header  X-Who $wx_openid always;
            empty_gif;
        }
END
            my $s = IO::Socket::UNIX->new(Peer => nginx_dir() . '/nginx.sock');
            my ($first, $second) = (new_code(), new_code());
            my ($worker) = worker_pids();

            ask_on($s, $first);
            is(answer_on($s), who($first), "$what: a connection is kept");

            kill STOP => $worker;
            ask_on($s, $second);
            wechat_at($Address, "say?listener=$name&what=$what");
            kill CONT => $worker;

            is(answer_on($s), who($second), "$what: the next code's answer");
            is(opened(), 2, "$what: by another connection");
            is(wechat_at($Address, "count?code=$second"), 1,
               "$what: which is the first to have it");
        }
    };
}

subtest 'wx_openid_keepalive 0 keeps none' => sub {
    plan tests => 4;

    start_line("$Line{'TLS 1.3'} wx_openid_keepalive 0;");

    is(statuses(3), '200*3', 'exchanges');
    is(opened(), 3, 'a connection each');
    is(idle(), 0, 'none is kept');
    none_open('all are closed');
};

for my $kind (sort keys %Line) {
    subtest "$kind: a session is reused on a new connection" => sub {
        plan tests => 4;

        start_line("$Line{$kind} wx_openid_keepalive 0;");

        is(statuses(5), '200*5', 'exchanges');

        my $seen = connections();
        is($seen->{resumed}, $kind eq 'plain' ? 0 : 4, 'sessions resumed');

        SKIP: {
            skip 'no TLS', 2 if $kind eq 'plain';

            start_line("$Line{$kind} wx_openid_keepalive 0;"
                       . ' wx_openid_ssl_session_reuse off;');
            is(statuses(3), '200*3', 'exchanges without reuse');
            is(connections()->{resumed}, 0, 'none resumed');
        }
    };
}

for my $listener ('TLS', 'TLS12') {
    subtest "$listener: a certificate that was refused is not remembered"
        => sub {
        plan tests => 3;

        wechat_at($Address, "certificate?listener=$listener&name=expired");
        start_line($Line{$listener eq 'TLS' ? 'TLS 1.3' : 'TLS 1.2'});
        is(statuses(3), '502*3', 'it has expired');

        wechat_at($Address, "certificate?listener=$listener&name=good");
        is(statuses(3), '200*3', 'there is a new one');
        is(alerts(), 0, 'no alert');
    };
}

subtest 'a connection is for the same host and TLS settings alone' => sub {
    my @other = (
        'wx_openid_ssl_verify off;',
        'wx_openid_host other.test; wx_openid_ssl_verify off;',
        'wx_openid_ssl_protocols TLSv1.2;',
        "wx_openid_ssl_crl $Certs/crl.pem;",
        'wx_openid_ssl_verify_depth 4;',
        'wx_openid_ssl_ciphers HIGH;',
        "wx_openid_pass https://$Address:$Tls/prefix;",
    );

    plan tests => 3 + 2 * @other;

    my $n = 0;
    my $locations = join '', map {
        "location /o@{[ $n++ ]} { wx_openid on; $_ empty_gif; }\n"
    } @other;

    start_line($Line{'TLS 1.3'},
               server => $locations
                         . 'location /same { wx_openid on; empty_gif; }');

    is(ask(), 200, 'a connection is made');
    is(ask('/same') . ' ' . opened(), '200 1', 'for the same settings too');

    for my $i (0 .. $#other) {
        my $before = connections();
        is(ask("/o$i"), 200, "$other[$i]");

        my $after = connections();
        is($after->{accepts} - $before->{accepts} + $before->{resumed}
           - $after->{resumed}, 1, 'a connection and a session of its own');
    }

    is(ask() . ' ' . opened(), '200 ' . (1 + @other), 'the first is there');
};

subtest 'a connection that WeChat closes is closed' => sub {
    plan tests => 6;

    start_line($Line{'TLS 1.3'});

    is(ask(), 200, 'an exchange');
    is(idle(), 1, 'its connection is kept');

    stop_wechat($Address);
    ok(until_true(sub { idle() == 0 }), 'until WeChat closes it');
    start_all();

    is(ask(), 200, 'the next has a new one');
    is(opened(), 1, 'one');
    is(alerts(), 0, 'no alert');
};

subtest 'a connection is kept, whatever WeChat answered' => sub {
    my @kinds = qw(err-40029 err-45011 err-40125 err--1 status-500 status-404
                   status-302 status-204 fault-html fault-chunked
                   fault-openid_null);

    plan tests => 1 + @kinds;

    start_line($Line{'TLS 1.3'});

    for my $kind (@kinds) {
        ask('/t', new_code($kind));
        is(idle(), 1, $kind);
    }

    is(opened(), 1, 'one connection');
};

subtest 'TLS: a reply in pieces, and one with another behind it' => sub {
    plan tests => 8;

    start_line($Line{'TLS 1.3'});
    ask();

    for my $fault (qw(records records_late slow_all split_header)) {
        is(ask('/t', new_code("fault-$fault")) . ' ' . opened(), '200 1',
           "$fault, on the kept connection");
    }

    for my $fault (qw(extra_record extra_buffer)) {
        my $before = opened();
        is(ask('/t', new_code("fault-$fault")), 200, "$fault: the first");
        is(ask() . ' ' . (opened() - $before), '200 1',
           "$fault: who sends two is not asked again");
    }
};

subtest 'a kept connection that was closed unanswered: once more' => sub {
    plan tests => 10;

    for my $kind ('plain', 'TLS 1.3') {
        start_line($Line{$kind});

        for my $fault (qw(stale_close stale_reset)) {
            ask();
            my $code = new_code("fault-$fault");
            is(ask('/t', $code), 200, "$kind, $fault");
            is(wechat_at($Address, "count?code=$code"), 2, 'asked twice');
        }

        my $line = status_json()->{lines}[0];
        is($line->{addresses}[0]{failures}, 0, 'no failure of the address');
    }
};

subtest 'kept connections that all were closed: one new one' => sub {
    plan tests => 4;

    start_line($Line{plain});
    at_once(4);
    my $seen = opened();

    my $code = new_code('fault-stale_close');
    is(ask('/t', $code), 200, 'good');
    is(wechat_at($Address, "count?code=$code"), 2, 'asked twice');
    is(opened(), $seen + 1, 'on a new connection');

    $code = new_code('fault-close');
    ask('/t', $code);
    is(wechat_at($Address, "count?code=$code"), 2, 'and never three times');
};

subtest 'kept connections end with a worker, at once' => sub {
    plan tests => 7;

    start_line($Line{'TLS 1.3'});
    at_once(4);
    is(connections()->{open}, 4, 'four are kept');

    my $start = time;
    my ($old) = reload_nginx();
    ok(until_true(sub { !is_running($old) }), 'reload: the worker ends');
    none_open('all are closed');
    cmp_ok(time - $start, '<', 4, 'at once');

    is(at_once(4), '200 200 200 200', 'four again');
    stop_nginx();
    none_open('quit: all are closed');
    is(alerts(), 0, 'no alert');
};

subtest 'ten reloads under load leave nothing behind' => sub {
    plan tests => 7;

    my $dns = start_dns();
    dns($dns, "set?name=localhost&a=$Address&ttl=1");

    start_line("resolver 127.0.0.1:$dns->{PORT};"
               . " wx_openid_pass https://localhost:$Tls;"
               . " wx_openid_host api.weixin.qq.com; $Trusted",
               workers => 2);

    reload_and_wait();
    my $descriptors = descriptors();

    my $load = start_load('--at-once', 8, '--pause', 0.01);
    reload_and_wait() for 1 .. 10;
    all_good(end_load($load), 'no request failed');

    reload_and_wait();
    is(scalar(my @workers = worker_pids()), 2, 'two workers');
    ok(until_true(sub { descriptors() == $descriptors }),
       'as many descriptors as before')
        or diag(descriptors() . " instead of $descriptors");
    none_open('no connection to WeChat is open');
    is(ask(), 200, 'it still works');
    stop_nginx();
    none_open('nor is one in the end');
    is(alerts(), 0, 'no alert');
};

# until the new workers have asked DNS, which opens a socket

sub reload_and_wait {
    my @old = reload_nginx();

    until_true(sub { !grep { is_running($_) } @old });
    until_true(sub {
        my %seen;
        for (1 .. 50) {
            my $line = status_json()->{lines}[0];
            return 0 if !$line->{resolved};
        }
        return worker_pids() == 2;
    });
}
