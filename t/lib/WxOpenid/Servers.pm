package WxOpenid::Servers;

# Starts and ends the stand-in for WeChat and the sample upstream, and speaks
# to their control ports.  Knows the identities the stand-in makes; knows
# nothing of Test::Nginx.

use strict;
use warnings;

use Cwd ();
use Digest::SHA qw(sha256);
use Exporter 'import';
use File::Basename ();
use File::Temp ();
use HTTP::Tiny;
use JSON::PP ();
use MIME::Base64 qw(encode_base64 encode_base64url);
use POSIX ();

our @EXPORT_OK = qw(
    wx_openid_of wx_unionid_of wx_session_key_of
    wechat backend uri_escape
);

our $Appid = 'wxtest';
our $Secret = 'TOPSECRET0123456789abcdef01234567';
our $OtherAppid = 'wxother';
our $OtherSecret = 'OTHERSECRET0123456789abcdef0123';

our $Root = Cwd::abs_path(File::Basename::dirname(__FILE__) . '/../../..');

my @Servers;
my $Owner = $$;
my $Http = HTTP::Tiny->new(timeout => 10);


# Identities, as t/tools/wechat makes them

sub wx_openid_of {
    my ($code, $appid) = @_;
    my $text = join "\0", 'openid', $appid // $Appid, $code;
    return 'o' . substr(encode_base64url(sha256($text)), 0, 27);
}

sub wx_unionid_of {
    my ($code) = @_;
    return 'o6' . substr(encode_base64url(sha256("unionid\0$code")), 0, 27);
}

sub wx_session_key_of {
    my ($code, $appid) = @_;
    my $text = join "\0", 'key', $appid // $Appid, $code;
    return encode_base64(substr(sha256($text), 0, 16), '');
}


# Starting

sub start_server {
    my ($program, @args) = @_;
    my %ports;

    pipe my $stdin, my $hold or die "pipe: $!";
    pipe my $out, my $stdout or die "pipe: $!";

    my $pid = fork();
    die "fork: $!" if !defined $pid;

    if ($pid == 0) {
        open STDIN, '<&', $stdin;
        open STDOUT, '>&', $stdout;
        exec "$Root/t/tools/$program", @args
            or POSIX::_exit(127);
    }

    close $stdin;
    close $stdout;

    # the server ends when this end of the pipe is closed
    push @Servers, { pid => $pid, hold => $hold };

    while (my $line = <$out>) {
        return \%ports if $line eq "ready\n";
        my ($name, $port) = split ' ', $line;
        $ports{$name} = $port;
    }

    die "t/tools/$program did not start\n";
}

sub listeners {
    my ($certs, $socket) = @_;
    my $any = '127.0.0.1:0';

    return (
        "PORT=$any", "SOCKET=unix:$socket",
        "DEAD_PORT=$any,dead", "FULL_PORT=$any,full", "MUTE_PORT=$any,mute",
        "TLS_PORT=$any,tls=$certs/good",
        "TLS12_PORT=$any,tls=$certs/good,tls1.2",
        "OLD_PORT=$any,tls=$certs/good,tls1.1",
        "EVIL_PORT=$any,tls=$certs/good,plaintext-first",
        map { uc($_) . "_PORT=$any,tls=$certs/$_" }
            qw(wrong expired revoked untrusted),
    );
}

sub start_all {
    my $dir = File::Temp::tempdir('wx_openid_XXXXXX', TMPDIR => 1,
                                  CLEANUP => 1);
    my $certs = "$dir/certs";
    system("$Root/t/tools/make-certs", $certs) == 0
        or die "t/tools/make-certs failed\n";

    my $wechat = start_server(
        'wechat', '--app', "$Appid=$Secret",
        '--app', "$OtherAppid=$OtherSecret",
        map { ('--listen', $_) } listeners($certs, "$dir/wechat.sock"));
    my $backend = start_server('backend', '--listen', 'PORT=127.0.0.1:0');

    for my $name (keys %$wechat) {
        my $short = $name eq 'ctl' ? 'CTL_PORT' : $name;
        $ENV{"TEST_NGINX_WECHAT_$short"} = $wechat->{$name};
    }

    $ENV{TEST_NGINX_BACKEND_PORT} = $backend->{PORT};
    $ENV{TEST_NGINX_BACKEND_CTL_PORT} = $backend->{ctl};
    $ENV{TEST_NGINX_CERTS} = $certs;
    $ENV{TEST_NGINX_SECRET} = $Secret;
    $ENV{TEST_NGINX_OTHER_SECRET} = $OtherSecret;
    $ENV{TEST_NGINX_WX_CONFIG} = <<_EOC_;
    wx_openid_app   $Appid $Secret;
    wx_openid_app   $OtherAppid $OtherSecret;
    wx_openid_pass  http://127.0.0.1:$wechat->{PORT};
_EOC_
}

sub stop_all {
    for my $server (@Servers) {
        close $server->{hold};
        kill TERM => $server->{pid};
        waitpid $server->{pid}, 0;
    }
    @Servers = ();
}

# children of a test may leave through here too
END {
    if ($$ == $Owner) {
        local $?;
        stop_all();
    }
}


# Control: wechat('count?code=X'), backend('total'), ...

sub control {
    my ($port, $what) = @_;
    my $res = $Http->get("http://127.0.0.1:$port/_ctl/$what");
    die "control $what: $res->{status} $res->{content}" if !$res->{success};

    return $res->{content} if $what !~ /^(?:log|connections)/;
    return JSON::PP->new->latin1->decode($res->{content});
}

sub wechat {
    return control($ENV{TEST_NGINX_WECHAT_CTL_PORT}, @_);
}

sub backend {
    return control($ENV{TEST_NGINX_BACKEND_CTL_PORT}, @_);
}

sub uri_escape {
    my ($text) = @_;
    $text =~ s/([^A-Za-z0-9_.-])/sprintf('%%%02X', ord $1)/ge;
    return $text;
}

1;
