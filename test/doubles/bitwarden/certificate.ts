import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** A certificate for localhost, and for vault.test, which only a proxy leads to; it signs itself. */
export interface Certificate {
  readonly key: Buffer;
  readonly cert: Buffer;
  /** Path of the PEM, for NODE_EXTRA_CA_CERTS. */
  readonly caFile: string;
  remove(): Promise<void>;
}

/** Makes one: bw speaks TLS only, and nothing that signs is kept in the repository. */
export async function makeCertificate(): Promise<Certificate> {
  const folder = await mkdtemp(join(tmpdir(), "alai-bitwarden-"));
  const [key, caFile] = [join(folder, "key.pem"), join(folder, "ca.pem")];
  await promisify(execFile)("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
    ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,DNS:vault.test,IP:127.0.0.1,IP:::1"],
    ...["-keyout", key, "-out", caFile],
  ]);
  return {
    key: await readFile(key),
    cert: await readFile(caFile),
    caFile,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
