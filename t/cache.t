# Results that the zone keeps: how long, for whom, and what of them.

use strict;
use warnings;

use lib 't/lib';
use Test::More tests => 244;
use Time::HiRes qw(sleep time);
use WxOpenid::Conf qw(check_conf);
use WxOpenid::Nginx qw(until_true);
use WxOpenid::Servers qw(
    wechat wx_openid_of wx_unionid_of wx_session_key_of
);

WxOpenid::Servers::start_all();

my $Wechat = "http://127.0.0.1:$ENV{TEST_NGINX_WECHAT_PORT}";
my $App = "wx_openid_app  wxtest $ENV{TEST_NGINX_SECRET};";
my $Codes = 0;

sub new_code {
    my ($kind) = @_;
    return ($kind // 'good') . sprintf '-%d-%06d', $$, ++$Codes;
}

sub asked {
    my ($code) = @_;
    return wechat("count?code=$code");
}

# http {} with these directives in it, and these locations beside /t

sub start {
    my ($directives, $locations, %conf) = @_;
    $locations //= '';

    return WxOpenid::Nginx->start(%conf, http => <<"END");
    $ENV{TEST_NGINX_WX_CONFIG}
    wx_openid_keepalive  0;
    $directives

    server {
        listen  127.0.0.1:%PORT%;

        add_header  X-Status \$wx_openid_status always;
        add_header  X-Errcode \$wx_openid_errcode always;
        add_header  X-Time \$wx_openid_exchange_time always;

        location /t {
            wx_openid   on;
            proxy_pass  http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT};
        }

        location = /json {
            wx_openid_status  json;
        }

        $locations
    }
END
}

# what a request with the code gets: "200 HIT", "401 ERROR invalid_code"

sub answer {
    my ($nginx, $code, $path) = @_;
    my $res = $nginx->get($path // '/t', $code);
    my ($error) = $res->{content} =~ /"error":"(\w+)"/;

    return join ' ', $res->{status}, $res->{headers}{'x-status'} // (),
                $error // ();
}

sub no_alerts {
    my ($name, $nginx) = @_;
    is($nginx->alerts, '', "$name: no alert in the log");
}


# What the directive takes

sub conf {
    my ($directive, $where) = @_;
    my %text = (http => '', server => '', location => '');

    $text{$where // 'http'} = $directive;

    return check_conf({ http => <<"END" });
    $App
    wx_openid_pass  http://127.0.0.1;
    $text{http}

    server {
        listen  unix:t.sock;
        $text{server}

        location / {
            wx_openid  on;
            $text{location}
        }
    }
END
}

for my $value ('off', 'size=64k', 'size=1m', 'ttl=60s', 'ttl=1m', 'ttl=0',
               'ttl=1500ms', 'error_ttl=0', 'error_ttl=60s',
               'size=1m ttl=5s error_ttl=2s', 'error_ttl=2s size=1m')
{
    my ($ok, $said) = conf("wx_openid_cache $value;");
    ok($ok, "wx_openid_cache $value: taken") or diag($said);
}

for my $value ('on', 'size=63k', 'size=4096', 'size=0', 'size=', 'size=1x',
               'size=-1', 'size', 'ttl=61s', 'ttl=2m', 'ttl=60001ms', 'ttl=',
               'ttl=-1', 'ttl=1x', 'ttl', 'error_ttl=61s', 'error_ttl=',
               'error_ttl=x', 'zone=a:1m', 'TTL=1s', '10s')
{
    my ($ok, $said) = conf("wx_openid_cache $value;");
    ok(!$ok, "wx_openid_cache $value: refused");
    like($said, qr/\[emerg\].*"\Q$value\E" in "wx_openid_cache"/,
         "wx_openid_cache $value: says which");
}

for my $value ('off ttl=1s', 'ttl=1s off') {
    my ($ok, $said) = conf("wx_openid_cache $value;");
    ok(!$ok, "wx_openid_cache $value: refused");
    like($said, qr/\[emerg\].*"off" in "wx_openid_cache".* alone/,
         "wx_openid_cache $value: off goes alone");
}

{
    my ($ok, $said) = conf('wx_openid_cache;');
    ok(!$ok, 'wx_openid_cache without a value: refused');

    ($ok, $said) = conf("wx_openid_cache off;\nwx_openid_cache ttl=1s;");
    ok(!$ok, 'wx_openid_cache twice: refused');
    like($said, qr/\[emerg\].*"wx_openid_cache" directive is duplicate/,
         'wx_openid_cache twice: says so');

    for my $name ('wx_openid_cache off', 'wx_openid_max_exchanges 1') {
        for my $where (qw(server location)) {
            ($ok, $said) = conf("$name;", $where);
            ok(!$ok, "$name in a $where: refused");
            like($said, qr/"\w+" directive is not allowed here/,
                 "$name in a $where: says so");
        }
    }
}

for my $value (qw(0 -1 many 1s)) {
    my ($ok, $said) = conf("wx_openid_max_exchanges $value;");
    ok(!$ok, "wx_openid_max_exchanges $value: refused");
    like($said, qr/\[emerg\].*"wx_openid_max_exchanges \Q$value\E"/,
         "wx_openid_max_exchanges $value: says which");
}


# How long

{
    my $name = 'without a directive';
    my $nginx = start('');
    my $code = new_code('union');
    my $first = $nginx->get('/t', $code);
    my $second = $nginx->get('/t', $code);

    is($first->{headers}{'x-status'}, 'MISS', "$name: asked");
    is($second->{headers}{'x-status'}, 'HIT', "$name: known");
    like($second->{content}, qr/^X-WX-OPENID: @{[wx_openid_of($code)]}$/m,
         "$name: with the openid");
    like($second->{content}, qr/^X-WX-UNIONID: @{[wx_unionid_of($code)]}$/m,
         "$name: with the unionid");
    like($first->{headers}{'x-time'}, qr/\A\d+\.\d{3}\z/, "$name: in a time");
    is($second->{headers}{'x-time'}, undef, "$name: no time was spent");
    is(asked($code), 1, "$name: asked once");

    $code = new_code('bad');
    is(answer($nginx, $code), '401 ERROR invalid_code', "$name: refused");
    my $res = $nginx->get('/t', $code);
    is($res->{status}, 401, "$name: refused again");
    is($res->{headers}{'x-status'}, 'ERROR', "$name: as an error");
    is($res->{headers}{'x-errcode'}, 40029, "$name: with the errcode");
    like($res->{content},
         qr/^\{"error":"invalid_code","errcode":40029,"errmsg":"invalid /,
         "$name: in WeChat's words");
    is($res->{headers}{'www-authenticate'},
       'Bearer realm="wx_openid", error="invalid_token"',
       "$name: with the challenge");
    is(asked($code), 1, "$name: asked once");

    my @lines = $nginx->log_lines(qr/wx_openid: invalid_code: /);
    is(@lines, 2, "$name: a log line each");
    is((grep { /\[info\].*: WeChat's errcode 40029 "inv.* "wxtest"/ } @lines),
       2, "$name: with the errcode, at info");
    unlike(join('', @lines), qr/\Q$code\E/, "$name: without the code");
    no_alerts($name, $nginx);
}

# one request after another until the code is asked again: none of them gives
# the result more time

sub asked_again {
    my ($name, $nginx, $code, $ended) = @_;
    my $start = time;

    answer($nginx, $code);
    my $ready = time;
    my ($now, $sent, $last);

    until_true(sub {
        $sent = time;
        $now = answer($nginx, $code);
        $last = $sent if asked($code) == 1;
        return asked($code) > 1;
    }, 5);

    is($now, $ended, "$name: it ends");
    cmp_ok(time - $start, '>=', 0.99, "$name: not before");
    cmp_ok($last - $ready, '>', 0.3, "$name: it answered");
    cmp_ok($last - $ready, '<', 1.1, "$name: not for longer");
    is(asked($code), 2, "$name: asked again");
}

for my $short (qw(ttl error_ttl)) {
    my $name = "$short=1s";
    my $long = $short eq 'ttl' ? 'error_ttl' : 'ttl';
    my $nginx = start("wx_openid_cache  $short=1s $long=60s;");
    my ($good, $bad) = (new_code('good'), new_code('bad'));

    if ($short eq 'ttl') {
        answer($nginx, $bad);
        asked_again($name, $nginx, $good, '401 ERROR invalid_code');
        is(answer($nginx, $bad), '401 ERROR invalid_code',
           "$name: a refused code is");
    } else {
        answer($nginx, $good);
        asked_again($name, $nginx, $bad, '401 ERROR invalid_code');
        is(answer($nginx, $good), '200 HIT', "$name: a good one is");
    }

    is(asked($short eq 'ttl' ? $bad : $good), 1, "$name: still known");
    no_alerts($name, $nginx);
}

# what is kept for no time at all, though who waits gets it

for my $directive ('wx_openid_cache  ttl=0 error_ttl=0;',
                   'wx_openid_cache  off;')
{
    my ($name) = $directive =~ /(\w+=0|off)/;
    my $nginx = start($directive, '', workers => 2);
    my $code = new_code();

    is(answer($nginx, $code), '200 MISS', "$name: asked");
    is(answer($nginx, $code), '401 ERROR invalid_code', "$name: again");
    is(asked($code), 2, "$name: twice");

    $code = new_code('bad');
    answer($nginx, $code) for 1 .. 3;
    is(asked($code), 3, "$name: refused codes as well");

    $code = new_code('delay-500');
    my $openid = wx_openid_of($code);
    my $report = $nginx->flood_end($nginx->flood('--clients', 50, $code));
    is($report->{answers}{"200 WAIT $openid"}, 49, "$name: others wait")
        or diag(explain($report));
    is(asked($code), 1, "$name: for one exchange");
    is($nginx->counters->{requests}{hit}, 0, "$name: never a HIT");
    no_alerts($name, $nginx);
}

{
    my $nginx = start('wx_openid_read_timeout  300ms;'
                      . ' wx_openid_cache  ttl=60s error_ttl=60s;');
    my %status = (
        'err--1' => 503, 'err-45011' => 429, 'err-40226' => 403,
        'err-45009' => 503, 'err-40013' => 500, 'err-40125' => 500,
        'err-99999' => 502, 'status-500' => 502, 'fault-close' => 502,
        'fault-reset' => 502, 'fault-stall' => 504,
        'fault-openid_number' => 502, 'fault-empty' => 502,
    );

    for my $kind (sort keys %status) {
        my $code = new_code($kind);
        is($nginx->get('/t', $code)->{status}, $status{$kind},
           "$kind: refused") for 1 .. 2;
        is(asked($code), 2, "$kind: not kept");
    }

    for my $kind (qw(err-40029 err-40163 err-41008)) {
        my $code = new_code($kind);
        is(answer($nginx, $code), '401 ERROR invalid_code', "$kind: refused")
            for 1 .. 2;
        is(asked($code), 1, "$kind: kept");
    }

    is($nginx->counters->{cache}{entries}, 3, 'failures: no entry is left');
    no_alerts('failures', $nginx);
}


# For whom: one code in locations that must not share

{
    my $tls = <<"END";
        wx_openid_pass  https://127.0.0.1:$ENV{TEST_NGINX_WECHAT_TLS_PORT};
        wx_openid_host  api.weixin.qq.com;
        wx_openid_ssl_trusted_certificate  $ENV{TEST_NGINX_CERTS}/ca.pem;
END
    my %others = (
        app => "wx_openid_appid wxother;",
        secret => "wx_openid_app wxtest another-secret;",
        pass => "wx_openid_pass $Wechat/prefix;",
        host => "wx_openid_host wechat.test;",
        tls => $tls,
        noverify => "$tls wx_openid_ssl_verify off;",
        depth => "$tls wx_openid_ssl_verify_depth 5;",
        crl => "$tls wx_openid_ssl_crl $ENV{TEST_NGINX_CERTS}/crl.pem;",
        authority => $tls =~ s{certs/ca\.pem}{certs/../certs/ca.pem}r,
    );
    my %same = (
        timeout => 'wx_openid_timeout 3s; wx_openid_read_timeout 1s;',
        second => 'wx_openid_appid wxtest;',
        optional => 'wx_openid optional;',
    );

    my $locations = '';
    my %all = (%others, %same);

    for my $path (sort keys %all) {
        my $on = $path eq 'optional' ? '' : 'wx_openid on;';
        $locations .= "location /$path { $on $all{$path}"
                      . " proxy_pass http://127.0.0.1:"
                      . "$ENV{TEST_NGINX_BACKEND_PORT}; }\n";
    }

    my $nginx = start('wx_openid_cache  ttl=60s error_ttl=60s;', $locations);

    # "delay-" codes can be exchanged any number of times
    my $code = new_code('delay-0');
    is(answer($nginx, $code), '200 MISS', 'key: asked');

    my $n = 1;

    for my $path (sort keys %others) {
        my $status = $path eq 'secret' ? '500 ERROR misconfigured'
                                       : '200 MISS';
        is(answer($nginx, $code, "/$path"), $status,
           "key: another $path does not share");
        is(asked($code), ++$n, "key: another $path asks");
    }

    for my $path (sort keys %same) {
        is(answer($nginx, $code, "/$path"), '200 HIT',
           "key: another $path shares");
    }

    is(answer($nginx, $code), '200 HIT', 'key: still there');
    is(answer($nginx, "${code}x"), '200 MISS', 'key: the whole code');
    is(answer($nginx, substr($code, 0, -1)), '200 MISS', 'key: nothing less');
    is(asked($code), $n, 'key: none of these asks');

    # a reload with another secret: what was known with the old one is not
    $nginx->reload(http => $nginx->{http}
                           =~ s/$ENV{TEST_NGINX_SECRET}/new-secret/r);
    is(answer($nginx, $code), '500 ERROR misconfigured',
       'key: a new secret meets no old results');
    no_alerts('key', $nginx);
}

{
    my $name = 'a redirect';
    my $nginx = start('wx_openid_cache  ttl=60s;', <<"END");
        location /from {
            wx_openid   on;
            error_page  418 = /t;
            return      418;
        }

        location /try {
            wx_openid  on;
            root       $ENV{TEST_NGINX_CERTS};
            try_files  /none \@here;
        }

        location \@here {
            wx_openid   on;
            proxy_pass  http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT};
        }

        location \@line {
            wx_openid       on;
            wx_openid_host  wechat.test;
            proxy_pass      http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT};
        }

        location /line {
            wx_openid  on;
            root       $ENV{TEST_NGINX_CERTS};
            try_files  /none \@line;
        }
END
    my $code = new_code();

    is(answer($nginx, $code), '200 MISS', "$name: asked");

    for my $path (qw(/from /try)) {
        my $res = $nginx->get($path, $code);
        is($res->{headers}{'x-status'}, 'HIT', "$name: known at $path");
        like($res->{content}, qr/^X-WX-OPENID: @{[wx_openid_of($code)]}$/m,
             "$name: with the openid");
    }

    is(answer($nginx, $code, '/line'), '401 ERROR invalid_code',
       "$name: a result over one line is none over another");
    is(asked($code), 1, "$name: asked once");
    no_alerts($name, $nginx);
}


# What of them: the zone as a worker sees it

sub zone_text {
    my ($pid) = @_;
    my $text = '';

    open my $maps, '<', "/proc/$pid/maps" or die "maps: $!\n";
    open my $mem, '<:raw', "/proc/$pid/mem" or die "mem: $!\n";

    while (my $line = <$maps>) {
        my ($from, $to) = $line =~ m{^(\w+)-(\w+) rw-s .*/dev/zero} or next;
        no warnings 'portable';
        sysseek $mem, hex $from, 0;
        sysread $mem, my $part, hex($to) - hex($from);
        $text .= $part;
    }

    return $text;
}

# a text may lie in two pieces, but not both of its halves can

sub found {
    my ($text, $wanted) = @_;
    my $half = int(length($wanted) / 2);

    return index($text, substr $wanted, 0, $half) >= 0
           || index($text, substr $wanted, $half) >= 0;
}

for my $use ('', 'add_header  X-Key $wx_openid_session_key;') {
    my $name = $use ? 'with $wx_openid_session_key' : 'without it';
    my $nginx = start('wx_openid_cache  ttl=60s error_ttl=60s;', <<"END");
        location /key {
            wx_openid   on;
            $use
            proxy_pass  http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT};
        }

        location /repeats {
            wx_openid       on;
            wx_openid_pass  http://127.0.0.1:%PORT%;
        }

        location = /sns/jscode2session {
            return  200  '{"errcode":40029,"errmsg":"no \$arg_js_code here"}';
        }
END
    my $code = new_code('union');
    my $bad = new_code('bad');
    my $echo = new_code('echo');
    my $repeated = new_code('repeated');
    my $flying = new_code('hold');
    my $lost = new_code('fault-close');

    answer($nginx, $_) for $code, $bad, $echo, $lost;
    like($nginx->get('/repeats', $repeated)->{content}, qr/no $repeated here/,
         "$name: a code repeated by WeChat");
    my $flood = $nginx->flood($flying);
    wechat("wait?code=$flying");

    my $key = wx_session_key_of($code);
    my $text = zone_text($nginx->workers);

    ok(found($text, wx_openid_of($code)), "$name: openids are kept");
    ok(found($text, wx_unionid_of($code)), "$name: unionids are kept");
    ok(!found($text, $_), "$name: no $_")
        for $code, $bad, $flying, $lost, $echo, $repeated,
            $ENV{TEST_NGINX_SECRET};
    is(answer($nginx, $repeated, '/repeats'), '401 ERROR invalid_code',
       "$name: it is known all the same");

    my $res = $nginx->get('/key', $code);
    is($res->{status}, 200, "$name: a HIT");

    if ($use) {
        ok(found($text, $key), "$name: keys are kept");
        is($res->{headers}{'x-key'}, $key, "$name: a HIT has it");
    } else {
        ok(!found($text, $key), "$name: no key is kept");
        is($res->{headers}{'x-key'}, undef, "$name: a HIT has none");
    }

    wechat("release?code=$flying");
    $nginx->flood_end($flood);
    no_alerts($name, $nginx);
}


# Nobody can tell where a code's entry is: what of two zones is the same at
# the same place holds nothing that looks random, as a digest and its key do.

sub looks_random {
    my ($text) = @_;
    my %bytes = map { $_ => 1 } unpack 'C*', $text;

    return keys %bytes > 11 && grep { $_ > 127 } keys %bytes;
}

sub same_and_random {
    my ($one, $other) = @_;

    return scalar grep {
        substr($one, $_, 16) eq substr($other, $_, 16)
            && looks_random(substr $one, $_, 16);
    } map { $_ * 4 } 0 .. length($one) / 4 - 4;
}

{
    my $name = 'the key of a zone';
    my $code = new_code('bad');
    my @zones = map {
        my $nginx = start('wx_openid_cache  size=64k error_ttl=60s;');

        answer($nginx, $code) for 1, 2;
        my ($worker) = $nginx->workers;
        zone_text($worker);
    } 1, 2;

    cmp_ok(same_and_random($zones[0], $zones[0]), '>', 4,
           "$name: it and digests are found");
    is(same_and_random(@zones), 0, "$name: another zone has others");
}
