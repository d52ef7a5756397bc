# What compose.yaml runs of this repository, built from the sources: the module, the command, the page.
# `release.Dockerfile` makes the same image of programs that are already built.

FROM rust:1.95.0-slim-trixie AS build
# `scripts/build-module` is written for a shell and Python.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/*
# Without the components of rust-toolchain.toml that no build needs.
ENV RUSTUP_TOOLCHAIN=1.95.0
RUN rustup target add wasm32-wasip1
WORKDIR /src
COPY . .
RUN scripts/at-once \
    'building the filter' scripts/build-module \
    'building the command and the page' \
    'cargo build --locked --profile tools --bin countersign --package countersign && cargo build --locked --profile tools --package page'

FROM debian:trixie-slim
# Envoy's container reads the volume that is mounted here.
RUN install --directory --owner=65532 --group=65532 /run/countersign
COPY envoy /usr/share/countersign/envoy
COPY tools/page/comparison.yaml /usr/share/countersign/tools/page/comparison.yaml
COPY --from=build /src/target/tools/countersign /src/target/tools/countersign-page /usr/local/bin/
COPY --from=build /src/dist/countersign.wasm /usr/share/countersign/countersign.wasm
USER 65532:65532
