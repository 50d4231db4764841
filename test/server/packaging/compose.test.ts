import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";

const FOLDER = join(import.meta.dirname, "../../../packaging/server");

interface Service {
  readonly image: string;
  readonly user?: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly tmpfs: readonly string[];
  readonly command?: readonly string[];
  readonly [key: string]: unknown;
}

const compose = parse(readFileSync(join(FOLDER, "docker-compose.yml"), "utf8")) as {
  readonly services: Readonly<Record<"server" | "postgres", Service>>;
  readonly networks: Readonly<Record<string, { internal?: boolean }>>;
  readonly volumes: object;
  readonly secrets: Readonly<Record<string, { file: string }>>;
};
const { server, postgres } = compose.services;

describe.each(Object.entries(compose.services))("%s", (_, service) => {
  it("may write to its memory only, gains no rights, and has its limits", () => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ["ALL"], security_opt: ["no-new-privileges:true"] });
    expect(service).not.toHaveProperty("cap_add");
    expect(service).not.toHaveProperty("privileged");
    expect(service.tmpfs.length).toBeGreaterThan(0);
    expect([service.cpus, service.mem_limit, service.pids_limit]).toEqual([
      expect.any(Number),
      expect.stringMatching(/^\d+[mg]$/),
      expect.any(Number),
    ]);
  });

  it("gets its secrets as files", () => {
    for (const [name, value] of Object.entries(service.environment))
      expect(/PASSWORD|DATABASE_URL|TOKEN/.test(name) ? name : "_FILE", `${name}=${value}`).toMatch(/_FILE$/);
    for (const secret of service.secrets) expect(compose.secrets[secret]?.file).toBe(`./secrets/${secret}`);
  });
});

it("has the server as large as in Azure, on this machine only, with time to end", () => {
  expect(server).toMatchObject({ cpus: 0.25, mem_limit: "512m", stop_grace_period: "30s" });
  for (const port of server.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
  expect(server.depends_on).toEqual({ postgres: { condition: "service_healthy" } });
});

it("has a database that only the server reaches, that is not root, and that keeps its data", () => {
  expect(postgres.image).toBe("postgres:18");
  expect(postgres.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  expect(postgres.ports).toBeUndefined();
  expect(postgres.networks).toEqual(["back"]);
  expect(compose.networks.back).toEqual({ internal: true });
  // Postgres 18's image keeps its data one folder higher than those before.
  expect(postgres.volumes).toContain("data:/var/lib/postgresql");
  expect(compose.volumes).toHaveProperty("data");
  expect(postgres.healthcheck).toBeDefined();
  expect(postgres.command).toEqual(expect.arrayContaining(["max_connections=50", "superuser_reserved_connections=15"]));
});

describe("make-secrets.sh", () => {
  const copy = mkdtempSync(join(tmpdir(), "alai-secrets-"));
  afterAll(() => rmSync(copy, { recursive: true }));

  it("makes every secret that is read, once, in a folder for its owner only", () => {
    cpSync(join(FOLDER, "make-secrets.sh"), join(copy, "make-secrets.sh"));
    const run = () => spawnSync("bash", [join(copy, "make-secrets.sh")], { encoding: "utf8" });
    const read = (name: string) => readFileSync(join(copy, "secrets", name), "utf8");
    expect(run().status).toBe(0);
    expect(readdirSync(join(copy, "secrets")).sort()).toEqual(Object.keys(compose.secrets).sort());
    expect(statSync(join(copy, "secrets")).mode & 0o777).toBe(0o700);
    const password = read("alai_password");
    expect(password).toMatch(/^[0-9a-f]{48}$/);
    expect(read("postgres_password")).not.toBe(password);
    expect(new URL(read("database_url"))).toMatchObject({
      username: "alai",
      password,
      host: "postgres:5432",
      pathname: "/alai",
    });
    expect(run().status).toBe(0);
    expect(read("alai_password")).toBe(password);
  });

  it("is followed by no commit of them", () => {
    const ignored = spawnSync("git", ["check-ignore", "-q", "packaging/server/secrets/database_url"], {
      cwd: join(FOLDER, "../.."),
    });
    expect(ignored.status).toBe(0);
  });
});
