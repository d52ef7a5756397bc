# What compose.yaml runs of this repository, of the programs in `dist/`: `COUNTERSIGN_PROGRAMS=release docker compose up`.
# `source.Dockerfile` builds them.

FROM debian:trixie-slim
# Envoy's container reads the volume that is mounted here.
RUN install --directory --owner=65532 --group=65532 /run/countersign
COPY envoy /usr/share/countersign/envoy
COPY tools/page/comparison.yaml /usr/share/countersign/tools/page/comparison.yaml
COPY dist/countersign dist/countersign-page /usr/local/bin/
COPY dist/countersign.wasm /usr/share/countersign/countersign.wasm
USER 65532:65532
