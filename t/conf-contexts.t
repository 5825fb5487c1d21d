# Where each directive may stand, how often, and with how many arguments.

use strict;
use warnings;

use lib 't/lib';
use Test::More tests => 618;
use WxOpenid::Conf qw(certificates check_conf);

my $Certs = certificates();

# a value that each directive takes

my %Value = (
    wx_openid => 'on',
    wx_openid_app => 'wxtest secret',
    wx_openid_appid => '$arg_appid',
    wx_openid_code => '$arg_code json:code',
    wx_openid_body_limit => '1k',
    wx_openid_set_header => 'X-User $wx_openid',
    wx_openid_require => '$arg_a $arg_b',
    wx_openid_pass => 'https://127.0.0.1',
    wx_openid_host => 'api.weixin.qq.com',
    wx_openid_ssl_verify => 'on',
    wx_openid_ssl_trusted_certificate => "$Certs/ca.pem",
    wx_openid_ssl_protocols => 'TLSv1.2 TLSv1.3',
    wx_openid_ssl_ciphers => 'HIGH',
    wx_openid_ssl_verify_depth => '2',
    wx_openid_ssl_crl => "$Certs/crl.pem",
    wx_openid_ssl_session_reuse => 'off',
    wx_openid_connect_timeout => '1s',
    wx_openid_send_timeout => '1s',
    wx_openid_read_timeout => '1s',
    wx_openid_timeout => '1s',
    wx_openid_next_upstream_tries => '3',
    wx_openid_next_upstream_timeout => '1s',
    wx_openid_busy_retries => '1',
);

my %Repeatable = map { $_ => 1 } qw(wx_openid_app wx_openid_set_header);
my @Directives = sort keys %Value;

# nginx adds up what is given in two such directives, as for proxy's

my %Added = (wx_openid_ssl_protocols => 'TLSv1.1');

# any number of arguments from the first to the second

my %Arguments = (
    (map { $_ => [1, 1] } @Directives),
    wx_openid_app => [2, 2],
    wx_openid_set_header => [2, 2],
    map { $_ => [1, undef] } qw(wx_openid_code wx_openid_require
                                wx_openid_ssl_protocols),
);

# what makes the module used, without the directive that is tested

sub used_but {
    my ($directive) = @_;
    my $text = '';

    for my $name (qw(wx_openid_app wx_openid_pass
                     wx_openid_ssl_trusted_certificate))
    {
        $text .= "$name $Value{$name};\n" if $name ne $directive;
    }

    return $text;
}

sub configuration {
    my ($directive, $where, $line) = @_;
    my %at = (main => '', events => '', http => '', upstream => '',
              server => '', server_if => '', location => '',
              location_if => '', limit_except => '', nested => '',
              $where => $line);

    my $rest = used_but($directive);
    my $mode = 'wx_openid on;';

    # twice would be wrong, and an app in a nested location is none in its
    # outer one
    $mode = '' if $directive eq 'wx_openid'
                  || $directive eq 'wx_openid_app' && $where eq 'nested';

    my $http = <<"END";
    $rest
    $at{http}
    upstream group { server 127.0.0.1:1; $at{upstream} }
    server {
        listen unix:t.sock;
        $at{server}
        if (\$arg_x) { set \$x 1; $at{server_if} }
        location / {
            $mode
            $at{location}
            if (\$arg_x) { set \$x 1; $at{location_if} }
            limit_except GET { deny all; $at{limit_except} }
            location /nested { $at{nested} }
        }
    }
END

    return { main => $at{main}, events => $at{events}, http => $http };
}

sub taken {
    my ($directive, $where, $line, $name) = @_;
    my ($ok, $said) = check_conf(configuration($directive, $where, $line));

    ok($ok, $name) or diag($said);
}

sub refused {
    my ($directive, $where, $line, $message, $name) = @_;
    my ($ok, $said) = check_conf(configuration($directive, $where, $line));

    ok(!$ok, "$name: refused") or diag($said);
    like($said, qr/\[emerg\].*$message/, "$name: says why");
}


for my $directive (@Directives) {
    my $line = "$directive $Value{$directive};";
    my @taken = qw(http server location nested);
    my @not = qw(main events upstream server_if location_if);

    push @{ $directive eq 'wx_openid' ? \@taken : \@not }, 'limit_except';

    for my $where (@taken) {
        taken($directive, $where, $line, "$directive in $where");
    }

    for my $where (@not) {
        refused($directive, $where, $line,
                qr/"$directive" directive is not allowed here/,
                "$directive in $where");
    }
}

for my $directive (@Directives) {
    my ($least, $most) = @{ $Arguments{$directive} };
    my $wrong = qr/invalid number of arguments in "$directive" directive/;

    for my $n (0 .. 5) {
        next if $n >= $least && (!defined $most || $n <= $most);

        my $line = join(' ', $directive, ('1') x $n) . ';';
        refused($directive, 'location', $line, $wrong,
                "$directive with $n arguments");
    }
}

for my $directive (@Directives) {
    my $line = "$directive $Value{$directive};";

    if ($Repeatable{$directive}) {
        (my $other = $line) =~ s/(wxtest|X-User)/$1-2/;
        taken($directive, 'location', "$line $other", "$directive twice");

    } elsif ($Added{$directive}) {
        taken($directive, 'location', "$line $directive $Added{$directive};",
              "$directive twice");

    } else {
        refused($directive, 'location', "$line $line",
                qr/"$directive\b.* is duplicate/, "$directive twice");
    }
}

# every directive in every level at once, each level with its own

{
    my $every = join ' ', map { "$_ $Value{$_};" } @Directives;
    my ($ok, $said) = check_conf({ http => <<"END" });
    $every
    server {
        listen unix:t.sock;
        $every
        location / { $every location /nested { $every } }
        location /not { }
    }
END

    ok($ok, 'all of them in every level') or diag($said);
    unlike($said, qr/\[(?!notice)/, '... and nothing to say about it');
}
