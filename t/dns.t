# WeChat's addresses come, go and fail while nginx runs: what DNS says is
# followed, what it fails to say changes nothing, and no login notices.

use strict;
use warnings;

use lib 't/lib';
use Test::More tests => 25;
use Time::HiRes qw(sleep time);
use WxOpenid::Line;

my $Name = 'wechat.test';
my @Loopbacks = qw(127.0.0.1 127.0.0.2 127.0.0.3);
my $Dns = start_dns();
my $Port = free_port(@Loopbacks, has_ipv6() ? '[::1]' : ());

sub has_ipv6 {
    require IO::Socket::IP;
    return defined IO::Socket::IP->new(LocalAddr => '::1', Listen => 1);
}

# from now on DNS says so: says(a => '127.0.0.1', ttl => 60)

sub says {
    my %said = @_;
    dns($Dns, "set?name=$Name&" . join '&', map { "$_=$said{$_}" }
                                            sort keys %said);
}

sub queries { return dns($Dns, 'count') }

sub after_queries {
    my ($n) = @_;
    my $seen = queries();
    dns($Dns, 'wait?ms=60000&n=' . ($seen + $n));
}

# WeChat answers at these addresses and at no others

sub only_wechat_at {
    my %on = map { $_ => 1 } @_;
    stop_wechat($_) for grep { !$on{$_} } @Loopbacks, '[::1]';
    start_wechat($_, $Port) for @_;
}

# nginx with the line to the name

sub start_line {
    my ($directives, %conf) = @_;
    start_nginx({ http => <<"END", %conf });
    resolver        127.0.0.1:$Dns->{PORT};
    wx_openid_pass  http://$Name:$Port;
    @{[ $directives // '' ]}
END
}

sub first_line { return status_json()->{lines}[0] }

sub addresses {
    return join ' ', sort map { $_->{address} =~ s/:$Port\z//r }
                          @{ first_line()->{addresses} };
}

sub knows {
    my ($wanted) = @_;
    return until_true(sub { addresses() eq $wanted }, 20)
           || diag('knows ' . addresses());
}

sub failures {
    my ($address) = @_;
    my ($found) = grep { $_->{address} eq "$address:$Port" }
                  @{ first_line()->{addresses} };
    return $found;
}

sub outages {
    return log_count(qr/\[warn\].*wx_openid: "$Name" could not be resolved/);
}

# lets all requests go that WeChat holds at this address

sub release_all {
    my ($address) = @_;
    wechat_at($address, "release?code=$_->{code}")
        for @{ wechat_at($address, 'log') };
}

sub alerts { return log_count(qr/\[(?:alert|crit)\]/) }

# the statuses of so many requests, one after another

sub statuses {
    my ($n, $path) = @_;
    my %seen;
    $seen{ask($path)}++ for 1 .. $n;
    return join ' ', map { "$_*$seen{$_}" } sort keys %seen;
}

sub all_good {
    my ($load, $name) = @_;
    is(join(' ', keys %{ $load->{statuses} }), '200', $name)
        or diag(explain($load));
}


subtest 'a name unknown at start: a warning, refused, then it works' => sub {
    plan tests => 9;

    says(is => 'nxdomain');
    only_wechat_at('127.0.0.1');
    start_line('', server => 'location /o { wx_openid on; empty_gif;'
                             . ' wx_openid_host other.test; }');

    my $warning = qr/\[warn\].*"wx_openid_pass": .*"$Name", requests with/;
    like(log_text(), $warning, 'the warning');
    is(() = log_text('stderr') =~ /$warning/g, 1,
       'for two lines it was looked up once');
    is(ask(), 502, 'a code is refused');
    is(wechat_at('127.0.0.1', 'total'), 0, 'WeChat was not asked');
    is(first_line()->{resolved}, undef, 'status: never resolved');

    says(a => '127.0.0.1', ttl => 3600);
    ok(knows('127.0.0.1'), 'DNS is asked again');
    is(ask(), 200, 'a code is exchanged');

    my $asked = queries();
    sleep 2.5;
    is(queries(), $asked, 'then not before the end of the ttl');
    is(alerts(), 0, 'no alert');
};

subtest 'status tells the addresses and when they were resolved' => sub {
    plan tests => 5;

    my $line = first_line();

    is($line->{host}, "$Name:$Port", 'host');
    ok($line->{resolved}{ok}, 'resolved');
    cmp_ok($line->{resolved}{age}, '>=', 2, 'its age');
    is_deeply($line->{addresses}, [{ address => "127.0.0.1:$Port",
                                     state => 'up', failures => 0 }],
              'addresses');
    is($line->{idle}, 1, 'the kept connection');
};

subtest 'an address that changes is followed, no request fails' => sub {
    plan tests => 6;

    says(a => '127.0.0.1');
    only_wechat_at(qw(127.0.0.1 127.0.0.2));
    start_line();
    knows('127.0.0.1');

    my $load = start_load('--pause', 0.01);
    wechat_at('127.0.0.1', 'wait?n=20');
    is(wechat_at('127.0.0.2', 'total'), 0, 'the second is not known yet');

    says(a => '127.0.0.2');
    cmp_ok(wechat_at('127.0.0.2', 'wait?n=20&ms=15000'), '>=', 20,
           'the second is used');

    my $first = wechat_at('127.0.0.1', 'total');
    my $second = wechat_at('127.0.0.2', 'total');
    wechat_at('127.0.0.2', 'wait?n=' . ($second + 50));
    is(wechat_at('127.0.0.1', 'total'), $first, 'the first is not any more');

    all_good(end_load($load), 'no request failed');
    is(outages(), 0, 'no warning');
    is(alerts(), 0, 'no alert');
};

for my $what (qw(nxdomain servfail)) {
    subtest "$what after a good answer changes nothing" => sub {
        plan tests => 9;

        says(a => '127.0.0.1');
        only_wechat_at('127.0.0.1');
        start_line('wx_openid_keepalive 0;');
        knows('127.0.0.1');

        my $load = start_load('--pause', 0.01);
        says(is => $what);
        ok(until_true(sub { outages() == 1 }), 'a warning');
        after_queries(4);
        ok(!first_line()->{resolved}{ok}, 'status: failing');
        is(addresses(), '127.0.0.1', 'the address stays');
        is(ask(), 200, 'and is used');
        is(outages(), 1, 'one warning an outage');

        says(a => '127.0.0.1');
        ok(until_true(sub { first_line()->{resolved}{ok} }), 'DNS is back');
        says(is => $what);
        ok(until_true(sub { outages() == 2 }), 'the next has its own');

        all_good(end_load($load), 'no request failed');
        is(alerts(), 0, 'no alert');
    };
}

subtest 'no request waits for a DNS server that hangs' => sub {
    plan tests => 8;

    says(a => '127.0.0.1');
    only_wechat_at(qw(127.0.0.1 127.0.0.2));
    start_line('wx_openid_keepalive 0;');
    knows('127.0.0.1');

    my $load = start_load('--slow', 2, '--at-once', 1, '--pause', 0.05);
    says(is => 'silent');
    after_queries(2);
    ok(first_line()->{resolved}{ok}, 'status: the last answer was good');
    is(statuses(20), '200*20', 'requests are answered meanwhile');

    ok(until_true(sub { outages() == 1 }, 40), 'a warning in the end');
    is(addresses(), '127.0.0.1', 'the address stays');
    is(ask(), 200, 'and is used');

    says(a => '127.0.0.2');
    ok(knows('127.0.0.2'), 'DNS is back');

    my $result = end_load($load);
    all_good($result, 'no request failed');
    is($result->{slow}, 0, 'nor waited');
};

subtest 'one of two DNS servers is dead: the other is asked' => sub {
    plan tests => 4;

    my $dead = free_port('127.0.0.1');

    says(a => '127.0.0.1');
    only_wechat_at(qw(127.0.0.1 127.0.0.2));
    start_nginx({ http => <<"END" });
    resolver        127.0.0.1:$dead 127.0.0.1:$Dns->{PORT};
    wx_openid_pass  http://$Name:$Port;
END
    ok(knows('127.0.0.1'), 'the name is known');

    my $load = start_load('--pause', 0.01);
    says(a => '127.0.0.2');
    ok(knows('127.0.0.2'), 'a change is followed');
    all_good(end_load($load), 'no request failed');
    is(outages(), 0, 'no warning');
};

subtest 'an answer that is late is used when it comes' => sub {
    plan tests => 3;

    says(a => '127.0.0.1');
    only_wechat_at(qw(127.0.0.1 127.0.0.2));
    start_line();
    knows('127.0.0.1');

    says(a => '127.0.0.2', ms => 1500);
    my ($status, $took) = ask();
    is($status, 200, 'a request does not wait');
    ok(knows('127.0.0.2'), 'the answer is used');
    is(outages(), 0, 'no warning');
};

SKIP: {
    skip 'no IPv6 on loopback', 1 if !has_ipv6();

    subtest 'IPv6 addresses alone' => sub {
        plan tests => 3;

        says(aaaa => '::1');
        only_wechat_at('[::1]');
        start_line();

        ok(knows('[::1]'), 'known');
        is(ask(), 200, 'used');
        is(wechat_at('[::1]', 'total'), 1, 'there');
    };
}

subtest 'an address without a route is left out' => sub {
    plan tests => 4;

    # to neither does any kernel connect: a broadcast address, and one that
    # means nothing without an interface

    says(a => '127.0.0.1,127.255.255.255', aaaa => 'fe80::1');
    only_wechat_at('127.0.0.1');
    start_line('wx_openid_keepalive 0;');

    ok(knows('127.0.0.1'), 'known is the one that has a route');
    is(statuses(4), '200*4', 'used');

    says(a => '127.255.255.255');
    ok(knows('127.255.255.255'), 'known if there is no other');
    is(ask(), 502, 'and tried');
};

subtest 'one of three refuses connections: no request fails' => sub {
    plan tests => 6;

    says(a => join(',', @Loopbacks));
    only_wechat_at(qw(127.0.0.1 127.0.0.3));
    start_line('wx_openid_keepalive 0;');
    knows(join ' ', @Loopbacks);

    my $start = time;
    is(statuses(12), '200*12', 'one after another');
    cmp_ok(failures('127.0.0.2')->{failures}, '<=', 1 + (time - $start) / 10,
           'it is tried once, then rests');
    is(failures('127.0.0.2')->{state}, 'rests', 'status: rests');
    cmp_ok(wechat_at($_, 'total'), '>=', 4, "$_ is used in turn")
        for qw(127.0.0.1 127.0.0.3);
    all_good(end_load(start_load('--count', 200, '--at-once', 16)),
             'many at a time');
};

subtest 'the same address twice in an answer is one' => sub {
    plan tests => 3;

    says(a => '127.0.0.1,127.0.0.2,127.0.0.2,127.0.0.2');
    only_wechat_at('127.0.0.1');
    start_line('wx_openid_keepalive 0;');

    ok(knows('127.0.0.1 127.0.0.2'), 'two are known');
    is(statuses(8), '200*8', 'that one refuses costs no request');
    is(failures('127.0.0.2')->{failures}, 1, 'it is tried once');
};

for my $fault ('short', 'reset_body', 'bad_status') {
    subtest "$fault: an address that breaks off rests" => sub {
        plan tests => 2;

        says(a => '127.0.0.1,127.0.0.2');
        only_wechat_at(qw(127.0.0.1 127.0.0.2));
        start_line('wx_openid_keepalive 0;');
        knows('127.0.0.1 127.0.0.2');

        is(ask('/t', new_code("fault-$fault")), 502, 'it breaks off');

        my @states = sort map { $_->{state} } @{ first_line()->{addresses} };
        is("@states", 'rests up', 'one rests, one does not');
    };
}

subtest 'one of three hangs: one slow request in 10 s, none fails' => sub {
    plan tests => 7;

    says(a => join(',', @Loopbacks));
    only_wechat_at(qw(127.0.0.1 127.0.0.3));
    start_wechat('127.0.0.2', $Port, 'full');
    start_line('wx_openid_keepalive 0; wx_openid_connect_timeout 2s;');
    knows(join ' ', @Loopbacks);

    my $result = end_load(start_load('--count', 30, '--at-once', 1,
                                     '--slow', 1.9));
    all_good($result, 'one after another');
    is($result->{slow}, 1, 'one is slow');
    is(failures('127.0.0.2')->{failures}, 1, 'as it is tried once');

    # its rest ends meanwhile, and many requests could try it at once

    my $load = start_load('--at-once', 16, '--slow', 1.9, '--pause', 0.05);
    ok(until_true(sub { failures('127.0.0.2')->{failures} == 2 }, 20),
       'it is tried again after its rest');
    $result = end_load($load);
    all_good($result, 'many at a time');
    is($result->{slow}, 1, 'by one request alone');
    is(failures('127.0.0.2')->{state}, 'rests', 'then it rests again');
};

subtest 'an address that hung and came back is used again' => sub {
    plan tests => 2;

    stop_wechat('127.0.0.2');
    start_wechat('127.0.0.2', $Port);

    my $load = start_load('--pause', 0.01);
    ok(wechat_at('127.0.0.2', 'wait?n=20&ms=15000') >= 20, 'used');
    all_good(end_load($load), 'no request failed');
};

subtest 'kept connections to an address that hangs cost one request' => sub {
    plan tests => 4;

    says(a => '127.0.0.1,127.0.0.2', ttl => 3600);
    only_wechat_at(qw(127.0.0.1 127.0.0.2));
    start_line('wx_openid_read_timeout 1s;');
    knows('127.0.0.1 127.0.0.2');

    # each address holds four requests, each on a connection of its own;
    # those of the second are kept last and so would be used first

    my @clients = map { start_client(new_code('hold')) } 1 .. 8;

    wechat_at($_, 'wait?n=4') for qw(127.0.0.1 127.0.0.2);
    release_all('127.0.0.1');
    until_true(sub { first_line()->{idle} == 4 });
    release_all('127.0.0.2');

    end_client($_) for @clients;
    is(first_line()->{idle}, 8, 'eight are kept');

    freeze_wechat('127.0.0.2');
    my %seen;
    $seen{ask()}++ for 1 .. 20;
    is($seen{504}, 1, 'one request fails');
    is($seen{200}, 19, 'the others do not');
    is(failures('127.0.0.1')->{state}, 'up', 'the other is up');
    freeze_wechat('127.0.0.2', 'CONT');
};

subtest 'as many addresses as an answer can have' => sub {
    plan tests => 3;

    my @many = map { "127.0.1.$_" } 1 .. 230;

    says(a => join(',', @many));
    only_wechat_at('127.0.0.1');
    start_line('', server => 'location /o { wx_openid on; empty_gif;'
                             . " wx_openid_pass http://$Name:$Port/o; }");
    knows(join ' ', sort @many);

    my @lines = @{ status_json()->{lines} };
    is(join(' ', map { scalar @{ $_->{addresses} } } @lines), '230 230',
       'status: all of them, in two lines');

    says(a => '127.0.0.1');
    ok(knows('127.0.0.1'), 'then another');
    is(ask(), 200, 'it works');
};

subtest 'all fail, then all are tried again' => sub {
    plan tests => 5;

    says(a => '127.0.0.1,127.0.0.2', ttl => 3600);
    only_wechat_at();
    start_line();
    knows('127.0.0.1 127.0.0.2');

    is(statuses(4), '502*4', 'refused');
    is(failures($_)->{state}, 'rests', "$_ rests")
        for qw(127.0.0.1 127.0.0.2);

    only_wechat_at(qw(127.0.0.1 127.0.0.2));
    is(statuses(4), '200*4', 'back at once');
    is(alerts(), 0, 'no alert');
};

subtest 'an address that hangs until wx_openid_timeout rests too' => sub {
    plan tests => 2;

    says(a => '127.0.0.1,127.0.0.2', ttl => 3600);
    only_wechat_at('127.0.0.1');
    start_wechat('127.0.0.2', $Port, 'full');
    start_line('wx_openid_keepalive 0; wx_openid_connect_timeout 30s;'
               . 'wx_openid_timeout 1s;');
    knows('127.0.0.1 127.0.0.2');

    is(statuses(8), '200*7 504*1', 'one request finds out');
    is(failures('127.0.0.2')->{state}, 'rests', 'status: rests');
    stop_wechat('127.0.0.2');
};

subtest 'a worker that ends asks no more and does not wait for DNS' => sub {
    plan tests => 8;

    says(a => '127.0.0.1');
    only_wechat_at('127.0.0.1');
    start_line();
    knows('127.0.0.1');

    # a query is on its way that nobody answers

    says(is => 'silent');
    after_queries(2);
    my $start = time;
    my ($old) = reload_nginx();
    ok(until_true(sub { !is_running($old) }), 'reload: it ends');
    cmp_ok(time - $start, '<', 3, 'at once');

    # the timer of the next one runs

    says(a => '127.0.0.1', ttl => 3600);
    knows('127.0.0.1');
    $start = time;
    ($old) = reload_nginx();
    ok(until_true(sub { !is_running($old) }), 'again');
    cmp_ok(time - $start, '<', 3, 'at once');

    # a request holds it back

    says(a => '127.0.0.1');
    ($old) = reload_nginx();
    until_true(sub { !is_running($old) });
    knows('127.0.0.1');
    my ($worker) = worker_pids();
    my $code = new_code('hold');
    my $client = start_client($code);
    wechat_at('127.0.0.1', "wait?code=$code");
    kill QUIT => nginx_pid();
    sleep 1.2;                      # a query that was on its way
    my $asked = queries();
    sleep 2.5;
    ok(is_running($worker), 'quit: a request goes on');
    is(queries(), $asked, 'no more queries');
    wechat_at('127.0.0.1', "release?code=$code");
    is(end_client($client), 200, 'the request is answered');
    ok(until_true(sub { !is_running($worker) }), 'it ends');
};

subtest 'a resolver at location level, and the system\'s' => sub {
    plan skip_all => 'needs root, unshare and port 53'
        if !(my $system = system_dns());
    plan tests => 7;

    my $other = start_dns();
    dns($other, "set?name=$Name&a=127.0.0.2&ttl=3600");
    dns($system, "set?name=$Name&a=127.0.0.1&ttl=3600");
    only_wechat_at(qw(127.0.0.1 127.0.0.2));

    start_with_system(
        http => "wx_openid_pass http://$Name:$Port;",
        server => "location /o { resolver 127.0.0.1:$other->{PORT};"
                  . ' wx_openid on; empty_gif; }',
    );

    ok(until_true(sub {
        2 == grep { $_->{resolved} } @{ status_json()->{lines} }
    }), 'both are asked');
    is(statuses(2), '200*2', 'the system\'s');
    is(wechat_at('127.0.0.1', 'total'), 2, 'its address');
    is(statuses(2, '/o'), '200*2', 'the location\'s');
    is(wechat_at('127.0.0.2', 'total'), 2, 'its address');
    cmp_ok(dns($system, "count?name=$Name&type=A"), '>=', 1, 'was asked');
    is(alerts(), 0, 'no alert');
};

for my $what ('servfail', 'nxdomain') {
    subtest "AAAA is answered with $what: A alone is followed" => sub {
        plan skip_all => 'needs root, unshare and port 53'
            if !(my $system = system_dns());
        plan tests => 5;

        my $set = "set?name=$Name&is6=$what&ttl=1";
        dns($system, "$set&a=127.0.0.1");
        only_wechat_at(qw(127.0.0.1 127.0.0.2));
        start_with_system(http => "wx_openid_pass http://$Name:$Port;"
                                  . ' wx_openid_keepalive 0;');

        ok(knows('127.0.0.1'), 'an address');
        is(ask(), 200, 'is used');

        dns($system, "$set&a=127.0.0.2");
        ok(knows('127.0.0.2'), 'another');
        is(ask(), 200, 'is used');
        is(outages(), 0, 'no outage');
    };
}

# nginx where resolv.conf names the server that system_dns() starts

sub start_with_system {
    my (%conf) = @_;
    my $file = nginx_dir() . '.resolv.conf';
    open my $out, '>', $file or die "$file: $!";
    print $out "# nameserver 127.0.0.3\nsearch example\n",
               "nameserver  fe80::1%lo\nnameserver no.address\n",
               "nameserver\t127.0.0.77 # ours\noptions timeout:1\n";
    close $out;

    start_nginx({
        wrap => ['unshare', '-m', 'sh', '-c',
                 'mount --bind "$0" /etc/resolv.conf && exec "$@"', $file],
        %conf,
    });
}

# only there may a test have resolv.conf and the port that goes with it

my $System;

sub system_dns {
    return $System ||= start_system_dns();
}

sub start_system_dns {
    return if $> != 0 || system('unshare -m true 2> /dev/null') != 0;
    my $probe = IO::Socket::IP->new(LocalAddr => '127.0.0.77',
                                    LocalPort => 53, Proto => 'udp')
        or return;
    close $probe;
    return start_dns('127.0.0.77:53');
}
