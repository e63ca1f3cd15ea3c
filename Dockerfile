# The same content as build/image/deploy-action.tar, for those who build images with docker:
#   make image && docker build -t deploy-action .
# No USER: a CI decides who runs it (GitHub wants root, GitLab lets you choose); any uid works.
FROM scratch
COPY build/image/rootfs/ /
ENV PATH=/usr/bin:/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
WORKDIR /
ENTRYPOINT ["/usr/bin/deploy-action"]
