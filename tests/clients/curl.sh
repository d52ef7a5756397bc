#!/bin/sh
# curl: exit statuses, the body of a refusal, a token of its own option.
set -eu
ask() { curl --silent --show-error --max-time 30 "$@"; }
fail() { echo "$*" >&2; exit 1; }

url="http://$ADDRESS/orders/17"
status=0
answer=$(ask --fail-with-body --write-out '\n%{http_code}\n%header{www-authenticate}\n' "$url" 2>&1) || status=$?
echo "$answer"
[ "$status" = 22 ] || fail "curl ends with 22 on a refusal, not with $status"
case $answer in
*'"error":"unauthorized"'*'
401
Bearer realm="orders"') ;;
*) fail "the body, the status and the challenge are not as they must be" ;;
esac

ask --fail-with-body --oauth2-bearer "$TOKEN" "$url" | grep '"path": "/orders/17"'

status=$(ask --output /dev/null --write-out '%{http_code}' --path-as-is "http://$ADDRESS/orders/../healthz")
echo "$status"
[ "$status" = 400 ] || fail "a dot segment gets 400"

sentence=$(ask --header 'accept: text/plain' "$url")
echo "$sentence"
[ "$sentence" = "Authentication is required." ] || fail "text/plain is a sentence"

# HEAD has the same fields, and no content: curl would wait for one, or complain.
ask --head "$url" | grep -i '^www-authenticate: Bearer realm="orders"'
