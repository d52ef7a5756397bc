#!/usr/bin/perl
# A CGI program without a library: it decodes the query, and leaves cookies as they are.
use strict;

# Each request starts the program: `FindBin` and `warnings` would double its cost.
BEGIN { unshift @INC, $0 =~ m{(.*)/} }
use Read;

sub decoded {
    my ($text) = @_;
    $text =~ tr/+/ /;
    $text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
    return $text;
}

my (@tokens, @sessions);
for my $pair (split /&/, $ENV{QUERY_STRING} // '') {
    my ($name, $value) = split /=/, $pair, 2;
    push @tokens, decoded($value // '') if decoded($name // '') eq 'access_token';
}
for my $pair (split /;\s*/, $ENV{HTTP_COOKIE} // '') {
    my ($name, $value) = split /=/, $pair, 2;
    push @sessions, $value // '' if ($name // '') eq 'session';
}
Read::print_answer($ENV{PATH_INFO} // '', @tokens ? join(',', @tokens) : undef, $sessions[0]);
