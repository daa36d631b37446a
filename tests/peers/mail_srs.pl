#!/usr/bin/env perl
# Answers lines for tests/peers.rs with Mail::SRS (Debian: libmail-srs-perl).
#
#   in   forward TAB separator TAB hash-length TAB secret TAB sender TAB forwarder
#        reverse TAB separator TAB hash-length TAB secret TAB address
#   out  ok TAB address  /  error
#
# The stamp is the system clock's. A stamp of very many characters makes Mail::SRS count for ever: the alarm ends it.
use strict;
use warnings;
use Mail::SRS;

$| = 1;
$SIG{__WARN__} = sub { };
while (my $line = <STDIN>) {
    chomp $line;
    my ($what, $separator, $length, $secret, @rest) = split /\t/, $line, -1;
    my $answer = eval {
        local $SIG{ALRM} = sub { die "too slow\n" };
        alarm 2;
        my $srs = Mail::SRS->new(Secret => $secret, Separator => $separator, HashLength => $length);
        $what eq 'forward' ? $srs->forward(@rest) : $srs->reverse(@rest);
    };
    alarm 0;
    print defined $answer ? "ok\t$answer\n" : "error\n";
}
