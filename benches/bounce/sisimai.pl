#!/usr/bin/env perl
# Sisimai for benches/bounce/measure: sisimai.pl SECONDS < PATHS; see there.
#
# What it finds with the reason vacation or feedback is an answer or a report, all else that it finds a bounce.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Sisimai;
use worker;

worker::go($ARGV[0], sub {
    my $text = $_[0];
    my $found = Sisimai->make(\$text) or return 'other';
    return (grep { $_->reason !~ /^(?:vacation|feedback)$/ } @$found) ? 'bounce' : 'automatic';
});
