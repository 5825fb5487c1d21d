package WxOpenid::Token;

# Session tokens that are made and opened outside nginx, by t/tools/token.
# Loaded behind WxOpenid it gives configurations
#
#   $TEST_NGINX_KEYS         a key set: "k1" seals, "k2" opens as well
#   $TEST_NGINX_OTHER_KEYS   another: "k9", and a "k1" that is not the same
#   $TEST_NGINX_SESSIONS     both apps, wx_openid_pass, and the first key set
#
# and suites
#
#   token(CLAIM => VALUE, ...)    good for wxtest unless the claims say
#                                 otherwise; one that is undef is left out;
#                                 -kid, -keys, -header, -text (in place of
#                                 all claims) change the rest
#   open_token(TEXT, FILE)        { header, payload, claims }, or dies
#   write_keys(NAME, KID, ...)    the path of a key set; "KID=SALT" is
#                                 another key with that kid
#   key_text(KID)                 what stands in a key set as "k"

use strict;
use warnings;

use Digest::SHA qw(sha256);
use Exporter 'import';
use File::Temp ();
use IPC::Open2 ();
use JSON::PP ();
use MIME::Base64 qw(encode_base64url);
use WxOpenid::Servers ();

our @EXPORT = qw(token open_token write_keys key_text);

my $Dir = File::Temp::tempdir('wx_openid_XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $Json = JSON::PP->new->canonical;
my ($Pid, $In, $Out);

sub ask {
    my ($request) = @_;

    $Pid //= IPC::Open2::open2($Out, $In,
                               "$WxOpenid::Servers::Root/t/tools/token");
    print $In $Json->encode($request), "\n";

    my $reply = $Json->decode(<$Out> // die "t/tools/token is gone\n");
    die "t/tools/token: $reply->{error}\n" if defined $reply->{error};
    return $reply;
}

sub key_text {
    my ($kid) = @_;
    return encode_base64url(sha256("key $kid"));
}

sub write_keys {
    my ($name, @kids) = @_;
    my @keys = map { { kty => 'oct', kid => /^([^=]*)/, k => key_text($_) } }
               @kids;
    my $path = "$Dir/$name";

    open my $file, '>', "$path.new" or die "$path: $!";
    chmod 0600, "$path.new";
    print $file $Json->encode({ keys => \@keys });
    close $file or die "$path: $!";
    rename "$path.new", $path or die "$path: $!";

    return $path;
}

sub token {
    my (%claims) = @_;
    my %request = (keys => delete $claims{-keys} // $ENV{TEST_NGINX_KEYS});

    for my $option (qw(kid header)) {
        my $value = delete $claims{"-$option"};
        $request{$option} = $value if defined $value;
    }

    my $iat = $claims{iat} // time - 10;
    my $text = delete $claims{-text};

    %claims = (sub => 'oTOKEN', aud => 'wxtest', iat => $iat,
               exp => $iat + 7200, %claims);
    delete @claims{ grep { !defined $claims{$_} } keys %claims };

    return ask({ %request, seal => $text // \%claims })->{token};
}

sub open_token {
    my ($token, $keys) = @_;
    my $reply = ask({ keys => $keys // $ENV{TEST_NGINX_KEYS},
                      open => $token });

    $reply->{claims} = $Json->decode($reply->{payload});
    return $reply;
}

$ENV{TEST_NGINX_KEYS} = write_keys('keys', 'k1', 'k2');
$ENV{TEST_NGINX_OTHER_KEYS} = write_keys('other', 'k9', 'k1=other');
$ENV{TEST_NGINX_SESSIONS} = ($ENV{TEST_NGINX_WX_CONFIG} // '')
    . "    wx_openid_session_keys  $ENV{TEST_NGINX_KEYS};\n";

END {
    if ($Pid) {
        local $?;
        close $In;
        waitpid $Pid, 0;
    }
}

1;
