# As source.Dockerfile, with the programs in `dist/programs/`, which `make programs` builds. They need a libc that is not newer
# than this image's.

FROM debian:trixie-slim
# Envoy's container reads the volume that is mounted here.
RUN install --directory --owner=65532 --group=65532 /run/countersign
COPY dist/programs /programs
ENV PATH=/programs:/usr/bin:/bin
USER 65532:65532
