# What compose.yaml runs of this repository: the module, the command and the page, built from the sources.

FROM rust:1.95.0-slim-trixie AS build
# `scripts/build-module` and `scripts/at-once` need Python.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/*
# The toolchain of the image. rust-toolchain.toml also lists components that no build needs.
ENV RUSTUP_TOOLCHAIN=1.95.0
RUN rustup target add wasm32-wasip1
WORKDIR /countersign
COPY . .
RUN scripts/build-programs

FROM debian:trixie-slim
# Envoy's container reads the volume that is mounted here.
RUN install --directory --owner=65532 --group=65532 /run/countersign
COPY --from=build /countersign/dist/programs /programs
ENV PATH=/programs:/usr/bin:/bin
USER 65532:65532
