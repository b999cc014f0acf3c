# One image per service, by the argument SERVICE. TypeScript runs as it is: there is nothing to build, the layers of
# packages are the same for all, and only the last one differs. No registry but npm's is asked for anything.
FROM node:24-trixie-slim

ENV NODE_ENV=production \
    NODE_OPTIONS=--max-semi-space-size=4 \
    HOST=0.0.0.0 \
    PORT=8080
WORKDIR /app

# What the packages depend on changes rarely; the sources above it often.
COPY package.json package-lock.json .npmrc ./
COPY packages/shared/package.json packages/shared/
COPY services/hypervisor/package.json services/hypervisor/
COPY services/lpar-kernel/package.json services/lpar-kernel/
COPY services/dump-collector/package.json services/dump-collector/
COPY services/hmc-api/package.json services/hmc-api/
# extra_ca: certificates of a proxy that opens TLS, where there is one.
RUN --mount=type=cache,target=/npm --mount=type=secret,id=extra_ca,target=/run/extra_ca.pem \
    if [ -s /run/extra_ca.pem ]; then export NODE_EXTRA_CA_CERTS=/run/extra_ca.pem; fi; \
    npm ci --omit=dev --cache /npm \
    # A volume takes over owner and mode of the directory that it is mounted on when it is made.
    && for holder in hypervisor lpar-kernel dump-collector hmc-api monitor administrator redis-memory redis-control; \
       do install -d -o node -g node -m 0750 "/secrets/$holder"; done \
    && install -d -o node -g node -m 0750 /dumps /users /capture
COPY packages packages
COPY scripts scripts

ARG SERVICE
COPY services/${SERVICE} services/${SERVICE}

USER node
WORKDIR /app/services/${SERVICE}
EXPOSE 8080
# Node itself: the image has no curl. 127.0.0.1, because localhost is ::1 first; its own certificate need not name that.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --start-interval=1s --retries=3 \
  CMD ["node", "--no-warnings", "-e", "process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; fetch(`http${process.env.TLS_CERTIFICATE_FILE ? 's' : ''}://127.0.0.1:${process.env.PORT}/readyz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/main.ts"]
