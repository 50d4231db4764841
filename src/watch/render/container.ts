import { basename } from "node:path";
import type { Manifest } from "../../dr/manifest/model.ts";
import { channelsWithoutSecret, variables } from "./github.ts";

/**
 * A Dockerfile for the watcher, with how it is built and started. Secrets come when it is started, by the names of their
 * environment variables. @param version of alai to install.
 */
export function renderContainer(manifest: Manifest, version: string): string {
  const name = basename(manifest.file);
  const secrets = [...variables(manifest), "ALAI_DR_TOKEN"].map((secret) => ` -e ${secret}`).join("");
  return `# Made by: alai watch render --container
#
# Build: docker build -t alai-watch -f alai-watch.Dockerfile .
# Start, from the manifest's folder and with the secrets in the environment; again at every boot:
#   docker run -d --name alai-watch --init --restart always --network host \\
#     -v alai-watch:/data -v "$PWD":/manifest:ro${secrets} alai-watch
# Without --network host the addresses of a private network may not be reached.
${notThere(manifest)}FROM node:24-slim
RUN npm install --global @alai/cli@${version} && npm cache clean --force \\
    && install -d -o node -g node -m 700 /data
USER node
# What it saw and told: in a volume, so that a new container tells nothing twice.
ENV ALAI_DATA_DIR=/data
VOLUME /data
ENV ALAI_DR_MANIFEST=${JSON.stringify(`/manifest/${name}`)}
# Exit 69: nothing was looked at lately. That a host is down is no fault of the watcher.
HEALTHCHECK --interval=1m --timeout=10s --start-period=30s CMD alai watch status > /dev/null 2>&1 || [ $? -eq 1 ]
CMD ["alai", "watch"]
`;
}

function notThere(manifest: Manifest): string {
  const names = channelsWithoutSecret(manifest);
  if (names.length === 0) return "";
  return `# The secret of ${names.join(", ")} is in the vault, which is not here: name an environment variable in the manifest.\n`;
}
