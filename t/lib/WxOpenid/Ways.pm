package WxOpenid::Ways;

# The ways in which suites can be run besides the usual one, chosen by the
# environment, and what a block has to do with them:
#
#   TEST_NGINX_WORKERS=N      N workers; one in a block with "one_worker"
#   TEST_NGINX_USE_HTTP2=1    by HTTP/2 goes each block that says nothing of
#                             how it is sent; not one with "no_http2"
#
# The second is also Test::Nginx's, whose own way needs nginx 1.25.1.  And
# ports: see below.

use strict;
use warnings;

use Exporter 'import';

my $UseHttp2;

BEGIN {
    $UseHttp2 = delete $ENV{TEST_NGINX_USE_HTTP2};
}

use Test::Nginx::Util ();

our @EXPORT_OK = qw(many_workers send_by_http2 fold_answer);


# Ports below those that the kernel gives to outgoing connections: nginx binds
# its own late, and a connection of any process may have taken it by then

my $RandomPort = \&Test::Nginx::Util::gen_rand_port;

sub low_port {
    for (1 .. 1000) {
        my $port = &$RandomPort(@_);
        return $port if $port && $port < 32768;
    }

    return undef;
}

# Workers

my $RunBlock = \&Test::Nginx::Util::run_test;

sub run_block {
    my ($block) = @_;
    my $workers = Test::Nginx::Util::workers();

    Test::Nginx::Util::workers(1) if defined $block->one_worker;
    &$RunBlock(@_);
    Test::Nginx::Util::workers($workers);
}

{
    no warnings qw(redefine prototype);
    *Test::Nginx::Util::gen_rand_port = \&low_port;
    *Test::Nginx::Util::run_test = \&run_block;
}

sub many_workers {
    my $n = $ENV{TEST_NGINX_WORKERS} or return;

    Test::Nginx::Util::master_on();
    Test::Nginx::Util::workers($n);
}


# HTTP/2

sub says_nothing {
    my ($block) = @_;
    my $request = $block->request;

    return 0 if !defined $request || defined $block->no_http2
        || defined $block->raw_request || defined $block->must_die;

    return !grep { m{\bHTTP/1\.0\b} } ref $request ? @$request : $request;
}

# The names of headers are in lower case there, so what is expected of an
# answer is not told by the case of letters, where it is a pattern, or by that
# of the names that begin its lines.  Nor by the place of cookies, of which
# nginx makes one line, the last.

sub fold {
    my ($text) = @_;
    my @cookies;

    return [map { fold($_) } @$text] if ref $text;

    $text =~ s/^([\w.~!-]+):/\L$1:/gm;
    $text =~ s/^cookie: (.*)\n/push @cookies, $1; ''/gme;
    return join '; ', $text, @cookies;
}

sub in_any_case {
    my ($pattern) = @_;
    my $type = ref $pattern;

    return [map { in_any_case($_) } @$pattern] if $type eq 'ARRAY';
    return "(?i)$pattern" if !$type;

    my ($text, $flags) = re::regexp_pattern($pattern);
    return qr/(?^i$flags:$text)/;
}

# The block as it goes by HTTP/2, if it does

sub send_by_http2 {
    my ($block) = @_;

    return if !$UseHttp2 || !says_nothing($block);

    $block->set_value('h2', '');
    $block->set_value('folded', '');

    for my $section (qw(response_body_like raw_response_headers_like)) {
        my $pattern = $block->$section;
        $block->set_value($section, in_any_case($pattern))
            if defined $pattern;
    }

    my $body = $block->response_body;
    $block->set_value('response_body', fold($body)) if defined $body;
}

sub fold_answer {
    my ($block, $answer) = @_;

    return $answer if !defined $block->folded
        || !defined $block->response_body;

    my ($head, $body) = split /\r\n\r\n/, $answer, 2;
    return $answer if !defined $body;
    return "$head\r\n\r\n" . fold($body);
}

1;
