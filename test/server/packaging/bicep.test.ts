import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { STREAM_LIMITS } from "../../../server/src/streams/limits.ts";

/**
 * There is no Bicep compiler on npm: this reads what can be read without one. That the names of resources and properties are
 * Azure's was checked once, against its published types (packaging/server/README.md).
 */

const FOLDER = join(import.meta.dirname, "../../../packaging/server/azure");
const files = readdirSync(FOLDER).filter((name) => name.endsWith(".bicep"));
const text = (name: string) => readFileSync(join(FOLDER, name), "utf8");
const [main, app, database, secrets] = ["main", "app", "database", "secrets"].map((name) => text(`${name}.bicep`));

/** The parameters of a file; true for those that must be given. */
function parameters(source: string | undefined): Map<string, boolean> {
  const found = (source ?? "").matchAll(/^param (\w+) \w+( = .*)?$/gm);
  return new Map([...found].map(([, name = "", fallback]) => [name, fallback === undefined]));
}

/** A number that follows a name: `name: 5`, `param name int = 5`. */
function number(source: string | undefined, pattern: RegExp): number {
  return Number(source?.match(pattern)?.[1] ?? Number.NaN);
}

describe.each(files)("%s", (name) => {
  it("closes what it opens, and says what it is", () => {
    const source = text(name);
    const code = source.replace(/^\s*\/\/.*$/gm, "").replace(/\$\{[^}]*\}/g, "");
    for (const [open, close] of ["{}", "[]", "()"])
      expect(code.split(open ?? "").length).toBe(code.split(close ?? "").length);
    expect(source).toMatch(/^\/\/ \S/);
    expect(source).not.toMatch(/-preview'/);
  });
});

describe("main.bicep", () => {
  it("gives each module what it asks for, and nothing else", () => {
    const modules = [
      ...(main ?? "").matchAll(/^module \w+ '(.+?)' =[\s\S]*?\n {2}params: \{\n([\s\S]*?)\n {2}\}\n\}/gm),
    ];
    expect(modules.map(([, file]) => file).sort()).toEqual(files.filter((file) => file !== "main.bicep"));
    for (const [, file = "", body = ""] of modules) {
      const given = [...body.matchAll(/^ {4}(\w+):/gm)].map(([, parameter = ""]) => parameter);
      const wanted = parameters(text(file));
      expect(given.sort()).toEqual([...wanted.keys()].sort());
    }
  });

  it("reads from its modules what they give", () => {
    for (const [, module, output] of (main ?? "").matchAll(/\b(network|database|secrets|app)!?\.outputs\.(\w+)/g))
      expect(text(`${module}.bicep`)).toMatch(new RegExp(`^output ${output} `, "m"));
  });

  it("has an example that gives what must be given, and no password", () => {
    const example = readFileSync(join(FOLDER, "main.example.bicepparam"), "utf8");
    const given = [...example.matchAll(/^param (\w+) =/gm)].map(([, name = ""]) => name);
    const known = parameters(main);
    for (const name of given) expect([...known.keys()]).toContain(name);
    expect(given).toEqual(expect.arrayContaining([...known].filter(([, must]) => must).map(([name]) => name)));
    expect(example).toMatch(/^param databasePassword = readEnvironmentVariable\(/m);
  });

  it("keeps the connections of two revisions at once within those of a B1ms, and some for people", () => {
    const most = number(main, /@maxValue\((\d)\)\nparam maxReplicas/);
    const pool = number(main, /param databaseConnections int = (\d+)/);
    expect(2 * most * (pool + 1)).toBeLessThanOrEqual(35 - 3);
    const app = readFileSync(join(FOLDER, "app.bicep"), "utf8");
    expect(app).toMatch(/name: 'ALAI_DATABASE_CONNECTIONS'\n\s+value: string\(databaseConnections\)/);
  });

  it("keeps backups for at least a week, and lets nobody choose less", () => {
    expect(main).toMatch(/@minValue\(7\)\n@maxValue\(35\)\nparam backupRetentionDays int = \d+/);
    expect(main).toMatch(/^param geoRedundantBackup string = 'Disabled'$/m);
    expect(main).toMatch(/^param location string = 'swedencentral'$/m);
  });
});

describe("the app", () => {
  it("is of the size that was decided, by HTTPS only", () => {
    expect(app).toContain("cpu: json('0.25')");
    expect(app).toContain("memory: '0.5Gi'");
    expect(app).toContain("allowInsecure: false");
  });

  it("is asked whether it lives apart from whether it is ready", () => {
    const probes = [...(app ?? "").matchAll(/type: '(\w+)'\n\s+httpGet: \{\n\s+path: '(\/\w+)'/g)].map(
      ([, type, path]) => [type, path],
    );
    expect(probes).toEqual([
      ["Startup", "/healthz"],
      ["Liveness", "/healthz"],
      ["Readiness", "/readyz"],
    ]);
  });

  it("has longer to end than it needs, and its streams are never as silent as the ingress cuts", () => {
    const drain = readFileSync(join(FOLDER, "../../../server/src/ops/shutdown.ts"), "utf8");
    expect(number(app, /terminationGracePeriodSeconds: (\d+)/) * 1000).toBeGreaterThan(
      number(drain.replaceAll("_", ""), /= (1\d{4})\b/),
    );
    expect(STREAM_LIMITS.heartbeat).toBeLessThan(240_000 / 4);
  });

  it("has its secret from the vault, by its own identity", () => {
    expect(app).toMatch(/keyVaultUrl: databaseUrlSecret\n\s+identity: identityId/);
    expect(app).toMatch(/name: 'DATABASE_URL'\n\s+secretRef: 'database-url'/);
    expect(secrets).toMatch(/^@secure\(\)\nparam databasePassword string$/m);
    expect(secrets).toContain("sslmode=verify-full");
  });
});

describe("the database", () => {
  it("is the smallest, of the version that the tests run on", () => {
    expect(database).toContain("name: 'Standard_B1ms'");
    expect(database).toContain("tier: 'Burstable'");
    expect(database).toContain("version: '18'");
  });

  it("lets other customers of Azure in only where it has a public address", () => {
    expect(database).toMatch(/'firewallRules' = if \(!isPrivate\) \{/);
    expect(database).toMatch(/publicNetworkAccess: 'Disabled'/);
    expect(main).toMatch(/^param privateNetwork bool = true$/m);
  });
});
