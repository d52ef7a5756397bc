package Read;
# The routes and the answer of the applications here. Each of them finds the path, the token and the session itself.
use strict;

# The route and its parameter: nothing when there is no such page.
sub route {
    my ($path) = @_;
    my (undef, @segments) = split m{/}, $path, -1;
    return unless @segments;
    return ($segments[0]) if $segments[0] eq 'admin' || $segments[0] eq 'public';
    return unless $segments[0] eq 'users';
    return ('user', $segments[1]) if @segments == 2;
    return ('orders', $segments[1]) if @segments == 3 && $segments[2] eq 'orders';
    return;
}

sub print_answer {
    my ($path, $token, $session) = @_;
    my ($route, $id) = route($path);
    if (!defined $route) {
        print "Status: 404\r\nContent-Type: text/plain\r\n\r\nno such page\n";
        return;
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
        token => $token,
        session => $session,
    );
    my @members = map { quoted($_) . ': ' . quoted($read{$_}) } grep { defined $read{$_} } sort keys %read;
    print "Content-Type: application/json\r\n\r\n{", join(', ', @members), "}\n";
}

# Bytes, each as the character of its number.
sub quoted {
    my ($text) = @_;
    $text =~ s/([^\x20-\x7e]|["\\])/sprintf '\\u%04x', ord $1/ge;
    return "\"$text\"";
}

1;
