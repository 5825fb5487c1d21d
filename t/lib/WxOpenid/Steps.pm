package WxOpenid::Steps;

# For what a request and its answer cannot show by themselves.  A block's
#
#   --- steps
#   Perl in package main, with $name for the names of its checks
#   --- checks: N
#
# runs after its requests, in every repetition, while nginx still serves; N
# is the number of checks it makes.  One more looks for lines of [alert] and
# worse in the error log.  steps_tests() is what these add to wx_tests().  The
# functions below are for use in steps.
#
#   --- environment
#   NAME=value
#
# is what nginx is started with, $TEST_NGINX_... replaced.

use strict;
use warnings;

use Exporter 'import';
use IO::Select ();
use IO::Socket::INET ();
use Time::HiRes qw(sleep time);

our @EXPORT = qw(
    steps_tests new_code header_of connect_nginx send_text read_answer
    ask_nginx ask_with_code status_of body_of until_true new_log_lines
    worker_pids open_files
);

my $Codes = 0;
my $LogRead = 0;

sub steps_tests {
    my $n = 0;

    for my $block (Test::Base::blocks()) {
        $n += $block->checks + 1 if $block->steps;
    }

    return Test::Nginx::Util::repeat_each() * $n;
}

sub compiled {
    my ($text) = @_;
    my $sub = eval "package main; use strict; use warnings;"
                   . "sub { my (\$name) = \@_; $text }";
    die "steps: $@" if !$sub;
    return $sub;
}

sub environment {
    my ($block) = @_;
    my $text = $block->environment // '';
    $text =~ s/\$(TEST_NGINX_\w+)/$ENV{$1}/g;
    return map { split /=/, $_, 2 } grep { /=/ } split /\n/, $text;
}

# what nginx was started with is not changed by a reload

my $OldEnvironment = '';

sub end_nginx {
    open my $in, '<', $Test::Nginx::Util::PidFile or return;
    chomp(my $pid = <$in> // '');
    close $in;

    kill QUIT => $pid if $pid;
    until_true(sub { !-e $Test::Nginx::Util::PidFile });
}

my $RunBlock = \&Test::Nginx::Util::run_test;

{
    no warnings qw(redefine prototype);
    *Test::Nginx::Util::run_test = sub {
        my %new = environment($_[0]);
        my $text = join "\n", map { "$_=$new{$_}" } sort keys %new;

        end_nginx() if $ENV{TEST_NGINX_USE_HUP} && $text ne $OldEnvironment;
        $OldEnvironment = $text;

        local %ENV = (%ENV, %new);
        return &$RunBlock(@_);
    };
}

my $RunTest = $Test::Nginx::Util::RunTestHelper;

$Test::Nginx::Util::RunTestHelper = sub {
    my ($block, $dry_run, $nth) = @_;

    $RunTest->(@_);

    my $steps = $block->steps or return;

    SKIP: {
        Test::More::skip($block->name . " - skipped due to $dry_run",
                         $block->checks + 1) if $dry_run;

        my $start = $LogRead = -s $Test::Nginx::Util::ErrLogFile || 0;

        compiled($steps)->($block->name);

        $LogRead = $start;
        Test::More::is(join('', grep { /^\S+ \S+ \[(?:alert|crit|emerg)\]/ }
                                new_log_lines()),
                       '', $block->name . ' - no alert in the log');
    }
};


# A code that was never used before: new_code('err-45011')

sub new_code {
    my ($kind) = @_;
    return ($kind // 'good') . "-$$-s" . ++$Codes;
}


# Talking to the nginx under test

sub connect_nginx {
    my $s = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1', Proto => 'tcp',
        PeerPort => $Test::Nginx::Util::ServerPortForClient)
        or die "cannot connect to nginx: $!\n";
    $s->autoflush(1);
    return $s;
}

sub send_text {
    my ($s, $text) = @_;
    local $SIG{PIPE} = 'IGNORE';
    print $s $text;
}

sub is_whole {
    my ($answer) = @_;
    my ($head, $body) = split /\r\n\r\n/, $answer, 2;

    return 0 if !defined $body;

    my ($length) = $head =~ /^Content-Length: (\d+)\r?$/mi;
    return defined $length && length $body == $length;
}

# One answer with a Content-Length, or all until the end; '' after a timeout

sub read_answer {
    my ($s, $timeout) = @_;
    my $select = IO::Select->new($s);
    my $end = time + ($timeout // 10);
    my $got = '';

    while ($select->can_read($end - time > 0 ? $end - time : 0)) {
        my $n = sysread $s, $got, 1, length $got;
        last if !$n;
        return $got if is_whole($got);
    }

    return $got;
}

sub ask_nginx {
    my ($text, $timeout) = @_;
    my $s = connect_nginx();
    send_text($s, $text);
    return read_answer($s, $timeout);
}

sub ask_with_code {
    my ($code, $path, $timeout) = @_;
    $path //= '/t';
    return ask_nginx("GET $path HTTP/1.1\r\nHost: localhost\r\n"
                     . "Connection: close\r\nX-WX-Code: $code\r\n\r\n",
                     $timeout);
}

sub status_of {
    my ($answer) = @_;
    return $answer =~ m{\AHTTP/1\.[01] (\d+)} ? $1 : 'none';
}

sub body_of {
    my ($answer) = @_;
    return $answer =~ /\r\n\r\n(.*)\z/s ? $1 : '';
}

sub header_of {
    my ($answer, $name) = @_;
    my ($head) = split /\r\n\r\n/, $answer, 2;
    return $head =~ /^\Q$name\E: *(.*?)\r?$/mi ? $1 : undef;
}


# Looking at it

sub until_true {
    my ($true, $seconds) = @_;
    my $end = time + ($seconds // 10);

    while (time < $end) {
        return 1 if $true->();
        sleep 0.02;
    }

    return $true->();
}

# what the error log got since the last call, or since the steps began

sub new_log_lines {
    open my $in, '<', $Test::Nginx::Util::ErrLogFile or return ();
    seek $in, $LogRead, 0;
    my @lines = <$in>;
    $LogRead = tell $in;
    close $in;
    return @lines;
}

# without a master the only process is the worker

sub worker_pids {
    open my $in, '<', $Test::Nginx::Util::PidFile or return ();
    chomp(my $pid = <$in>);
    close $in;

    open my $children, '<', "/proc/$pid/task/$pid/children" or return $pid;
    my @pids = split ' ', <$children> // '';
    close $children;

    return @pids ? @pids : $pid;
}

sub open_files {
    my $n = 0;
    $n += () = glob "/proc/$_/fd/*" for worker_pids();
    return $n;
}

1;
