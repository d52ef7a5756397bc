#!/bin/sh
# curl: a user name and a password of `-u`, whose hash htpasswd wrote, and what curl makes of a refusal.
set -eu
ask() { curl --silent --show-error --max-time 30 "$@"; }
fail() { echo "$*" >&2; exit 1; }

url="http://$ADDRESS/orders/17"
for user in alice jörg sha; do
    ask --fail-with-body --user "$user:$PASSWORD" "$url" | grep '"path": "/orders/17"' ||
        fail "$user does not pass"
done

# `--anyauth` sends a password only after a challenge that curl understands.
ask --fail-with-body --anyauth --user "alice:$PASSWORD" "$url" | grep '"path": "/orders/17"'

status=0
answer=$(ask --fail-with-body --user "alice:wrong" --write-out '\n%{http_code}\n%header{www-authenticate}\n' "$url" 2>&1) ||
    status=$?
echo "$answer"
[ "$status" = 22 ] || fail "curl ends with 22 on a refusal, not with $status"
case $answer in
*'"error":"invalid_credentials"'*'
401
Basic realm="orders", charset="UTF-8"') ;;
*) fail "the body, the status and the challenge are not as they must be" ;;
esac

# For a proxy.
ask --fail-with-body --proxy "http://$PROXY" --proxy-user "alice:$PASSWORD" "http://orders.example/orders/17" |
    grep '"path": "/orders/17"'
status=$(ask --output /dev/null --write-out '%{http_code}' --proxy "http://$PROXY" "http://orders.example/orders/17")
[ "$status" = 407 ] || fail "a proxy asks with 407, not with $status"
