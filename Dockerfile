# Cairn's server with the web app, and the whole command line. The web app and the bundle of the programs are built apart.
FROM node:26-trixie-slim AS web
WORKDIR /opt/cairn
COPY . .
RUN npm ci

FROM node:26-trixie-slim AS install
WORKDIR /opt/cairn
COPY . .
# Installs the same pinned runtime and libraries as everywhere else, without the tools for development.
RUN npm ci --omit=dev && npm cache clean --force
COPY --from=web /opt/cairn/apps/web/dist apps/web/dist
COPY --from=web /opt/cairn/apps/cli/dist apps/cli/dist

FROM node:26-trixie-slim
LABEL org.opencontainers.image.title="Cairn" \
      org.opencontainers.image.description="Self-hosted file sync" \
      org.opencontainers.image.licenses="MIT"
COPY --from=install /opt/cairn /opt/cairn
RUN ln -s /opt/cairn/bin/cairn /usr/local/bin/cairn \
 && install -d -o node -g node -m 700 /data
ENV NODE_ENV=production \
    PATH=/opt/cairn/node_modules/.bin:$PATH \
    CAIRN_HOST=0.0.0.0 \
    CAIRN_PORT=8000 \
    CAIRN_DATA=/data
USER node
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.CAIRN_PORT}/health`).then(answer => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# The server itself is process 1, so that "docker stop" reaches it and it can end what is under way.
ENTRYPOINT ["node", "/opt/cairn/bin/cairn"]
CMD ["serve"]
