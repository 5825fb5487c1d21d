package WxOpenid::Plan;

# Counts the checks that a block declares, for "plan tests".  What counts one
# is how Test::Nginx::Socket does it; what is counted are sections, so a check
# that does not happen is still missed.

use strict;
use warnings;

use Exporter 'import';

our @EXPORT_OK = qw(checks_in our_checks lines);

sub lines {
    my ($value) = @_;
    return () if !defined $value;
    return @$value if ref $value;
    return grep { $_ ne '' } split /\n/, $value;
}

sub patterns {
    my ($value) = @_;
    return 0 if !defined $value;
    return scalar @$value if ref $value eq 'ARRAY';
    return 1 if ref $value;
    return scalar grep { $_ ne '' } split /\n+/, $value;
}

sub requests {
    my ($block) = @_;
    my $list = $block->pipelined_requests // $block->request;
    return ref $list eq 'ARRAY' ? scalar @$list : 1;
}

sub headers {
    my ($block) = @_;
    my $value = $block->response_headers // $block->response_headers_like;
    return 0 if !defined $value;

    my @each = ref $value eq 'ARRAY' ? @$value
                                     : ($value) x requests($block);
    my $n = 0;

    for my $text (@each) {
        $n += keys %{ Test::Nginx::Util::parse_headers($text // '') };
    }

    return $n;
}

sub response {
    my ($block) = @_;
    my $n = 1;                  # the status

    $n++ if grep { defined $block->$_ }
            qw(response_body response_body_like response_body_unlike);

    $n += grep { defined $block->$_ }
          qw(raw_response_headers_like raw_response_headers_unlike);

    return $n + patterns($block->access_log)
           + patterns($block->no_access_log);
}

sub our_checks {
    my ($block) = @_;
    my $n = 0;

    for my $section (qw(wechat_count wechat_never backend_never
                        our_log_never logs_never))
    {
        $n += () = lines($block->$section);
    }

    return $n + grep { defined $block->$_ }
                qw(wechat_total wechat_accepts wechat_handshakes
                   wechat_request wechat_request_like backend_count);
}

sub checks_in {
    my ($block) = @_;
    my $logs = patterns($block->error_log) + patterns($block->no_error_log);

    return 1 + $logs if defined $block->must_die;

    # the logs are looked at after every request
    $logs++ if defined $block->grep_error_log;
    my $n = requests($block) * $logs + our_checks($block);

    if (!defined $block->ignore_response) {
        $n += requests($block) * response($block) + headers($block);
    }

    return $n + grep { defined $block->$_ } qw(tcp_query tcp_query_len);
}

1;
