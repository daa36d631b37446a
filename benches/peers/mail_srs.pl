#!/usr/bin/env perl
# Mail::SRS (Debian: libmail-srs-perl) for benches/peers/measure: mail_srs.pl OPERATION PASSES < ADDRESSES; see there.
use strict;
use warnings;
use Mail::SRS;

my ($operation, $passes) = @ARGV;
my $srs = Mail::SRS->new(Secret => 'a secret for srs');
my $ask = $operation eq 'forward' ? sub { $srs->forward($_[0], 'fwd.example.net') } : sub { $srs->reverse($_[0]) };
chomp(my @addresses = <STDIN>);
for (1 .. $passes) {
    $ask->($_) for @addresses;
}
print $ask->($_), "\n" for @addresses;
