#!/bin/sh
# curl: a proof of the password of `-u` for each algorithm, and what curl makes of a refusal and of a nonce that expires.
set -eu
ask() { curl --silent --show-error --max-time 30 "$@"; }
fail() { echo "$*" >&2; exit 1; }
# The upstream shows what reached it, the credential among it.
shows() { grep --fixed-strings -- "$1" || fail "the upstream did not show $1"; }

for listener in "$SHA256 SHA-256" "$MD5 MD5" "$BOTH SHA-256" "$BESIDE SHA-256"; do
    address=${listener% *} algorithm=${listener#* }
    for user in alice "$JASON"; do
        ask --fail-with-body --digest --user "$user:$PASSWORD" "http://$address/orders/17?a=b%20c&d=%c3%a4,%22" |
            shows "algorithm=$algorithm"
    done
    # curl sends the content only in the request that has a credential.
    ask --fail-with-body --digest --user "alice:$PASSWORD" --data 'amount=17' "http://$address/orders/17" |
        shows '"body_length": 9'
    ask --fail-with-body --digest --user "alice:$PASSWORD" --upload-file - "http://$address/orders/17" <"$0" |
        shows "\"body_length\": $(wc -c <"$0")"
    ask --fail-with-body --digest --user "alice:$PASSWORD" --head "http://$address/orders/17" | shows 'x-upstream: echo'
    ask --fail-with-body --anyauth --user "alice:$PASSWORD" "http://$address/orders/17" | shows "algorithm=$algorithm"
done

# Two requests in a row with one nonce.
for address in "$SHA256" "$MD5"; do
    ask --fail-with-body --digest --user "alice:$PASSWORD" --location "http://$address/moved" | shows 'nc=00000002'
done

# curl waits two seconds before it repeats a request, which is longer than the nonce is valid. The route always answers 503.
seen=$(ask --digest --user "alice:$PASSWORD" --include --retry 1 --retry-delay 2 "http://$EXPIRES/busy" 2>&1 |
    tr -d '\r' | sed -n 's/^HTTP[^ ]* \([0-9]*\).*/\1/p; s/^www-authenticate: Digest.* \(stale=true\).*/\1/p')
echo "$seen"
case $(echo $seen) in
"401 "*"503 401 stale=true "*"503") ;;
*) fail "curl does not repeat a request with a new nonce" ;;
esac

status=0
answer=$(ask --fail-with-body --digest --user "alice:wrong" --write-out '\n%{http_code}\n%header{www-authenticate}\n' \
    "http://$SHA256/orders/17" 2>&1) || status=$?
echo "$answer"
[ "$status" = 22 ] || fail "curl ends with 22 on a refusal, not with $status"
case $answer in
*stale*) fail "a wrong password is no stale nonce" ;;
*'"error":"invalid_credentials"'*'
401
Digest realm="orders", '*) ;;
*) fail "the body, the status and the challenge are not as they must be" ;;
esac

# For a proxy.
ask --fail-with-body --proxy "http://$PROXY" --proxy-digest --proxy-user "alice:$PASSWORD" \
    "http://orders.example/orders/17?a=b" | shows '"path": "/orders/17?a=b"'
status=$(ask --output /dev/null --write-out '%{http_code}' --proxy "http://$PROXY" --proxy-digest \
    --proxy-user "alice:wrong" "http://orders.example/orders/17")
[ "$status" = 407 ] || fail "a proxy asks with 407, not with $status"
