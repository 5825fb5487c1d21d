package WxOpenid;

# What every suite of this project gets: all of Test::Nginx::Socket, a
# stand-in for WeChat, a sample upstream, throw-away certificates, and the
# sections below.  Both servers are fresh in every test file, on ports the
# kernel chose, and end with it.
#
# Text to use in configurations:
#
#   $TEST_NGINX_WECHAT_PORT            WeChat, plain HTTP
#   $TEST_NGINX_WECHAT_TLS_PORT        with a good certificate
#   $TEST_NGINX_WECHAT_WRONG_PORT      for another host name
#   $TEST_NGINX_WECHAT_EXPIRED_PORT    expired
#   $TEST_NGINX_WECHAT_REVOKED_PORT    in $TEST_NGINX_CERTS/crl.pem
#   $TEST_NGINX_WECHAT_UNTRUSTED_PORT  signed by another authority
#   $TEST_NGINX_WECHAT_OLD_PORT        TLS 1.1 at most
#   $TEST_NGINX_WECHAT_TLS12_PORT      TLS 1.2 at most
#   $TEST_NGINX_WECHAT_EVIL_PORT       a clear reply before the handshake
#   $TEST_NGINX_WECHAT_DEAD_PORT       refuses connections
#   $TEST_NGINX_WECHAT_FULL_PORT       connections hang
#   $TEST_NGINX_WECHAT_MUTE_PORT       accepts and says nothing
#   $TEST_NGINX_WECHAT_SOCKET          unix socket, plain HTTP
#   $TEST_NGINX_WECHAT_CTL_PORT        control: see t/tools/wechat
#   $TEST_NGINX_BACKEND_PORT           the sample upstream: t/tools/backend
#   $TEST_NGINX_BACKEND_CTL_PORT       its control
#   $TEST_NGINX_CERTS                  folder: see t/tools/make-certs
#   $TEST_NGINX_SECRET                 the secret of app wxtest
#   $TEST_NGINX_OTHER_SECRET           and of app wxother
#   $TEST_NGINX_WX_CONFIG              both apps and wx_openid_pass; this is
#                                      the http_config of a block without one;
#                                      its config is location /t, protected
#                                      and proxied to the backend
#   $TEST_NGINX_H2_PORT                where "--- h2" blocks listen too
#   $TEST_NGINX_KEEPS_NONE             in upstream {}: no connection is kept,
#                                      which 1.29.7 and later do of themselves
#
# Text replaced anew at every run of a block, in every section that is not
# configuration; a code works once, so this is what makes repeat_each work:
#
#   %NEW%                 unique text, to end codes with: err-45011-%NEW%
#   %CODE% %CODE2%..9     good codes: good-%NEW%, good-%NEW%-2, ...
#   %OPENID% %OPENID2%    theirs, for app wxtest; likewise %SESSION_KEY%
#   %OPENID(code)%        of any code; %OPENID(code,appid)% of another app;
#                         likewise %UNIONID(code)%, %SESSION_KEY(code)%
#
# Sections (one check each; for --- lists one check a line):
#
#   --- wechat_count: CODE=N     WeChat was asked N times for the code (list)
#   --- wechat_total: N          and N times in this run altogether
#   --- wechat_accepts: N        TCP connections it got in this run
#   --- wechat_handshakes: N     TLS handshakes it completed in this run
#   --- wechat_request           the last request WeChat got, in full
#   --- wechat_request_like      a regular expression on it
#   --- wechat_never             texts in no request WeChat got (list)
#   --- backend_count: N         requests the upstream got in this run
#   --- backend_never            texts in no request it got in this run (list)
#   --- our_log_never            texts that are in no line of the error log
#                                that has "wx_openid" in it, up to the
#                                ", client: ..." that nginx adds (list)
#   --- logs_never               texts in no file under logs/ (list)
#   --- h2                       the request goes by HTTP/2; no check
#   --- no_http2: WHY            and never, under TEST_NGINX_USE_HTTP2 too
#   --- one_worker: WHY          all goes to one, under TEST_NGINX_WORKERS too
#
# A configuration without wx_openid_cache, wx_openid_keepalive and sessions
# gets "off" and 0: every request asks WeChat, over a connection of its own.
#
# no_error_log gets [alert], [crit] and [emerg] in a block without one; a
# block that has one should list them as well.  A block with must_die gets
# none.  The newline at the end of a *_like or *_unlike section is dropped.
#
# Functions: wx_tests() is the number of checks that the blocks declare, for
# "plan tests" (it evaluates the blocks: "our" variables that they use are to
# be set above it); wechat(WHAT) and backend(WHAT) ask a control port ("total",
# "count?code=X", "wait?code=X&n=2", "log", ...; see t/tools/wechat);
# wx_openid_of(CODE), wx_unionid_of, wx_session_key_of; h2_request(PORT, TEXT);
# proxied("GET /t", HEADERS) is what the upstream gets before the client's
# headers: nginx's own, and those that proxy_set_header sets.

use strict;
use warnings;

BEGIN {
    require Cwd;
    require File::Basename;

    # several suites can run at a time
    $ENV{TEST_NGINX_RANDOMIZE} //= 1;

    # a proxy of the environment must not come between
    delete @ENV{qw(http_proxy https_proxy all_proxy HTTP_PROXY ALL_PROXY)};

    # with the module built in, say TEST_NGINX_LOAD_MODULES=
    if (!defined $ENV{TEST_NGINX_LOAD_MODULES}) {
        my $dir = File::Basename::dirname(__FILE__);
        my $module = Cwd::abs_path("$dir/../..")
                     . '/build/ngx_http_wx_openid_module.so';
        die "no $module: run ./build.sh\n" if !-f $module;
        $ENV{TEST_NGINX_LOAD_MODULES} = $module;
    }
}

use WxOpenid::Ways qw(many_workers send_by_http2 fold_answer);
use Test::Nginx::Socket -base;
use WxOpenid::HTTP2 qw(h2_request h2_listen);
use WxOpenid::Plan qw(checks_in our_checks lines);
use WxOpenid::Servers qw(
    wx_openid_of wx_unionid_of wx_session_key_of wechat backend uri_escape
);

many_workers();

# Test::Nginx would listen on every address of the machine; everywhere else
# it wants the bare port

{
    no warnings qw(redefine prototype);
    my $write = \&Test::Nginx::Util::write_config_file;

    *Test::Nginx::Util::write_config_file = sub {
        local $Test::Nginx::Util::ServerPort = '127.0.0.1:' . server_port();
        return &$write(@_);
    };

    my $port = $ENV{TEST_NGINX_RANDOMIZE} ? Test::Nginx::Util::gen_rand_port()
                                          : server_port();

    $ENV{TEST_NGINX_SERVER_PORT} //= $port;
    $ENV{TEST_NGINX_STREAM_PORT} //= $port + 1;
    server_port_for_client($port);
    server_port($port);
}

our @EXPORT = qw(
    wx_tests wx_openid_of wx_unionid_of wx_session_key_of
    wechat backend h2_request proxied
);

my @Configuration = qw(
    name description config http_config main_config post_main_config
    user_files init skip_nginx skip_nginx2 skip_eval must_die h2 no_http2
    one_worker
);


# What is new in every run

my $Runs = 0;

my %Identity = (
    OPENID => \&wx_openid_of,
    UNIONID => \&wx_unionid_of,
    SESSION_KEY => \&wx_session_key_of,
);

sub expand_text {
    my ($text, $new, $quote) = @_;

    $text =~ s/%NEW%/$new/g;
    $text =~ s/%CODE(\d?)%/good_code($new, $1)/ge;
    $text =~ s{%(OPENID|UNIONID|SESSION_KEY)(\d?)
                (?:\(([^()%,]*)(?:,(\w+))?\))?%}
              {my $code = $3 // good_code($new, $2);
               my $value = $Identity{$1}->($code, $4);
               $quote ? quotemeta $value : $value}gex;
    return $text;
}

sub good_code {
    my ($new, $n) = @_;
    return "good-$new" . ($n ne '' ? "-$n" : '');
}

sub expand {
    my ($value, $new, $quote) = @_;
    my $type = ref $value;

    if ($type eq 'ARRAY') {
        return [map { expand($_, $new, $quote) } @$value];
    }

    if ($type eq 'HASH') {
        return { map { $_ => expand($value->{$_}, $new, $quote) }
                 keys %$value };
    }

    if ($type eq 'Regexp') {
        my $text = expand_text("$value", $new, 1);
        return qr/$text/;
    }

    return $value if $type || !defined $value;
    return expand_text($value, $new, $quote);
}

sub sections {
    my ($block) = @_;
    my %skip = map { $_ => 1 } @Configuration;
    return grep { ref $block->{$_} eq 'ARRAY' && !$skip{$_} } keys %$block;
}


# Checks

sub number {
    my ($value) = @_;
    $value =~ s/\s+//g;
    return $value;
}

sub as_text {
    my ($entry) = @_;
    return join("\n", $entry->{line}, @{ $entry->{lines} }, '')
           . "\n$entry->{body}";
}

# the requests of this run alone
sub requests_since {
    my ($log, $start) = @_;
    return map { as_text($_) } @$log[$start .. $#$log];
}

sub check_counts {
    my ($block, $before) = @_;
    my $name = $block->name;

    for my $line (lines($block->wechat_count)) {
        my ($code, $n) = $line =~ /^\s*(.*)=(\d+)\s*$/
            or bail_out("$name - bad --- wechat_count: $line");
        Test::More::is(wechat('count?code=' . uri_escape($code)), $n,
                       "$name - WeChat was asked $n times for $code");
    }

    for my $what (qw(wechat_total backend_count)) {
        my $n = $block->$what;
        next if !defined $n;
        my $total = $what eq 'wechat_total' ? wechat('total')
                                            : backend('total');
        Test::More::is($total - $before->{$what}, number($n),
                       "$name - $what");
    }

    for my $what (qw(accepts handshakes)) {
        my $section = "wechat_$what";
        my $n = $block->$section;
        next if !defined $n;
        Test::More::is(wechat('connections')->{$what} - $before->{$what},
                       number($n), "$name - $section");
    }
}

sub check_wechat_request {
    my ($block, $before) = @_;
    my $name = $block->name;

    return if !defined $block->wechat_request
              && !defined $block->wechat_request_like;

    my @requests = requests_since(wechat('log'), $before->{wechat_total});
    my $got = @requests ? $requests[-1] : '';
    my $wanted = $block->wechat_request;

    if (defined $wanted) {
        $wanted = Test::Nginx::Util::expand_env_in_text($wanted, $name, {});
        $wanted =~ s/\n*\z/\n\n/;
        Test::More::is($got, $wanted, "$name - request as WeChat got it");
    }

    my $pattern = $block->wechat_request_like;

    if (defined $pattern) {
        chomp $pattern if !ref $pattern;
        Test::More::like($got, qr/$pattern/m,
                         "$name - request as WeChat got it, like");
    }
}

sub check_never {
    my ($name, $where, $texts, @heap) = @_;

    for my $text (@$texts) {
        my ($found) = grep { ref $text ? /$text/ : index($_, $text) >= 0 }
                      @heap;
        Test::More::ok(!defined $found, "$name - no \"$text\" in $where")
            or Test::More::diag($found);
    }
}

sub log_lines {
    my @files = @_;
    my @lines;

    for my $file (@files) {
        open my $in, '<', $file or next;
        push @lines, <$in>;
        close $in;
    }

    return @lines;
}

sub check_absent {
    my ($block, $before) = @_;
    my $name = $block->name;

    if (my @texts = lines($block->wechat_never)) {
        check_never($name, 'a request to WeChat', \@texts,
                    requests_since(wechat('log'),
                                   $before->{wechat_total}));
    }

    if (my @texts = lines($block->backend_never)) {
        check_never($name, 'a request to the upstream', \@texts,
                    requests_since(backend('log'),
                                   $before->{backend_count}));
    }

    if (my @texts = lines($block->our_log_never)) {
        my @ours = grep { /wx_openid/ }
                   log_lines($Test::Nginx::Util::ErrLogFile);
        s/, client: .*//s for @ours;            # what nginx adds
        check_never($name, 'a log line of ours', \@texts, @ours);
    }

    if (my @texts = lines($block->logs_never)) {
        check_never($name, 'the logs', \@texts,
                    log_lines(glob "$Test::Nginx::Util::ServRoot/logs/*"));
    }
}

# One run of a block

sub snapshot {
    my $connections = wechat('connections');
    return { wechat_total => wechat('total'),
             backend_count => backend('total'), %$connections };
}

sub check_ours {
    my ($block, $before, $dry_run) = @_;

    SKIP: {
        my $n = our_checks($block);
        Test::More::skip($block->name . " - skipped due to $dry_run", $n)
            if $dry_run && $n;

        check_counts($block, $before);
        check_wechat_request($block, $before);
        check_absent($block, $before);
    }
}

my $RunTest = $Test::Nginx::Util::RunTestHelper;

$Test::Nginx::Util::RunTestHelper = sub {
    my ($block, $dry_run, $nth) = @_;
    my $new = "$$-" . ++$Runs;
    my %kept;

    for my $section (sections($block)) {
        my $quote = $section =~ /_(?:un)?like\z/;
        $kept{$section} = $block->{$section};
        $block->{$section} = expand($block->{$section}, $new, $quote);
    }

    my $before = snapshot();
    $RunTest->($block, $dry_run, $nth);
    check_ours($block, $before, $dry_run);

    $block->{$_} = $kept{$_} for keys %kept;
};


# Defaults of a block

# What a suite shows of one request shall not depend on those before it, so
# unless a configuration speaks of it (or of sessions) nothing is kept.

sub keep_nothing {
    my ($block) = @_;
    my $config = $block->http_config;

    return if $config !~ /wx_openid|TEST_NGINX_/
        || $config =~ /wx_openid_session_keys|TEST_NGINX_SESSIONS/;

    for my $directive ('wx_openid_cache  off;', 'wx_openid_keepalive  0;') {
        my ($name) = $directive =~ /^(\w+)/;
        $config = "    $directive\n$config" if $config !~ /\b$name\b/;
    }

    $block->set_value('http_config', $config);
}

my $Location = <<'_EOC_';
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
_EOC_

sub set_defaults {
    my ($block) = @_;

    return if $block->{wx_defaults};
    $block->{wx_defaults} = 1;

    if (!defined $block->http_config) {
        $block->set_value('http_config', $ENV{TEST_NGINX_WX_CONFIG});
    }

    if (!defined $block->config) {
        $block->set_value('config', $Location);
    }

    keep_nothing($block);

    if (!defined $block->no_error_log && !defined $block->must_die) {
        $block->set_value('no_error_log', "[alert]\n[crit]\n[emerg]\n");
    }

    send_by_http2($block);

    if (defined $block->h2) {
        $block->set_value('config', h2_listen($ENV{TEST_NGINX_H2_PORT})
                                    . $block->config);
    }

    for my $section (grep { /_(?:un)?like\z/ } sections($block)) {
        chomp $block->{$section}[0] if !ref $block->{$section}[0];
    }
}

add_block_preprocessor(\&set_defaults);

sub wx_tests {
    my $n = 0;

    for my $block (Test::Base::blocks()) {
        die $block->name . ": steps need WxOpenid::Steps\n"
            if defined $block->steps && !$INC{'WxOpenid/Steps.pm'};

        set_defaults($block);
        $n += checks_in($block);
    }

    return repeat_each() * $n;
}


# A block with --- h2 sends by HTTP/2

my $Send = \&Test::Nginx::Socket::send_request;

sub send_by_block {
    my ($req, $delay, $timeout, $block) = @_;

    return &$Send(@_) if !defined $block->h2;

    my $text = join '', map { $_->{value} } @$req;
    my $is_head = $text =~ /^\s*HEAD\s/ ? 1 : 0;
    my $answer = h2_request($ENV{TEST_NGINX_H2_PORT}, $text, $timeout);

    return (fold_answer($block, $answer), $is_head);
}

{
    no warnings qw(redefine prototype);
    *Test::Nginx::Socket::send_request = \&send_by_block;
}


# From 1.29.7 on nginx keeps connections to upstreams unless told otherwise;
# from 1.31.4 on Host comes first

my $Version = Test::Nginx::Util::get_nginx_version();
my $Keeps = $Version >= 1.029007;

sub proxied {
    my ($line, @set) = @_;
    my $host = "Host: 127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT}";

    my @lines = $Version >= 1.031004 ? ("$line HTTP/1.1", $host, @set)
                : $Keeps ? ("$line HTTP/1.1", @set, $host)
                : ("$line HTTP/1.0", @set, $host, 'Connection: close');
    return join '', map { "$_\n" } @lines;
}

WxOpenid::Servers::start_all();
$ENV{TEST_NGINX_KEEPS_NONE} = $Keeps ? 'keepalive  0;' : '';
$ENV{TEST_NGINX_H2_PORT} = Test::Nginx::Util::gen_rand_port();

1;
