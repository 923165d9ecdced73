# The product's one image: `api`, `worker` and `migrate` are arguments of the same program.
# glibc, as Temporal's native library needs it: Alpine cannot load it.
ARG NODE_IMAGE=node:24.19.0-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev
# Temporal ships its native library for five kinds of machine, near 30 MB each; this image is one of them.
RUN find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 \
      ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -rf {} +

FROM ${NODE_IMAGE}
# The native library looks for the system's certificates even where it speaks no TLS.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV NODE_ENV=production DATA_DIR=/data
RUN mkdir /data && chown node:node /data
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist/src ./dist/src
USER node
EXPOSE 8080
# As in package.json: in V8's own 16 MB of young objects a page in work does not die before it is moved, again and again.
ENTRYPOINT ["node", "--min-semi-space-size=32", "--max-semi-space-size=32", "dist/src/main.js"]
