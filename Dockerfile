# The image of mcp-gw and, with --target demo, that of its demo server.
#
# Both hold nothing but what the stage "build" leaves in /out. Without a registry
# the same files can come from a folder instead, and no base image is pulled:
#
#   .ci/pack .build/out
#   docker build --build-context build=.build --build-context web=.build .

FROM --platform=$BUILDPLATFORM node:20-bookworm-slim AS web
WORKDIR /src/dashboard/web
COPY dashboard/web/package.json dashboard/web/package-lock.json dashboard/web/.npmrc ./
RUN --mount=type=cache,target=/root/.npm,sharing=locked npm ci --no-audit --no-fund
# Once for all platforms: what it makes is the same on each.
COPY dashboard/web/ ./
RUN npm run build

FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
COPY --from=web /src/dashboard/web/dist/ dashboard/web/dist/
# The compiler runs on the builder's own platform and cross-compiles: without
# emulation arm64 takes no longer than amd64.
ARG TARGETOS TARGETARCH VERSION
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    GOOS=$TARGETOS GOARCH=$TARGETARCH .ci/pack /out "$VERSION"

FROM scratch AS demo
COPY --from=build /out/demo/ /
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/demo"]

FROM scratch AS gateway
COPY --from=build /out/gateway/ /
COPY --from=build --chown=65532:0 /out/app/ /app/
ENV CONFIG_PATH=/app/config/backends.json
# Nobody. It cannot open a Docker socket of the usual owner: whoever mounts one
# says as which user, as compose.yaml does.
USER 65532:65532
EXPOSE 3000
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 CMD ["/mcp-gw", "healthcheck"]
ENTRYPOINT ["/mcp-gw"]
CMD ["serve"]
