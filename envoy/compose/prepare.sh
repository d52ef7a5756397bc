# Writes what Envoy needs to the volume: `envoy.json`, certificates, the module. Ends with an error if the configuration of the
# filter is not valid.
set -eu
countersign check /etc/countersign/gate.yaml
cp /programs/countersign.wasm /run/countersign/
countersign-page --repository /usr/share/countersign bootstrap \
    --folder /run/countersign \
    --gate /etc/countersign/gate.yaml \
    --module /run/countersign/countersign.wasm \
    --upstream upstream:8080 \
    --stand-ins page:10090 \
    --cluster issuer=issuer:9000
