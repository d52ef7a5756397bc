#!/usr/bin/perl
# The same as a FastCGI program, which reads with CGI.pm.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use CGI::Fast;
use Read;

while (my $cgi = CGI::Fast->new) {
    my @tokens = $cgi->multi_param('access_token');
    Read::print_answer($ENV{PATH_INFO} // '', @tokens ? join(',', @tokens) : undef, scalar $cgi->cookie('session'));
}
