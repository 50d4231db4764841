import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** A certificate for names, and the authority that signed it. */
export interface Certificate {
  readonly key: Buffer;
  readonly cert: Buffer;
  readonly ca: string;
  /** The authority's PEM, for NODE_EXTRA_CA_CERTS. */
  readonly caFile: string;
  remove(): Promise<void>;
}

const run = promisify(execFile);
const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];

/** Makes an authority as a company has one, and lets it sign. Nothing of it is kept in the repository. */
export async function certificateFor(names: readonly string[]): Promise<Certificate> {
  const folder = await mkdtemp(join(tmpdir(), "alai-authority-"));
  const file = (name: string) => join(folder, name);
  const [caFile, caKey] = [file("ca.pem"), file("ca.key")];
  const isCa = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"];
  await run("openssl", ["req", "-x509", ...KEY, "-subj", "/CN=Company", ...isCa, "-keyout", caKey, "-out", caFile]);
  await writeFile(file("names"), `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}\n`);
  const asks = ["-subj", "/CN=server", "-keyout", file("key.pem"), "-out", file("csr.pem")];
  await run("openssl", ["req", ...KEY.slice(0, -2), ...asks]);
  const signs = ["-CA", caFile, "-CAkey", caKey, "-CAcreateserial", "-days", "2", "-extfile", file("names")];
  await run("openssl", ["x509", "-req", "-in", file("csr.pem"), ...signs, "-out", file("cert.pem")]);
  return {
    key: await readFile(file("key.pem")),
    cert: await readFile(file("cert.pem")),
    ca: await readFile(caFile, "utf8"),
    caFile,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
