#!/usr/bin/env perl
# SpamAssassin's VBounce for benches/bounce/measure: vbounce.pl RULES SECONDS < PATHS; see there.
#
# RULES is 20_vbounce.cf as the package brings it. Only VBounce and Check, which runs rules at all, are loaded; no network, no
# Bayes, no other rule. A relay must be named, or the rule for bounces stays off; none of the messages passed this one.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Mail::SpamAssassin;
use worker;

my ($rules, $seconds) = @ARGV;
open my $file, '<', $rules or die "$rules: $!\n";
my $text = do { local $/; <$file> };
my $filter = Mail::SpamAssassin->new({
    config_text => "loadplugin Mail::SpamAssassin::Plugin::Check\nloadplugin Mail::SpamAssassin::Plugin::VBounce\n"
        . "util_rb_tld com\nwelcomelist_bounce_relays relay.backstop.invalid\nuse_bayes 0\n$text",
    local_tests_only => 1,
    dont_copy_prefs  => 1,
    userprefs_filename => '/dev/null',
});
$filter->compile_now(0);

worker::go($seconds, sub {
    my $message = $filter->parse($_[0], 1);
    my $status = $filter->check($message);
    my $hit = $status->get_names_of_tests_hit();
    $status->finish();
    $message->finish();
    return $hit =~ /\bBOUNCE_MESSAGE\b/ ? 'bounce' : $hit =~ /\bANY_BOUNCE_MESSAGE\b/ ? 'automatic' : 'other';
});
