# What the workers in Perl share; see benches/bounce/measure for what goes in and comes out.
package worker;
use strict;
use warnings;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC CLOCK_PROCESS_CPUTIME_ID);

# go SECONDS, FUNCTION: the function gives the word for a message.
sub go {
    my ($seconds, $judge) = @_;
    chomp(my @paths = <STDIN>);
    my @messages = map {
        open my $file, '<:raw', $_ or die "$_: $!\n";
        local $/;
        scalar <$file>;
    } @paths;
    print $judge->($_), "\n" for @messages;
    my ($count, $wall, $cpu) = (0, clock_gettime(CLOCK_MONOTONIC), clock_gettime(CLOCK_PROCESS_CPUTIME_ID));
    while (clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - $cpu < $seconds) {
        $judge->($_) for @messages;
        $count += @messages;
    }
    printf "%d %.6f %.6f\n", $count, clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - $cpu, clock_gettime(CLOCK_MONOTONIC) - $wall;
}

1;
