import { resolve } from "node:path";
import type { Context } from "../../kit/context.ts";
import { Exit, usage } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { oneLine, truncate } from "../../kit/text.ts";
import { parseManifest } from "../manifest/parse.ts";
import { ManifestError } from "../manifest/problems.ts";
import { isName } from "../manifest/schema.ts";
import { readYamlText } from "../manifest/yaml-text.ts";
import { type Adopted, adopt } from "./adopt.ts";
import { readOldConfig } from "./read.ts";

/**
 * The manifest of a config file, proved to be one that is read without an error. Throws Exit 3 when there is no such file, a
 * usage error for one that names no database, ManifestError where the config holds what no manifest may.
 */
export function adoptFile(context: Context, config: string, host: string): Adopted {
  const file = resolve(context.cwd, config);
  const text = readYamlText(file, {
    ...{ noun: "config", name: "litestream.yml" },
    missing: () => new Exit(EXIT.notFound, "no_config", `There is no file ${file}.`, "Name a litestream.yml."),
  });
  if (!isName(host))
    throw usage(
      `--host is "${truncate(oneLine(host), 40)}", which is not a name of a host.`,
      "Type letters, digits, dots, - and _, a letter or digit first, 100 at most.",
    );
  const old = readOldConfig(text, file, context.env);
  const owner = /^\/(?:Users|home)\/([^/]+)\//.exec(old.databases[0]?.path ?? "")?.[1];
  const adopted = adopt(old, {
    ...{ host, user: owner ?? context.env.USER ?? "root" },
    os: context.platform === "darwin" ? "darwin" : "linux",
  });
  try {
    parseManifest(adopted.text, file);
  } catch (error) {
    throw error instanceof ManifestError ? notAdopted(error, file) : error;
  }
  return adopted;
}

/** Lines of the manifest that was made are nothing that anybody has seen. */
function notAdopted({ problems }: ManifestError, file: string): Exit {
  return new Exit(
    EXIT.usage,
    "not_adopted",
    `No manifest can be made of ${file} as it is:`,
    "Nothing was written. Change that in the config, or write the manifest by hand: docs/dr.md has a small one.",
    { lines: problems.map(({ message, allowed }) => `${message} ${allowed}`), details: { problems } },
  );
}
