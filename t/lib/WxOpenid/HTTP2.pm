package WxOpenid::HTTP2;

# Requests over HTTP/2, by curl: Test::Nginx's own way needs nginx 1.25.1.

use strict;
use warnings;

use Exporter 'import';
use IPC::Open2 ();

our @EXPORT_OK = qw(h2_request h2_listen);

# What makes a server {} listen for HTTP/2 on a port

sub h2_listen {
    my ($port) = @_;
    my $new = Test::Nginx::Util::get_nginx_version() >= 1.025001;
    return "listen 127.0.0.1:$port" . ($new ? "; http2 on;\n" : " http2;\n");
}

sub curl_args {
    my ($head, $body) = @_;
    my ($line, @headers) = split /\r\n/, $head;
    my ($method, $target) = split ' ', $line;

    @headers = grep { !/^(?:Connection|Content-Length):/i } @headers;
    s/^(\S+?):\s*\z/$1;/ for @headers;      # curl's form of an empty header

    # curl has these of its own; nginx must get what the block says alone
    for my $name (qw(User-Agent Accept Content-Type)) {
        push @headers, "$name:" if !grep { /^$name[:;]/i } @headers;
    }

    my @args = ($method eq 'HEAD' ? '-I' : ('-X', $method),
                map { ('-H', $_) } @headers);
    push @args, '--data-binary', '@-' if $body ne '';

    return ($target, @args);
}

# Sends a request given in HTTP/1.1 form; returns the answer in that form

sub h2_request {
    my ($port, $text, $timeout) = @_;
    my ($head, $body) = split /\r\n\r\n/, $text, 2;
    $body //= '';

    my ($target, @args) = curl_args($head, $body);
    my @cmd = ('curl', '-sS', '-i', '--http2-prior-knowledge',
               '--path-as-is', '--globoff', '--noproxy', '*',
               '--max-time', $timeout // 5, @args,
               "http://127.0.0.1:$port$target");

    local $SIG{PIPE} = 'IGNORE';
    my $pid = IPC::Open2::open2(my $out, my $in, @cmd);
    binmode $_ for $in, $out;
    print $in $body;
    close $in;

    my $answer = do { local $/; <$out> } // '';
    waitpid $pid, 0;

    $answer =~ s{\A(?:HTTP/2 1\d\d.*?\r\n\r\n)+}{}s;
    $answer =~ s{\AHTTP/2 (\d+) ?}{HTTP/1.1 $1 };
    return $answer;
}

1;
