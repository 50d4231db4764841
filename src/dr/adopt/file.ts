import { resolve } from "node:path";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { parseManifest } from "../manifest/parse.ts";
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
  const old = readOldConfig(text, file);
  const owner = /^\/(?:Users|home)\/([^/]+)\//.exec(old.databases[0]?.path ?? "")?.[1];
  const adopted = adopt(old, {
    ...{ host, user: owner ?? context.env.USER ?? "root" },
    os: context.platform === "darwin" ? "darwin" : "linux",
  });
  parseManifest(adopted.text, `the manifest made from ${file}`);
  return adopted;
}
