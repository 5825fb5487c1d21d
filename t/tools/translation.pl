# Whether a translation of a Markdown text says what the text says, as far as
# a script can tell: the same headings, paragraphs, list items, table rows and
# code blocks in the same order, and in each the same `code`, the same links
# and at least the same numbers.  In a code block each column (two spaces part
# them) is the same, or has Chinese in it and the same names.
#
#   translation_faults($english, $chinese)     "LINE: ...", ...
#   translation_defects($chinese)              what is wrong => text, ...
#   anchors($text)                             anchor of a heading => number

use strict;
use warnings;
use utf8;

use Encode qw(decode encode);


sub translation_faults {
    my ($english, $chinese) = map { decode('UTF-8', $_) } @_;
    my @its = units($english);
    my @trs = units($chinese);
    my $none = { kind => 'nothing', line => 'end' };
    my @faults;

    for my $of ([ $english, @its ], [ $chinese, @trs ]) {
        my ($text, @units) = @$of;
        my %anchors = anchors($text);

        $_->{text} =~ s/(?<=\]\(#)([^)]+)/$anchors{$1} \/\/ $1/ge
            for @units;
    }

    for my $i (0 .. ($#its > $#trs ? $#its : $#trs)) {
        my $it = $its[$i] // $none;
        my $tr = $trs[$i] // $none;

        my $wrong = $it->{kind} ne $tr->{kind} ? "is $tr->{kind}"
                  : $it->{kind} eq 'code'      ? unlike_code($it, $tr)
                  :                              unlike_prose($it, $tr);

        next if !defined $wrong;

        push @faults, "$tr->{line}: $wrong, unlike the $it->{kind} in line"
                      . " $it->{line} of the other";

        # after these things would be compared with the wrong ones

        last if $it->{kind} ne $tr->{kind} || $it->{kind} =~ /^heading/;
    }

    return map { encode('UTF-8', $_) } @faults;
}


# the anchors that GitHub gives the headings of a text, each with its number

sub anchors {
    my ($text) = @_;
    my $number = 0;

    return map { lc s/[^\w\- ]//gr =~ tr/ /-/r => ++$number }
           $text =~ /^#+ (.+)$/mg;
}


# the parts of a text in their order, each { kind, line, text }

sub units {
    my ($text) = @_;
    my $number = 0;
    my $blank = 1;
    my @units;

    for my $line (split /\n/, $text) {
        $number++;

        if ($line =~ /^\s*$/) {
            $blank = 1;
            next;
        }

        my $open = $units[-1] // { kind => '' };
        my $code = $line =~ /^    / && ($blank || $open->{kind} eq 'code');

        my $kind = $code              ? 'code'
                 : $line =~ /^(#+) /  ? "heading $1"
                 : $line =~ /^[*] /   ? 'item'
                 : $line =~ /^[|]/    ? 'row'
                 :                      'text';

        if ($code && $open->{kind} eq 'code') {
            $open->{text} .= "\n" x (1 + $blank) . $line;

        } elsif ($kind eq 'text' && !$blank && $open->{kind} ne 'code') {
            $open->{text} .= " $line" =~ s/^\s+/ /r;

        } else {
            push @units, { kind => $kind, line => $number, text => $line };
        }

        $blank = 0;
    }

    return @units;
}


sub unlike_prose {
    my ($its, $trs) = map { { parts($_->{text}) } } @_;

    return 'has another name'
        if $its->{name} ne $trs->{name} && $its->{name} =~ /^wx_openid\w*$/;

    for my $what ('code', 'link') {
        my %its = map { $_ => 1 } @{ $its->{$what} };

        # a translation may have to say a name once more

        my @odd = (without($its->{$what}, $trs->{$what}),
                   grep { !$its{$_} } @{ $trs->{$what} });

        return "has not the same ${what}s (" . join(', ', @odd) . ')' if @odd;
    }

    # a number may be a word there

    my @numbers = without($its->{number}, $trs->{number});

    return "lacks the numbers @numbers" if @numbers;
    return;
}

sub parts {
    my ($text) = @_;
    my %parts;

    $parts{name} = $text =~ /^#+ (.*)/ ? $1 : '';

    $parts{code} = [ $text =~ /`([^`]+)`/g ];
    $text =~ s/`[^`]+`/ /g;

    # the two texts have links to each other

    $parts{link} = [ map { /^README/ ? 'README' : $_ }
                     $text =~ /\]\(([^)]+)\)/g ];
    $text =~ s/\]\([^)]+\)/ /g;

    $parts{number} = [ $text =~ /(?<![\w.])\d+(?:[.,]\d+)*(?!\w)/ag ];

    return %parts;
}


sub unlike_code {
    my @its = split /\n/, $_[0]{text};
    my @trs = split /\n/, $_[1]{text};

    return 'has another number of lines' if @its != @trs;

    for my $i (0 .. $#its) {
        my @it = split /\s{2,}/, $its[$i] =~ s/-{3,}/--/gr;
        my @tr = split /\s{2,}/, $trs[$i] =~ s/-{3,}/--/gr;

        return "has other columns (" . $trs[$i] =~ s/^\s+//r . ")"
            if @it != @tr;

        for my $j (0 .. $#it) {
            return "has another line (" . $trs[$i] =~ s/^\s+//r . ")"
                if $it[$j] ne $tr[$j]
                   && ($tr[$j] !~ /\p{Han}/ || names_differ($it[$j], $tr[$j]));
        }
    }

    return;
}

# A translated column has no words of its own beside the Chinese, and each
# name of the other's.

sub names_differ {
    my ($its, $trs) = map { [ /\$?\w(?:[\w.:\/-]*\w)?/ag ] } @_;
    my @names = grep { /[\d_.\/:\$]|[A-Z]{2}/ } @$its;

    return without($trs, $its) || without(\@names, $trs);
}


# what is in the first list and not, or not as often, in the second

sub without {
    my ($from, $list) = @_;
    my %left;

    $left{$_}++ for @$list;
    return grep { !$left{$_} || !$left{$_}-- } @$from;
}


# README.zh-CN.md with one defect each, to see that they would be noticed

sub translation_defects {
    my $good = decode('UTF-8', $_[0]);
    my @defects = (
        'a directive without its section' =>
            sub { s/^\#\#\# wx_openid_host\n.*?(?=^\#)//ms },
        'a directive that does not exist' =>
            sub { s/^\#\#\# wx_openid_pass$/$&_on/m },
        'a variable without its line' =>
            sub { s/^\* `\$wx_openid_errcode`.*\n//m },
        'a metric without its line' =>
            sub { s/^\* `wx_openid_connections_total`\n//m },
        'a name that does not exist' => sub { s/。$/ wx_openid_any$&/m },
        'another default' => sub { s/^(.*wx_openid_cache size)=4m/$1=8m/m },
        'another context' => sub { s/location, limit_except$/location/m },
        'another command' => sub { s/keygen --append/keygen --add/ },
        'another level of heading' => sub { s/^\#\#\#\# /\#\#\# /m },
        'a paragraph left out' => sub { s/^`return`.*\n\n//m },
        'a row left out' => sub { s/^\| 504 .*\n//m },
        'another status' => sub { s/^\| 429 /| 400 /m },
        'another number in a text' => sub { s/30,000/40,000/ },
        'a value left out of a text' => sub { s/`samesite=`//m },
        'a link that leads nowhere' => sub { s/\(\#指令\)/(\#目录)/ },
    );
    my @texts;

    while (my ($what, $defect) = splice @defects, 0, 2) {
        local $_ = $good;
        $defect->();
        push @texts, $what => encode('UTF-8', $_);
    }

    return @texts;
}

1;
