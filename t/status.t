# wx_openid_status: every counter after known traffic, in both formats.

use strict;
use warnings;

use lib 't/lib';
use JSON::PP ();
use Test::More tests => 86;
use WxOpenid::Conf qw(check_conf);
use WxOpenid::Nginx qw(until_true);
use WxOpenid::Servers qw(wechat wx_openid_of);

WxOpenid::Servers::start_all();

my $Codes = 0;

sub new_code {
    my ($kind) = @_;
    return sprintf '%s-%d-%06d', $kind, $$, ++$Codes;
}

my $Backend = "http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT}";
my $Status = <<'END';
        location = /metrics {
            wx_openid_status;
        }

        location = /prometheus {
            wx_openid_status  prometheus;
        }

        location = /json {
            wx_openid_status  json;
        }

        location = /stub {
            stub_status;
        }
END

sub start {
    my ($more, %conf) = @_;

    return WxOpenid::Nginx->start(workers => 2, %conf, http => <<"END");
    $ENV{TEST_NGINX_WX_CONFIG}
    wx_openid_keepalive  0;
    $more

    server {
        listen  127.0.0.1:%PORT% reuseport;

$Status
        location /t {
            wx_openid   on;
            proxy_pass  $Backend;
        }

        location /optional {
            wx_openid   optional;
            proxy_pass  $Backend;
        }

        location /banned {
            wx_openid          on;
            wx_openid_require  0;
            proxy_pass         $Backend;
        }

        location /unknown {
            wx_openid        on;
            wx_openid_appid  nobody;
            proxy_pass       $Backend;
        }

        location /slow {
            wx_openid          on;
            wx_openid_timeout  300ms;
            proxy_pass         $Backend;
        }

        location /busy {
            wx_openid               on;
            wx_openid_busy_retries  1;
            proxy_pass              $Backend;
        }

        location /page {
            wx_openid   on;
            error_page  401 = /t;
            proxy_pass  $Backend;
        }
    }
END
}

# the samples of the text format: { 'name{label="x"}' => value }

sub samples {
    my ($nginx, $path) = @_;
    my $text = $nginx->get($path // '/metrics')->{content};
    return { $text =~ /^([^#\s]\S*) (\S+)$/mg };
}

# what changed between two of them, less what time decides

sub changes {
    my ($before, $after) = @_;
    my %changed;

    for my $name (grep { !/_seconds_(?:bucket|sum)/ } keys %$after) {
        my $n = $after->{$name} - ($before->{$name} // 0);
        $changed{$name =~ s/^wx_openid_//r} = $n if $n;
    }

    return \%changed;
}

# is what requests, made by a sub, change

sub counts {
    my ($name, $nginx, $do, %wanted) = @_;
    my $before = samples($nginx);

    $do->();

    my $changed = changes($before, samples($nginx));
    is_deeply($changed, \%wanted, $name) or diag(explain($changed));
}


# Each way a request can end

my $nginx = start('wx_openid_cache  ttl=60s error_ttl=60s;');
my ($good, $bad) = (new_code('good'), new_code('bad'));

my %exchange = (exchange_seconds_count => 1, connections_total => 1);

sub refused {
    my ($error) = @_;
    return ('requests_total{result="error"}' => 1,
            qq(errors_total{error="$error"}) => 1);
}

counts('an exchange', $nginx, sub { $nginx->get('/t', $good) },
       'requests_total{result="miss"}' => 1, cache_entries => 1, %exchange);

counts('a result of the cache', $nginx, sub { $nginx->get('/t', $good) },
       'requests_total{result="hit"}' => 1);

counts('a refused code', $nginx, sub { $nginx->get('/t', $bad) },
       refused('invalid_code'), 'wechat_errcode_total{errcode="40029"}' => 1,
       cache_entries => 1, %exchange);

counts('a refused code of the cache', $nginx,
       sub { $nginx->get('/t', $bad) }, refused('invalid_code'));

counts('no code', $nginx, sub { $nginx->get('/t') },
       refused('login_required'));

counts('nobody in particular', $nginx, sub { $nginx->get('/optional') },
       'requests_total{result="none"}' => 1);

counts('a code that is no code', $nginx,
       sub { $nginx->get('/t', 'x' x 513) }, refused('invalid_code'));

counts('somebody not wanted', $nginx, sub { $nginx->get('/banned', $good) },
       refused('forbidden'));

counts('an app not declared', $nginx,
       sub { $nginx->get('/unknown', new_code('good')) },
       refused('unknown_app'));

counts('where the module is off', $nginx, sub { $nginx->get('/json') });

counts('a refusal twice in one request', $nginx,
       sub { $nginx->get('/page') }, refused('login_required'));

my %errcodes = (
    -1 => 'wechat_busy', 40002 => 'misconfigured', 40013 => 'misconfigured',
    40125 => 'misconfigured', 40163 => 'invalid_code',
    40164 => 'misconfigured', 40226 => 'user_blocked',
    40243 => 'misconfigured', 41002 => 'misconfigured',
    41004 => 'misconfigured', 41008 => 'invalid_code',
    45009 => 'quota_exceeded', 45011 => 'rate_limited',
);

for my $errcode (sort { $a <=> $b } keys %errcodes) {
    my $error = $errcodes{$errcode};
    counts("errcode $errcode", $nginx,
           sub { $nginx->get('/t', new_code("err-$errcode")) },
           refused($error), %exchange,
           qq(wechat_errcode_total{errcode="$errcode"}) => 1,
           $error eq 'invalid_code' ? (cache_entries => 1) : ());
}

counts('another errcode', $nginx,
       sub { $nginx->get('/t', new_code('err-43210')) },
       refused('bad_gateway'), %exchange,
       'wechat_errcode_total{errcode="other"}' => 1);

counts('no reply that counts', $nginx,
       sub { $nginx->get('/t', new_code('fault-openid_number')) },
       refused('bad_gateway'), %exchange);

counts('no reply in time', $nginx,
       sub { $nginx->get('/slow', new_code('hold')) },
       refused('wechat_timeout'), %exchange);

counts('asked again while busy', $nginx,
       sub { $nginx->get('/busy', new_code('busy-1')) },
       'requests_total{result="miss"}' => 1, exchange_seconds_count => 1,
       connections_total => 2, cache_entries => 1,
       'wechat_errcode_total{errcode="-1"}' => 1);

{
    my $code = new_code('hold');
    my $flood;

    counts('in flight', $nginx, sub {
        $flood = $nginx->flood('--clients', 10, $code);
        $nginx->until_waiting(10);
    }, exchanges_in_flight => 1, cache_entries => 1, connections_total => 1);

    counts('then not', $nginx, sub {
        wechat("release?code=$code");
        $nginx->flood_end($flood);
    }, exchanges_in_flight => -1, 'requests_total{result="miss"}' => 1,
       'requests_total{result="wait"}' => 9, exchange_seconds_count => 1);

    $code = new_code('hold');

    counts('a waiter whose time is over is no exchange', $nginx, sub {
        $flood = $nginx->flood($code);
        wechat("wait?code=$code");
        $nginx->get('/slow', $code);
    }, refused('wechat_timeout'), exchanges_in_flight => 1,
       connections_total => 1, cache_entries => 1);

    wechat("release?code=$code");
    $nginx->flood_end($flood);
}

{
    my $small = start('wx_openid_max_exchanges  1;', workers => 1);
    my $code = new_code('hold');
    my $flood = $small->flood($code);
    wechat("wait?code=$code");

    counts('too many at a time is no exchange', $small,
           sub { $small->get('/t', new_code('good')) },
           refused('overloaded'));

    wechat("release?code=$code");
    $small->flood_end($flood);
}


# The time of exchanges

{
    my $before = samples($nginx);
    $nginx->get('/t', new_code('delay-300'));
    my $after = samples($nginx);
    my %bucket;

    for my $name (grep { /_seconds_bucket/ } keys %$after) {
        my ($bound) = $name =~ /le="(.*)"/;
        $bucket{$bound} = $after->{$name} - $before->{$name};
    }

    is_deeply([sort { $a <=> $b } grep { /\d/ } keys %bucket],
              [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
              'histogram: 5 ms to 10 s');
    is(sum(map { $bucket{$_} } grep { /\d/ && $_ < 0.3 } keys %bucket), 0,
       'histogram: not in those below');
    is($bucket{10}, 1, 'histogram: in the last');
    is($bucket{'+Inf'}, 1, 'histogram: and in all');

    my $sum = 'wx_openid_exchange_seconds_sum';
    cmp_ok($after->{$sum} - $before->{$sum}, '>=', 0.299,
           'histogram: as long as it took');
    cmp_ok($after->{$sum} - $before->{$sum}, '<', 5,
           'histogram: and no longer');
}

sub sum {
    my $sum = 0;
    $sum += $_ for @_;
    return $sum;
}


# Both formats

{
    my $text = $nginx->get('/prometheus');
    my $json = $nginx->get('/json');

    is($text->{status}, 200, 'prometheus: status');
    is($text->{headers}{'content-type'},
       'text/plain; version=0.0.4; charset=utf-8', 'prometheus: type');
    is($nginx->get('/metrics')->{content}, $text->{content},
       'prometheus: the default');
    is($json->{status}, 200, 'json: status');
    is($json->{headers}{'content-type'}, 'application/json', 'json: type');

    my $n = samples($nginx);
    my $tree = JSON::PP::decode_json($json->{content});
    my %want;

    for my $name (keys %$n) {
        $want{requests}{$1} = $n->{$name} if $name =~ /result="(\w+)"/;
        $want{errors}{$1} = $n->{$name} if $name =~ /error="(\w+)"/;
        $want{wechat_errcode}{$1} = $n->{$name}
            if $name =~ /errcode="([-\w]+)"/;
    }

    $want{exchanges} = {
        count => $n->{wx_openid_exchange_seconds_count},
        seconds => $n->{wx_openid_exchange_seconds_sum},
        in_flight => 0,
    };
    $want{connections} = $n->{wx_openid_connections_total};
    $want{cache} = {
        entries => $n->{wx_openid_cache_entries},
        evictions => $n->{wx_openid_cache_evictions_total},
    };

    $tree->{exchanges}{seconds} = sprintf '%.3f', $tree->{exchanges}{seconds};
    # what a worker knows of its own line is no counter
    my $lines = delete $tree->{lines};
    is(ref $lines, 'ARRAY', 'json: the line to WeChat');

    is_deeply($tree, \%want, 'json: the same numbers')
        or diag(explain($tree));

    for my $what (['a code', $good], ['an openid', wx_openid_of($good)],
                  ['an appid', 'wxtest'],
                  ['a secret', $ENV{TEST_NGINX_SECRET}])
    {
        is(index($text->{content} . $json->{content}, $what->[1]), -1,
           "no $what->[0] in it");
    }

    for my $path (qw(/metrics /json)) {
        my $http = HTTP::Tiny->new(keep_alive => 0);
        my $url = 'http://127.0.0.1:' . $nginx->port . $path;
        my ($get, $head);

        # a number in it may get a digit more meanwhile
        until_true(sub {
            ($get, $head) = ($http->get($url), $http->head($url));
            return ($head->{headers}{'content-length'} // '')
                   eq length $get->{content};
        });

        is($head->{status}, 200, "HEAD $path: status");
        is($head->{content} // '', '', "HEAD $path: no body");
        is($head->{headers}{'content-length'}, length $get->{content},
           "HEAD $path: length");
        is($http->post($url, { content => 'x=1' })->{status}, 405,
           "POST $path: refused");
        is($http->request('DELETE', $url)->{status}, 405,
           "DELETE $path: refused");
    }
}

# promtool says nothing of text that it finds nothing wrong with

sub promtool {
    my ($text) = @_;
    my $file = File::Temp->new;
    print $file $text;
    close $file;
    my $said = qx(promtool check metrics < $file 2>&1);
    return ($?, $said);
}

SKIP: {
    skip 'no promtool here', 3 if !qx(promtool --version 2>&1);

    my $text = $nginx->get('/metrics')->{content};
    my ($status, $said) = promtool($text);

    is($said, '', 'promtool finds nothing to say');
    is($status, 0, 'promtool accepts');
    ($status) = promtool($text =~ s/ counter$/ counted/mr);
    isnt($status, 0, 'and would not accept everything');
}


# Over a reload

{
    my $before = samples($nginx);
    ok($nginx->reload, 'reload');
    is_deeply(samples($nginx), $before, 'reload: the same numbers');

    counts('reload: they go on', $nginx,
           sub { $nginx->get('/t', new_code('good')) },
           'requests_total{result="miss"}' => 1, cache_entries => 1,
           %exchange);
    is($nginx->alerts, '', 'no alert in the log');
}


# Where nothing else of the module is used

{
    my $unused = WxOpenid::Nginx->start(http => <<"END");
    server {
        listen  127.0.0.1:%PORT%;
$Status
    }
END
    my $n = samples($unused);

    is_deeply([sort keys %$n], [sort keys %{ samples($nginx) }],
              'unused: the same names');
    is(sum(values %$n), 0, 'unused: nothing happened');
    is(sum(values %{ $unused->counters->{requests} }), 0, 'unused: in JSON');
    is($unused->alerts, '', 'unused: no alert in the log');
}


# What the directive takes

sub conf {
    my ($text, $where) = @_;
    my %at = (http => '', server => '', location => '');

    $at{$where} = $text;

    return check_conf({ http => <<"END" });
    $at{http}
    server {
        listen  unix:t.sock;
        $at{server}
        location / {
            $at{location}
        }
    }
END
}

for my $where (qw(http server)) {
    my ($ok, $said) = conf('wx_openid_status;', $where);
    ok(!$ok, "in $where: refused");
    like($said, qr/"wx_openid_status" directive is not allowed here/,
         "in $where: says so");
}

for my $value (qw(on off xml Prometheus)) {
    my ($ok, $said) = conf("wx_openid_status $value;", 'location');
    ok(!$ok, "$value: refused");
    like($said, qr/invalid value "$value" in "wx_openid_status"/,
         "$value: says so");
}

{
    my ($ok, $said) = conf("wx_openid_status;\nwx_openid_status json;",
                           'location');
    ok(!$ok, 'twice: refused');
    like($said, qr/"wx_openid_status" directive is duplicate/,
         'twice: says so');

    ($ok, $said) = conf('wx_openid_status json prometheus;', 'location');
    ok(!$ok, 'two formats: refused');
    like($said, qr/invalid number of arguments in "wx_openid_status"/,
         'two formats: says so');
}
