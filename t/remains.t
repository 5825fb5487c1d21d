# What is left in the memory of nginx: nothing of a session_key, once its
# request is over; nothing of secrets and keys that a reload replaced.

use strict;
use warnings;

use lib 't/lib';
use MIME::Base64 qw(decode_base64url);
use Test::More tests => 3;
use WxOpenid::Line;
use WxOpenid::Servers qw(wx_session_key_of);
use WxOpenid::Token qw(write_keys key_text);

my $Address = '127.0.0.1';
my $Certs = certificates();
my $Plain = free_port($Address);
my $Tls = free_port($Address);
my $File = "$Certs/secret";
my @Filed = map { "Filed${_}Secret$$" . "x$_" x 16 } 1, 2;

start_wechat($Address, $Plain, undef, "TLS=$Address:$Tls,tls=$Certs/good");

# What a process may write to, in pieces.  A sanitizer's shadow is no memory;
# on the stack the linker leaves registers, in which a piece of a text may be.

sub each_piece {
    my ($pid, $f) = @_;

    open my $maps, '<', "/proc/$pid/maps" or die "maps: $!\n";
    open my $mem, '<:raw', "/proc/$pid/mem" or die "mem: $!\n";

    while (my $line = <$maps>) {
        my ($from, $to) = $line =~ m{^(\w+)-(\w+) rw} or next;
        next if $line =~ /\[stack\]/;
        no warnings 'portable';
        my ($start, $size) = (hex $from, hex($to) - hex $from);

        next if $size > 512 * 1024 * 1024;
        sysseek $mem, $start, 0;
        sysread $mem, my $text, $size or next;
        $f->($text);
    }
}

# which of the texts are there; the end of one is enough, for an allocator
# writes over the first 16 bytes of what is freed

sub left {
    my ($pids, @texts) = @_;
    my %found;

    for my $pid (@$pids) {
        each_piece($pid, sub {
            for my $text (@texts) {
                my $part = substr $text, 16;
                $found{$text}++ if index($_[0], $part) >= 0;
            }
        });
    }

    return join ' ', map { unpack('H*', $_) } sort keys %found;
}

sub write_secret {
    my ($secret) = @_;
    open my $out, '>', $File or die "$File: $!";
    chmod 0600, $File;
    print $out "$secret\n";
    close $out;
    wechat_at($Address, "app?id=wxfile&secret=$secret");
}

# no JSON that is cut: cJSON itself frees what it had read of it

my @Kinds = qw(good union zero bare size-9000 delay-5 split-60
               fault-chunked fault-chunked_one fault-slow_all
               fault-conn_close fault-extra fault-records fault-extra_record
               fault-trailing_object fault-short fault-no_length
               fault-dup_session_key fault-openid_missing fault-half_record
               fault-errcode_with_openid);

for my $line ("https://$Address:$Tls", "http://$Address:$Plain") {
    subtest "$line: of a reply nothing is left" => sub {
        plan tests => 4;

        start_nginx({ http => "wx_openid_pass $line;"
                              . 'wx_openid_host api.weixin.qq.com;'
                              . 'wx_openid_ssl_trusted_certificate'
                              . " $Certs/ca.pem;"
                              . 'wx_openid_cache ttl=60s;' });

        my @codes = map { new_code($_) } (@Kinds) x 3;
        my $good = 0;
        $good += ask('/t', $_) == 200 for @codes;
        my @pids = worker_pids();
        my @keys = map { wx_session_key_of($_, 'wxtest') } @codes;

        is($good, 3 * 15, 'identities');
        is(wechat_at($Address, 'total') >= @codes, 1, 'WeChat was asked');
        is(left(\@pids, @keys), '', 'no session_key');
        isnt(left(\@pids, $WxOpenid::Line::Secret), '',
             'the secret itself, or nothing would be found');
    };
}

subtest 'a secret and keys that were replaced are not left' => sub {
    plan tests => 8;

    my @kids = map { "remains$_" } 1, 2;
    my @texts = map { key_text($_) } @kids;
    my @raw = map { decode_base64url($_) } @texts;

    write_secret($Filed[0]);
    my $keys = write_keys('remains', $kids[0]);

    start_nginx({ http => "wx_openid_pass http://$Address:$Plain;",
                  server => "location /file {
                                 wx_openid on;
                                 wx_openid_app wxfile file:$File;
                                 wx_openid_session_keys $keys;
                                 empty_gif;
                             }" });

    is(ask('/file'), 200, 'the first secret and key are used');
    my @pids = (nginx_pid(), worker_pids());
    isnt(left(\@pids, $Filed[0]), '', 'the secret is there');
    is(left(\@pids, $texts[0]), '', 'nothing of the file of keys');

    write_secret($Filed[1]);
    write_keys('remains', $kids[1]);
    my @old = reload_nginx();
    until_true(sub { !grep { is_running($_) } @old });

    is(ask('/file'), 200, 'the second are used');
    @pids = (nginx_pid(), worker_pids());
    isnt(left(\@pids, $Filed[1]), '', 'the new secret is there');
    is(left(\@pids, $Filed[0]), '', 'the old one is not');
    is(left(\@pids, $texts[0], $raw[0]), '', 'nor is the old key');
    is(left(\@pids, $texts[1]), '', 'nor the new one as text');
};
