#!/usr/bin/perl
# The application of CGI servers. It reads PATH_INFO, and the rest as CGI.pm does.
use strict;
use warnings;
use CGI;

my $cgi = CGI->new;
my $path = $cgi->path_info // '';
my (undef, @segments) = split m{/}, $path, -1;
my ($route, $id);
if (@segments && ($segments[0] eq 'admin' || $segments[0] eq 'public')) {
    $route = $segments[0];
} elsif (@segments > 1 && $segments[0] eq 'users') {
    $id = $segments[1];
    $route = 'user' if @segments == 2;
    $route = 'orders' if @segments == 3 && $segments[2] eq 'orders';
}
if (!defined $route) {
    print "Status: 404\r\nContent-Type: text/plain\r\n\r\nno such page\n";
    exit;
}

my %read = (
    route => $route,
    id => $id,
    path => $path,
    prefix => $ENV{SCRIPT_NAME},
    method => $ENV{REQUEST_METHOD},
    host => $ENV{HTTP_HOST},
    subject => $ENV{HTTP_X_AUTH_SUBJECT},
    version => $ENV{HTTP_X_API_VERSION},
    authorization => $ENV{HTTP_AUTHORIZATION},
    token => join(',', $cgi->multi_param('access_token')),
    session => scalar $cgi->cookie('session'),
);

# Bytes, each as the character of its number.
sub quoted {
    my ($text) = @_;
    $text =~ s/([^\x20-\x7e]|["\\])/sprintf '\\u%04x', ord $1/ge;
    return "\"$text\"";
}
my @members = map { quoted($_) . ': ' . quoted($read{$_}) } grep { defined $read{$_} } sort keys %read;
print "Content-Type: application/json\r\n\r\n{", join(', ', @members), "}\n";
