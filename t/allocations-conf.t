# No memory while a configuration is read: nginx refuses it, or never needed
# it, and ends by itself in any case.
#
# Where each of a pool is one by itself there are thousands, and a hundred or
# two of them fail, by chance; WX_OPENID_ALLOCATIONS=all is for all.

use strict;
use warnings;

use lib 't/lib';
use Test::More;
use WxOpenid::Conf qw(write_file certificates conf_file);
use WxOpenid::Memory;
use WxOpenid::Token;

my $Memory = WxOpenid::Memory->new
    or plan skip_all => 'this nginx has an allocator of its own';

my $Certs = certificates();
my $Secret = write_file('secret', "0123456789abcdef\n");
my $Keys = write_keys('conf', 'k1', 'k2');

my $Http = <<"END";
    wx_openid_app                      wx1 file:$Secret;
    wx_openid_app                      wx2 secret-as-it-is;
    wx_openid_appid                    \$arg_appid;
    wx_openid_code                     \$http_x_my_code \$arg_code json:a.b
                                       form:code;
    wx_openid_set_header               X-My-Openid \$wx_openid;
    wx_openid_set_header               X-My-Key \$wx_openid_session_key;
    wx_openid_require                  \$arg_a \$arg_b;
    wx_openid_cache                    size=1m ttl=20s;
    wx_openid_pass                     https://127.0.0.1:1/prefix;
    wx_openid_host                     api.weixin.qq.com;
    wx_openid_ssl_trusted_certificate  $Certs/ca.pem;
    wx_openid_ssl_crl                  $Certs/crl.pem;
    wx_openid_session_keys             $Keys;
    wx_openid_session_source           bearer \$http_x_my_session
                                       \$cookie_mine;
    wx_openid_session_cookie           mine path=/a samesite=strict;

    upstream group {
        server     127.0.0.1:1;
        keepalive  2;
    }

    server {
        listen     127.0.0.1:1;
        wx_openid  on;

        location / {
            wx_openid_require  \$arg_c;
            empty_gif;
        }

        location /optional {
            wx_openid                    optional;
            wx_openid_pass               http://group;
            wx_openid_session_keys       off;
            wx_openid_ssl_session_reuse  off;
            empty_gif;
        }

        location /named {
            wx_openid_pass  http://localhost:1;
            empty_gif;
        }

        location = /login {
            wx_openid_login;
        }

        location = /status {
            wx_openid_status  json;
        }
    }
END

my @Test = ('-t', '-e', 'stderr', conf_file({ http => $Http }));
my $n = 0;
my (@died, @silent, @taken);

# OpenSSL itself dies of some, and puts others off until it needs what is
# missing

$Memory->spare_libraries;

my $far = 1 << 40;

$Memory->fail($far);
my ($status, $said) = $Memory->run(@Test);
is($status, 0, 'nginx takes the configuration') or diag($said);

my $all = $far - $Memory->left;
my $step = 1 + int($all / 100);

$step = 1 if ($ENV{WX_OPENID_ALLOCATIONS} // '') eq 'all';
cmp_ok($all, '>', 50, "it makes $all allocations");

while (1) {
    $n += 1 + int rand $step;
    $Memory->fail($n);
    ($status, $said) = $Memory->run(@Test);
    last if $Memory->left;

    my $where = "$n: $status\n$said" . $Memory->trace;

    # gcov's counters are written when nginx is over
    next if $where !~ /\(main\+/;

    # the cleanup of nginx's regex module
    next if $where =~ /\(ngx_list_create\+.*\(ngx_init_cycle\+/s
            && $where !~ /\(ngx_conf_parse\+/;

    push @died, $where if $status & 127;
    push @silent, $where if $status && $said !~ /\[(?:emerg|alert)/;

    # nginx's own sorting, and libstdc++'s pool for exceptions, which it
    # makes when it is loaded
    push @taken, $where if !$status && $where !~ /\(ngx_sort\+/
        && $where !~ /\/libstdc\+\+\.[^\n]*\n[^\n]*\/ld.*\(dlopen\+/s;
}

$Memory->clear;

is(join('', splice @died, 0, 3), '', 'none of them is the end');
is(join('', splice @silent, 0, 3), '', 'each refusal says why');
is(join('', splice @taken, 0, 3), '', 'none is done without');

done_testing();
